"""The link in a text: it opens one reservation for a while, cannot be guessed or changed, and reveals no number.

A token is the reservation's number, the hour at which it expires, and ten bytes of an HMAC-SHA256 over both, by a key
of this site; 24 characters that need no escape in a URL.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from sqlalchemy import Connection

from callback.errors import CallbackError
from callback.store.keys import site_key
from scheduler.clock import DAY, HOUR

LASTS_US: Final = 3 * DAY
LENGTH: Final = 24
_ID, _HOURS, _MAC = 5, 3, 10  # bytes


class NoSuchLink(CallbackError):
    """The link was not made here, or was changed on its way: ask for a new text."""


class LinkExpired(CallbackError):
    """The link was good, and its time is over: call the number in the text."""


def token(connection: Connection, reservation: int, until_at: int) -> str:
    """Make the token of a reservation, good until then (to the hour, rounded up)."""
    hours = -(-until_at // HOUR)
    content = reservation.to_bytes(_ID) + hours.to_bytes(_HOURS)
    return base64.urlsafe_b64encode(content + _mac(connection, content)).decode()


def opened(connection: Connection, token: str, now: int) -> int:
    """Give the reservation that a token opens. Raises NoSuchLink or LinkExpired, whatever the token is."""
    if len(token) != LENGTH or not token.isascii():
        raise NoSuchLink("this is no link of ours")
    try:
        found = base64.b64decode(token, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise NoSuchLink("this is no link of ours") from error
    content, mac = found[: _ID + _HOURS], found[_ID + _HOURS :]
    if not hmac.compare_digest(mac, _mac(connection, content)):
        raise NoSuchLink("this is no link of ours")
    if now >= int.from_bytes(content[_ID:]) * HOUR:
        raise LinkExpired("this link has expired")
    return int.from_bytes(content[:_ID])


def _mac(connection: Connection, content: bytes) -> bytes:
    return hmac.digest(site_key(connection, "link"), content, "sha256")[:_MAC]
