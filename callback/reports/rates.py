"""How promises were kept: three rates, always apart, measured on the promise that counts for each valid reservation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from callback.reports.kept import Kept, kept
from callback.store import tables as t
from scheduler.clock import MINUTE

WITHIN_MIN: Final = (30, 60)
_R, _C = t.reservation.c, t.call.c


@dataclass(frozen=True, slots=True)
class Rates:
    """One queue's reservations ("" is all of them).

    `valid` are all but refused numbers and those withdrawn as not lost. Of the `due_30` and `due_60` whose time is
    over, so many were first dialled, reached, and closed by rule within 30 and 60 minutes of the start of the promise
    that counts (`scheduler.promise.measured`). Among the valid ones so many were `carried_over`, and so many
    `returned` by themselves; `numberless` losses have no reservation.
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


def rates(connection: Connection, pbx: str | None, since: int, now: int) -> list[Rates]:
    """Measure the reservations made from `since` on, of one PBX if it is named: all first, then by queue."""
    every = list(kept(connection, _R.made_at >= since, *_of(_R.pbx, pbx)))
    by_queue: defaultdict[str, list[Kept]] = defaultdict(list)
    for one in every:
        by_queue[one.queue].append(one)
    numberless = numberless_by_queue(connection, pbx, since)
    whole = measure("", every, sum(numberless.values()), now)
    return [whole, *(measure(queue, ones, numberless.get(queue, 0), now) for queue, ones in sorted(by_queue.items()))]


def numberless_by_queue(connection: Connection, pbx: str | None, since: int) -> dict[str, int]:
    """How many of the calls since then were lost without a number that can be called back, by queue."""
    query = (
        select(func.coalesce(_C.queue, ""), func.count())
        .where(_C.started_at >= since, _C.recovery.in_(("no-number", "not-a-number")), *_of(_C.pbx, pbx))
        .group_by(_C.queue)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _of(column: ColumnElement[str], pbx: str | None) -> list[ColumnElement[bool]]:
    return [] if pbx is None else [column == pbx]


def measure(queue: str, every: Sequence[Kept], numberless: int, now: int) -> Rates:
    """Measure these reservations."""
    valid = [one for one in every if one.valid]
    due = {minutes: [one for one in valid if is_due(one, minutes, now)] for minutes in WITHIN_MIN}
    done = {
        f"{what}_{minutes}": sum(in_time(one, what, minutes) for one in due[minutes])
        for what in _WHEN
        for minutes in WITHIN_MIN
    }
    return Rates(
        queue=queue,
        valid=len(valid),
        due_30=len(due[30]),
        due_60=len(due[60]),
        carried_over=sum(one.carried_over for one in valid),
        returned=sum(one.state == "returned" for one in valid),
        refused=sum(one.state == "refused" for one in every),
        numberless=numberless,
        **done,
    )


def is_due(one: Kept, minutes: int, now: int) -> bool:
    """Whether a reservation counts in the rates of so many minutes: it is valid, and they are over."""
    return one.valid and _until(one, minutes) <= now


def in_time(one: Kept, what: str, minutes: int) -> bool:
    """Whether it was `dialled`, `reached` or `closed` by rule within so many minutes."""
    at = _WHEN[what](one)
    return at is not None and at <= _until(one, minutes)


def _until(one: Kept, minutes: int) -> int:
    return one.promise.clock_starts_at + minutes * MINUTE


_WHEN: Final[dict[str, Callable[[Kept], int | None]]] = {
    "dialled": lambda one: one.dialled_at,
    "reached": lambda one: one.reached_at,
    "closed": lambda one: one.closed_at,
}
