"""How a customer who was not content is called, asked once more, and when the case is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callback.care import assigning, follow_up
from callback.customers import blocks
from callback.decisions import actions
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY, HOUR
from sms.outbox import text_outbox
from tests.callback.care.asked import ASKS, CUSTOMER, answer, asking, leave, look, switch_on, tend, words_stand
from tests.callback.world import MINUTE, NOON, US, World, call, picture

SAID = NOON + 2 * MINUTE
NEW_YORK, AFTERNOON = ZoneInfo("America/New_York"), ((time(12), time(15)),)


@pytest.fixture
def rated(world: World) -> World:
    """A customer was served, asked, and has answered 1."""
    return low(asking(world))


def low(world: World) -> World:
    reader = switch_on(world)
    world.hear(call(talked_s=60), "served")
    look(world, reader, NOON + US)
    leave(world, NOON + MINUTE)
    answer(world, "1", SAID)
    return world


def case_of(world: World) -> Any:
    (found,) = world.rows(t.care_case)
    return found


def steps(world: World) -> list[tuple[str, str]]:
    return [(row.event, row.note) for row in world.rows(t.care_step)]


def reach(world: World, now: int, outcome: str = "reached", queue: str = "support") -> None:
    """Let the callback of the case be made, and end so; by anybody of the queue, for the agent's time is over."""
    with world.store.write() as connection:
        connection.execute(t.reservation.update().where(t.OPEN).values(agent_until_at=NOON))
    order = world.claim(now, picture(free={queue: {"PJSIP/agent1"}}))
    assert order is not None
    world.end(order.attempt, outcome, now + MINUTE)
    words_stand(world)


def test_reached_asked_again_satisfied_closed(rated: World) -> None:
    reach(rated, NOON + HOUR)
    assert tend(rated, NOON + HOUR + 2 * MINUTE) == 1
    assert (case_of(rated).state, case_of(rated).callback) == ("answered", "")
    assert case_of(rated).repaired_at == rated.reservations()[0].state_since_at
    assert tend(rated, NOON + HOUR + 3 * MINUTE) == 0
    assert leave(rated, NOON + HOUR + 3 * MINUTE) == ["survey-repair"], "and no question about the callback"
    assert answer(rated, "5", NOON + HOUR + 4 * MINUTE) == "Thank you: it helps us to do better."
    closed = case_of(rated)
    assert (closed.state, closed.open, closed.score_after) == ("closed", False, 5)
    assert [(row.kind, row.score) for row in rated.rows(t.survey)] == [("call", 1), ("repair", 5)]
    assert [event for event, _ in steps(rated)][-4:] == ["answered", "asked", "confirmed", "closed"]


def test_low_again_is_called_again_at_once_by_somebody_else_and_then_people_decide(rated: World) -> None:
    due_at = case_of(rated).due_at
    for hour, number in ((1, "1"), (2, "2")):
        reach(rated, NOON + hour * HOUR)
        tend(rated, NOON + hour * HOUR + 2 * MINUTE)
        leave(rated, NOON + hour * HOUR + 3 * MINUTE)
        answer(rated, number, NOON + hour * HOUR + 4 * MINUTE)
    assert (case_of(rated).state, case_of(rated).open, case_of(rated).due_at) == ("assigned", True, due_at)
    first, second = rated.reservations()
    assert (first.agent, second.agent) == ("Agent One", None)
    assert second.deadline_at <= due_at
    assert steps(rated)[-1] == ("for-people", "")
    assert case_of(rated).callback == ""


def test_3_confirms_nothing_and_denies_nothing(rated: World) -> None:
    reach(rated, NOON + HOUR)
    tend(rated, NOON + HOUR + 2 * MINUTE)
    leave(rated, NOON + HOUR + 3 * MINUTE)
    answer(rated, "3", NOON + HOUR + 4 * MINUTE)
    assert (case_of(rated).state, case_of(rated).score_after) == ("answered", 3)
    answer(rated, "4", NOON + HOUR + 5 * MINUTE)
    assert case_of(rated).state == "closed", "the last word counts"


def test_who_was_not_reached_stays_open_and_is_seen_by_people(rated: World) -> None:
    with rated.store.write() as connection:
        row = rated.reservations()[0]
        actions.cancel(rated.work(connection, NOON + HOUR), row.id, By("anna", "do not call"))
    assert tend(rated, NOON + HOUR + MINUTE) == 1
    assert (case_of(rated).state, steps(rated)[-1]) == ("assigned", ("not-reached", "cancelled"))
    assert tend(rated, NOON + HOUR + 2 * MINUTE) == 0, "said once"


def test_who_is_blocked_for_calls_is_not_called_and_people_are_told(world: World) -> None:
    with asking(world).store.write() as connection:
        blocks.block(connection, "main", CUSTOMER, By("anna", "asked"), NOON - DAY, calls=True)
    low(world)
    assert world.reservations() == []
    assert (case_of(world).state, steps(world)[-1]) == ("assigned", ("not-called", "number-blocked"))


def test_a_team_repairs_where_the_queue_says_so(world: World) -> None:
    low(asking(world, ASKS.model_copy(update={"repair": "team", "team": "team"})))
    (callback,) = world.reservations()
    assert (callback.queue, callback.agent) == ("team", None)
    assert (case_of(world).agent, case_of(world).queue) == ("Agent One", "support")


def test_who_opted_out_meanwhile_is_asked_by_a_call(rated: World) -> None:
    answer(rated, "STOP", NOON + 30 * MINUTE)
    reach(rated, NOON + HOUR)
    tend(rated, NOON + HOUR + 2 * MINUTE)
    assert leave(rated, NOON + HOUR + 3 * MINUTE) == []
    assert (case_of(rated).state, steps(rated)[-1][0]) == ("answered", "call-asks")


def test_the_question_about_a_repair_does_not_leave_once_the_case_went_back(rated: World) -> None:
    reach(rated, NOON + HOUR)
    tend(rated, NOON + HOUR + 2 * MINUTE)
    tend(rated, NOON + HOUR + 3 * MINUTE)
    assert [row.kind for row in rated.rows(t.survey)] == ["call", "repair"]
    with rated.store.write() as connection:
        assigning.assign(rated.work(connection, NOON + HOUR + 3 * MINUTE), case_of(rated).id, "anna", owner="ben")
    assert leave(rated, NOON + 2 * HOUR) == []


def test_a_case_that_ended_calls_nobody_any_more(rated: World) -> None:
    with rated.store.write() as connection:
        connection.execute(t.care_case.update().values(open=False, state="withdrawn"))
    tend(rated, NOON + HOUR)
    assert [row.state for row in rated.reservations()] == ["withdrawn"]
    assert case_of(rated).callback == ""


def test_in_the_evening_the_agents_time_begins_when_phones_may_ring(world: World) -> None:
    asking(world)
    late = NOON + 10 * HOUR  # 22:00
    reader = switch_on(world)
    world.hear(call(talked_s=60, ended_at=late - 3 * MINUTE), "served")
    look(world, reader, late - 2 * MINUTE)
    leave(world, late - MINUTE)
    answer(world, "1", late)
    (callback,) = world.reservations()
    assert callback.clock_starts_at == NOON + 20 * HOUR  # 08:00
    assert callback.agent_until_at == NOON + 22 * HOUR


def test_whose_phone_may_never_ring_is_heard_all_the_same_and_left_to_people(world: World) -> None:
    asking(world)
    reader = switch_on(world)
    world.hear(call(talked_s=60), "served")
    look(world, reader, NOON + US)
    leave(world, NOON + MINUTE)
    asleep = replace(world.site.hours, opening=dict.fromkeys(range(7), AFTERNOON), callee_zones=(NEW_YORK,))
    world.site = replace(world.site, callee_hours=lambda *_: asleep)
    assert answer(world, "1", SAID) == "Thank you: it helps us to do better."
    assert (case_of(world).state, case_of(world).callback, world.reservations()) == ("assigned", "", [])
    assert steps(world)[-1] == ("not-called", "never-in-hours")


def test_who_was_repaired_at_night_is_asked_in_the_morning(rated: World) -> None:
    night = NOON + 11 * HOUR
    with rated.store.write() as connection:
        actions.cancel(rated.work(connection, night), rated.reservations()[0].id, By("anna", "I wrote a mail"))
    tend(rated, night)
    with rated.store.write() as connection:
        follow_up.answered(rated.work(connection, night), case_of(rated).id, "anna", "by mail")
    tend(rated, night + US)
    (asked,) = [row for row in rated.rows(text_outbox) if row.template == "survey-repair"]
    assert asked.not_before_at == NOON + 20 * HOUR


def test_who_was_answered_by_a_person_before_the_call_is_asked_after_it(rated: World) -> None:
    with rated.store.write() as connection:
        follow_up.answered(rated.work(connection, SAID + MINUTE), case_of(rated).id, "anna", "by mail")
    tend(rated, SAID + 2 * MINUTE)
    assert leave(rated, SAID + 3 * MINUTE) == [], "a call is to come"
    reach(rated, NOON + HOUR)
    tend(rated, NOON + HOUR + 2 * MINUTE)
    assert leave(rated, NOON + HOUR + 3 * MINUTE) == ["survey-repair"]
