"""Who is not called back though his number looks sound, and that people see it and may release him."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback.decisions import actions
from callback.reports.refused import refused
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, US, World, call, rules

BURST = [f"0901234{number:04}" for number in range(100, 800, 100)]


def rings(world: World, numbers: list[str], waited_s: float = 6, every_s: int = 60) -> None:
    """Each of them rings once, one after the other."""
    for place, number in enumerate(numbers):
        world.hear(call(number, NOON + place * every_s * US, waited_s))


def recovery(world: World) -> list[str]:
    return [row.recovery for row in sorted(world.rows(t.call), key=lambda row: row.started_at)]


def states(world: World) -> list[str]:
    return [row.state for row in world.reservations()]


def test_one_ring_from_many_numbers_of_a_block_is_not_called_back(world: World) -> None:
    world.site = replace(world.site, rules=rules(one_ring_numbers=3))
    block = [f"0901234{number:04}" for number in (5001, 5250, 5999, 5400)]
    rings(world, block)
    assert recovery(world) == ["reserved", "reserved", "one-ring-burst", "one-ring-burst"]
    assert states(world) == ["held", "held", "refused", "refused"]
    assert set(world.texts().values()) == {"withdrawn"}
    assert world.claim(NOON + 10 * MINUTE) is None
    assert {(row.who, row.action) for row in world.rows(t.audit)} == {("service", "held")}


@pytest.mark.parametrize(
    ("numbers", "waited_s", "every_s"),
    [
        (["09012345001"] * 9, 6, 60),  # one who tries again and again
        (["09012345001", "09012345250"], 6, 60),  # two of a block
        ([f"090123{number:05}" for number in range(1000, 9000, 1000)], 6, 60),  # of many blocks
        (["09012345001", "09012345250", "09012345999"], 40, 60),  # they waited
        (["09012345001", "09012345250", "09012345999"], 6, 3000),  # not together
    ],
    ids=["one number", "two numbers", "many blocks", "waited", "spread over hours"],
)
def test_who_only_looks_a_little_like_it_is_called_back(
    sqlite_world: World, numbers: list[str], waited_s: float, every_s: int
) -> None:
    sqlite_world.site = replace(sqlite_world.site, rules=rules(one_ring_numbers=3))
    rings(sqlite_world, numbers, waited_s, every_s)
    assert set(recovery(sqlite_world)) <= {"reserved", "merged"}
    assert set(states(sqlite_world)) == {"waiting"}


def test_who_was_turned_away_at_once_did_not_ring_once(world: World) -> None:
    world.site = replace(world.site, rules=rules(one_ring_numbers=2))
    for number in ("09012345001", "09012345250", "09012345999"):
        world.hear(call(number, NOON, 1), "blocked")
    assert states(world) == ["waiting"] * 3


def test_who_waited_is_not_held_for_the_others_of_his_block(world: World) -> None:
    world.site = replace(world.site, rules=rules(one_ring_numbers=3))
    world.hear(call("09012345777", NOON, 60))
    rings(world, ["09012345001", "09012345250", "09012345999"])
    assert states(world) == ["waiting", "held", "held", "refused"]


def test_a_refused_number_is_listed_once_however_often_it_calls(world: World) -> None:
    for minute in range(3):
        last = call("0990123456", NOON + minute * MINUTE)
        world.hear(last)
    with world.store.read() as connection:
        (row,) = refused(world.work(connection, NOON), 10)
    assert (row.number, row.reason, row.losses, row.call_id) == ("+81990123456", "premium-rate", 3, last.call_id)
    assert row.last_lost_at == NOON + 2 * MINUTE
    assert states(world) == ["refused"]


def test_a_person_may_release_one_and_it_is_no_longer_listed(world: World) -> None:
    world.hear(lost := call("+12125550123"))
    with world.store.write() as connection:
        assert [row.reason for row in refused(world.work(connection, NOON), 10)] == ["foreign-country"]
        actions.release(world.work(connection, NOON + US), lost.call_id, By("anna", "a customer abroad"))
        assert refused(world.work(connection, NOON), 10) == []
    assert sorted(states(world)) == ["refused", "waiting"]


def test_the_refused_of_another_pbx_are_its_own(world: World) -> None:
    world.hear(call("0990123456"))
    with world.store.read() as connection:
        assert refused(Work(connection, replace(world.site, pbx="other"), NOON), 10) == []
