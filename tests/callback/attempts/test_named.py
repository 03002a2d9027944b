"""A callback that one agent alone is to make: that phone is rung, and nobody else's until the agent's time is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from callback.attempts import claim, settle
from callback.attempts.snapshot import Live, Seat
from callback.customers import persons
from callback.events import Happened
from callback.reservations import follow_up
from callback.reservations.follow_up import FollowUp
from callback.reservations.reservation import RESERVATIONS, read
from callback.store import tables as t
from scheduler.clock import HOUR
from telephony.dialling.dialler import Order
from tests.callback.world import MINUTE, NOON, US, World, call, picture, told_by

ALICE, BOB = "PJSIP/alice", "PJSIP/bob"
SEATS = {"support": {"Alice": Seat(ALICE, ALICE), "Bob": Seat(BOB, "Local/2@from-queue/n")}}


def seen(*free: str, waiting: Mapping[str, int] | None = None) -> Live:
    """These agents of support are free."""
    return replace(picture(free={"support": set(free)}, waiting=dict(waiting or {})), seats=SEATS)


def owe(world: World, agent: str | None = "Alice", n: int = 0, now: int = NOON, by_at: int = NOON + 4 * HOUR) -> int:
    """Reserve a follow-up, whose agent has an hour."""
    with world.store.write() as connection:
        person = persons.person_of(connection, f"+8190123400{n:02}", now)
        wanted = FollowUp(person=person, queue="support", apart=f"case/{n}", by_at=by_at, agent=agent,
                          agent_for_us=HOUR)  # fmt: skip
        return follow_up.reserve(world.work(connection, now), wanted)


def why(world: World, live: Live, now: int = NOON) -> dict[int, tuple[str, int | None]]:
    with world.store.read() as connection:
        work, rows = world.work(connection, now), read(connection, RESERVATIONS.where(t.OPEN))
        return claim.why_not(rows, claim.look(work, live), world.site, live, now)


def connect(world: World, order: Order, now: int = NOON + US) -> list[Happened]:
    """The one agent answers; app_queue names nobody."""
    with world.store.write() as connection:
        work = world.work(connection, now)
        return told_by(settle.progress, work, order.attempt, "agent_connected_at", now)


def test_that_agents_phone_alone_is_rung_as_the_queue_dials_it(world: World) -> None:
    owe(world, "Bob")
    order = world.claim(live=seen(ALICE, BOB))
    assert order is not None
    assert (order.agent, order.first) == ("Local/2@from-queue/n", "agent")
    assert [(row.only_agent, row.agent) for row in world.attempts()] == [("Bob", None)]
    assert world.attempts()[0].decision["agents"] == [BOB]
    (told,) = connect(world, order)
    assert (told.name, told.facts["agent"]) == ("agent-connected", "Bob")
    assert [row.agent for row in world.attempts()] == ["Bob"]


def test_nobody_else_is_rung_while_the_agent_is_away_and_then_anybody(world: World) -> None:
    reservation = owe(world)
    for live in (seen(BOB), replace(seen(ALICE, BOB), seats={})):
        assert world.claims(live=live) == []
        assert why(world, live) == {reservation: ("agent-away", NOON + HOUR)}
    order = world.claim(NOON + HOUR, seen(BOB))
    assert order is not None
    assert (order.agent, world.attempts()[0].only_agent) == ("", None)


def test_who_waits_for_an_agent_holds_nobody_up(world: World) -> None:
    for n in range(1, 60):
        owe(world, n=n)
    last = owe(world, None, 60, by_at=NOON + 5 * HOUR)
    assert [order.queue for order in world.claims(live=seen(BOB))] == ["support"]
    assert [row.reservation_id for row in world.attempts()] == [last]


def test_a_customer_who_was_lost_just_now_goes_before_all_that_has_time(world: World) -> None:
    owe(world, None, 1)
    world.hear(call(ended_at=NOON + MINUTE))
    orders = world.claims(NOON + 2 * MINUTE, seen(ALICE, BOB))
    assert [order.agent_sees for order in orders] == ["+819012345678", "+819012340001"]


def test_it_stands_as_if_lost_when_its_deadline_is_as_near(world: World) -> None:
    urgent = owe(world, None, 1, by_at=NOON + HOUR)  # as one lost at noon
    lost_before, lost_after = (
        next(one.facts["reservation"] for one in world.hear(call(number, at)) if one.name == "reserved")
        for number, at in (("09012345601", NOON - MINUTE), ("09012345602", NOON + MINUTE))
    )
    for n in range(3):
        assert world.claims(NOON + 2 * MINUTE + n, seen(*(f"PJSIP/{one}" for one in range(n + 1))), 1), n
    assert [row.reservation_id for row in world.attempts()] == [lost_before, urgent, lost_after]


def test_one_agent_is_rung_for_one_at_a_time_and_counts_for_no_other(world: World) -> None:
    owe(world, n=1)
    owe(world, n=2)
    owe(world, None, n=3)
    orders = world.claims(live=seen(ALICE))
    assert [order.agent for order in orders] == [ALICE]
    assert world.claims(NOON + US, seen(ALICE)) == [], "the attempt has taken that agent"
    assert len(world.claims(NOON + US, seen(ALICE, BOB))) == 1, "the other one is free for whoever needs anybody"


def test_a_caller_who_waits_gets_the_agent(world: World) -> None:
    reservation = owe(world)
    live = seen(ALICE, waiting={"support": 1})
    assert world.claims(live=live) == []
    assert why(world, live)[reservation][0] == "callers-waiting"
    assert world.claims(live=seen(ALICE, BOB, waiting={"support": 1})) != []


@pytest.mark.parametrize("times", [1, 2, 3, 6])
def test_an_agent_who_does_not_answer_is_left_alone_and_the_queue_goes_on(world: World, times: int) -> None:
    now = NOON
    for n in range(times):
        owe(world, n=n)
    for n in range(times):
        order = world.claim(now, seen(ALICE))
        assert order is not None, n
        news = world.end(order.attempt, "agent-no-answer", now + 5 * US)
        assert "agents-silent" not in [one.name for one in news], "it says nothing of the others"
        rest = min(60 * 2**n, 600)
        assert world.claim(now + (4 + rest) * US, seen(ALICE)) is None
        now += (6 + rest) * US
    owe(world, None, 50, now)
    assert world.claim(now, seen(BOB)) is not None


def test_half_of_the_time_is_left_to_the_others(world: World) -> None:
    owe(world, by_at=NOON + HOUR)
    assert world.reservations()[0].agent_until_at == NOON + HOUR // 2
