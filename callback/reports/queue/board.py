"""The queue at one moment: its lanes with their first rows, any page of them, counts, and why each row waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sqlalchemy import select

from callback.errors import CallbackError
from callback.reports.queue import census, lanes
from callback.reports.queue.census import Census, Counts
from callback.reports.queue.lanes import LANES, MAY_BE_CALLED, Found, Place, Sort
from callback.reports.queue.rows import Row, holds, rows
from callback.reports.queue.wanted import EVERYBODY, Wanted
from callback.reports.queue.why import Judge
from callback.site.work import Work
from callback.store import tables as t

JUDGED: Final = 50
"""The rows at the beginning of each lane that are judged together."""
LOOKED_THROUGH: Final = 500
"""Rows of a list that are judged one by one to find those with a word; beyond that, the list is not whole."""
_R = t.reservation.c


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list. `after` is where the next page begins; None: this is the last one.

    `whole`: False where a word was looked for, and not all rows of the list were judged.
    """

    of: str
    rows: tuple[Row, ...]
    after: Place | None
    whole: bool = True


class Queue:
    """The open reservations of a PBX as they stand in one transaction; what was read once is not read again.

    `counted`: how many there are, where that was counted a moment ago.
    """

    def __init__(self, work: Work, counted: Census | None = None) -> None:
        self.work, self._counted = work, counted
        self._some: dict[Wanted, Census] = {}

    @cached_property
    def census(self) -> Census:
        """All that is open, counted."""
        return self._counted or census.take(self.work)

    @cached_property
    def heads(self) -> Mapping[str, Sequence[Found]]:
        """The first rows of each lane."""
        return {lane: lanes.page(self.work, lane, EVERYBODY, JUDGED) for lane in LANES}

    @cached_property
    def judge(self) -> Judge:
        """Who says why nobody has called yet."""
        counts, turns, before = self.census.counts(EVERYBODY), dict[int, int](), 0
        for lane in MAY_BE_CALLED:
            turns |= {one.row.id: before + place for place, one in enumerate(self.heads[lane], 1)}
            before += counts.by_lane[lane]
        first = [one.row for lane in MAY_BE_CALLED for one in self.heads[lane]]
        return Judge(self.work, first, turns, before)

    def counts(self, wanted: Wanted = EVERYBODY) -> Counts:
        """Count those wanted; a word that was looked for is not counted."""
        if not {"texts", "ids"}.intersection(wanted.asked):
            return self.census.counts(wanted)
        if wanted not in self._some:
            self._some[wanted] = census.take(self.work, wanted)
        return self._some[wanted].counts(wanted)

    def page(self, of: str, wanted: Wanted = EVERYBODY, most: int = 100, after: Place | None = None) -> Page:
        """Give the next rows of a lane, or of a sort of all: those wanted."""
        found, whole = self._judged(of, wanted, most, after) if wanted.why else self._found(of, wanted, most, after)
        more = len(found) > most
        shown = found[:most]
        before = (after.before if after is not None else 0) + len(shown)
        place = lanes.place_of(of, shown[-1], before) if shown and more else None
        turns = self._turns(of, shown, after) if wanted == EVERYBODY else {}
        return Page(of, tuple(self.rows(shown, turns)), place, whole)

    def first_pages(self, wanted: Wanted = EVERYBODY, most: int = 5) -> dict[str, Page]:
        """Give the first rows of every lane, in the order of the lanes; rows and what belongs to them are read once."""
        if wanted.why:
            return {lane: self.page(lane, wanted, most) for lane in LANES}
        found = {lane: self._found(lane, wanted, most, None)[0] for lane in LANES}
        made = {row.reservation: row for row in self.rows([one for of in found.values() for one in of[:most]])}
        return {
            lane: Page(
                lane,
                tuple(made[one.row.id] for one in of[:most]),
                lanes.place_of(lane, of[most - 1], most) if len(of) > most else None,
            )
            for lane, of in found.items()
        }

    def rows(self, found: Sequence[Found], turns: Mapping[int, int] | None = None) -> list[Row]:
        """Make rows of what was found."""
        held = holds(self.work, [one.row for one in found])
        return rows(self.work, found, self.judge.why((one.row for one in found), held, turns), held)

    def by_id(self, ids: Iterable[int], groups: frozenset[str] | None = None) -> list[Row]:
        """Give these reservations, open or closed, in that order; those of other groups are as if there were none."""
        return self.rows(lanes.by_id(self.work, list(ids), groups))

    def _found(self, of: str, wanted: Wanted, most: int, after: Place | None) -> tuple[list[Found], bool]:
        """One row more than wanted, to know whether there is one."""
        if wanted == EVERYBODY and after is None and most < JUDGED and of in self.heads:
            return list(self.heads[of][: most + 1]), True
        return lanes.page(self.work, of, wanted, most + 1, after), True

    def _judged(self, of: str, wanted: Wanted, most: int, after: Place | None) -> tuple[list[Found], bool]:
        """Those with one of the words that are wanted, among the next rows of the list."""
        found: list[Found] = []
        looked = 0
        while len(found) <= most:
            some = lanes.page(self.work, of, wanted, JUDGED, after)
            held = holds(self.work, [one.row for one in some])
            why = self.judge.why((one.row for one in some), held)
            found += [one for one in some if why[one.row.id].word in wanted.why]
            looked += len(some)
            if len(some) < JUDGED:
                return found, True
            if looked >= LOOKED_THROUGH:
                return found, False
            after = lanes.place_of(of, some[-1], looked)
        return found, True

    def _turns(self, of: str, shown: Sequence[Found], after: Place | None) -> dict[int, int]:
        """The places in turn of rows behind the first of their lane."""
        if of not in MAY_BE_CALLED:
            return {}
        counts = self.census.counts(EVERYBODY)
        before = sum(counts.by_lane[lane] for lane in MAY_BE_CALLED[: MAY_BE_CALLED.index(of)])
        begun = before + (after.before if after is not None else 0)
        return {one.row.id: begun + place for place, one in enumerate(shown, 1)}


def in_list(queue: Queue, wanted: Wanted, sort: Sort, most: int) -> list[Row]:
    """Give the first rows of the whole queue in one list: the lanes one after another, or another sort."""
    if sort is not Sort.DISPATCHER:
        return list(queue.page(sort, wanted, most).rows)
    found: list[Row] = []
    for lane in LANES:
        if len(found) < most:
            found += queue.page(lane, wanted, most - len(found)).rows
    return found


def must_be_known(work: Work, queue: str) -> None:
    """Refuse a queue of which neither the settings nor any reservation know: its name is misspelt."""
    reserved = work.connection.scalars(select(_R.queue).where(_R.pbx == work.pbx).distinct())
    known = sorted({*work.site.rules.queues, *reserved})
    if queue not in known:
        raise CallbackError(f"no queue {queue} is known here: {', '.join(known) or 'none is yet'}")
