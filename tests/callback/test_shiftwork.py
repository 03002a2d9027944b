"""What the one who works for a PBX does at a tick; that its parts fit together is for the live tests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from callback.errors import StoreError
from callback.live import Live
from callback.shiftwork import Shiftwork
from tests.callback.world import NOON, World, picture


def offered(world: World, shown: Live, writes: Any = lambda: None) -> list[str]:
    """The queues in which a callback is offered on this picture of the PBX."""
    queues: list[str] = []

    async def look() -> Live:
        return shown

    async def offer(queue: str, _lasts_s: float) -> None:
        queues.append(queue)

    pbx = SimpleNamespace(ask=SimpleNamespace(offer=offer))
    work = SimpleNamespace(_look=look, _writes=writes, _pbx=pbx, _shift=world.shift, _now=lambda: NOON)
    asyncio.run(Shiftwork._offer(cast("Shiftwork", work)))  # noqa: SLF001
    return queues


def test_a_callback_is_offered_only_while_one_could_be_made(world: World) -> None:
    assert offered(world, picture()) != []
    assert offered(world, replace(picture(), closed="pbx-clock-off")) == []


def test_no_callback_is_offered_while_the_database_takes_none_though_nothing_waits_for_it(world: World) -> None:
    def away() -> None:
        raise StoreError("away")

    with pytest.raises(StoreError):
        offered(world, picture(), away)
