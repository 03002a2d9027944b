"""`callback nodes`: which processes there are, as each says of itself, and who holds which lease."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from callback.cli import main as cli
from callback.cluster import nodes
from callback.cluster.nodes import Who
from callback.cluster.roles import Role
from callback.store import lease
from callback.store import tables as t
from scheduler.clock import DAY
from tests.callback import settings_file
from tests.callback.world import US, World

A = Who("a", "host-a:1", Role.PBX, "main", "0.1.0")
B = Who("b", "host-b:2", Role.TEXT, "main", "0.1.0")


@pytest.fixture
def say(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    settings_file.named(monkeypatch, tmp_path, world.store.url)

    def run(*words: str) -> str:
        result = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, list(words))
        assert result.exit_code == 0, result.output
        return result.output

    return run


def seen(world: World, who: Who, *duties: str, off_s: float = 0.0) -> None:
    with world.store.write() as connection:
        nodes.seen(connection, who, duties, world.store.now() - round(off_s * US))


def test_it_lists_them_with_what_they_do_and_whose_clock_is_off(world: World, say: Callable[..., str]) -> None:
    seen(world, A, "listens to main")
    seen(world, B, "stands by: somebody else sends", off_s=3)
    with world.store.write() as connection:
        connection.execute(update(t.node).where(t.node.c.id == "b").values(seen_at=t.node.c.seen_at - 60 * US))
        lease.release(connection, world.held)
    told = " ".join(say("nodes").split())
    assert "host-a:1 pbx main" in told
    assert "listens to main" in told
    assert "gone?" in told
    assert "+3.0 s OFF" in told
    assert "lease pbx:main: nobody; me held it last" in told


def test_a_program_gets_it_as_one_object(world: World, say: Callable[..., str]) -> None:
    seen(world, A, "listens to main")
    told = json.loads(say("nodes", "--json"))
    assert [(one["node"]["name"], one["gone"]) for one in told["nodes"]] == [("host-a:1", False)]
    assert [(held["name"], held["holds"], held["since_at"] is None) for held in told["leases"]] == [
        ("pbx:main", True, False)
    ]


def test_who_was_dead_for_a_day_is_forgotten_and_who_ends_at_once(world: World) -> None:
    seen(world, A)
    with world.store.write() as connection:
        connection.execute(update(t.node).values(seen_at=t.node.c.seen_at - DAY - US))
    seen(world, B)
    assert [row.id for row in world.rows(t.node)] == ["b"]
    with world.store.write() as connection:
        nodes.left(connection, B)
    assert world.rows(t.node) == []
