"""A callback that no lost call made: dialled as all are, told nothing by text, and in no rate of lost callers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from callback.attempts import forecast, priority
from callback.customers import blocks, persons
from callback.decisions import actions
from callback.reports import misses
from callback.reports.queue import waits
from callback.reports.rates import rates
from callback.reports.rates_by_group import rates_by_group
from callback.reports.rollups import counting
from callback.reservations import follow_up
from callback.reservations.follow_up import FollowUp, NotToBeCalled
from callback.reservations.reservation import RESERVATIONS, read
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY, HOUR
from sms.outbox import text_outbox
from tests.callback.world import MINUTE, NOON, US, World, at, call

ANNA = By("anna", "asked for it")
NUMBER = "+819012345678"


def owe(world: World, by_at: int = NOON + HOUR, now: int = NOON, apart: str = "case/7") -> int:
    with world.store.write() as connection:
        person = persons.person_of(connection, NUMBER, now)
        wanted = FollowUp(person=person, queue="support", apart=apart, by_at=by_at)
        return follow_up.reserve(world.work(connection, now), wanted)


def do(world: World, act: Callable[[Work], object], now: int = NOON) -> None:
    with world.store.write() as connection:
        act(world.work(connection, now))


def tried(world: World, outcome: str, now: int) -> None:
    order = world.claim(now)
    assert order is not None
    world.end(order.attempt, outcome, now + MINUTE)


def state(world: World) -> str:
    return str(world.reservations()[0].state)


def reached(world: World) -> None:
    tried(world, "reached", NOON)


def given_up(world: World) -> None:
    for n in range(3):
        tried(world, "no-answer", NOON + n * 20 * MINUTE)


def overdue_and_left(world: World) -> None:
    world.carry_over(NOON + HOUR)
    assert world.reservations()[0].overdue_by_at is not None, "one more try"
    world.carry_over(NOON + 3 * HOUR)


def carried_and_left(world: World) -> None:
    world.carry_over(at("21:30"))
    world.carry_over(at("21:30", 24))


def moved_and_cancelled(world: World) -> None:
    do(world, lambda work: actions.choose_slot(work, 1, NOON + 2 * HOUR, ANNA))
    do(world, lambda work: actions.postpone(work, 1, NOON + 3 * HOUR, ANNA))
    do(world, lambda work: actions.call_now(work, 1, ANNA))
    do(world, lambda work: actions.hold(work, 1, ANNA))
    do(world, lambda work: actions.resume(work, 1, ANNA))
    do(world, lambda work: actions.cancel(work, 1, ANNA))


def done_elsewhere(world: World) -> None:
    do(world, lambda work: actions.done_elsewhere(work, 1, ANNA))


def barred(world: World) -> None:
    do(world, lambda work: actions.block(work, NUMBER, calls=True, texts=False, by=ANNA))


def barred_in_the_claim(world: World) -> None:
    do(world, lambda work: blocks.block(work.connection, "main", NUMBER, ANNA, NOON, calls=True))
    assert world.claim() is None


COURSES: dict[Callable[[World], None], str] = {
    reached: "reached",
    given_up: "given-up",
    overdue_and_left: "expired",
    carried_and_left: "expired",
    moved_and_cancelled: "cancelled",
    done_elsewhere: "done-elsewhere",
    barred: "cancelled",
    barred_in_the_claim: "cancelled",
}


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.__name__)
def test_however_it_ends_the_customer_gets_no_text_and_no_rate_counts_it(
    world: World, course: Callable[[World], None]
) -> None:
    owe(world, at("21:20") if course is carried_and_left else NOON + HOUR)
    course(world)
    assert state(world) == COURSES[course]
    assert world.rows(text_outbox) == []
    now = NOON + 2 * DAY
    with world.store.write() as connection:
        work = world.work(connection, now)
        assert [one.valid for one in rates(connection, "main", 0, now)] == [0]
        assert rates_by_group(work, 0) == {}
        assert dict(counting.count(work, 0, now).figures) == {}
        asked = misses.Asked(since_at=0, until_at=now)
        assert misses.counts(work, asked) == []
    assert not {one.name for one in world.told} & {"overdue"}


def test_no_call_of_the_customer_settles_it_and_none_is_put_first_for_it(world: World) -> None:
    owe(world)
    world.hear(call(talked_s=30, ended_at=NOON + 2 * MINUTE), "served")
    assert state(world) == "waiting"
    with world.store.read() as connection:
        work = world.work(connection, NOON + 3 * MINUTE)
        assert priority.numbers(connection, world.site) == []
        assert forecast.owed(work) == []
        assert waits.look(work).words == {}


def test_a_customer_lost_beside_it_is_owed_both_and_reached_for_one_is_owed_the_other(world: World) -> None:
    owe(world, by_at=NOON + 3 * HOUR)
    world.hear(call(ended_at=NOON))
    assert [row.apart for row in world.reservations()] == ["case/7", ""]
    order = world.claim(NOON + US)
    assert order is not None
    assert world.attempts()[0].reservation_id == 2, "who was lost goes first"
    world.end(order.attempt, "reached", NOON + MINUTE)
    assert [row.state for row in world.reservations()] == ["waiting", "reached"]


def test_one_callback_for_each_cause_and_none_for_who_is_blocked(world: World) -> None:
    assert owe(world) == owe(world) == 1
    assert owe(world, apart="flag/1") == 2
    do(world, lambda work: actions.block(work, NUMBER, calls=True, texts=True, by=ANNA))
    with pytest.raises(NotToBeCalled) as refused:
        owe(world)
    assert refused.value.why == "number-blocked"


def test_a_deadline_that_comes_too_soon_leaves_ten_minutes(world: World) -> None:
    owe(world, by_at=at("06:00", 24), now=at("22:00"))
    (row,) = world.reservations()
    assert (row.clock_starts_at, row.deadline_at) == (at("08:00", 24), at("08:10", 24))
    with world.store.read() as connection:
        assert [one.losses for one in read(connection, RESERVATIONS.where(t.OPEN))] == [0]
