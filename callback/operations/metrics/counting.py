"""Counts the events of the feed, each once: how far it came is kept beside the counts, in the same transaction.

On PostgreSQL an event with a lower place may be committed after one with a higher: what is missed is looked for again
for as long as a transaction may last.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from callback.events import KINDS
from callback.operations.metrics.families import ALARMS, EVENTS, FROM_EVENTS, Family
from callback.store import feed, tally
from callback.store import tables as t
from callback.store.inserting import insert_new
from callback.store.tally import Counter
from scheduler.clock import SECOND
from telephony.calls.call import LOST

AT_ONCE: Final = 2000
_ONE: Final = 1
_H, _P = t.happened.c, t.tally_place.c
_EVENT: Final = (_H.id, _H.pbx, _H.name, _H.facts)
_NEXT: Final = select(*_EVENT).where(_H.id > bindparam("after")).order_by(_H.id).limit(AT_ONCE)
_THESE: Final = select(*_EVENT).where(_H.id.in_(bindparam("ids", expanding=True)))
_PLACE: Final = select(_P.reached_id, _P.missing).where(_P.id == _ONE).with_for_update()
_IS_THERE: Final = select(_P.id).where(_P.id == _ONE)
_MOVE: Final = update(t.tally_place).where(_P.id == _ONE)
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
OTHER: Final = "other"
_NAMES: Final = frozenset({"queue", "group", "trunk"})
_BY_EVENT: Final[dict[str, list[Family]]] = collections.defaultdict(list)
for _family in FROM_EVENTS:
    _BY_EVENT[_family.event].append(_family)


def count(connection: Connection, now: int) -> bool:
    """Count what has come since the last time, in this transaction; tell whether there may be more.

    The first time it only notes where the feed ends: counters begin then.
    """
    if connection.execute(_IS_THERE).first() is None:
        insert_new(connection, t.tally_place, {"id": _ONE, "reached_id": feed.end(connection), "missing": {}})
    reached, missing = connection.execute(_PLACE).one()
    if feed.end(connection) < reached:  # the feed was emptied, and numbers its rows from one again
        reached, missing = 0, {}
    late = _read(connection, missing)
    fresh = connection.execute(_NEXT, {"after": reached}).all()
    counts = collections.Counter[Counter]()
    for _, pbx, name, facts in (*late, *fresh):
        counts.update(counters(pbx, name, facts))
    tally.add(connection, counts)
    places = [int(row.id) for row in fresh]
    found = {str(row.id) for row in late}
    kept = {place: at for place, at in missing.items() if place not in found}
    kept |= dict.fromkeys(map(str, _between(reached, places)), now)
    values = {"reached_id": max([reached, *places]), "missing": _still(connection, kept, now)}
    if fresh or values["missing"] != missing:
        connection.execute(_MOVE.values(**values))
    return len(fresh) == AT_ONCE


def counters(pbx: str, name: str, facts: Mapping[str, Any]) -> list[Counter]:
    """What an event counts for."""
    known = name if name in KINDS else OTHER
    found = [Counter(pbx, EVENTS.name, (known,))]
    if known in KINDS and KINDS[known].ALARMING:
        found.append(Counter(pbx, ALARMS.name, (known,)))
    lost = facts.get("kind") in LOST
    families = (family for family in _BY_EVENT.get(known, ()) if lost or not family.only_lost)
    return found + [Counter(pbx, one.name, tuple(_value(of, facts.get(of)) for of in one.labels)) for one in families]


def _value(label: str, fact: object) -> str:
    """A label's value: a name of the site as it is, else a word; of sentences there would be ever more."""
    told = "" if fact is None else str(fact)
    return told if label in _NAMES or not told or _WORD.fullmatch(told) else OTHER


def _read(connection: Connection, missing: Mapping[str, int]) -> Sequence[Any]:
    return connection.execute(_THESE, {"ids": [int(place) for place in missing]}).all() if missing else []


def _between(reached: int, places: Sequence[int]) -> Iterable[int]:
    """The places that were passed over, the newest ones where there are very many."""
    if not places:
        return []
    there = set(places)
    return (place for place in range(max(reached + 1, places[-1] - 2 * AT_ONCE), places[-1]) if place not in there)


def _still(connection: Connection, missing: Mapping[str, int], now: int) -> dict[str, int]:
    """Those that may be committed still."""
    since = now - int(feed.LASTS_S[connection.dialect.name] * SECOND)
    return {place: at for place, at in missing.items() if at > since}
