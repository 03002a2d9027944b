"""Web processes beside the service: begun, begun again when it dies, ended with whoever began it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest

from callback.events import DoorDied, DoorOpened, Event
from callback.service import child_process
from callback.settings.sections import load
from tests.callback.settings.test_sections import LEAST

_FOREVER = [sys.executable, "-c", "import sys; sys.stdin.read()"]
_DIES = [sys.executable, "-c", "raise SystemExit(3)"]


async def _keep_until(command: list[str], enough: int, name: str, silent_s: float = 60.0) -> list[Event]:
    """Keep it until so many events were told."""
    told: list[Event] = []
    heard = asyncio.Event()

    def tell(event: Event) -> None:
        told.append(event)
        if sum(name == piece.NAME for piece in told) >= enough:
            heard.set()

    keeping = asyncio.create_task(
        child_process.keep(
            child_process.Kept("door", command, DoorOpened, DoorDied), tell, pauses_s=(0.01, 0.02), silent_s=silent_s
        )
    )
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


def test_one_that_hangs_is_ended_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "END_S", 0.2)
    hangs = [sys.executable, "-c", "import os, signal; print('.', flush=True); os.kill(os.getpid(), signal.SIGSTOP)"]
    told = asyncio.run(_keep_until(hangs, 2, "door-opened", silent_s=1.0))
    first, died, second = told
    assert (first.NAME, second.NAME) == ("door-opened", "door-opened")
    assert died.facts()["why"] == "it gave no sign of life for 1 s"
    assert not Path(f"/proc/{first.facts()['pid']}").exists()


def test_one_that_gives_signs_of_life_is_left_alone() -> None:
    lives = [
        sys.executable,
        "-c",
        "import sys, time\nfor _ in range(40):\n    print('.', flush=True); time.sleep(0.1)\nsys.exit(3)",
    ]
    told = asyncio.run(_keep_until(lives, 1, "door-died", silent_s=3.0))
    assert told[1].facts()["why"].startswith("it ended with status 3")


def test_one_that_was_stopped_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "END_S", 0.2)
    stopped = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"]
    (opened,) = asyncio.run(_keep_until(stopped, 1, "door-opened"))
    assert isinstance(opened, DoorOpened)
    assert not Path(f"/proc/{opened.pid}").exists()


@pytest.mark.parametrize(
    ("wished", "kept"),
    [
        ("", []),
        ('[web]\nlisten = "127.0.0.1:8080"\npublic_url = "https://texts.example.org"\n', ["door"]),
        ('[console]\nlisten = "127.0.0.1:8090"\n', ["console"]),
    ],
    ids=["none", "door", "console"],
)
def test_what_the_settings_ask_for_is_kept(tmp_path: Path, wished: str, kept: list[str]) -> None:
    file = tmp_path / "callback.toml"
    file.write_text(LEAST + wished)
    found = child_process.kept(load(file, {}), file)
    assert [list(one.command[1:]) for one in found] == [
        ["-m", "callback", name, "--settings", str(file), "--until-eof"] for name in kept
    ]
    told = [(one.begun(7).NAME, one.died("why", 1.0).NAME) for one in found]
    assert told == [(f"{name}-opened", f"{name}-died") for name in kept]


def test_the_console_is_told_with_its_address(tmp_path: Path) -> None:
    file = tmp_path / "callback.toml"
    file.write_text(LEAST + '[console]\nlisten = "127.0.0.1:8090"\npublic_url = "https://console.example.org/"\n')
    (console,) = child_process.kept(load(file, {}), file)
    assert console.begun(7).facts() == {"pid": 7, "url": "https://console.example.org"}
