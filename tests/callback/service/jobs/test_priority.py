"""The dialplan knows to whom a callback is owed."""

from __future__ import annotations

from pathlib import Path

from callback.service.jobs.priority import KeepPriority
from telephony.simulator.server import Simulator
from tests.callback.service.jobs.parts import actions, lose, parts, run
from tests.callback.world import World


def test_a_number_that_is_owed_a_callback_is_told_to_the_pbx_once(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        async with Simulator() as simulator, parts(today, tmp_path, simulator) as made:
            job = KeepPriority(made.pbx, made.transactions)
            await job.run()
            await job.run()
            (told,) = actions(simulator, "Setvar")
            assert told.get("Variable") == "LCR_OWED_600"
            assert told.get("Value").endswith(f" {today.site.rules.returning_priority:03d} 12345600")

    run(main())


def test_a_pbx_that_is_away_is_told_nothing(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            await KeepPriority(made.pbx, made.transactions).run()

    run(main())
