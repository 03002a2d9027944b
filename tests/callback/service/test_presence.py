"""Presence: a process is on the list while it lives, and says when its clock is off."""

from __future__ import annotations

import asyncio

import pytest

from callback.cluster.nodes import Who
from callback.cluster.roles import Role
from callback.service.node.presence import Presence
from callback.store import tables as t
from tests.callback.world import US, World

WHO = Who("a", "host-a:1", Role.TEXT, "main", "0.1.0")


@pytest.mark.parametrize(("off_s", "said"), [(0.0, []), (30.0, ["behind"]), (-30.0, ["ahead of"])])
def test_it_is_on_the_list_until_it_ends_and_its_clock_is_told_of_in_every_role(
    world: World, caplog: pytest.LogCaptureFixture, off_s: float, said: list[str]
) -> None:
    async def main() -> None:
        presence = Presence(world.store, WHO, lambda: world.store.now() - round(off_s * US))
        presence.does("texts", "sends the texts of main")
        running = asyncio.create_task(presence.run())
        async with asyncio.timeout(20):
            while not world.rows(t.node):  # noqa: ASYNC110 - what another thread writes rings no bell
                await asyncio.sleep(0.01)
        (row,) = world.rows(t.node)
        assert (row.name, row.role, row.duties) == ("host-a:1", "text", ["sends the texts of main"])
        assert abs(row.clock_off / US - off_s) < 2
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())
    assert world.rows(t.node) == []
    told = [record.getMessage() for record in caplog.records if "this machine's clock" in record.getMessage()]
    assert [word for word in ("behind", "ahead of") for one in told if f"s {word} the database's" in one] == said
