"""To whom callbacks are owed, as the PBX is kept told."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import update

from callback.attempts import priority as priorities
from callback.settings.rules import QueueRules, SiteRules
from callback.store import tables as t
from telephony.errors import TelephonyError
from tests.callback.world import MINUTE, NOON, ON, World, call, rules

HIM, HER = "+819012345678", "+819087654321"


def owed(world: World) -> list[str]:
    with world.store.read() as connection:
        return priorities.numbers(connection, world.site)


def test_whoever_is_owed_a_callback_the_latest_first_until_it_is_settled(world: World) -> None:
    world.hear(call())
    world.hear(call("09087654321", ended_at=NOON + MINUTE, queue="sales"))
    assert owed(world) == [HER, HIM]
    order = world.claim(NOON + 2 * MINUTE)
    assert order is not None
    assert owed(world) == [HER, HIM], "also while we call him"
    world.end(order.attempt, "reached", NOON + 3 * MINUTE)
    assert owed(world) == [HER]


def test_a_switchboard_is_not_put_first(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        connection.execute(update(t.person).values(shared=True))
    assert owed(world) == []


@pytest.mark.parametrize("changed", [rules(returning_priority=0), rules(queues={"support": QueueRules(), "sales": ON})])
def test_nobody_where_it_is_switched_off_or_his_queue_is_only_watched(migrated_url: str, changed: SiteRules) -> None:
    world = World(migrated_url, changed)
    world.hear(call())
    assert owed(world) == []
    world.close()


class Told:
    """A PBX that keeps what it is told, and is away when `away`."""

    def __init__(self) -> None:
        self.boot, self.away, self.variables = "boot 1", False, dict[str, str]()
        self.commands = self

    async def set_priority_list(self, variable: str, numbers: str, priority: int) -> None:
        if self.away:
            raise TelephonyError("the connection is down")
        assert priority == 10
        self.variables[variable] = numbers


def test_the_pbx_is_told_what_changed_also_after_it_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priorities, "REST", 0)
    pbx = Told()
    kept = priorities.Returning(pbx)  # type: ignore[arg-type]

    def owe(*numbers: str) -> None:
        async def find() -> priorities.Owed:
            return priorities.Owed(list(numbers), 10)

        asyncio.run(kept.keep(find))

    owe(HIM)
    assert pbx.variables == {"LCR_OWED_678": "12345678"}
    pbx.away = True
    with pytest.raises(TelephonyError):
        owe(HER)
    pbx.away = False
    owe(HER)
    assert pbx.variables == {"LCR_OWED_678": "", "LCR_OWED_321": "87654321"}


def test_what_takes_long_is_done_rarely() -> None:
    kept = priorities.Returning(Told())  # type: ignore[arg-type]
    looks = []

    async def slow() -> priorities.Owed:
        looks.append(time.monotonic())
        time.sleep(0.05)  # noqa: ASYNC251 - a database that has much to say
        return priorities.Owed([], 10)

    async def go_on(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await kept.keep(slow)
            await asyncio.sleep(0.01)

    asyncio.run(go_on(0.9))
    assert len(looks) == 1
