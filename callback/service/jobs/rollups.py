"""Rolls up: counts the figures of each half hour that is over, and again of each in which something has changed.

What is to be counted is read in one transaction and kept in another, which is short: nobody waits for the counting.
That loses nothing: what changes between the two is marked by triggers (callback/store/marking.py), and a mark is
removed only by the piece of work that had read it before it counted.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Table, bindparam, delete, func, insert, select

from callback.reports.rollups.counting import CALLS_PBX, Counted, count
from callback.reports.rollups.spans import HALF_HOUR, day_begins, half_hour_begins, next_day
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store import tables as t
from callback.store.tables.rollups import COUNTS, FIRST_TRY, HEAT, OF_AGENTS, REACH

log = logging.getLogger(__name__)

AT_ONCE: Final = 16
"""Half hours of one piece of work."""
MARKS: Final = 5000
EVER: Final = 0
"""Since when all is counted, once nothing older is left."""
PIECES: Final = 6
"""In one run; what is left waits for the next."""
_BEHIND: Final = "the figures of the past are being counted, newest first: until then reports begin later"
_LEVEL: Final = "the figures of the past are counted"
_S, _M, _AGAIN = t.rollup_state.c, t.rollup_mark.c, t.rollup_again.c
_DAYS: Final = (
    (t.rollup_half_hour, t.rollup_day, (*COUNTS, *FIRST_TRY, *REACH)),
    (t.rollup_agent_half_hour, t.rollup_agent_day, OF_AGENTS),
)
_OF_PBX: Final[BindParameter[str]] = bindparam("of_pbx")
_OLDER: Final = tuple(
    select(at).where(whose == _OF_PBX, at < bindparam("before")).order_by(at.desc()).limit(1)
    for whose, at in (
        (CALLS_PBX, t.call.c.started_at),
        (t.past_call.c.pbx, t.past_call.c.began_at),
        (t.reservation.c.pbx, t.reservation.c.made_at),
        (t.attempt.c.pbx, t.attempt.c.claimed_at),
    )
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to be kept: each half hour as it was counted, and from when to when all are then."""

    anew: bool  # nothing that was kept before holds any more
    marks: Sequence[int]
    counted: Mapping[int, Counted]
    since_at: int
    until_at: int


class RollUp:
    """Every ten seconds, until nothing is left to count; after an upgrade the past, newest first."""

    name, every_s = "roll_up", 10.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._behind = False

    async def run(self) -> None:
        """Count what is to be counted."""
        for _ in range(PIECES):
            piece = await self._transactions.read(look)
            if piece is None:
                return
            await self._transactions.write(lambda work, piece=piece: keep(work, piece))  # type: ignore[misc]
            self._tell(piece)

    def _tell(self, piece: Piece) -> None:
        """Say when the past begins to be counted, and when it is."""
        behind = piece.since_at != EVER
        if behind != self._behind:
            self._behind = behind
            log.info(_BEHIND if behind else _LEVEL)


def look(work: Work) -> Piece | None:
    """Count what is to be counted next; None where nothing is."""
    zone, read = work.site.hours.zone, work.connection.execute
    state = read(select(t.rollup_state).where(_S.pbx == work.pbx)).first()
    anew = state is None or state.zone != zone.key
    now_in = half_hour_begins(work.now, zone)
    since_at, until_at = (now_in, now_in) if state is None or anew else (state.since_at, state.until_at)
    over = list(range(until_at, now_in, HALF_HOUR))[:AT_ONCE]
    until_at += len(over) * HALF_HOUR
    marks, changed = _changed(work, since_at, until_at)
    due = select(_AGAIN.begins_at).where(_AGAIN.pbx == work.pbx, _AGAIN.due_at <= work.now).order_by(_AGAIN.due_at)
    again = [] if anew else read(due.limit(AT_ONCE)).scalars().all()
    wanted = {*over, *changed, *again}
    room = AT_ONCE - len(wanted) if since_at else 0
    older = _older(work, since_at, room)
    if not (anew or wanted or marks or room > 0):
        return None
    counted = {at: count(work, at, at + HALF_HOUR) for at in sorted({*wanted, *older})}
    since_at = EVER if len(older) < room else min([since_at, *older])
    return Piece(anew, marks, counted, since_at, until_at)


def _changed(work: Work, since_at: int, until_at: int) -> tuple[list[int], set[int]]:
    """Read the oldest marks, of some half hours at most, and give those half hours of them that are counted."""
    oldest = select(_M.id, _M.at).where(_M.pbx == work.pbx).order_by(_M.id).limit(MARKS)
    marks, changed = list[int](), set[int]()
    for mark, at in work.connection.execute(oldest):
        begins_at = half_hour_begins(at, work.site.hours.zone)
        if since_at <= begins_at < until_at:
            if len(changed) == AT_ONCE and begins_at not in changed:
                break
            changed.add(begins_at)
        marks.append(mark)
    return marks, changed


def _older(work: Work, since_at: int, most: int) -> list[int]:
    """Give the newest half hours before that one of which there is anything to count."""
    found = list[int]()
    while len(found) < most:
        asked = {"of_pbx": work.pbx, "before": found[-1] if found else since_at}
        instants = [at for query in _OLDER if (at := work.connection.execute(query, asked).scalar()) is not None]
        if not instants:
            break
        found.append(half_hour_begins(max(instants), work.site.hours.zone))
    return found


def keep(work: Work, piece: Piece) -> None:
    """Keep what was counted in the place of what was kept of those half hours, and add up their days anew."""
    connection, zone = work.connection, work.site.hours.zone
    halves = list(piece.counted)
    rolled = (t.rollup_half_hour, t.rollup_heat, t.rollup_agent_half_hour, t.rollup_again)
    if piece.anew:
        for table in (*rolled, t.rollup_day, t.rollup_agent_day, t.rollup_state):
            connection.execute(delete(table).where(table.c.pbx == work.pbx))
    if piece.marks:
        connection.execute(delete(t.rollup_mark).where(_M.id.in_(piece.marks)))
    for table in rolled:
        connection.execute(delete(table).where(table.c.pbx == work.pbx, table.c.begins_at.in_(halves)))
    for table, rows in _rows(work.pbx, piece.counted.values()):
        if rows:
            connection.execute(insert(table), rows)
    _add_up_groups(connection, work.pbx, halves)
    for day in sorted({day_begins(at, zone) for at in halves}):
        _add_up(connection, work.pbx, day, next_day(day, zone))
    connection.execute(delete(t.rollup_state).where(_S.pbx == work.pbx))
    state = {"pbx": work.pbx, "zone": zone.key, "since_at": piece.since_at, "until_at": piece.until_at}
    connection.execute(insert(t.rollup_state), state)


def _rows(pbx: str, every: Collection[Counted]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """Give the rows of each table; every figure is named, so that all rows are alike."""
    none = dict.fromkeys((*COUNTS, *FIRST_TRY, *REACH), 0)
    figures = [{"pbx": pbx, **of._asdict(), **none, **one} for c in every for of, one in c.figures.items()]
    agents = [{"pbx": pbx, **of._asdict(), **one} for c in every for of, one in c.agents.items()]
    again = [{"pbx": pbx, "begins_at": at, "due_at": due_at} for c in every for at, due_at in c.again.items()]
    return iter(((t.rollup_half_hour, figures), (t.rollup_agent_half_hour, agents), (t.rollup_again, again)))


def _add_up_groups(connection: Connection, pbx: str, halves: Sequence[int]) -> None:
    """Add up each group's part of those half hours."""
    h = t.rollup_half_hour.c
    keys = (h.pbx, h.begins_at, h.queue_group)
    summed = select(*keys, *(func.sum(h[name]).label(name) for name in HEAT)).group_by(*keys)
    summed = summed.where(h.pbx == pbx, h.begins_at.in_(halves))
    connection.execute(insert(t.rollup_heat).from_select([c.name for c in summed.selected_columns], summed))


def _add_up(connection: Connection, pbx: str, begins_at: int, ends_at: int) -> None:
    """Add up the half hours of a day."""
    for halves, days, counted in _DAYS:
        connection.execute(delete(days).where(days.c.pbx == pbx, days.c.begins_at == begins_at))
        keys = [column for column in halves.primary_key if column.name not in {"pbx", "begins_at"}]
        sums = [func.sum(halves.c[name]).label(name) for name in counted]
        h = halves.c
        summed = select(h.pbx, bindparam("day", begins_at).label("begins_at"), *keys, *sums)
        summed = summed.where(h.pbx == pbx, h.begins_at >= begins_at, h.begins_at < ends_at).group_by(h.pbx, *keys)
        connection.execute(insert(days).from_select([c.name for c in summed.selected_columns], summed))
