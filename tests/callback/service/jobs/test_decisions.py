"""The service does what people decided once it can be undone no more, however much that is, and forgets the old."""

from __future__ import annotations

from pathlib import Path

from callback.decisions import pending
from callback.service.jobs.decisions import ApplyDecisions, ForgetBatches
from callback.store import tables as t
from tests.callback.decisions.deciding import decide, seen, states
from tests.callback.service.jobs.parts import now_us, parts, run
from tests.callback.world import US, World, call

MANY = pending.AT_ONCE + 5


def test_all_that_is_due_is_done_and_nothing_else(world: World, tmp_path: Path) -> None:
    now = now_us()
    for n in range(MANY + 1):
        world.hear(call(f"0901234{n:04}", now - (200 - n) * US))
    decide(world, "cancel", seen(world)[:MANY], now=now - 16 * US)
    decide(world, "cancel", seen(world)[MANY:], now=now)

    async def main() -> None:
        async with parts(world, tmp_path, None) as made:
            await ApplyDecisions(made.transactions).run()
            assert made.events.count("decided") == MANY

    run(main())
    assert states(world) == ["cancelled"] * MANY + ["held"]


def test_what_was_decided_long_ago_is_forgotten(world: World, tmp_path: Path) -> None:
    now = now_us()
    world.hear(call("09012345678", now - 60 * US))
    decide(world, "hold", now=now - pending.KEPT_US - US)
    decide(world, "resume", now=now)

    async def main() -> None:
        async with parts(world, tmp_path, None) as made:
            await ForgetBatches(made.transactions).run()

    run(main())
    assert [row.action for row in world.rows(t.batch)] == ["resume"]
