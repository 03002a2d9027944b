"""Figures of care: cases by when they were opened, how their customers judged the repair, and what was asked before.

Each figure counts rows of cases of the time, by index, and is told with how many it is of: a share of three cases is
no share. A case is repaired in time when it was answered for the first time before its clock ran out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from callback.reports.care.within import Within, opened
from callback.site.groups import of_groups
from callback.site.work import Work
from callback.store import tables as t

SATISFIED: Final = 4
"""This and more, of 5, is satisfied."""
LEAST: Final = 20
"""A share of fewer is not told apart from chance: it is shown with this said."""
MOST_LINES: Final = 100
"""Lines of a split that are told, those with the most cases."""
Split = Literal["queue", "team", "agent", "kind", "source", "topic", "department", "product", "severity"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)

_C, _Y, _R = t.care_case.c, t.survey.c, t.reservation.c
_OF: Final[Mapping[Split, ColumnElement[Any]]] = {
    "queue": _C.queue,
    "team": func.coalesce(_R.queue, ""),
    "agent": func.coalesce(_C.agent, ""),
    "kind": _C.kind,
    "source": _C.source,
    "topic": _C.topic,
    "department": _C.department,
    "product": _C.product,
    "severity": _C.severity,
}


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases that were opened in a time, and what became of them so far.

    `timed` are those whose first answer was given or is overdue, `in_time` those of them that were answered before it
    was due. `judged` told us after a repair how it is now, the last word of each counts; `satisfied` of them said 4
    or 5.
    """

    opened: int = 0
    repeats: int = 0
    timed: int = 0
    in_time: int = 0
    confirmed: int = 0
    unreachable: int = 0
    withdrawn: int = 0
    still_open: int = 0
    judged: int = 0
    satisfied: int = 0
    compensated: int = 0

    @property
    def first(self) -> int:
        """Cases of customers who had not been heard about the same topic shortly before."""
        return self.opened - self.repeats

    @property
    def repeat_rate(self) -> float | None:
        """The share of repeats; None of no case."""
        return share(self.repeats, self.opened)

    @property
    def in_time_rate(self) -> float | None:
        """The share that was repaired in time."""
        return share(self.in_time, self.timed)

    @property
    def satisfied_rate(self) -> float | None:
        """The share of customers who were satisfied after the repair, of those who told."""
        return share(self.satisfied, self.judged)


@dataclass(frozen=True, slots=True)
class Line:
    """The cases of one part: an agent, a topic, …; empty: of none."""

    of: str
    cases: Cases


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions of a kind (call, callback, repair) that were asked in a time."""

    kind: str
    asked: int = 0
    answered: int = 0
    low: int = 0
    satisfied: int = 0
    points: int = 0

    @property
    def mean(self) -> float | None:
        """What was answered in the mean, 1 to 5."""
        return self.points / self.answered if self.answered else None


@dataclass(frozen=True, slots=True)
class Given:
    """What was given to customers for the trouble; `value` is in the site's currency, by the list of today."""

    name: str
    title: str
    times: int
    value: float


def whole(work: Work, within: Within) -> Cases:
    """All cases that were opened in this time."""
    wanted = select(*_sums(work)).where(*opened(work, within))
    return _cases(work.connection.execute(wanted).one())


def split(work: Work, within: Within, by: Split) -> list[Line]:
    """The same by a part, the largest first."""
    of = _OF[by]
    source: Any = t.care_case.outerjoin(t.reservation, _R.id == _C.reservation_id) if by == "team" else t.care_case
    wanted = select(of, *_sums(work)).select_from(source).where(*opened(work, within)).group_by(of)
    rows = work.connection.execute(wanted.order_by(func.count().desc(), of).limit(MOST_LINES))
    return [Line(str(row[0]), _cases(row[1:])) for row in rows]


def over_time(work: Work, within: Within, cuts: tuple[int, ...]) -> list[tuple[int, Cases]]:
    """The same in pieces of the time, each with its beginning."""
    return [(piece.since_at, whole(work, piece)) for piece in within.pieces(cuts)]


def asked(work: Work, within: Within) -> list[Asked]:
    """What was asked in this time, by kind of question, and what was answered up to now."""
    low = work.site.rules.care.low
    given = (_Y.score.is_not(None), _Y.score <= low, _Y.score >= SATISFIED)
    sums = [func.count(), *(_many(which) for which in given), func.coalesce(func.sum(_Y.score), 0)]
    of_time = (_Y.pbx == work.pbx, _Y.asked_at >= within.since_at, _Y.asked_at < within.until_at)
    wanted = select(_Y.kind, *sums).where(*of_time, of_groups(work.site, _Y.queue, within.groups)).group_by(_Y.kind)
    rows = work.connection.execute(wanted.order_by(_Y.kind))
    return [Asked(row[0], *(int(many) for many in row[1:])) for row in rows]


def given(work: Work, within: Within) -> list[Given]:
    """What was given in cases that were opened in this time, by name."""
    known = work.site.rules.care.compensations
    wanted = select(_C.compensation, func.count()).where(*opened(work, within), _C.compensation != "")
    rows = work.connection.execute(wanted.group_by(_C.compensation).order_by(_C.compensation)).all()
    return [
        Given(
            name, known[name].title if name in known else name, times, times * known[name].value if name in known else 0
        )
        for name, times in rows
    ]


def share(many: int, of: int) -> float | None:
    """A share; None of nothing."""
    return many / of if of else None


def _sums(work: Work) -> list[ColumnElement[Any]]:
    """In the order of the fields of `Cases`."""
    timed = or_(_C.repaired_at.is_not(None), and_(_C.due_at < work.now, _C.state != "withdrawn"))
    return [
        func.count(),
        _many(_C.repeats > 0),
        _many(timed),
        _many(_C.repaired_at <= _C.due_at),
        _many(_C.state.in_(("confirmed", "closed"))),
        _many(_C.state == "unreachable"),
        _many(_C.state == "withdrawn"),
        _many(_C.open),
        _many(_C.score_after.is_not(None)),
        _many(_C.score_after >= SATISFIED),
        _many(_C.compensation != ""),
    ]


def _many(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0)


def _cases(row: Any) -> Cases:  # noqa: ANN401 - numbers, in the order of `_sums`
    return Cases(**{one.name: int(many) for one, many in zip(fields(Cases), row, strict=True)})
