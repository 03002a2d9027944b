"""Three rates, always apart, on the first promise."""

from __future__ import annotations

from typing import Any

import pytest

from callback import report_rates
from callback.report_rates import Rates
from callback.store import tables as t
from tests.callback.world import MINUTE, NOON, World, call

LATER = NOON + 2 * 60 * MINUTE


def lose(world: World, number: int, at: int = NOON, queue: str = "support") -> Any:
    before = {row.id for row in world.reservations()}
    world.hear(call(f"0901234{number:04d}", at, queue=queue))
    return next(row for row in world.reservations() if row.id not in before)


def tried(world: World, row: Any, dialled_min: float, reached_min: float | None = None, number: int = 1) -> None:
    """An attempt that rang, and perhaps reached, so many minutes after the loss."""
    answered_at = None if reached_min is None else row.made_at + round(reached_min * MINUTE)
    with world.store.write() as connection:
        connection.execute(
            t.attempt.insert().values(
                id=f"{row.id}x{number}",
                pbx="main",
                reservation_id=row.id,
                person_id=row.person_id,
                number=number,
                in_flight=False,
                fence=1,
                rules_version=world.shift.version,
                pbx_boot="b",
                decision={},
                claimed_at=row.made_at,
                ring_until_at=row.made_at,
                customer_dialled_at=row.made_at + round(dialled_min * MINUTE),
                customer_answered_at=answered_at,
                outcome="no-answer" if reached_min is None else "reached",
            )
        )


def closed(world: World, row: Any, state: str, after_min: float) -> None:
    with world.store.write() as connection:
        at = row.made_at + round(after_min * MINUTE)
        changed = t.reservation.update().where(t.reservation.c.id == row.id)
        connection.execute(changed.values(state=state, open=False, state_since_at=at))


def measured(world: World, now: int = LATER, since: int = 0) -> list[Rates]:
    with world.store.read() as connection:
        return report_rates.rates(connection, since, now)


def test_each_rate_by_hand(world: World) -> None:
    quick, slow, late, never, himself = (lose(world, number) for number in range(5))
    tried(world, quick, 5, 6)
    closed(world, quick, "reached", 8)
    tried(world, slow, 10)
    tried(world, slow, 40, 41, number=2)
    closed(world, slow, "reached", 42)
    tried(world, late, 61)
    closed(world, late, "given-up", 90)
    closed(world, never, "expired", 60)
    closed(world, himself, "returned", 3)
    [whole, support] = measured(world)
    assert (whole.queue, support.queue) == ("", "support")
    for one in (whole, support):
        assert (one.valid, one.due_30, one.due_60, one.returned, one.refused) == (5, 5, 5, 1, 0)
        assert (one.dialled_30, one.dialled_60) == (2, 2)
        assert (one.reached_30, one.reached_60) == (1, 2)
        assert (one.closed_30, one.closed_60) == (2, 3)
    assert whole.share("dialled", 30) == pytest.approx(0.4)
    assert whole.as_json()["closed_60_share"] == 0.6


def test_what_is_not_due_yet_counts_neither_way(world: World) -> None:
    row = lose(world, 1)
    tried(world, row, 5, 6)
    [whole, _] = measured(world, NOON + 20 * MINUTE)
    assert (whole.valid, whole.due_30, whole.dialled_30) == (1, 0, 0)
    assert whole.share("dialled", 30) is None
    [whole, _] = measured(world, NOON + 45 * MINUTE)
    assert (whole.due_30, whole.due_60, whole.reached_30) == (1, 0, 1)


def test_carried_over_and_withdrawn_and_numberless_are_apart(world: World) -> None:
    carried = lose(world, 1, NOON + 10 * 60 * MINUTE)  # 22:00 in Tokyo
    gone = lose(world, 2)
    closed(world, gone, "withdrawn", 1)
    world.hear(call(None))
    [whole, *_] = measured(world, NOON + 24 * 60 * MINUTE)
    assert (whole.valid, whole.carried_over, whole.numberless) == (1, 1, 1)
    assert whole.due_60 == 1  # its clock began in the morning
    assert carried.clock_starts_at > carried.made_at


def test_by_queue_and_since(world: World) -> None:
    lose(world, 1)
    lose(world, 2, NOON + 60 * MINUTE, "sales")
    assert [(one.queue, one.valid) for one in measured(world)] == [("", 2), ("sales", 1), ("support", 1)]
    assert [(one.queue, one.valid) for one in measured(world, since=NOON + MINUTE)] == [("", 1), ("sales", 1)]


def test_nothing_is_nothing(world: World) -> None:
    [whole] = measured(world)
    assert (whole.valid, whole.share("reached", 60)) == (0, None)
