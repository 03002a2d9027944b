"""What calls are like is learnt from those that the service heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.attempts.load import ENOUGH
from callback.service.jobs.learn import Learn
from tests.callback.service.jobs.parts import now_us, parts, run
from tests.callback.world import MINUTE, World, call


def test_what_a_call_takes_is_known_once_enough_were_served(today: World, tmp_path: Path) -> None:
    with today.store.write() as connection:
        for minute in range(ENOUGH):
            served = call(ended_at=now_us() - (minute + 1) * MINUTE, talked_s=120)
            today.hear_in(connection, served, "served")

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            assert made.traffic.handle_s == {}
            await Learn(made.transactions, made.traffic).run()
            assert made.traffic.handle_s == {"support": pytest.approx(120)}

    run(main())
