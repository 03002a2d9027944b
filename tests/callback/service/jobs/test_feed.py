"""Events are forgotten when they have been kept for as long as they are kept, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.events import AgentsBack
from callback.service.jobs import feed as job
from callback.service.jobs.feed import ForgetEvents
from callback.store import feed
from scheduler.clock import DAY
from tests.callback.service.jobs.parts import now_us, parts, run
from tests.callback.world import MINUTE, World, fed


def test_all_that_is_old_goes_piece_by_piece_and_the_rest_stays(
    today: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "PIECE", 2)
    old, kept = now_us() - feed.KEPT_DAYS * DAY - MINUTE, now_us() - feed.KEPT_DAYS * DAY + 10 * MINUTE
    with today.store.write() as connection:
        for n, stored_at in enumerate([old] * 5 + [kept] * 2):
            feed.append(connection, "main", AgentsBack(f"queue {n}"), stored_at, stored_at)

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            await ForgetEvents(made.transactions).run()

    run(main())
    told = [one.facts.get("queue") for one in fed(today.store) if one.name == "agents-back"]
    assert told == ["queue 5", "queue 6"]
