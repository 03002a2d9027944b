"""It is told once, and in time, which promises will be missed."""

from __future__ import annotations

from pathlib import Path

from callback.service.jobs.forecast import Forecast
from telephony.simulator.server import Simulator
from tests.callback.service.jobs.parts import SUPPORT, lose, parts, run
from tests.callback.world import World


def test_a_promise_that_nobody_is_there_to_keep_is_an_alarm_once(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        async with Simulator() as simulator, parts(today, tmp_path, simulator) as made:
            job = Forecast(made.transactions, made.snapshots)
            await job.run()
            await job.run()
            assert made.events == ["alarm"]

    run(main())


def test_there_is_none_where_an_agent_is_there_to_keep_it(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        async with Simulator(recordings=[SUPPORT]) as simulator, parts(today, tmp_path, simulator) as made:
            await Forecast(made.transactions, made.snapshots).run()
            assert made.events == []

    run(main())


def test_nothing_is_said_while_nobody_knows_who_is_at_work(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            await Forecast(made.transactions, made.snapshots).run()
            assert made.events == []

    run(main())
