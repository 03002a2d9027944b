"""`callback campaign`: from a draft to a sample that was scored, as people type it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from callback.campaigns import asking
from callback.cli import main as cli
from callback.store import tables as t
from scheduler.clock import DAY
from tests.callback import settings_file
from tests.callback.campaigns.told import site
from tests.callback.world import MINUTE, NOON, World, call

NOW = NOON + MINUTE
Say = Callable[..., Result]


@pytest.fixture
def world(sqlite_world: World) -> World:
    made = World(sqlite_world.store.url, site())
    for n in range(8):
        made.hear(call(f"0901234560{n}", NOON - n * MINUTE), now=NOON - n * MINUTE)
    return made


@pytest.fixture
def say(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1000)
    settings_file.named(monkeypatch, tmp_path, world.store.url)
    return lambda *words: CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ("campaign", *words))


DRAFT = """
name = "Lines down"
queue = "support"
from = "2026-11-23 09:00"
until = "2026-11-23 13:00"
{more}
[words]
en = "Our lines were down. {{caller_id}}"
"""


def new(say: Say, folder: Path, more: str = "") -> Result:
    file = folder / "draft.toml"
    file.write_text(DRAFT.format(more=more))
    return say("new", str(file))


def test_a_day_from_the_draft_to_the_stop(say: Say, world: World, tmp_path: Path) -> None:
    assert say().stdout == "There is no campaign.\n"
    assert "campaign 1 is a draft" in new(say, tmp_path, "kinds = ['abandoned']\nper_min = 60").stdout
    file = tmp_path / "more.csv"
    file.write_text("number,segment\n080 1234 5678,fibre\n12,fibre\n")
    said = say("numbers", "1", str(file))
    assert "1 people are new; the file names 1, 0 of them twice" in said.stdout
    assert "line 3 is refused" in said.output
    preview = say("preview", "1").stdout
    for words in ("9 of 9 people are still to be told", "0 min 09 s", "fibre", "0312345678"):
        assert words in preview, preview
    assert say("start", "1", "--why", "works").exit_code == 1  # nobody said yes
    assert "campaign 1 runs" in say("start", "1", "--why", "works", "--yes").stdout
    assert "0 texts were taken back" in say("stop", "1").stdout
    assert "cannot be stopped" in str(say("stop", "1").exception)
    assert "those who call are told" in say("callers", "1", "2").stdout
    assert "0 of 9 told" in say("show", "1").stdout
    assert "campaign 1 is ended" in say("finish", "1", "--why", "mistake").stdout
    assert "Lines down" in say("list").stdout


def test_a_sample_is_drawn_and_scored_and_the_checklist_kept(say: Say, world: World, tmp_path: Path) -> None:
    new(say, tmp_path)
    assert "no audience yet" in str(say("sample", "1").exception)
    say("preview", "1")
    drawn = say("sample", "1", "--size", "5", "--seed", "42").stdout
    assert "round 0: 5 people by seed 42, called from 11-23 " in drawn
    with world.store.write() as connection:
        asking.reserve_due(world.work(connection, NOON + 3 * DAY))
        mine = t.reservation.c.kind == "follow-up"
        connection.execute(update(t.reservation).where(mine).values(state="reached", open=False))
    calls = [str(row.reservation_id) for row in world.rows(t.campaign_asked) if row.reservation_id]
    assert [say("score", one, said).stdout for one, said in zip(calls, ("9", "10", "8", "refused"), strict=False)] == [
        "kept: 9\n", "kept: 10\n", "kept: 8\n", "kept: refused\n",
    ]  # fmt: skip
    assert "is no score" in str(say("score", calls[4], "great").exception)
    assert "asks nobody" in str(say("score", "1", "5").exception)
    assert "round 0: 3 valid of 5, seed 42, mean 9.00 (95%: " in say("show", "1").stdout
    assert "Ann" in say("check", "1", "speed", "--owner", "Ann", "--done").stdout
    assert "shoulder, sincerity" in str(say("check", "1", "luck").exception)


def test_what_cannot_be_made_is_said(say: Say, tmp_path: Path) -> None:
    for more, said in (
        ("kinds = ['served']", "kinds.0: input should be 'abandoned'"),
        ("trunks = ['moon']", "there is no trunk 'moon'"),
        ("speed = 7", "speed: extra inputs are not permitted"),
        ("name = 'twice'", "is no TOML"),
    ):
        assert said in str(new(say, tmp_path, more).exception), said
    assert "cannot be read" in str(say("new", "/nowhere.toml").exception)
    assert "cannot be read" in str(say("numbers", "1", "/nowhere.csv").exception)
    assert "there is no campaign 7" in str(say("stop", "7").exception)
