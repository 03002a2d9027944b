"""Troubles that last: each is told once when it begins and once when it is over, whoever finds it."""

from __future__ import annotations

from typing import Any

from callback.attempts import snapshot
from callback.cluster import nodes
from callback.cluster.nodes import Who
from callback.cluster.roles import Role
from callback.operations import troubles
from callback.operations.troubles import OF_MACHINE, SILENT_US, Trouble
from callback.store import tables as t
from scheduler.clock import SECOND
from tests.callback.world import NOON, US, World, picture

LOW = Trouble("disk-low", "here /var/lib/lcr")


def told(world: World, do: Any, now: int = NOON) -> list[tuple[str, str]]:
    with world.store.write() as connection:
        work = world.work(connection, now)
        do(work)
        return [(one.name, one.facts["about"]) for one in work.told]


def settled(world: World, present: dict[Trouble, str], now: int = NOON, place: str = "here") -> list[tuple[str, str]]:
    return told(
        world, lambda work: troubles.settle(work, OF_MACHINE, present, lambda about: about.startswith(place)), now
    )


def test_it_is_told_once_by_whoever_finds_it_first(world: World) -> None:
    assert settled(world, {LOW: "2 % free"}) == [("disk-low", LOW.about)]
    for later in (1, 90, 200):
        assert settled(world, {LOW: "1 % free"}, NOON + later * US) == []
    assert settled(world, {}, NOON + 300 * US, place="another") == []  # that machine knows nothing of this one's
    assert settled(world, {}, NOON + 300 * US) == [("disk-enough", LOW.about)]
    assert settled(world, {}, NOON + 301 * US) == []


def test_what_nobody_confirms_any_more_is_over(world: World) -> None:
    settled(world, {LOW: "2 % free"})
    assert told(world, troubles.look_at_site, NOON + SILENT_US) == []
    assert told(world, troubles.look_at_site, NOON + SILENT_US + US) == [("disk-enough", LOW.about)]


def lives(world: World, name: str, *, seconds_ago: int = 0, off_s: int = 0, role: Role = Role.TEXT) -> None:
    """A process that was seen so long ago."""
    who = Who(name, name, role, "main", "0")
    with world.store.write() as connection:
        nodes.seen(connection, who, ["sends"], 0)
        connection.execute(
            t.node.update()
            .where(t.node.c.id == name)
            .values(seen_at=t.node.c.seen_at - seconds_ago * SECOND, clock_off=off_s * SECOND)
        )


def test_a_node_that_is_gone_alarms_until_one_is_there_in_its_place(world: World) -> None:
    lives(world, "berlin:7", seconds_ago=10)
    assert told(world, troubles.look_at_site) == []
    lives(world, "berlin:7", seconds_ago=60)
    assert told(world, troubles.look_at_site) == [("node-gone", "text on berlin")]
    lives(world, "munich:8")
    assert told(world, troubles.look_at_site) == []
    lives(world, "berlin:9")  # systemd began it again: another process
    assert told(world, troubles.look_at_site) == [("node-back", "text on berlin")]


def test_one_that_was_stopped_is_not_gone(world: World) -> None:
    lives(world, "berlin:7", seconds_ago=10)
    with world.store.write() as connection:
        nodes.left(connection, Who("berlin:7", "berlin:7", Role.TEXT, "main", "0"))
    assert told(world, troubles.look_at_site) == []


def test_clocks_that_are_off_are_told_of_nodes_and_of_the_pbx(world: World) -> None:
    lives(world, "berlin:7", off_s=-3)
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(closed="pbx-clock-off"), NOON)
    assert told(world, troubles.look_at_site) == [("clock-off", "PBX main"), ("clock-off", "berlin")]
    assert told(world, troubles.look_at_site) == []
    lives(world, "berlin:7", off_s=1)
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(), NOON)
    assert told(world, troubles.look_at_site) == [("clock-right", "PBX main"), ("clock-right", "berlin")]
