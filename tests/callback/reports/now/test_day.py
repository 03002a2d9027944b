"""The day against its forecast: read in short reads, and then only what is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from callback.history.past_calls import PastCallWriter, calls_between, past_calls
from callback.reports import today
from callback.reports.now.day import DayReader
from callback.settings.rules import QueueRules
from callback.site.work import Work
from scheduler.clock import DAY, HOUR, MINUTE, SECOND
from telephony.queue_log.briefs import Brief
from tests.callback.reports.test_today import past
from tests.callback.world import NOON, World, call

NINE = NOON - 3 * HOUR


class Looks:
    """Reads of a world at a moment that the test moves."""

    def __init__(self, world: World, now: int) -> None:
        self.world, self.now = world, now
        self.spans: list[int] = []

    def __call__(self, read: Callable[[Work], Any]) -> Any:
        with self.world.store.read() as connection:
            return read(self.world.work(connection, self.now))


@pytest.fixture
def weeks(world: World) -> World:
    """Four Mondays from nine to two, and this one until shortly before noon."""
    writer = PastCallWriter(world.store)
    for week in (4, 3, 2, 1, 0):
        for queue in ("sales", "support"):
            for number in range(round((5 if week else 2.8) * HOUR / (2 * MINUTE))):
                writer.add(past(queue, NINE - week * 7 * DAY + number * 2 * MINUTE, lost=number % 10 == 0))
    writer.finish({})
    return world


def test_it_is_what_today_says(weeks: World) -> None:
    look = Looks(weeks, NOON)
    day = DayReader(look).read()
    whole = look(today.look)
    assert (day.at, day.closed, day.came, day.passed) == (NOON, None, whole.came, whole.passed)
    assert list(day.courses) == whole.courses
    assert day.courses[0].calls.came == 150


def test_afterwards_only_what_is_new_is_added_and_nothing_twice(weeks: World) -> None:
    look = Looks(weeks, NOON)
    reader = DayReader(look)
    first = reader.read()
    assert reader.read() == first
    weeks.hear(call(ended_at=NOON + 5 * MINUTE, queue="sales"))
    look.now = NOON + 41 * MINUTE
    again = reader.read()
    assert again.came == first.came + 1
    assert again == DayReader(look).read(), "as if all was read anew"


def test_a_call_that_began_before_the_last_read_is_counted_when_it_is_over(weeks: World) -> None:
    look = Looks(weeks, NOON)
    reader = DayReader(look)
    first = reader.read()
    long = call(ended_at=NOON + 50 * MINUTE, queue="sales", talked_s=70 * 60)
    weeks.hear(long, "served")
    look.now = NOON + HOUR
    assert reader.read().came == first.came + 1


def test_too_few_earlier_days_are_no_forecast(world: World) -> None:
    writer = PastCallWriter(world.store)
    for week in (1, 0):
        writer.add(past("sales", NINE - week * 7 * DAY, lost=False))
    writer.finish({})
    day = DayReader(Looks(world, NOON)).read()
    assert (day.came, day.courses) == (1, ())


def test_the_next_day_begins_anew(weeks: World) -> None:
    look = Looks(weeks, NOON)
    reader = DayReader(look)
    reader.read()
    look.now = NOON + DAY
    assert reader.read() == DayReader(look).read()
    assert reader.read().came == 0


def test_groups_see_their_queues_and_not_the_site(weeks: World) -> None:
    day = DayReader(Looks(weeks, NOON)).read()
    assert [one.queue for one in day.of(weeks.site, None)] == ["", "sales", "support"]
    rules = weeks.site.rules
    far = rules.model_copy(update={"queues": {**rules.queues, "sales": QueueRules(group="far")}})
    assert [one.queue for one in day.of(replace(weeks.site, rules=far), frozenset({"far"}))] == ["sales"]


def test_calls_between_two_instants_are_each_of_one_slice(weeks: World) -> None:
    weeks.hear(call(ended_at=NOON - MINUTE))
    with weeks.store.read() as connection:
        whole = sorted(past_calls(connection, "main", 0))
        begin, parts = NOON - 40 * DAY, list[Brief]()
        while begin < NOON + DAY:
            parts += calls_between(connection, "main", begin, begin + 7 * HOUR + 13 * SECOND)
            begin += 7 * HOUR + 13 * SECOND
    assert sorted(parts) == whole


def test_it_rests_while_it_reads_and_goes_on_where_it_was_ended(weeks: World) -> None:
    look, rests = Looks(weeks, NOON), list[float]()

    def rest(took_s: float) -> None:
        rests.append(took_s)
        if len(rests) == 65:
            raise InterruptedError

    reader = DayReader(look, rest)
    with pytest.raises(InterruptedError):
        reader.read()
    assert reader.read() == DayReader(look).read()
    assert len(rests) > 70
    assert min(rests) >= 0
