"""The half hours that a customer may choose: when phones may ring, and not too many for one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callback import decisions, slots
from callback.audit import By
from scheduler.promise import slot
from tests.callback.world import MINUTE, NOON, US, World, at, call, rules

HIM = "+819012345678"


def offered(world: World, now: int, reservation: int = 0) -> list[int]:
    row: Any = world.reservations()[reservation]
    with world.store.read() as connection:
        return slots.free(connection, world.shift, row, HIM, now)


def test_they_are_the_next_half_hours_inside_the_hours(world: World) -> None:
    world.hear(call())
    assert offered(world, at("19:31"))[:5] == [at("20:00"), at("20:30"), at("21:00"), at("08:00", 24), at("08:30", 24)]


def test_they_lie_inside_the_opening_hours(world: World) -> None:
    world.shift = replace(world.shift, hours=rules(opening={"tuesday": "10:15-12:00"}).hours())
    world.shift = replace(world.shift, callee_hours=lambda *_: world.shift.hours)
    world.hear(call(), now=NOON)
    assert offered(world, NOON) == [at("10:30", 24), at("11:00", 24), at("11:30", 24)]


def test_what_others_have_chosen_is_no_longer_free(world: World) -> None:
    world.shift = replace(world.shift, rules=rules(slot_room=1))
    for number, queue in (("09012345678", "support"), ("09087654321", "support"), ("09087654321", "sales")):
        world.hear(call(number, queue=queue))
    with world.store.write() as connection:
        for reservation, chosen in ((2, at("13:10")), (3, at("14:00"))):
            decisions.choose_slot(connection, world.shift, reservation, chosen, By("anna", "he asked"), NOON + US)
    assert offered(world, at("12:05"))[:3] == [at("12:30"), at("13:30"), at("14:00")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.integers(0, 2 * 24 * 60))
def test_each_of_them_can_be_promised(sqlite_world: World, minutes: int) -> None:
    now = NOON + minutes * MINUTE
    if not sqlite_world.reservations():
        sqlite_world.hear(call())
    found = offered(sqlite_world, now)
    assert 0 < len(found) <= slots.SHOWN
    assert found == sorted(set(found))
    for chosen in found:
        assert slot(chosen, now, sqlite_world.shift.hours).clock_starts_at == chosen
        assert chosen >= now + slots.NOTICE
