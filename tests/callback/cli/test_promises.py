"""`callback promises`: the rates of today, what counts in none of them beside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callback.cli import main as cli
from tests.callback import settings_file
from tests.callback.world import MINUTE, NOON, World, at, call, rules

Promises = Callable[..., Result]


@pytest.fixture
def promises(
    sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock_shows: Callable[[int], None]
) -> Promises:
    clock_shows(at("13:30"))
    settings_file.named(monkeypatch, tmp_path, sqlite_world.store.url)
    return lambda *words: CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["promises", *words])


def test_the_rates_of_today_stand_apart_and_beside_them_what_counts_in_none(
    sqlite_world: World, promises: Promises
) -> None:
    sqlite_world.hear(call("09012345601", at("12:00", 22)))  # yesterday's
    sqlite_world.hear(call("09012345602", NOON))
    sqlite_world.hear(call("09012345603", NOON + MINUTE))
    order = sqlite_world.claim(NOON + 2 * MINUTE)
    assert order is not None
    sqlite_world.end(order.attempt, "reached", NOON + 4 * MINUTE)
    sqlite_world.hear(call(None, NOON + 2 * MINUTE))
    sqlite_world.hear(call("0990123456", NOON + 3 * MINUTE))  # a dear number
    incident = World(sqlite_world.store.url, rules(incident_losses=1))
    for n in range(2):
        incident.hear(call(f"0901234561{n}", NOON + n, queue="sales"), "blocked")
    lines = [" ".join(line.split()) for line in promises("--today").stdout.splitlines()]
    assert "support 2 50%/50% 50%/50% 50%/50% 0 0 1 1 0" in lines
    assert "sales 2 0%/0% 0%/0% 0%/0% 0 0 0 0 2" in lines
    assert "all 4 25%/25% 25%/25% 25%/25% 0 0 1 1 2" in lines
    both = [json.loads(line) for line in promises("--days", "2", "--json").stdout.splitlines()]
    assert [(one["queue"], one["valid"], one["in_incident"]) for one in both] == [
        ("", 5, 2), ("sales", 2, 2), ("support", 3, 0),
    ]  # fmt: skip


def test_a_day_without_a_promise_is_a_sentence(sqlite_world: World, promises: Promises) -> None:
    sqlite_world.hear(call("09012345601", at("12:00", 22)))
    assert promises("--today").stdout == "Nothing was promised in that time.\n"
