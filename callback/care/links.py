"""The link by which a department answers a case without an account: for a while, and while the case is its own.

It is a token (`site/tokens`) of the case, and about the name of the department: as soon as the case goes to another
department it opens nothing.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from callback.care import cases
from callback.care.cases import Case, NoSuchCase
from callback.site import tokens
from callback.site.tokens import NoSuchLink
from callback.site.work import Work
from callback.store.keys import site_key
from scheduler.clock import DAY

LASTS_US: Final = 30 * DAY


def token(connection: Connection, case: int, department: str, until_at: int) -> str:
    """Make the token of a case for a department, good until then (to the hour, rounded up)."""
    return tokens.made(_key(connection), case, until_at, department.encode())


def url(work: Work, case: Case) -> str | None:
    """The address of the page on which its department answers a case; None where the site has no page."""
    if not work.site.texting.public_url:
        return None
    return f"{work.site.texting.public_url}/c/{token(work.connection, case.id, case.department, work.now + LASTS_US)}"


def opened(work: Work, token: str, *, lock: bool = False) -> Case:
    """Give the case that a token opens. Raises NoSuchLink or LinkExpired, whatever the token is."""
    found = tokens.read(token)
    try:
        case = cases.read_one(work, found.number, lock=lock)
    except NoSuchCase as error:
        raise NoSuchLink("this is no link of ours") from error
    if not case.department or not found.is_by(_key(work.connection), case.department.encode()):
        raise NoSuchLink("this is no link of ours, or the case went to another department")
    found.must_last(work.now)
    return case


def _key(connection: Connection) -> bytes:
    return site_key(connection, "department link")
