"""Who is on the line of each PBX, as its listener sees it, kept for the processes that do not listen to it.

No number stands in the database, but the keyed hash of each: who reads it can only ask whether a number that is known
is among them. The times are the database's.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from callback.store import tables as t
from callback.store.engine import clock
from callback.store.inserting import insert_new
from callback.store.keys import site_key
from scheduler.clock import DAY, MINUTE, SECOND

FRESH_S: Final = 5
"""An older picture is none: who is on the line by now is not known."""
UNSEEN_S: Final = 30
"""Who is not heard for so long is told of."""
LAST_SEEN_COUNTS: Final = 10 * MINUTE
"""So long somebody who was on the line when a PBX was heard last is taken to be there still."""
MOST: Final = 5000
"""Numbers on one PBX; where there are more, the picture is not whole."""

_L, _O = t.line.c, t.on_the_line.c
_KEYS = select(_O.number_key).where(_O.pbx == bindparam("of_pbx"))
_SEEN = update(t.line).where(_L.pbx == bindparam("of_pbx"))
_SEEN_AT = select(_L.seen_at).where(_L.pbx == bindparam("of_pbx"))
_GONE = delete(t.on_the_line).where(_O.pbx == bindparam("of_pbx"), _O.number_key.in_(bindparam("keys", expanding=True)))
_OTHERS = select(_L.pbx, _L.seen_at, _L.whole).where(_L.pbx != bindparam("of_pbx"), _L.seen_at > bindparam("since"))
_THERE = select(_O.number_key).where(
    _O.pbx.in_(bindparam("others", expanding=True)), _O.number_key.in_(bindparam("keys", expanding=True))
)


def keys_of(connection: Connection, numbers: Collection[str]) -> list[str]:
    """Give what stands for numbers in the database."""
    key = site_key(connection, "on-the-line")
    return [hmac.new(key, number.encode(), "sha256").hexdigest() for number in numbers]


def keep(connection: Connection, pbx: str, numbers: Collection[str], known: frozenset[str] | None) -> frozenset[str]:
    """Keep who is on the line now, and give what stands there; only changes are written.

    `known` is what was given last; None: it is read.
    """
    if known is None:
        known = frozenset(connection.execute(_KEYS, {"of_pbx": pbx}).scalars())
    now = frozenset(keys_of(connection, sorted(numbers)[:MOST]))
    if gone := known - now:
        connection.execute(_GONE, {"of_pbx": pbx, "keys": sorted(gone)})
    if come := now - known:
        connection.execute(insert(t.on_the_line), [{"pbx": pbx, "number_key": key} for key in sorted(come)])
    facts = {"seen_at": clock(connection), "whole": len(numbers) <= MOST}
    if connection.execute(_SEEN, {"of_pbx": pbx} | facts).rowcount == 0:
        insert_new(connection, t.line, {"pbx": pbx} | facts)
    return now


def others(connection: Connection, pbx: str, now: int) -> list[str]:
    """Give the other PBXs of this database of which it is known who is, or was last, on the line."""
    return list(connection.execute(_OTHERS, {"of_pbx": pbx, "since": now - LAST_SEEN_COUNTS}).scalars())


def elsewhere(connection: Connection, pbx: str, numbers: Collection[str], now: int) -> set[str]:
    """Give those of these numbers that are on the line of another PBX, as far as its listener saw.

    What that saw last counts for ten minutes, though nobody have heard that PBX since; then nobody knows.
    """
    known = others(connection, pbx, now) if numbers else []
    if not known:
        return set()
    keys = dict(zip(keys_of(connection, numbers), numbers, strict=True))
    there = connection.execute(_THERE, {"others": known, "keys": list(keys)}).scalars()
    return {keys[key] for key in there}


def forget(connection: Connection) -> None:
    """Delete who was on the line of PBXs that nobody has heard for so long that it counts no more."""
    old = select(_L.pbx).where(_L.seen_at < clock(connection) - LAST_SEEN_COUNTS)
    connection.execute(delete(t.on_the_line).where(_O.pbx.in_(old)))


def unseen(connection: Connection, pbx: str) -> dict[str, str]:
    """Say why it is not known who is on the line of other PBXs of this database; who was away for a day is gone."""
    now = clock(connection)
    told = {}
    for row in connection.execute(_OTHERS, {"of_pbx": pbx, "since": now - DAY}):
        ago_s = round((now - row.seen_at) / SECOND)
        if ago_s > UNSEEN_S:
            told[row.pbx] = f"nobody has heard it for {ago_s} s"
        elif not row.whole:
            told[row.pbx] = f"more than {MOST} numbers are on its line"
    return told


def seen_s_ago(connection: Connection, pbx: str) -> float | None:
    """Give how old the picture of who is on the line is; None where there never was one."""
    at: int | None = connection.execute(_SEEN_AT, {"of_pbx": pbx}).scalar_one_or_none()
    return None if at is None else (clock(connection) - at) / SECOND


def is_fresh(ago_s: float | None) -> bool:
    """Whether it is known who is on the line, by a picture that is so old; None: there never was one."""
    return ago_s is not None and ago_s <= FRESH_S
