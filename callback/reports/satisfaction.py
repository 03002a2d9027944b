"""Satisfaction: how customers judged the callbacks that reached them, by kind of loss and by speed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from callback.care.satisfaction import SATISFIED
from callback.store import tables as t
from scheduler.clock import MINUTE

SPEEDS_MIN: Final = (10, 30, 60)
_a, _r, _t = t.answer.c, t.reservation.c, t.attempt.c


@dataclass(frozen=True, slots=True)
class Judged:
    """The callbacks of one kind and speed. `within_min` is None for those that came later than all of them."""

    kind: str
    within_min: int | None
    answers: int
    mean: float
    satisfied: float  # the share of 4 and 5


def judged(connection: Connection, pbx: str, since_at: int, until_at: int) -> list[Judged]:
    """What was answered in that time, the last word of each customer. Speed: from the loss to the answered callback."""
    said = (
        select(_r.id, _r.kind, _a.score, (_t.customer_answered_at - _r.made_at).label("after"))
        .select_from(t.answer)
        .join(t.reservation, _r.id == _a.reservation_id)
        .join(t.attempt, (_t.reservation_id == _r.id) & (_t.outcome == "reached"))
        .where(t.SCORED, t.LOST_ONLY, _a.pbx == pbx, _a.received_at >= since_at, _a.received_at < until_at)
        .order_by(_a.received_at, _a.id)
    )
    last = {row.id: row for row in connection.execute(said)}
    scores: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    for row in last.values():
        scores[row.kind, _speed(row.after)].append(row.score)
    by_kind_and_speed = sorted(scores, key=lambda key: (key[0], key[1] or max(SPEEDS_MIN) + 1))
    return [_judged(kind, speed, scores[kind, speed]) for kind, speed in by_kind_and_speed]


def _judged(kind: str, speed: int | None, scores: list[int]) -> Judged:
    satisfied = sum(score >= SATISFIED for score in scores)
    return Judged(kind, speed, len(scores), sum(scores) / len(scores), satisfied / len(scores))


def _speed(after: int | None) -> int | None:
    return next((speed for speed in SPEEDS_MIN if after is not None and after <= speed * MINUTE), None)
