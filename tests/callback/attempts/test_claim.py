"""Whom to call now: claimed in one transaction, at most one for a person, and nobody at an hour that is not his."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from callback.attempts import claim, settle
from callback.attempts.snapshot import Live
from callback.customers import blocks
from callback.errors import NotOurs
from callback.settings.rules import Pacing, QueueRules
from callback.site.context import take_over
from callback.store import lease
from callback.store import tables as t
from callback.store.audit import By
from scheduler.policy import QueueLoad
from telephony.dialling.dialler import BEHIND_EVERYONE, IN_TURN
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, picture, rules

HIM, HER = "+819012345678", "+819087654321"
SALES = picture(free={"sales": {"PJSIP/agent2"}})
BOTH_QUEUES = picture(free={"support": {"PJSIP/agent1"}, "sales": {"PJSIP/agent2"}})


def second(clock: str, day: int = 23) -> int:
    """An epoch second, as the PBX is told it."""
    return at(clock, day) // US


# The claim


def test_a_claim_makes_one_attempt_in_flight_and_one_order(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON + MINUTE)
    assert order is not None
    (row,), (attempt,) = world.reservations(), world.attempts()
    assert (row.state, row.open, row.tries) == ("calling", True, 0)
    assert (attempt.id, attempt.in_flight, attempt.number, attempt.fence) == (order.attempt, True, 1, world.held.fence)
    assert (attempt.outcome, attempt.ended_at, attempt.pbx_boot) == (None, None, "boot 1")
    decision = {"why": "in-aim", "agents": ["PJSIP/agent1"], "of": 1, "binds": False, "cost": None, "others": {}}
    assert attempt.decision == decision
    assert [news.name for news in world.told] == ["dialling"]


def test_the_order_says_whom_to_ring_with_which_number_and_until_when(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON)
    assert order is not None
    assert (order.queue, order.dial, order.agent_sees) == ("support", "PJSIP/09012345678@trunk", HIM)
    assert (order.caller_num, order.agent_wait_s, order.ring_s) == ("0312345678", 30, 25)
    assert order.ring_until == NOON // US + 30 + 25
    assert len(order.attempt) == 16


def test_an_attempt_is_claimed_once(world: World) -> None:
    world.hear(call())
    assert world.claim() is not None
    assert world.claim() is None
    assert len(world.attempts()) == 1


def test_the_next_attempt_has_the_next_number_and_another_ticket(world: World) -> None:
    world.hear(call())
    first = world.claim()
    assert first is not None
    world.end(first.attempt, "busy", NOON + MINUTE)
    again = world.claim(NOON + 6 * MINUTE)
    assert again is not None
    assert again.attempt != first.attempt
    assert [attempt.number for attempt in world.attempts()] == [1, 2]


@pytest.mark.parametrize(
    ("claimed", "until"),
    [("20:00", "20:00:55"), ("21:29", "21:29:55"), ("21:29:04", "21:29:58"), ("21:29:50", "21:29:58")],
)
def test_the_pbx_is_told_of_the_cut_two_seconds_early(world: World, claimed: str, until: str) -> None:
    hour, _, seconds = claimed.partition(":")[2].partition(":")
    now = at(f"{claimed[:2]}:{hour}") + int(seconds or 0) * US
    world.hear(call(ended_at=at("19:50")))
    order = world.claim(now)
    assert order is not None
    assert order.ring_until == second(until[:5]) + int(until[6:])
    assert world.attempts()[0].ring_until_at == order.ring_until * US


@pytest.mark.parametrize("claimed_at", [at("21:30") - 10 * US, at("21:30") - 4 * US, at("21:30") - 5 * US - 1])
def test_whenever_a_ring_begins_the_pbx_has_a_second_to_stop_it_before_the_cut(world: World, claimed_at: int) -> None:
    world.hear(call(ended_at=at("19:50")))
    order = world.claim(claimed_at)
    assert order is not None
    begins = range(claimed_at, order.ring_until * US, 62_500)
    assert begins, "there is time to ring"
    for began_at in (*begins, order.ring_until * US - 1):
        ends_at = began_at + (order.ring_until - began_at // US) * US  # as the dialplan counts: EPOCH is whole seconds
        assert ends_at <= at("21:30") - US


def test_too_little_time_before_the_cut_is_no_ring(world: World) -> None:
    world.hear(call(ended_at=at("19:50")))
    assert world.claim(at("21:30") - 4 * US + 1) is None
    (row,) = world.reservations()
    assert (row.state, row.not_before_at) == ("waiting", at("08:00", 24))


# Nobody is called


WATCH = QueueRules()
ALLOWED = ON.model_copy(update={"only_numbers": (HER,)})


@pytest.mark.parametrize(
    ("now", "changes", "seen"),
    [
        pytest.param(at("21:30"), {}, picture(), id="quiet hours"),
        pytest.param(at("07:59", 24), {}, picture(), id="before the morning"),
        pytest.param(at("13:30"), {"opening": {"monday": "09:00-13:00"}}, picture(), id="closed"),
        pytest.param(NOON, {"queues": {"support": WATCH}}, picture(), id="watch"),
        pytest.param(NOON, {"queues": {}}, picture(), id="a queue nobody named"),
        pytest.param(NOON, {"queues": {"support": ALLOWED}}, picture(), id="only other numbers"),
        pytest.param(NOON, {}, picture(numbers={HIM}), id="on the line"),
        pytest.param(NOON, {}, picture(waiting={"support": 1}), id="a caller waits"),
        pytest.param(NOON, {}, picture(free={"support": set()}), id="no free agent"),
        pytest.param(NOON, {}, SALES, id="an agent of another queue"),
        pytest.param(NOON, {}, picture(closed="pbx-not-connected"), id="closed by the PBX"),
    ],
)
def test_nobody_is_called(migrated_url: str, now: int, changes: dict[str, Any], seen: Live) -> None:
    world = World(migrated_url, rules(**changes))
    lost_at = min(now, NOON) - MINUTE
    world.hear(call(ended_at=lost_at))
    assert world.claim(now, seen) is None
    assert ([row.state for row in world.reservations()], world.attempts()) == (["waiting"], [])
    world.close()


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        pytest.param({"queues": {"support": ON.model_copy(update={"only_numbers": (HIM,)})}}, picture(), id="allowed"),
        pytest.param({}, picture(numbers={HER}), id="somebody else is on the line"),
        pytest.param({}, picture(free={"support": {"a", "b"}}, waiting={"support": 1}), id="an agent is left"),
    ],
)
def test_what_hinders_others_does_not_hinder_him(migrated_url: str, changes: dict[str, Any], seen: Live) -> None:
    world = World(migrated_url, rules(**changes))
    world.hear(call())
    assert world.claim(NOON, seen) is not None
    world.close()


def test_nobody_is_called_before_his_retry_is_due(world: World) -> None:
    world.hear(call())
    first = world.claim()
    assert first is not None
    world.end(first.attempt, "no-answer", NOON + MINUTE)
    assert world.claim(NOON + 16 * MINUTE - 1) is None
    assert world.claim(NOON + 16 * MINUTE) is not None


def test_one_agent_is_promised_to_one_callback(world: World) -> None:
    world.hear(call(HIM))
    world.hear(call(HER))
    assert world.claim(NOON + 1) is not None
    assert world.claim(NOON + 2) is None


# One at a time for a person


def test_a_person_lost_in_two_queues_is_called_for_one_at_a_time(world: World) -> None:
    world.hear(call(queue="support"))
    world.hear(call(queue="sales", ended_at=NOON + US))
    first = world.claim(NOON + MINUTE, BOTH_QUEUES)
    assert first is not None
    assert world.claim(NOON + MINUTE, BOTH_QUEUES) is None
    world.end(first.attempt, "busy", NOON + 2 * MINUTE)
    second_order = world.claim(NOON + 2 * MINUTE, BOTH_QUEUES)
    assert second_order is not None
    assert {first.queue, second_order.queue} == {"support", "sales"}


def test_one_attempt_in_flight_for_a_person_is_a_constraint_of_the_database(world: World) -> None:
    world.hear(call(queue="support"))
    world.hear(call(queue="sales"))
    world.claim(NOON, SALES)
    (attempt,) = world.attempts()
    other = next(row.id for row in world.reservations() if row.queue == "support")
    again = attempt._asdict() | {"id": "another", "reservation_id": other}
    with pytest.raises(IntegrityError), world.store.write() as connection:
        connection.execute(insert(t.attempt).values(**again))


def test_a_person_whom_another_pbx_is_calling_is_left_alone(world: World) -> None:
    world.hear(call(HIM))
    world.hear(call(HER, ended_at=NOON + US))
    world.claim(NOON + MINUTE)
    with world.store.write() as connection:
        world.know_pbx(connection, "other")
        connection.execute(t.attempt.update().values(pbx="other"))
        connection.execute(t.reservation.update().where(t.reservation.c.state == "calling").values(pbx="other"))
    world.hear(call(HIM, ended_at=NOON + 2 * MINUTE))
    order = world.claim(NOON + 3 * MINUTE, picture(free={"support": {"a", "b", "c"}}))
    assert order is not None
    assert order.agent_sees == HER
    assert world.claim(NOON + 3 * MINUTE, picture(free={"support": {"a", "b", "c"}})) is None


# Several at once


def test_as_many_are_claimed_at_once_as_agents_are_free_in_the_order_of_the_lanes(world: World) -> None:
    for place in range(4):
        world.hear(call(f"0901234560{place}", ended_at=NOON + place * US))
    orders = world.claims(NOON + MINUTE, picture(free={"support": {"a", "b", "c"}}))
    assert [order.agent_sees for order in orders] == [f"+81901234560{place}" for place in range(3)]
    assert sorted(row.state for row in world.reservations()) == ["calling"] * 3 + ["waiting"]
    assert [news.name for news in world.told] == ["dialling"] * 3


def test_claims_at_once_leave_a_waiting_caller_and_other_queues_their_agents(world: World) -> None:
    """The agent of both queues is one agent."""
    for place, queue in enumerate(("support", "sales", "support", "sales")):
        world.hear(call(f"0901234560{place}", ended_at=NOON + place * US, queue=queue))
    seen = picture(free={"support": {"a", "both"}, "sales": {"both", "b"}}, waiting={"sales": 1})
    assert len(world.claims(NOON + MINUTE, seen)) == 2


def test_claims_at_once_are_for_one_person_each(world: World) -> None:
    world.hear(call(HIM, queue="support"))
    world.hear(call(HIM, queue="sales", ended_at=NOON + US))
    world.hear(call(HER, queue="sales", ended_at=NOON + 2 * US))
    orders = world.claims(NOON + MINUTE, BOTH_QUEUES)
    assert [(order.agent_sees, order.queue) for order in orders] == [(HIM, "support"), (HER, "sales")]


def test_claims_at_once_are_no_more_than_may_be_under_way_or_than_were_asked_for(migrated_url: str) -> None:
    world = World(migrated_url, rules(pacing=Pacing(most_at_once=3)))
    for place in range(5):
        world.hear(call(f"0901234560{place}", ended_at=NOON + place * US))
    seen = picture(free={"support": {f"agent{place}" for place in range(9)}})
    assert len(world.claims(NOON + MINUTE, seen, most=2)) == 2
    assert len(world.claims(NOON + MINUTE, seen)) == 1
    assert world.claims(NOON + MINUTE, seen) == []
    world.close()


def test_who_may_not_ring_does_not_end_the_claims_of_others(world: World) -> None:
    for place in range(3):
        world.hear(call(f"0901234560{place}", ended_at=NOON + place * US))
    with world.store.write() as connection:
        blocks.block(connection, "main", "+819012345601", By("anna", "asked for it"), NOON, calls=True)
    orders = world.claims(NOON + MINUTE, picture(free={"support": {"a", "b", "c"}}))
    assert [order.agent_sees[-1] for order in orders] == ["0", "2"]
    assert [row.state for row in world.reservations()] == ["calling", "cancelled", "calling"]


@pytest.mark.parametrize("outcome", ["trunk-failure", "agent-no-answer"])
def test_while_a_trunk_or_the_agents_are_on_trial_one_is_claimed_at_a_time(world: World, outcome: str) -> None:
    seen = picture(free={"support": {f"agent{place}" for place in range(9)}})
    for place in range(3):
        world.hear(call(f"0901234560{place}", ended_at=NOON + place * US))
    for order in world.claims(NOON + MINUTE, seen):
        world.end(order.attempt, outcome, NOON + 2 * MINUTE)
    for place in range(3, 6):
        world.hear(call(f"0901234560{place}", ended_at=NOON + 3 * MINUTE + place * US))
    assert world.claims(NOON + 2 * MINUTE + 10 * US, seen) == [], "it rests"
    assert len(world.claims(NOON + 20 * MINUTE, seen)) == 1
    assert world.claims(NOON + 20 * MINUTE, seen) == [], "the others wait for what comes of it"


def test_each_claim_makes_the_next_dearer(world: World) -> None:
    """Of three idle agents the first two cost live callers little, and the last one too much."""
    for place in range(3):
        world.hear(call(f"0901234560{place}", ended_at=NOON + place * US))
    load = QueueLoad(staffed=4, idle=3, calls_s=0.005, handle_s=300, patience_s=60, pool=frozenset({"support"}))
    seen = replace(picture(free={"support": {"a", "b", "c"}}), loads={"support": load})
    assert len(world.claims(NOON + MINUTE, seen)) == 2
    costs = [attempt.decision["cost"] for attempt in world.attempts()]
    assert costs == sorted(set(costs))


# The evening cut


def test_what_is_open_at_the_cut_is_promised_anew_and_the_first_promise_stays(world: World) -> None:
    world.hear(call(ended_at=at("20:35")))
    (first,) = world.rows(t.promise)
    assert world.carry_over(at("21:30") - 1) == []
    (news,) = world.carry_over(at("21:30"))
    (row,) = world.reservations()
    standing, carried = world.rows(t.promise)
    assert standing == first
    assert (carried.number, carried.reason, carried.made_at) == (2, "carried-over", at("21:30"))
    assert (carried.clock_starts_at, carried.aim_at, carried.deadline_at) == tuple(
        at(clock, 24) for clock in ("08:00", "08:30", "09:00")
    )
    assert (row.deadline_at, row.not_before_at, row.state) == (at("09:00", 24), at("08:00", 24), "waiting")
    assert (news.name, news.facts["from_at"]) == ("carried-over", at("08:00", 24))


def test_what_was_carried_over_is_not_carried_again_and_called_in_the_morning(world: World) -> None:
    world.hear(call(ended_at=at("20:35")))
    world.carry_over(at("21:31"))
    assert world.carry_over(at("21:32")) == []
    assert world.carry_over(at("07:00", 24)) == []
    assert world.claim(at("07:59", 24)) is None
    assert world.claim(at("08:00", 24) + 2 * US) is not None


def test_what_is_overdue_during_the_day_keeps_its_promise(world: World) -> None:
    world.hear(call())
    assert [news.name for news in world.carry_over(NOON + 90 * MINUTE)] == ["overdue"]
    assert [one.reason for one in world.rows(t.promise)] == ["window", "apology"]


def test_an_attempt_in_flight_at_the_cut_is_carried_over_once_it_has_ended(world: World) -> None:
    world.hear(call(ended_at=at("20:35")))
    order = world.claim(at("21:29"))
    assert order is not None
    assert world.carry_over(at("21:30")) == []
    world.end(order.attempt, "no-answer", at("21:30"))
    assert [news.name for news in world.carry_over(at("21:31"))] == ["carried-over"]
    assert [row.state for row in world.reservations()] == ["waiting"]


def test_carrying_over_never_shortens_the_wait_after_an_attempt(migrated_url: str) -> None:
    """The site shuts for ten minutes: who declined just before is not rung again when it opens."""
    world = World(migrated_url, rules(opening={"monday": "09:00-12:30, 12:40-18:00"}))
    world.hear(call(ended_at=NOON))
    order = world.claim(NOON + 29 * MINUTE)
    assert order is not None
    world.end(order.attempt, "declined", NOON + 29 * MINUTE)
    assert [row.not_before_at for row in world.reservations()] == [NOON + 59 * MINUTE]
    assert [news.name for news in world.carry_over(NOON + 30 * MINUTE)] == ["carried-over"]
    assert [row.not_before_at for row in world.reservations()] == [NOON + 59 * MINUTE]
    world.close()


def test_a_loss_that_betters_the_promise_does_not_count_as_an_evening(world: World) -> None:
    world.hear(call(ended_at=at("20:40")))
    world.hear(call(ended_at=at("20:42"), talked_s=9), "silent")
    assert [(row.number, row.deadline_at) for row in world.rows(t.promise)] == [(1, at("21:30")), (2, at("20:52"))]
    assert [news.name for news in world.carry_over(at("21:31"))] == ["carried-over"]
    assert [row.state for row in world.reservations()] == ["waiting"]


def test_a_refused_number_is_never_carried_over(world: World) -> None:
    world.hear(call("+12125550123"))
    assert world.carry_over(at("21:31")) == []


# The right to decide


def test_who_lost_the_lease_claims_nothing(world: World) -> None:
    world.hear(call())
    before = world.reservations()
    with world.store.write() as connection:
        lease.release(connection, world.held)
        assert lease.acquire(connection, "pbx:main", "another", "here", 60) is not None
    with pytest.raises(NotOurs, match="nothing was written"):
        world.claim()
    assert (world.reservations(), world.attempts()) == (before, [])


def test_a_claim_that_is_undone_leaves_the_reservation_to_the_next(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        orders = claim.next_orders(world.work(connection, NOON), world.held, picture())
        assert orders
        connection.rollback()  # as when the power is cut
        connection.begin()
    assert ([row.state for row in world.reservations()], world.attempts()) == (["waiting"], [])
    assert world.claim() is not None


# What is not worked on any more


def test_what_was_only_watched_expires_and_nobody_is_rung_when_calls_are_switched_on(migrated_url: str) -> None:
    watching = World(migrated_url, rules(queues={}))
    watching.hear(call())
    (expired,) = watching.carry_over(NOON + 61 * MINUTE)
    assert (expired.name, expired.facts["why"]) == ("expired", "only-watched")
    assert [(row.state, row.open) for row in watching.reservations()] == [("expired", False)]
    with watching.store.write() as connection:
        watching.site = take_over(connection, watching.settings.model_copy(update={"rules": rules()}), NOON)
    assert watching.site.version == 2
    assert watching.claim(NOON + 62 * MINUTE) is None
    watching.close()


def test_what_is_open_at_a_second_cut_is_left_to_people(world: World) -> None:
    world.hear(call(ended_at=at("20:40")))
    assert [news.name for news in world.carry_over(at("21:31"))] == ["carried-over"]
    assert [news.name for news in world.carry_over(at("21:31", 24))] == ["expired"]
    assert world.carry_over(at("21:32", 24)) == []


def test_a_customers_phone_rings_only_so_often_a_day(migrated_url: str) -> None:
    world = World(migrated_url, rules(rings_a_day=2))
    world.hear(call())
    for minutes in (1, 10):
        order = world.claim(NOON + minutes * MINUTE)
        assert order is not None
        with world.store.write() as connection:
            settle.progress(world.work(connection, NOON), order.attempt, "customer_dialled_at", NOON + minutes * MINUTE)
        world.end(order.attempt, "agent-cancelled", NOON + minutes * MINUTE)
    assert world.claim(NOON + 20 * MINUTE) is None
    (row,) = world.reservations()
    assert (row.state, row.tries, row.not_before_at) == ("waiting", 0, at("12:01", 24))
    world.close()


def test_who_is_lost_again_after_the_deadline_waits_behind_nobody_who_was_lost_once(world: World) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", ended_at=NOON + 61 * MINUTE))
    world.hear(call("09012345601", ended_at=NOON + 62 * MINUTE))
    order = world.claim(NOON + 63 * MINUTE)
    assert order is not None
    assert order.agent_sees == "+819012345601", "promised anew, let down twice, and at that phone now"


# What is left for live callers

DEAR = QueueLoad(staffed=2, idle=1, calls_s=0.05, handle_s=300, patience_s=60)  # who calls finds nobody as it is


def test_a_callback_that_is_too_dear_waits_until_its_deadline_binds(migrated_url: str) -> None:
    world = World(migrated_url, rules(pacing=Pacing(binds_min=5, price_binding=1000)))
    world.hear(call())
    seen = replace(picture(), loads={"support": DEAR})
    assert world.claim(NOON + 54 * MINUTE, seen) is None
    order = world.claim(NOON + 55 * MINUTE, seen)
    assert order is not None
    assert order.prio == IN_TURN, "behind those who wait, and not behind who comes later"
    (attempt,) = world.attempts()
    assert attempt.decision["binds"]
    assert attempt.decision["cost"] > 0.5
    world.close()


def test_before_its_deadline_binds_a_callback_is_behind_everyone(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON + MINUTE)
    assert order is not None
    assert order.prio == BEHIND_EVERYONE


def test_as_many_agents_stay_free_as_the_settings_say(migrated_url: str) -> None:
    world = World(migrated_url, rules(pacing=Pacing(keep_free=2)))
    world.hear(call())
    assert world.claim(NOON + MINUTE, picture(free={"support": {"a", "b"}})) is None
    assert world.claim(NOON + MINUTE, picture(free={"support": {"a", "b", "c"}})) is not None
    world.close()


def test_no_more_callbacks_are_under_way_than_the_settings_say(migrated_url: str) -> None:
    world = World(migrated_url, rules(pacing=Pacing(most_at_once=1)))
    world.hear(call("09012345601"))
    world.hear(call("09012345602"))
    seen = picture(free={"support": {"a", "b", "c"}})
    first = world.claim(NOON + MINUTE, seen)
    assert first is not None
    assert world.claim(NOON + MINUTE, seen) is None
    world.end(first.attempt, "reached", NOON + 2 * MINUTE)
    assert world.claim(NOON + 2 * MINUTE, seen) is not None
    world.close()
