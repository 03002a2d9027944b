"""Several PBXs on one database: who is on the line of one of them is not rung from another, nor texted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from callback.attempts import claim, snapshot
from callback.cluster import line
from callback.reports.queue import waits
from callback.service.jobs.line import WatchOthers
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store import lease
from callback.store import tables as t
from callback.store.engine import Store
from callback.texts import compose
from scheduler.clock import MINUTE
from sms.outbox import text_outbox
from telephony.dialling.dialler import Order
from tests.callback.attempts.test_claim_races import claims_of_the_other, lost_at_the_other
from tests.callback.contention import PATIENCE_S
from tests.callback.service.jobs.parts import lose, now_us, rules, run
from tests.callback.world import NOON, US, World, call, picture

ANNA, BO = "09012345600", "09012345601"


def e164(number: str) -> str:
    return f"+81{number[1:]}"


def on_the_line_of(world: World, pbx: str, *numbers: str, ago: int = 0, now: int = NOON) -> None:
    """What the listener of that PBX saw last, and when."""
    with world.store.write() as connection:
        line.keep(connection, pbx, [e164(number) for number in numbers], None)
        connection.execute(update(t.line).where(t.line.c.pbx == pbx).values(seen_at=now - ago))


def seen_by(orders: list[Order]) -> list[str]:
    return sorted(order.agent_sees for order in orders)


MANY = {"support": {f"PJSIP/agent{number}" for number in range(20)}}


def test_who_is_on_the_line_of_another_pbx_is_not_rung_until_that_is_over(world: World) -> None:
    for number in (ANNA, BO):
        world.hear(call(number, NOON - MINUTE))
    on_the_line_of(world, "other", ANNA)
    assert seen_by(world.claims(live=picture(free=MANY))) == [e164(BO)]
    on_the_line_of(world, "other")
    assert seen_by(world.claims(NOON + US, picture(free=MANY))) == [e164(ANNA)]


@pytest.mark.parametrize(("ago", "rung"), [(9 * MINUTE, []), (11 * MINUTE, [e164(ANNA)])])
def test_what_a_pbx_showed_last_counts_for_ten_minutes(world: World, ago: int, rung: list[str]) -> None:
    """Its listener died amid the call: so long a call may last, and then nobody knows."""
    world.hear(call(ANNA, NOON - MINUTE))
    on_the_line_of(world, "other", ANNA, ago=ago)
    assert seen_by(world.claims()) == rung


def test_our_own_picture_in_the_database_is_nothing_to_us(world: World) -> None:
    """The listener knows better: what it keeps for others is up to a second old."""
    world.hear(call(ANNA, NOON - MINUTE))
    on_the_line_of(world, "main", ANNA)
    assert seen_by(world.claims()) == [e164(ANNA)]


def test_why_nobody_calls_says_that_the_customer_is_on_the_line(world: World) -> None:
    world.hear(call(ANNA, NOON - MINUTE))
    on_the_line_of(world, "other", ANNA)
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(), NOON)
    with world.store.read() as connection:
        words = waits.look(world.work(connection, NOON)).words
    assert list(words.values()) == ["number-live"]


def test_nobody_is_texted_while_on_the_line_of_another_pbx(world: World) -> None:
    world.hear(call(ANNA, NOON - MINUTE))
    world.hear(call(BO, NOON - MINUTE))
    on_the_line_of(world, "other", ANNA)
    with world.store.write() as connection:
        compose.hold_back(world.work(connection, NOON), ())
        columns = select(text_outbox.c.recipient, text_outbox.c.not_before_at)
        due = {recipient: at for recipient, at in connection.execute(columns)}  # noqa: C416 - rows become pairs
    people = {row.id: row.person_id for row in world.reservations()}
    numbers = {row.id: row.number for row in world.rows(t.person)}
    held = {numbers[people[int(recipient.partition("/")[2])]] for recipient, at in due.items() if at > NOON}
    assert held == {e164(ANNA)}


@pytest.mark.parametrize("first", ["main", "other"])
def test_a_customer_lost_on_two_pbxs_is_called_from_one_of_them_whoever_comes_first(
    migrated_postgres: tuple[str, Store], first: str
) -> None:
    world = World(migrated_postgres[0])
    with world.store.write() as connection:
        world.know_pbx(connection, "other")
    lost_at_the_other(world, ANNA)
    world.hear(call(ANNA, NOON))
    live = picture(free=MANY)
    by = {"main": lambda: world.claims(NOON + MINUTE, live), "other": lambda: claims_of_the_other(world, live)}
    second = "other" if first == "main" else "main"
    assert [len(by[first]()), len(by[second]())] == [1, 0]
    world.close()


def test_two_pbxs_that_claim_at_once_never_ring_one_customer_twice(migrated_postgres: tuple[str, Store]) -> None:
    """Six customers are owed a callback by both; both claim as fast as they can."""
    world = World(migrated_postgres[0])
    with world.store.write() as connection:
        world.know_pbx(connection, "other")
        other = lease.acquire(connection, "pbx:other", "other", "here", 3600)
    assert other is not None
    numbers = [f"0901234{place:04}" for place in range(6)]
    lost_at_the_other(world, *numbers)
    for place, number in enumerate(numbers):
        world.hear(call(number, NOON + place * US))
    at, live = NOON + 2 * MINUTE, picture(free={"support": {f"PJSIP/agent{n}" for n in range(200)}})

    def claims(pbx: str) -> list[Order]:
        held = world.held if pbx == "main" else other
        site = replace(world.site, pbx=pbx)
        claimed: list[Order] = []
        for _ in range(20):
            with world.store.write() as connection:
                lease.guard(connection, held)
                claimed += claim.next_orders(Work(connection, site, at), held, live, 1)
        return claimed

    with ThreadPoolExecutor(2) as both:
        begun = [both.submit(claims, pbx) for pbx in ("main", "other")]
        orders = [order.agent_sees for one in begun for order in one.result(PATIENCE_S)]
    assert len(orders) == len(set(orders)) == len(numbers)
    with world.store.read() as connection:
        in_flight = select(t.attempt.c.person_id, func.count()).where(t.IN_FLIGHT).group_by(t.attempt.c.person_id)
        assert {count for _, count in connection.execute(in_flight)} == {1}
    world.close()


@pytest.fixture
def today(migrated_url: str) -> Iterator[World]:
    world = World(migrated_url, rules(), now=now_us())
    yield world
    world.close()


def test_a_pbx_that_nobody_hears_is_told_of_once_and_when_it_is_heard_again(today: World) -> None:
    lose(today, ANNA)
    told: list[str] = []

    async def main() -> None:
        job = WatchOthers(
            Transactions(today.store, today.sites, today.held, now_us, lambda: None),
            lambda event: told.append(f"{event.NAME} {event.pbx}"),  # type: ignore[attr-defined]
        )
        await job.run()
        for ago in (10, 40, 50, 0):
            on_the_line_of(today, "other", ago=ago * US, now=today.store.now())
            await job.run()
        on_the_line_of(today, "gone", ago=25 * 60 * MINUTE, now=today.store.now())
        await job.run()

    run(main())
    assert told == ["line-unknown other", "line-known other"]
