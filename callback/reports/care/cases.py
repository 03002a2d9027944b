"""Cases as a list: those that wait for us first, by their clocks, then those that wait for the customer's word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tuple_, type_coerce

from callback.accounts.roles import Groups
from callback.care.cases import CASES, Case, read
from callback.care.states import ASKED, OWED
from callback.settings.care import Care
from callback.site.groups import of_groups
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import HOUR

Due = Literal["soon", "overdue"]
Clock = Literal["running", "soon", "overdue", "asked", "ended"]
PAGE: Final = 50
_LANES: Final = (OWED, ASKED)
_OF_PERSON: Final = 20
_C = t.care_case.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases are asked for; empty: any. `topic` with all that hangs on it; `mine`: names that one person has."""

    ended: bool = False
    state: str = ""
    kind: str = ""
    due: Due | None = None
    department: str = ""
    queue: str = ""
    topic: str = ""
    mine: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out of the open, or of the ended ones."""
        return self == Wanted(ended=self.ended)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ends: in which of its parts, by its key and number."""

    part: int
    key: int
    case: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases in their order; `after` is where the next ones begin, None after the last."""

    cases: tuple[Case, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Open cases: how many wait for us, of them nearly due and overdue, and how many wait for the customer's word."""

    owed: int = 0
    soon: int = 0
    overdue: int = 0
    asked: int = 0

    @property
    def open(self) -> int:
        """All of them."""
        return self.owed + self.asked


def page(work: Work, wanted: Wanted, groups: Groups = None, after: Place | None = None, most: int = PAGE) -> Page:
    """Give the next cases: open ones by their clocks, ended ones by when they were opened, the newest first."""
    found: list[tuple[int, Case]] = []
    parts = _ended(work, wanted, groups) if wanted.ended else _open(work, wanted, groups)
    for number, part in enumerate(parts):
        if after is not None and number < after.part:
            continue
        asked = part if after is None or number > after.part else part.where(_behind(after, ended=wanted.ended))
        found += [(number, one) for one in read(work.connection, asked.limit(most + 1 - len(found)))]
        if len(found) > most:
            break
    shown = found[:most]
    last = Place(shown[-1][0], _key(shown[-1][1], ended=wanted.ended), shown[-1][1].id) if len(found) > most else None
    return Page(tuple(one for _, one in shown), last)


def counts(work: Work, groups: Groups = None) -> Counts:
    """Count the open cases of these groups."""
    owed = _C.state.in_(OWED)
    sums = [
        func.sum(case((which, 1), else_=0))
        for which in (owed, and_(owed, _due(work, "soon")), and_(owed, _due(work, "overdue")), ~owed)
    ]
    theirs = (_C.pbx == work.pbx, t.CASE_OPEN, of_groups(work.site, _C.queue, groups))
    row = work.connection.execute(select(*sums).where(*theirs)).one()
    return Counts(*(int(one or 0) for one in row))


def one(work: Work, number: int, groups: Groups = None) -> Case | None:
    """One case; None where there is none of these groups."""
    wanted = CASES.where(_C.pbx == work.pbx, _C.id == number, of_groups(work.site, _C.queue, groups))
    return next(iter(read(work.connection, wanted)), None)


def of_person(work: Work, person: int, groups: Groups = None) -> list[Case]:
    """The cases of a customer, open ones first, the newest of each before the others."""
    wanted = CASES.where(_C.pbx == work.pbx, _C.person_id == person, of_groups(work.site, _C.queue, groups))
    return read(work.connection, wanted.order_by(_C.open.desc(), _C.opened_at.desc(), _C.id.desc()).limit(_OF_PERSON))


def of_agent(work: Work, names: Iterable[str], groups: Groups = None) -> list[Case]:
    """The open cases that are an agent's own, by one of the agent's names: to be repaired, in charge of, or opened."""
    wanted = CASES.where(_C.pbx == work.pbx, t.CASE_OPEN, _theirs(names), of_groups(work.site, _C.queue, groups))
    return read(work.connection, wanted.order_by(_C.due_at, _C.id).limit(_OF_PERSON))


def is_of(case: Case, names: Iterable[str]) -> bool:
    """Whether a case is that agent's own."""
    return not {case.owner, case.agent, case.opened_by}.isdisjoint(names)


def queues(work: Work, groups: Groups = None) -> list[str]:
    """The queues of these groups that take cases."""
    named = work.site.rules.queues.items()
    return [name for name, queue in named if queue.care.cases and (groups is None or queue.group in groups)]


def clock_of(case: Case, care: Care, now: int) -> Clock:
    """How the clock of a case stands."""
    if not case.open:
        return "ended"
    if case.state in ASKED:
        return "asked"
    if case.due_at < now:
        return "overdue"
    return "soon" if case.due_at <= now + _warning(care) else "running"


def titles(topics: Mapping[str, str], topic: str) -> tuple[str, ...]:
    """A topic as people call it, from the trunk to the leaf; what the rules have no more is named by its path."""
    if not topic:
        return ()
    steps = topic.split("/")
    paths = ["/".join(steps[: number + 1]) for number in range(len(steps))]
    return tuple(topics.get(path, step) for path, step in zip(paths, steps, strict=True))


def _warning(care: Care) -> int:
    return round(care.warn_h * HOUR)


def _open(work: Work, wanted: Wanted, groups: Groups) -> list[Select[Any]]:
    return [
        _wanted(work, wanted, groups).where(t.CASE_OPEN, _C.state.in_(states)).order_by(_C.due_at, _C.id)
        for states in _LANES
    ]


def _ended(work: Work, wanted: Wanted, groups: Groups) -> list[Select[Any]]:
    return [_wanted(work, wanted, groups).where(~_C.open).order_by(_C.opened_at.desc(), _C.id.desc())]


def _wanted(work: Work, wanted: Wanted, groups: Groups) -> Select[Any]:
    asked = CASES.where(_C.pbx == work.pbx, of_groups(work.site, _C.queue, groups))
    for column, value in ((_C.state, wanted.state), (_C.kind, wanted.kind), (_C.queue, wanted.queue)):
        asked = asked.where(column == value) if value else asked
    if wanted.department:
        asked = asked.where(_C.department == wanted.department)
    if wanted.topic:
        below = _C.topic.startswith(f"{wanted.topic}/", autoescape=True)
        asked = asked.where(or_(_C.topic == wanted.topic, below))
    if wanted.mine:
        asked = asked.where(_theirs(wanted.mine))
    if wanted.due is not None:
        asked = asked.where(_C.state.in_(OWED), _due(work, wanted.due))
    return asked


def _due(work: Work, due: Due) -> ColumnElement[bool]:
    """Cases whose clock has run out, or does so within the time of the warning: none is both."""
    if due == "overdue":
        return _C.due_at < work.now
    return _C.due_at.between(work.now, work.now + _warning(work.site.rules.care))


def _theirs(names: Iterable[str]) -> ColumnElement[bool]:
    theirs = sorted(names)
    return or_(_C.owner.in_(theirs), _C.agent.in_(theirs), _C.opened_by.in_(theirs))


def _behind(after: Place, *, ended: bool) -> ColumnElement[bool]:
    key = tuple_(_C.opened_at, _C.id) if ended else tuple_(_C.due_at, _C.id)
    place = tuple_(type_coerce(after.key, _C.due_at.type), type_coerce(after.case, _C.id.type))
    return key < place if ended else key > place


def _key(case: Case, *, ended: bool) -> int:
    return case.opened_at if ended else case.due_at
