"""How promises were kept: three rates, always apart, measured on the first promise of each valid reservation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, case, func, select

from callback.store import tables as t
from scheduler.clock import MINUTE
from scheduler.promise import CARRIED_OVER

WITHIN_MIN: Final = (30, 60)
INVALID: Final = frozenset({"refused", "withdrawn"})
CLOSED_BY_RULE: Final = frozenset({"reached", "returned", "given-up", "cancelled", "done-elsewhere"})
_R, _P, _A, _C = t.reservation.c, t.promise.c, t.attempt.c, t.call.c


@dataclass(frozen=True, slots=True)
class Rates:
    """One queue's reservations ("" is all of them).

    `valid` are all but refused numbers and those withdrawn as not lost. Of the `due_30` and `due_60` whose time is
    over, so many were first dialled, reached, and closed by rule within 30 and 60 minutes of their first promise's
    clock. Among the valid ones so many were `carried_over`, and so many `returned` by themselves; `numberless` losses
    have no reservation.
    """

    queue: str
    valid: int
    due_30: int
    due_60: int
    dialled_30: int
    dialled_60: int
    reached_30: int
    reached_60: int
    closed_30: int
    closed_60: int
    carried_over: int
    returned: int
    refused: int
    numberless: int

    def share(self, what: str, minutes: int) -> float | None:
        """Give a rate (`dialled`, `reached`, `closed`); None while nothing is due."""
        due = getattr(self, f"due_{minutes}")
        return getattr(self, f"{what}_{minutes}") / due if due else None

    def as_json(self) -> dict[str, Any]:
        """Give it for a program."""
        shares = {
            f"{what}_{minutes}_share": self.share(what, minutes)
            for what in ("dialled", "reached", "closed")
            for minutes in WITHIN_MIN
        }
        return asdict(self) | {name: None if share is None else round(share, 4) for name, share in shares.items()}


def rates(connection: Connection, since: int, now: int) -> list[Rates]:
    """Measure promises made from `since` on: all of them first, then by queue."""
    by_queue: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_query(since)):
        by_queue[row.queue].append(row)
    numberless = dict(_numberless(connection, since))
    every = [row for rows in by_queue.values() for row in rows]
    whole = _rates("", every, sum(numberless.values()), now)
    return [whole, *(_rates(queue, rows, numberless.get(queue, 0), now) for queue, rows in sorted(by_queue.items()))]


def _query(since: int) -> Any:  # noqa: ANN401 - a Select of many columns
    reached_at = case((_A.outcome == "reached", func.coalesce(_A.customer_answered_at, _A.ended_at)))
    tried = (
        select(
            _A.reservation_id,
            func.min(_A.customer_dialled_at).label("dialled_at"),
            func.min(reached_at).label("reached_at"),
        )
        .group_by(_A.reservation_id)
        .subquery()
    )
    facts = (_R.queue, _R.state, _R.state_since_at, _P.clock_starts_at, _P.reason)
    return (
        select(*facts, tried.c.dialled_at, tried.c.reached_at)
        .join(t.promise, and_(_P.reservation_id == _R.id, _P.number == 1))
        .outerjoin(tried, tried.c.reservation_id == _R.id)
        .where(_P.made_at >= since)
    )


def _numberless(connection: Connection, since: int) -> Iterator[tuple[str, int]]:
    query = (
        select(func.coalesce(_C.queue, ""), func.count())
        .where(_C.started_at >= since, _C.recovery.in_(("no-number", "not-a-number")))
        .group_by(_C.queue)
    )
    return ((queue, count) for queue, count in connection.execute(query))


def _rates(queue: str, rows: Iterable[Row[Any]], numberless: int, now: int) -> Rates:
    every = list(rows)
    valid = [row for row in every if row.state not in INVALID]
    due = {minutes: [row for row in valid if row.clock_starts_at + minutes * MINUTE <= now] for minutes in WITHIN_MIN}
    done = {
        f"{what}_{minutes}": sum(_within(row, at(row), minutes) for row in due[minutes])
        for what, at in _WHEN.items()
        for minutes in WITHIN_MIN
    }
    return Rates(
        queue=queue,
        valid=len(valid),
        due_30=len(due[30]),
        due_60=len(due[60]),
        carried_over=sum(row.reason == CARRIED_OVER for row in valid),
        returned=sum(row.state == "returned" for row in valid),
        refused=sum(row.state == "refused" for row in every),
        numberless=numberless,
        **done,
    )


def _within(row: Row[Any], at: int | None, minutes: int) -> bool:
    return at is not None and at <= row.clock_starts_at + minutes * MINUTE


_WHEN: Final[dict[str, Callable[[Row[Any]], int | None]]] = {
    "dialled": lambda row: row.dialled_at,
    "reached": lambda row: row.reached_at,
    "closed": lambda row: row.state_since_at if row.state in CLOSED_BY_RULE else None,
}
