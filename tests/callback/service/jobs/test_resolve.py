"""Attempts whose end nobody heard end by their ticket, and those that nobody needs are called off."""

from __future__ import annotations

from pathlib import Path

from callback.service.jobs.resolve import Resolve
from telephony.simulator.server import Simulator
from tests.callback.service.jobs.parts import WAITS, WAITS_AS, Parts, actions, lose, now_us, parts, run
from tests.callback.world import MINUTE, US, World, picture


def claimed(world: World, number: str, seconds_ago: int = 10) -> str:
    """Lose a caller, and claim the callback; give the attempt."""
    lose(world, number)
    two_agents = picture(free={"support": {"PJSIP/agent1", "PJSIP/agent2"}})
    order = world.claim(now_us() - seconds_ago * US, two_agents)
    assert order is not None
    return order.attempt


def resolve(world: World, made: Parts) -> Resolve:
    return Resolve(made.pbx, world.sites, made.transactions, made.snapshots, now_us)


def test_an_attempt_ends_as_its_ticket_says(today: World, tmp_path: Path) -> None:
    attempt = claimed(today, "09012345600")

    async def main() -> None:
        async with (
            Simulator(tickets={attempt: "ended:BUSY:17:"}) as simulator,
            parts(today, tmp_path, simulator) as made,
        ):
            await resolve(today, made).run()
            assert made.events == ["outcome"]

    run(main())
    (ended,) = today.attempts()
    assert (ended.id, ended.outcome) == (attempt, "busy")
    assert ended.evidence[0] == "ticket ended:BUSY:17:"


def test_one_without_a_ticket_is_left_while_a_phone_may_ring_for_it_and_holds_up_no_other(
    today: World, tmp_path: Path
) -> None:
    late = claimed(today, "09012345600", seconds_ago=4 * 60)
    fresh = claimed(today, "09012345601")

    async def main() -> None:
        async with Simulator() as simulator, parts(today, tmp_path, simulator) as made:
            await resolve(today, made).run()

    run(main())
    assert {row.id: row.outcome for row in today.attempts()} == {late: "unknown", fresh: None}


def test_an_attempt_is_called_off_when_its_customer_calls_in(today: World, tmp_path: Path) -> None:
    attempt = claimed(today, "09012345600")

    async def main() -> None:
        async with Simulator() as simulator, parts(today, tmp_path, simulator) as made:
            job = resolve(today, made)
            await job.run()
            assert actions(simulator, "Hangup") == []
            await simulator.play(WAITS, speed=1e6, rename=lambda raw: raw.replace(WAITS_AS, b"09012345600"))
            await made.shows("+819012345600")
            await job.run()
            (asked,) = actions(simulator, "Hangup")
            assert asked.get("Channel") == f"lcr-{attempt}-1"

    run(main())


def test_nothing_ends_while_the_pbx_is_away_or_a_clock_is_off(today: World, tmp_path: Path) -> None:
    claimed(today, "09012345600", seconds_ago=4 * 60)

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            await resolve(today, made).run()
        async with Simulator() as simulator, parts(today, tmp_path, simulator, clock_off_us=5 * MINUTE) as made:
            await resolve(today, made).run()

    run(main())
    assert [row.outcome for row in today.attempts()] == [None]
