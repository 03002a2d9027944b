"""Deciders at the same time: what they share is counted once, and where they share nothing nobody waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import update

from callback.attempts import claim
from callback.attempts.snapshot import Live
from callback.settings.rules import Pacing
from callback.site.work import Work
from callback.store import lease
from callback.store import tables as t
from callback.store.engine import Store
from telephony.dialling.dialler import Order
from tests.callback.contention import PATIENCE_S, wait_until_somebody_waits
from tests.callback.world import MINUTE, NOON, US, World, call, picture, rules

DECIDERS = 8
AGENTS = {f"PJSIP/agent{place}" for place in range(20)}
LOST = 12


def lose(world: World, count: int) -> None:
    with world.store.write() as connection:
        for place in range(count):
            world.hear_in(connection, call(f"090123456{place:02}", NOON + place * US))


def all_at_once(decide: Callable[[], list[Order]]) -> list[list[Order]]:
    """Let all deciders decide at the same moment; give what each claimed."""
    ready = Barrier(DECIDERS)

    def decides() -> list[Order]:
        ready.wait(PATIENCE_S)
        return decide()

    with ThreadPoolExecutor(DECIDERS) as threads:
        begun = [threads.submit(decides) for _ in range(DECIDERS)]
        return [one.result(PATIENCE_S) for one in begun]


def test_deciders_at_once_begin_no_more_than_may_be_under_way(migrated_url: str) -> None:
    world = World(migrated_url, rules(pacing=Pacing(most_at_once=3)))
    lose(world, LOST)
    claimed = all_at_once(lambda: world.claims(NOON + MINUTE, picture(free={"support": AGENTS}), 1))
    assert sum(map(len, claimed)) == len(world.attempts()) == 3
    world.close()


def test_deciders_at_once_promise_one_agent_to_one_callback(world: World) -> None:
    lose(world, LOST)
    claimed = all_at_once(lambda: world.claims(NOON + MINUTE))
    assert sum(map(len, claimed)) == len(world.attempts()) == 1


def test_deciders_at_once_claim_everybody_once(world: World) -> None:
    lose(world, LOST)

    def until_nobody_is_left() -> list[Order]:
        claimed: list[Order] = []
        while more := world.claims(NOON + MINUTE, picture(free={"support": AGENTS}), 2):
            claimed += more
        return claimed

    orders = [order for claimed in all_at_once(until_nobody_is_left) for order in claimed]
    assert len({order.agent_sees for order in orders}) == len(orders) == LOST
    assert {row.state for row in world.reservations()} == {"calling"}


# On a server, each stopped where it may hurt


@pytest.fixture
def two(migrated_postgres: tuple[str, Store]) -> Iterator[World]:
    """A database that another PBX shares."""
    made = World(migrated_postgres[0])
    with made.store.write() as connection:
        made.know_pbx(connection, "other")
    yield made
    made.close()


def lost_at_the_other(world: World, *numbers: str) -> None:
    """These were lost at the other PBX."""
    with world.store.write() as connection:
        for place, number in enumerate(numbers):
            told = next(
                one for one in world.hear_in(connection, call(number, NOON + place * US)) if one.name == "reserved"
            )
            moved = update(t.reservation).where(t.reservation.c.id == told.facts["reservation"])
            connection.execute(moved.values(pbx="other"))


def claims_of_the_other(world: World, seen: Live) -> list[Order]:
    """What the service of the other PBX claims."""
    with world.store.write() as connection:
        held = lease.acquire(connection, "pbx:other", "other", "here", 3600)
        assert held is not None
    with world.store.write() as connection:
        lease.guard(connection, held)
        return claim.next_orders(Work(connection, replace(world.site, pbx="other"), NOON + MINUTE), held, seen)


def test_of_two_deciders_of_a_pbx_the_second_sees_what_the_first_claimed(two: World) -> None:
    lose(two, 2)
    with ThreadPoolExecutor(1) as aside:
        with two.store.write() as connection:
            first = claim.next_orders(two.work(connection, NOON + MINUTE), two.held, picture())
            second = aside.submit(two.claims, NOON + MINUTE)
            wait_until_somebody_waits(two.store)
        assert (len(first), second.result(PATIENCE_S)) == (1, [])


def test_deciders_of_two_pbxs_do_not_wait_for_each_other(two: World) -> None:
    lost_at_the_other(two, "09087654321")
    lose(two, 2)
    with ThreadPoolExecutor(1) as aside, two.store.write() as connection:
        ours = claim.next_orders(two.work(connection, NOON + MINUTE), two.held, picture())
        theirs = aside.submit(claims_of_the_other, two, picture()).result(PATIENCE_S)
    assert [order.agent_sees for order in ours + theirs] == ["+819012345600", "+819087654321"]


def test_whom_another_pbx_is_about_to_call_is_passed_over_without_waiting(two: World) -> None:
    lost_at_the_other(two, "09012345600", "09087654321")
    lose(two, 1)
    seen = picture(free={"support": AGENTS})
    with ThreadPoolExecutor(1) as aside, two.store.write() as connection:
        ours = claim.next_orders(two.work(connection, NOON + MINUTE), two.held, seen)
        theirs = aside.submit(claims_of_the_other, two, seen).result(PATIENCE_S)
    assert [order.agent_sees for order in ours] == ["+819012345600"]
    assert [order.agent_sees for order in theirs] == ["+819087654321"]
    assert claims_of_the_other(two, seen) == []
