"""The link in a text: it opens one reservation for a while (`tokens`)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from callback.site import tokens
from callback.site.tokens import NoSuchLink
from callback.store.keys import site_key
from scheduler.clock import DAY

LASTS_US: Final = 3 * DAY


def token(connection: Connection, reservation: int, until_at: int) -> str:
    """Make the token of a reservation, good until then (to the hour, rounded up)."""
    return tokens.made(site_key(connection, "link"), reservation, until_at)


def opened(connection: Connection, token: str, now: int) -> int:
    """Give the reservation that a token opens. Raises NoSuchLink or LinkExpired, whatever the token is."""
    found = tokens.read(token)
    if not found.is_by(site_key(connection, "link")):
        raise NoSuchLink("this is no link of ours")
    found.must_last(now)
    return found.number
