"""Callbacks are placed as soon as they may be, and none where that would be wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

from callback.service.jobs.dispatch import Dispatch
from callback.store import tables as t
from scheduler.clock import HOUR
from telephony.simulator.server import CallbackPlay, Simulator
from tests.callback.service.jobs.parts import CALLBACK, SUPPORT, Parts, actions, lose, parts, run
from tests.callback.world import World


def dispatch(world: World, made: Parts, stopped: asyncio.Event | None = None) -> Dispatch:
    return Dispatch(made.pbx, world.held, made.transactions, made.snapshots, stopped or asyncio.Event())


def states(world: World) -> list[str]:
    return sorted(row.state for row in world.reservations())


def test_a_callback_is_placed_for_each_free_agent_and_the_others_wait(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600", "09012345601", "09012345602")

    async def main() -> None:
        async with (
            Simulator(recordings=[SUPPORT], callback=CallbackPlay(CALLBACK)) as simulator,
            parts(today, tmp_path, simulator) as made,
        ):
            await dispatch(today, made).run()
            (attempt,) = today.attempts()
            (placed,) = actions(simulator, "Originate")
            assert placed.get("ChannelId") == f"lcr-{attempt.id}-1"
            assert states(today) == ["calling", "waiting", "waiting"]
            assert "dialling" in made.events

    run(main())


def test_nothing_is_placed_before_the_pbx_is_there_but_what_is_seen_of_it_is_kept(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            await dispatch(today, made).run()

    run(main())
    assert today.attempts() == []
    assert [row.body["closed"] for row in today.rows(t.live_view)] == ["pbx-not-connected"]


def test_nothing_is_placed_once_the_service_is_asked_to_stop(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")
    stopped = asyncio.Event()
    stopped.set()

    async def main() -> None:
        async with (
            Simulator(recordings=[SUPPORT], callback=CallbackPlay(CALLBACK)) as simulator,
            parts(today, tmp_path, simulator) as made,
        ):
            await dispatch(today, made, stopped).run()

    run(main())
    assert today.attempts() == []


def test_a_broken_promise_is_seen_to_though_no_agent_is_there_unless_a_clock_is_off(
    today: World, tmp_path: Path
) -> None:
    lose(today, "09012345600", minutes_ago=100)

    async def told(clock_off_us: int) -> list[str]:
        async with Simulator() as simulator, parts(today, tmp_path, simulator, clock_off_us=clock_off_us) as made:
            await dispatch(today, made).run()
            return made.events

    async def main() -> None:
        assert await told(HOUR) == []
        assert await told(0) != []
        assert await told(0) == [], "once"

    run(main())
    assert today.attempts() == []


def test_while_the_pbx_refuses_every_callback_is_not_tried_on_it(today: World, tmp_path: Path) -> None:
    """As while it shuts down: nobody was rung, so no trunk failed, no try is spent, and the next would be refused."""
    lose(today, "09012345600", "09012345601", "09012345602")

    async def main() -> None:
        async with Simulator(recordings=[SUPPORT]) as simulator, parts(today, tmp_path, simulator) as made:
            job = dispatch(today, made)
            await job.run()
            await job.run()
            assert len(actions(simulator, "Originate")) == 1

    run(main())
    (attempt,) = today.attempts()
    assert (attempt.outcome, attempt.in_flight) == ("refused-late", False)
    assert attempt.evidence[0].startswith("the PBX placed nothing: ")
    assert states(today) == ["waiting"] * 3
