"""A machine's own troubles: a disk nearly full, and Redis away."""

from __future__ import annotations

import shutil
import socket
from collections import namedtuple

import pytest

from callback.service.watching.troubles import WatchMachine
from callback.settings.cluster import Cluster
from callback.settings.sections import Database
from tests.callback.world import NOON, World, fed, fed_so_far

Disk = namedtuple("Disk", "total used free")  # noqa: PYI024 - as shutil gives it


def looked(world: World, monkeypatch: pytest.MonkeyPatch, free: int, redis: str = "") -> list[tuple[str, str]]:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Disk(100 << 20, 0, free << 20))
    made = {"cluster": Cluster(node="here", redis=redis), "database": Database(url=world.store.url)}
    machine = WatchMachine(world.settings.model_copy(update=made), world.store, lambda: NOON, listens=True)
    after = fed_so_far(world.store)
    assert machine._look() is None  # noqa: SLF001 - run() does it for ever
    return [(one.name, one.facts["about"].split()[0]) for one in fed(world.store, after)]


def test_a_disk_that_is_nearly_full_is_told_and_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(world, monkeypatch, 50) == []
    assert set(looked(world, monkeypatch, 4)) == {("disk-low", "here")}
    assert looked(world, monkeypatch, 4) == []
    assert set(looked(world, monkeypatch, 6)) == {("disk-enough", "here")}


def test_a_redis_that_is_away_is_told_and_does_not_alarm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
    assert looked(world, monkeypatch, 50, nobody) == [("redis-away", "here")]
    assert not any(one.event.ALARMING for one in fed(world.store) if one.name == "redis-away")
    assert looked(world, monkeypatch, 50) == [("redis-back", "here")]
