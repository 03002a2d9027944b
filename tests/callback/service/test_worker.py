"""What the one who works for a PBX does at a tick; that its parts fit together is for the live tests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from callback.attempts.snapshot import Live
from callback.errors import StoreError
from callback.service.worker import Shiftwork
from telephony.dialling.commands import PlacingRefused
from tests.callback.world import MINUTE, NOON, World, call, picture


def offered(world: World, shown: Live, writes: Any = lambda: None) -> list[str]:
    """The queues in which a callback is offered on this picture of the PBX."""
    queues: list[str] = []

    async def look() -> Live:
        return shown

    async def offer(queue: str, _lasts_s: float) -> None:
        queues.append(queue)

    pbx = SimpleNamespace(ask=SimpleNamespace(offer=offer))
    work = SimpleNamespace(_look=look, _writes=writes, _pbx=pbx, _site=world.site, _now=lambda: NOON)
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


def test_while_the_pbx_refuses_every_callback_is_not_tried_on_it(world: World) -> None:
    """As while it shuts down: nobody was rung, so no trunk failed, no try is spent, and the next would be refused."""
    for n in range(3):
        world.hear(call(f"0901234560{n}"))
    ended: list[tuple[str, list[str]]] = []
    seen = picture(free={"support": {f"PJSIP/agent{n}" for n in range(9)}})

    async def place(_order: Any) -> None:
        raise PlacingRefused("Asterisk is shutting down")

    async def look() -> Live:
        return seen

    async def end(_attempt: str, outcome: str, evidence: list[str]) -> None:
        ended.append((outcome, evidence))

    work = SimpleNamespace(
        _look=look,
        _carry_and_show=lambda _seen: None,
        _claim=lambda _seen: world.claim(NOON + MINUTE, seen),
        _pbx=SimpleNamespace(ask=SimpleNamespace(place=place)),
        _end=end,
        _stopped=asyncio.Event(),
        _places_from_s=0.0,
    )
    work._place = lambda order: Shiftwork._place(cast("Shiftwork", work), order)  # noqa: SLF001

    async def two_ticks() -> None:
        for _ in range(2):
            await Shiftwork._act(cast("Shiftwork", work))  # noqa: SLF001

    asyncio.run(two_ticks())
    assert ended == [("refused-late", ["the PBX placed nothing: Asterisk is shutting down"])]
    assert len(world.attempts()) == 1
