"""The half hours that a customer may choose: when phones may ring, and not too many for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callback.customers import hours as customer_hours
from callback.decisions import actions
from callback.reservations import slots
from callback.store.audit import By
from scheduler.clock import local, micros
from scheduler.promise import slot
from tests.callback.world import MINUTE, NOON, US, World, at, call, rules

CUSTOMER = "+819012345678"


def offered(world: World, now: int, reservation: int = 0) -> list[int]:
    row: Any = world.reservations()[reservation]
    with world.store.read() as connection:
        return slots.free(world.work(connection, now), row, CUSTOMER)


def test_they_are_the_next_half_hours_inside_the_hours(world: World) -> None:
    world.hear(call())
    assert offered(world, at("19:31"))[:5] == [at("20:00"), at("20:30"), at("21:00"), at("08:00", 24), at("08:30", 24)]


def test_they_lie_inside_the_opening_hours(world: World) -> None:
    world.site = replace(world.site, hours=rules(opening={"tuesday": "10:15-12:00"}).hours())
    world.site = replace(world.site, callee_hours=lambda *_: world.site.hours)
    world.hear(call(), now=NOON)
    assert offered(world, NOON)[:3] == [at("10:30", 24), at("11:00", 24), at("11:30", 24)]
    week_later = [one + 7 * 24 * 60 * MINUTE for one in offered(world, NOON)[:3]]
    assert offered(world, NOON)[3:] == week_later  # and none later than in 14 days


def test_what_others_have_chosen_is_no_longer_free(world: World) -> None:
    world.site = replace(world.site, rules=rules(slot_room=1))
    for number, queue in (("09012345678", "support"), ("09087654321", "support"), ("09087654321", "sales")):
        world.hear(call(number, queue=queue))
    with world.store.write() as connection:
        for reservation, chosen in ((2, at("13:10")), (3, at("14:00"))):
            actions.choose_slot(world.work(connection, NOON + US), reservation, chosen, By("anna", "he asked"))
    assert offered(world, at("12:05"))[:4] == [at("12:30"), at("13:30"), at("14:00"), at("14:30")]


WEEKDAYS = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-18:00")


def shifted(world: World, **changes: Any) -> None:
    shift_rules = rules(**changes)
    world.site = replace(
        world.site, rules=shift_rules, hours=shift_rules.hours(), callee_hours=customer_hours.hours_of(shift_rules)
    )


@pytest.mark.parametrize(
    ("holidays", "days"),
    [
        ({}, ["11-30"]),
        ({"holidays": ["2026-11-30"]}, ["12-01"]),
        (
            {"holidays": [f"2026-{month}-{day:02}" for month, day in [(11, 30)] + [(12, n) for n in range(1, 9)]]},
            ["12-09"],
        ),
    ],
)
def test_before_days_on_which_the_site_is_closed_those_after_them_are_offered(
    world: World, holidays: dict[str, Any], days: list[str]
) -> None:
    shifted(world, opening=WEEKDAYS, **holidays)
    friday = at("18:00", 27)
    world.hear(call(ended_at=friday - MINUTE))
    found = offered(world, friday)
    assert len(found) == slots.SHOWN
    assert sorted({f"{local(one, world.site.hours.zone):%m-%d}" for one in found}) == days


def test_a_days_own_hours_are_offered(world: World) -> None:
    """One Saturday the site works, and on Monday, a holiday, in the afternoon."""
    own = {"2026-11-28": "10:00-11:30", "2026-11-30": "13:00-18:00"}
    shifted(world, opening=WEEKDAYS, holidays=["2026-11-30"], special=own)
    world.hear(call(ended_at=at("17:59", 27)))
    found = offered(world, at("18:00", 27))
    assert found[:5] == [at("10:00", 28), at("10:30", 28), at("11:00", 28), at("13:00", 30), at("13:30", 30)]


def test_who_is_closed_for_longer_than_two_weeks_offers_none(world: World) -> None:
    world.hear(call())
    shifted(
        world,
        opening=WEEKDAYS,
        holidays=[f"2026-11-{day}" for day in range(23, 31)] + [f"2026-12-{day:02}" for day in range(1, 11)],
    )
    assert offered(world, NOON) == []


def test_they_are_outside_of_the_quiet_hours_where_the_customer_is(world: World) -> None:
    """In Honolulu it is 19 hours earlier: phones ring there from 08:00, which is 03:00 the next day in Tokyo."""
    shifted(world, opening=WEEKDAYS)
    world.hear(call())
    row: Any = world.reservations()[0]
    with world.store.read() as connection:
        found = slots.free(world.work(connection, at("12:05")), row, "+18085551234")
    assert found[:7] == [at(clock) for clock in ("12:30", "13:00", "13:30", "14:00", "14:30", "15:00", "15:30")]
    assert found[7:10] == [at("16:00"), at("09:00", 24), at("09:30", 24)]  # at 16:30 it is 21:30 there


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", (2026, 10, 25)),
        ("America/New_York", (2026, 11, 1)),
        ("Europe/Berlin", (2027, 3, 28)),
        ("Australia/Lord_Howe", (2027, 4, 4)),
    ],
)
def test_in_the_night_in_which_the_clock_is_put_each_half_hour_is_offered_once(
    sqlite_world: World, zone: str, day: tuple[int, int, int]
) -> None:
    shifted(sqlite_world, opening={}, no_ring_after="23:00", no_ring_before="00:30")
    site = sqlite_world.site.rules.model_copy(update={"zone": zone})
    hours = site.hours()
    sqlite_world.site = replace(sqlite_world.site, rules=site, hours=hours, callee_hours=lambda *_: hours)
    if not sqlite_world.reservations():
        sqlite_world.hear(call())
    midnight = micros(datetime(*day, tzinfo=hours.zone))
    found = offered(sqlite_world, midnight)
    walls = [f"{local(one, hours.zone):%H:%M}" for one in found]
    assert walls == sorted(set(walls))
    assert all(wall.endswith(("00", "30")) for wall in walls)
    assert len(found) == slots.SHOWN


def test_what_may_be_chosen_is_the_same_by_whatever_way(world: World) -> None:
    """The page, a text and a person's command all come to this: so none gets more customers into a half hour."""
    world.site = replace(world.site, rules=rules(slot_room=1))
    for number in ("09012345678", "09087654321"):
        world.hear(call(number))
    with world.store.write() as connection:
        actions.choose_slot(world.work(connection, NOON + US), 1, at("14:10"), By("anna", "he asked"))
        for full in ("14:00", "14:10", "14:29"):
            with pytest.raises(
                slots.NotFree, match=r"from 14:00 is full: 1 of queue support .* raise \[rules\] slot_room"
            ):
                actions.choose_slot(world.work(connection, NOON + US), 2, at(full), By("anna", "he asked"))
        actions.choose_slot(world.work(connection, NOON + US), 2, at("14:30"), By("anna", "he asked"))
    assert at("14:00") not in offered(world, NOON, reservation=1)


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
        assert slot(chosen, now, sqlite_world.site.hours).clock_starts_at == chosen
        assert chosen >= now + slots.NOTICE
