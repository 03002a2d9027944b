"""`callback rules`: versions with who and why, publishing from a file, and what to do about a file that was changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callback.cli import main as cli
from callback.errors import CallbackError
from callback.settings.sections import load
from callback.site.context import current, take_over
from tests.callback import settings_file
from tests.callback.world import MINUTE, NOON, World

Say = Callable[..., str]
BY = ("--by", "bo", "--why", "a quiet day")


@pytest.fixture
def file(sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(time, "time_ns", lambda: (NOON + MINUTE) * 1000)
    file = settings_file.named(monkeypatch, tmp_path, sqlite_world.store.url)
    with sqlite_world.store.write() as connection:
        take_over(connection, load(file), NOON)
    return file


@pytest.fixture
def say(file: Path) -> Say:
    def said(*words: str) -> str:
        done = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["rules", *words])
        if isinstance(done.exception, CallbackError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return said


def written(file: Path, more: str) -> str:
    """Another file with these rules besides."""
    other = file.with_name("other.toml")
    other.write_text(file.read_text() + more)
    return str(other)


def test_what_is_published_from_a_file_is_in_force_and_listed(say: Say, file: Path, sqlite_world: World) -> None:
    said = say("publish", written(file, "window_min = 30\naim_min = 15\n"), *BY)
    assert "version 3 of the rules is in force" in said
    assert "window_min: 60.0 -> 30.0" in said
    with sqlite_world.store.read() as connection:
        assert current(connection, sqlite_world.settings, NOON + 2 * MINUTE).rules.window_min == 30
    listed = say()
    assert "in force" in next(line for line in listed.splitlines() if "a quiet day" in line)
    assert "the settings file" in listed
    assert "window_min: 60.0 -> 30.0" in say("show", "3")


def test_one_for_later_waits_and_can_be_withdrawn_and_an_earlier_one_comes_back(say: Say, file: Path) -> None:
    assert "in force from 14:00 on" in say("publish", written(file, "max_tries = 2\n"), *BY, "--at", "14:00")
    assert "waits" in say()
    assert say("withdraw", "3", *BY) == "version 3 is withdrawn\n"
    assert "version 4 of the rules is in force" in say("publish", written(file, "max_tries = 2\n"), *BY)
    assert "max_tries: 2 -> 3" in say("roll-back", "2", *BY)


def test_a_file_that_was_changed_is_named_until_somebody_decides(say: Say, file: Path) -> None:
    say("publish", written(file, "max_tries = 2\n"), *BY)
    file.write_text(file.read_text() + "window_min = 45\n")
    assert "The settings file says window_min = 45.0; in force is 60.0." in say()
    assert "stays in force" in say("keep", *BY)
    assert "settings file says" not in say()
    file.write_text(file.read_text() + "ring_s = 20\n")
    assert "ring_s: 25 -> 20" in say("take-file", *BY)
    assert "settings file says" not in say()


def test_what_cannot_be_published_is_said_with_every_fault(say: Say, file: Path) -> None:
    with pytest.raises(CallbackError, match=r"max_tries: Input should be less(.|\n)*ring: is no setting"):
        say("publish", written(file, "max_tries = 99\nring = 1\n"), *BY)
    file.with_name("none.toml").write_text("[pbx]\n")
    with pytest.raises(CallbackError, match=r"has no \[rules\]"):
        say("publish", str(file.with_name("none.toml")), *BY)
    with pytest.raises(CallbackError, match="cannot be read"):
        say("publish", str(file.with_name("missing.toml")), *BY)
