"""The queue's lanes as people see them: the dispatcher's own order, read page by page, each from an index.

    calling   being called
    aim       inside the aim
    binds     the deadline binds; exclusive of the lanes around it, in which the dispatcher has it too
    window    past the aim, inside the deadline
    late      past the deadline
    later     waits for its time, or has time: it goes after all who were lost
    held      by a person, by the service or by an incident

Each open reservation is in one lane. A sort other than the dispatcher's has one lane, of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from heapq import merge
from itertools import islice
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    TextClause,
    and_,
    bindparam,
    case,
    or_,
    select,
    tuple_,
)

from callback.reports.queue.wanted import NOW, Wanted, conditions
from callback.reservations.reservation import RESERVATIONS, Reservation
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import SECOND

CALLING, AIM, BINDS, WINDOW, LATE, LATER, HELD = "calling", "aim", "binds", "window", "late", "later", "held"
LANES: Final = (CALLING, AIM, BINDS, WINDOW, LATE, LATER, HELD)
MAY_BE_CALLED: Final = (AIM, BINDS, WINDOW, LATE)
"""Those of whom one may be called now, as far as the promise goes, in the order in which they are called."""

_R = t.reservation.c
_BINDS_UNTIL: BindParameter[int] = bindparam("binds_until")
_HAS_TIME = and_(_R.kind == t.FOLLOW_UP, _R.aim_at > bindparam("lost_now_by"))
_DUE = (_R.state == "waiting", _R.not_before_at <= NOW, ~_HAS_TIME)
_WHERE: Final[Mapping[str, tuple[ColumnElement[bool], ...]]] = {
    CALLING: (_R.state == "calling",),
    AIM: (*_DUE, _R.aim_at >= NOW, _R.deadline_at > _BINDS_UNTIL),
    BINDS: (*_DUE, _R.aim_at.between(bindparam("aims_since"), _BINDS_UNTIL), _R.deadline_at.between(NOW, _BINDS_UNTIL)),
    WINDOW: (*_DUE, _R.aim_at < NOW, _R.deadline_at > _BINDS_UNTIL),
    LATE: (*_DUE, _R.aim_at < NOW, _R.deadline_at < NOW),
    LATER: (_R.state == "waiting", or_(_R.not_before_at > NOW, _HAS_TIME)),
    HELD: (_R.state == "held",),
}
LANE_OF: Final = case(
    (_R.state == "calling", CALLING),
    (_R.state == "held", HELD),
    (or_(_R.not_before_at > NOW, _HAS_TIME), LATER),
    (_R.deadline_at < NOW, LATE),
    (_R.deadline_at <= _BINDS_UNTIL, BINDS),
    (_R.aim_at >= NOW, AIM),
    else_=WINDOW,
)
"""The lane of an open reservation, in SQL."""

OF_OPEN: Final = _R.state.in_(("waiting", "held", "calling"))
"""Says no more than `t.OPEN`, but leads SQLite to an index of what is open: else it reads one of all that there is."""


class Sort(StrEnum):
    """The order of rows: the dispatcher's, in lanes; or of all open ones together."""

    DISPATCHER = "dispatcher"
    DEADLINE = "deadline"
    NEWEST = "newest"
    LOSSES = "losses"


@dataclass(frozen=True, slots=True)
class Strand:
    """A part of a list in the order of one index. Strands of a lane follow each other; those of a sort are merged."""

    name: str
    where: tuple[ColumnElement[bool] | TextClause, ...]
    key: ColumnElement[int]
    descending: bool = False
    severe: bool = False  # the worst harmed first, and of those alike by the key

    @property
    def order(self) -> tuple[ColumnElement[Any], ...]:
        """What the rows are sorted by."""
        keys = (self.key.desc(), _R.id.desc()) if self.descending else (self.key, _R.id)
        return (_R.severity.desc(), *keys) if self.severe else keys

    @property
    def after(self) -> ColumnElement[bool]:
        """What holds for the rows that come after a place."""
        here, there = tuple_(self.key, _R.id), tuple_(bindparam("after_key"), bindparam("after_id"))
        behind = here < there if self.descending else here > there
        if not self.severe:
            return behind
        level: BindParameter[int] = bindparam("after_severity")
        return or_(_R.severity < level, and_(_R.severity == level, behind))


def _by_severity(lane: str, key: ColumnElement[int], *, descending: bool = False) -> tuple[Strand, ...]:
    """Those who were harmed worst, from an index of their own, and then the others."""
    where = _WHERE[lane]
    return (
        Strand(f"{lane}-severe", (t.SEVERE, *where), key, descending, severe=True),
        Strand(lane, (*where, _R.severity == 0), key, descending),
    )


_CHAINS: Final[Mapping[str, tuple[Strand, ...]]] = {
    CALLING: (Strand(CALLING, _WHERE[CALLING], _R.state_since_at),),
    AIM: _by_severity(AIM, _R.aim_at),
    BINDS: (Strand(BINDS, _WHERE[BINDS], _R.aim_at),),
    WINDOW: _by_severity(WINDOW, _R.made_at, descending=True),
    LATE: _by_severity(LATE, _R.aim_at),
    LATER: (Strand(LATER, _WHERE[LATER], _R.not_before_at),),
    HELD: (Strand(HELD, _WHERE[HELD], _R.deadline_at),),
}


def _each_state(sort: Sort, key: ColumnElement[int], *, descending: bool = False) -> tuple[Strand, ...]:
    """Indexes have the state before the key: each state is read by itself."""
    states = ("waiting", "held", "calling")
    return tuple(Strand(f"{sort}-{state}", (_R.state == state,), key, descending) for state in states)


_MERGED: Final[Mapping[str, tuple[Strand, ...]]] = {
    Sort.DEADLINE: _each_state(Sort.DEADLINE, _R.deadline_at),
    Sort.NEWEST: _each_state(Sort.NEWEST, _R.made_at, descending=True),
    Sort.LOSSES: _each_state(Sort.LOSSES, _R.losses, descending=True),
}
LISTS: Final = (*LANES, *_MERGED)
"""What can be read page by page: the lanes, and all that is open by another sort."""
_STRANDS: Final = {strand.name: strand for chain in (*_CHAINS.values(), *_MERGED.values()) for strand in chain}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the row's own keys, and how many rows of the list come before the next page."""

    strand: str
    severity: int
    key: int
    reservation: int
    before: int


@dataclass(frozen=True, slots=True)
class Found:
    """One reservation, its lane ("" where it is read as a closed one), and whether several people share its number.

    `key` sorts it.
    """

    row: Reservation
    lane: str
    shared: bool
    key: int


_COLUMNS = RESERVATIONS.add_columns(LANE_OF.label("lane"), t.person.c.shared)
_OPEN = (t.OPEN, _R.pbx == bindparam("of_pbx"))


@cache
def _statement(strand: str, asked: tuple[str, ...], *, on: bool) -> Select[Any]:
    """Made once: to build a statement costs several times what it costs to run it."""
    one = _STRANDS[strand]
    wanted = _COLUMNS.add_columns(one.key.label("key")).where(*_OPEN, *one.where, *conditions(asked))
    return (wanted.where(one.after) if on else wanted).order_by(*one.order).limit(bindparam("most"))


def moment(work: Work) -> dict[str, Any]:
    """The parameters that say what is now: whose deadline binds, and how far an aim may lie behind."""
    terms, policy = work.site.rules.promise_terms(), work.site.rules.pacing.callback_policy()
    binds_until = work.now + policy.bind_s * SECOND if policy.bind_s else work.now - 1
    since = work.now - terms.window_s * SECOND
    lost_now_by = work.now + terms.window_s * SECOND
    return {"of_pbx": work.pbx, "now": work.now, "binds_until": binds_until, "aims_since": since,
            "lost_now_by": lost_now_by}  # fmt: skip


def page(work: Work, of: str, wanted: Wanted, most: int, after: Place | None = None) -> list[Found]:
    """Read the next `most` rows of a list, those wanted, in its order."""
    if of in _MERGED:
        return _merged(work, _MERGED[of], wanted, most, after)
    found: list[Found] = []
    chain = _CHAINS[of]
    names = [strand.name for strand in chain]
    first = names.index(after.strand) if after is not None else 0
    for strand in chain[first:]:
        begun = after if after is not None and strand.name == after.strand else None
        found += _read(work, strand, wanted, most - len(found), begun)
        if len(found) == most:
            break
    return found


def place_of(of: str, last: Found, before: int) -> Place:
    """The place after a row of a list, of which `before` rows come up to and with it."""
    chain = _MERGED.get(of) or _CHAINS[of]
    fitting = next((strand for strand in chain if strand.severe == (last.row.severity > 0)), chain[0])
    return Place(fitting.name, last.row.severity, last.key, last.row.id, before)


def _merged(work: Work, strands: tuple[Strand, ...], wanted: Wanted, most: int, after: Place | None) -> list[Found]:
    parts = [_read(work, strand, wanted, most, after) for strand in strands]
    in_order = merge(*parts, key=lambda one: (one.key, one.row.id), reverse=strands[0].descending)
    return list(islice(in_order, most))


def _read(work: Work, strand: Strand, wanted: Wanted, most: int, after: Place | None) -> list[Found]:
    asked = {**moment(work), **wanted.parameters(), "most": most}
    if after is not None:
        asked |= {"after_key": after.key, "after_id": after.reservation, "after_severity": after.severity}
    rows = work.connection.execute(_statement(strand.name, wanted.asked, on=after is not None), asked)
    return [Found(Reservation(*row[:-3]), row.lane, row.shared, row.key) for row in rows]


_BY_ID = _COLUMNS.add_columns(_R.id.label("key")).where(_R.pbx == bindparam("of_pbx"))
_BY_IDS: Final[Mapping[tuple[str, ...], Select[Any]]] = {
    asked: _BY_ID.where(*conditions(asked)) for asked in (("ids",), ("ids", "groups"))
}


def by_id(work: Work, ids: list[int], groups: frozenset[str] | None) -> list[Found]:
    """Read some reservations of these groups by their numbers, in that order; open or closed, those that there are."""
    wanted = Wanted(ids=frozenset(ids), groups=groups)
    rows = work.connection.execute(_BY_IDS[wanted.asked], {**moment(work), **wanted.parameters()}) if ids else ()
    found = {one.row.id: one for one in (Found(Reservation(*row[:-3]), row.lane, row.shared, row.key) for row in rows)}
    return [found[number] for number in ids if number in found]


_BY_REFERENCE: Final = (
    select(_R.id)
    .where(_R.pbx == bindparam("of_pbx"), _R.reference == bindparam("of_reference"), _R.reference.is_not(None))
    .where(_R.id < bindparam("before"))
    .order_by(_R.id.desc())
    .limit(bindparam("most"))
)
_BY_REFERENCE_OF_GROUPS: Final = _BY_REFERENCE.where(*conditions(("groups",)))


def of_reference(work: Work, reference: str, groups: frozenset[str] | None, most: int, before: int) -> list[int]:
    """Give the numbers of those that a program calls so, of these groups, the newest first, below that number."""
    asked = {"of_pbx": work.pbx, "of_reference": reference, "before": before, "most": most}
    if groups is None:
        return list(work.connection.execute(_BY_REFERENCE, asked).scalars())
    return list(work.connection.execute(_BY_REFERENCE_OF_GROUPS, asked | {"of_groups": sorted(groups)}).scalars())
