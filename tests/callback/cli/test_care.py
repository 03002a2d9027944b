"""`callback care`: what is learnt from cases, in a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callback.cli import main as cli
from tests.callback import settings_file
from tests.callback.reports.care.histories import history
from tests.callback.world import NOON, World

Care = Callable[..., Result]


@pytest.fixture
def care(
    sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock_shows: Callable[[int], None]
) -> Care:
    clock_shows(NOON)
    settings_file.named(monkeypatch, tmp_path, sqlite_world.store.url)
    return lambda *words: CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["care", *words])


def test_figures_for_people_and_for_programs_are_the_same(sqlite_world: World, care: Care) -> None:
    history(sqlite_world, 2, people=5, cases=60, lost=10)
    told = json.loads(care("--json", "--by", "kind").stdout)
    lines = [" ".join(line.split()) for line in care("--by", "kind").stdout.splitlines()]
    assert told["whole"]["opened"] == sum(line["opened"] for line in told["lines"]) > 0
    for line in told["lines"]:
        assert any(said.startswith(f"{line['name']} {line['opened']} ") for said in lines), lines
    assert any(said.startswith("all ") and said.endswith(str(told["whole"]["still_open"])) for said in lines)
    assert any("(few)" in said for said in lines), "a share of few cases says so"
    assert any(said.startswith("three-in-a-week: ") for said in lines)


def test_where_nothing_happened_that_is_said(care: Care) -> None:
    said = "No case was opened, and nobody was asked, in the last 7 days.\n"
    assert care("--days", "7").stdout == said
    assert care("--by", "horoscope").exit_code == 2
