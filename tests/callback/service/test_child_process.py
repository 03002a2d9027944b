"""The web server beside the service: begun, begun again when it dies, ended with whoever began it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from callback.events import DoorOpened, Event
from callback.service import child_process

_FOREVER = [sys.executable, "-c", "import sys; sys.stdin.read()"]
_DIES = [sys.executable, "-c", "raise SystemExit(3)"]


async def _keep_until(command: list[str], enough: int, name: str) -> list[Event]:
    """Keep it until so many events were told."""
    told: list[Event] = []
    heard = asyncio.Event()

    def tell(event: Event) -> None:
        told.append(event)
        if sum(name == piece.NAME for piece in told) >= enough:
            heard.set()

    keeping = asyncio.create_task(child_process.keep(command, tell, pauses_s=(0.01, 0.02)))
    await asyncio.wait_for(heard.wait(), 30)
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    return told


def test_a_door_that_dies_is_opened_again_and_later_each_time() -> None:
    told = asyncio.run(_keep_until(_DIES, 3, "door-died"))
    died = [piece.facts() for piece in told if piece.NAME == "door-died"]
    assert [facts["again_in_s"] for facts in died] == [0.01, 0.02, 0.02]
    assert died[0]["why"] == "it ended with status 3; what it said last says why"


def test_a_door_that_cannot_be_begun_takes_nobody_down(tmp_path: Path) -> None:
    told = asyncio.run(_keep_until([str(tmp_path / "none")], 2, "door-died"))
    assert "it could not be started" in told[0].facts()["why"]


def test_a_door_ends_with_whoever_keeps_it() -> None:
    (opened,) = asyncio.run(_keep_until(_FOREVER, 1, "door-opened"))
    assert isinstance(opened, DoorOpened)
    assert not Path(f"/proc/{opened.pid}").exists()
