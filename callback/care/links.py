"""The link by which a department answers a case without an account: for a while, and while the case is its own.

A token is the case's number, the hour at which it expires, and ten bytes of an HMAC-SHA256 over both and the name of
the department, by a key of this site: as soon as the case goes to another department it opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from sqlalchemy import Connection

from callback.care import cases
from callback.care.cases import Case, NoSuchCase
from callback.site.links import LENGTH, LinkExpired, NoSuchLink
from callback.site.work import Work
from callback.store.keys import site_key
from scheduler.clock import DAY, HOUR

LASTS_US: Final = 30 * DAY
_ID, _HOURS, _MAC = 5, 3, 10  # bytes


def token(connection: Connection, case: int, department: str, until_at: int) -> str:
    """Make the token of a case for a department, good until then (to the hour, rounded up)."""
    content = case.to_bytes(_ID) + (-(-until_at // HOUR)).to_bytes(_HOURS)
    return base64.urlsafe_b64encode(content + _mac(connection, content, department)).decode()


def url(work: Work, case: Case) -> str | None:
    """The address of the page on which its department answers a case; None where the site has no page."""
    if not work.site.texting.public_url:
        return None
    return f"{work.site.texting.public_url}/c/{token(work.connection, case.id, case.department, work.now + LASTS_US)}"


def opened(work: Work, token: str, *, lock: bool = False) -> Case:
    """Give the case that a token opens. Raises NoSuchLink or LinkExpired, whatever the token is."""
    content, mac = _parted(token)
    try:
        case = cases.read_one(work, int.from_bytes(content[:_ID]), lock=lock)
    except NoSuchCase as error:
        raise NoSuchLink("this is no link of ours") from error
    if not case.department or not hmac.compare_digest(mac, _mac(work.connection, content, case.department)):
        raise NoSuchLink("this is no link of ours, or the case went to another department")
    if work.now >= int.from_bytes(content[_ID:]) * HOUR:
        raise LinkExpired("this link has expired")
    return case


def _parted(token: str) -> tuple[bytes, bytes]:
    if len(token) != LENGTH or not token.isascii():
        raise NoSuchLink("this is no link of ours")
    try:
        found = base64.b64decode(token, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise NoSuchLink("this is no link of ours") from error
    return found[: _ID + _HOURS], found[_ID + _HOURS :]


def _mac(connection: Connection, content: bytes, department: str) -> bytes:
    key = site_key(connection, "department link")
    return hmac.digest(key, content + department.encode(), "sha256")[:_MAC]
