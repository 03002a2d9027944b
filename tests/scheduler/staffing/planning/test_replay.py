"""Past days lived again: more staff helps, none helps nobody, and the same day is the same day."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from scheduler import clock
from scheduler.clock import MINUTE, SECOND
from scheduler.hours import Hours
from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.learning.fresh import PastCall
from scheduler.staffing.planning.evidence import ReplayedDay
from scheduler.staffing.planning.queue import QueueLearner
from scheduler.staffing.planning.replay import DAYS_KEPT, LONGEST_AFTER_S, PastDays, SimulatedReplay, redial_curve
from tests.scheduler.moments import at

ZONE = clock.zone("Asia/Shanghai")
DAY = date(2025, 11, 21)
NINE = at("2025-11-21 09:00")


def staff(agents: int) -> tuple[int, ...]:
    return tuple(agents if 18 <= number < 24 else 0 for number in range(A_DAY))


@pytest.fixture(scope="module")
def replay() -> SimulatedReplay:
    """A morning: a call a minute that takes three; every sixth was lost after a minute."""
    learning, past = QueueLearner(ZONE), PastDays(ZONE)
    for minute in range(180):
        lost = minute % 6 == 0
        call = PastCall(
            NINE + minute * MINUTE, "q", f"c{minute}", lost, 60 if lost else 20, lost, None if lost else 180
        )
        past.add(call, fresh=learning.add(call))
    return SimulatedReplay(learning.queues()["q"], past, redial_curve(Counter(), 30), Hours(ZONE), lambda _: staff(4))


def total(held: ReplayedDay, name: str) -> float:
    day: tuple[float, ...] = getattr(held, name)
    return sum(day)


def test_everybody_comes_and_counts_in_the_half_hour_in_which_he_came(replay: SimulatedReplay) -> None:
    held = replay(DAY, staff(5))
    assert held.calls[18:24] == (90.0,) * 6  # three lives of the day, thirty calls each
    assert total(held, "lost") <= total(held, "hung_up")


def test_more_staff_loses_fewer_and_keeps_what_is_promised(replay: SimulatedReplay) -> None:
    few, enough = replay(DAY, staff(3)), replay(DAY, staff(6))
    assert total(enough, "hung_up") < total(few, "hung_up") / 3
    assert not few.kept(range(18, 23))
    assert enough.kept(range(18, 23))


def test_without_staff_everybody_hangs_up_and_nobody_is_called(replay: SimulatedReplay) -> None:
    held = replay(DAY, staff(0))
    assert total(held, "hung_up") == total(held, "calls") > 0
    assert total(held, "dialled") == total(held, "reached") == 0
    assert not held.kept()


def test_what_is_reached_was_dialled_and_is_closed(replay: SimulatedReplay) -> None:
    held = replay(DAY, staff(4))
    assert held.closed is not None
    for lost, dialled, reached, closed in zip(held.lost, held.dialled, held.reached, held.closed, strict=True):
        assert reached <= dialled <= lost
        assert reached <= closed <= lost


def test_without_callbacks_the_days_lose_as_many_as_they_did(replay: SimulatedReplay) -> None:
    logged, lived = replay.compared([DAY], replay.after_s)
    assert logged == pytest.approx(1 / 6)
    assert lived == pytest.approx(logged, abs=0.05)
    assert replay.compared([DAY], 0)[1] < logged
    assert 0 < replay.after_s < LONGEST_AFTER_S


def test_the_same_day_with_the_same_staff_is_the_same(replay: SimulatedReplay) -> None:
    once = replay(DAY, staff(4))
    replay(DAY, staff(5))
    assert replay(DAY, list(staff(4))) == once


def test_a_day_that_nobody_knows_is_empty(replay: SimulatedReplay) -> None:
    assert total(replay(DAY + timedelta(days=1), staff(4)), "calls") == 0


def test_who_calls_again_within_the_hours_watched() -> None:
    curve = redial_curve(Counter({60: 3, 600: 1}), 10)
    assert (curve.times_s, curve.tail_s) == ((60, 600), None)
    assert curve.gone == pytest.approx((0.3, 0.4))
    assert redial_curve(Counter(), 0).gone == ()


def test_only_the_last_days_are_kept() -> None:
    past = PastDays(ZONE)
    for day in range(DAYS_KEPT + 3):
        past.add(PastCall(NINE + day * 24 * 60 * MINUTE, "q", "", lost=False, handled_s=5), fresh=True)
    assert past.of("q", DAY + timedelta(days=2)) == []
    assert past.of("q", DAY + timedelta(days=3)) == [(NINE + 3 * 24 * 3600 * SECOND, 5)]
