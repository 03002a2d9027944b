"""Quiet hours where the callee is: on every clock that may be his, with those of his country and of the trunk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from scheduler import clock
from scheduler.clock import DAY, MINUTE
from scheduler.errors import SchedulerError
from scheduler.hours import WEEK, Hours, Quiet, spans
from tests.scheduler.moments import at, changes, hours, instants, wall_times, zones

TOKYO, NEW_YORK, LOS_ANGELES = (clock.zone(name) for name in ("Asia/Tokyo", "America/New_York", "America/Los_Angeles"))

kinds = st.builds(Quiet, wall_times, wall_times, st.sets(st.integers(0, 6), min_size=1).map(frozenset))


def wall_is_quiet(wall: datetime, kind: Quiet) -> bool:
    """The definition, said without intervals: what his clock shows lies within the quiet hours."""
    if wall.weekday() not in kind.days:
        return True
    begins, ends, shown = kind.begins, kind.ends, wall.time()
    return begins <= shown < ends if begins < ends else begins > ends and (shown >= begins or shown < ends)


@st.composite
def callees(draw: st.DrawFn, most_zones: int = 3, most_kinds: int = 2) -> tuple[Hours, int]:
    """Draw the hours of a site for a callee in one to three zones, and an instant, often near a clock change of his."""
    names = draw(st.lists(zones, min_size=1, max_size=most_zones, unique=True))
    site, now = draw(hours(draw(zones))), draw(instants(names[0]))
    there = tuple(clock.zone(name) for name in names)
    return replace(site, callee_zones=there, besides=tuple(draw(st.lists(kinds, max_size=most_kinds)))), now


def quiet_somewhere(callee: Hours, now: int) -> bool:
    every = (Quiet(callee.quiet_from, callee.quiet_until), *callee.besides)
    return any(wall_is_quiet(clock.local(now, zone), kind) for zone in callee.callee_zones for kind in every)


@given(callees())
def test_no_ring_reaches_into_quiet_hours_on_any_of_his_clocks(drawn: tuple[Hours, int]) -> None:
    callee, now = drawn
    until = callee.ring_until(now)
    if until is None:
        return
    assert now < until <= now + 3 * DAY
    step = max((until - now) // 300, 1)
    assert not any(quiet_somewhere(callee, moment) for moment in [*range(now, until, step), until - 1])
    assert callee.quiet(until)


@given(callees())
def test_quiet_covers_every_one_of_his_clocks_and_little_more(drawn: tuple[Hours, int]) -> None:
    callee, now = drawn
    if quiet_somewhere(callee, now):
        assert callee.quiet(now)
        assert not callee.may_ring(now)
    elif callee.quiet(now):  # more is quiet only where one of his clocks is changed
        years = {clock.local(now + off, zone).year for zone in callee.callee_zones for off in (-DAY, DAY)}
        near = [c for zone in callee.callee_zones for year in years for c in changes(zone.key, year)]
        assert any(abs(now - change) <= 2 * DAY for change in near)


@given(callees(most_zones=2, most_kinds=1))
def test_he_is_called_at_the_first_moment_that_all_his_clocks_allow(drawn: tuple[Hours, int]) -> None:
    callee, now = drawn
    try:
        opening = callee.next_opening(now)
    except SchedulerError:
        reject()  # his clocks leave no moment at all
    assert opening >= now
    assert callee.may_ring(opening)
    if opening > now:
        step = max((opening - now) // 50, 1)
        assert not any(callee.may_ring(moment) for moment in range(now, opening, step))
        assert not callee.may_ring(opening - 1)


@given(callees(), kinds)
def test_one_more_rule_never_lets_a_phone_ring_that_was_quiet(drawn: tuple[Hours, int], more: Quiet) -> None:
    callee, now = drawn
    stricter = replace(callee, besides=(*callee.besides, more))
    assert not callee.quiet(now) or stricter.quiet(now)


@pytest.mark.parametrize(
    ("callee", "now", "until"),
    [
        # 9:00 in Tokyo is 19:00 the day before in New York, and 16:00 in Los Angeles
        (Hours(TOKYO, callee_zones=(NEW_YORK,)), "2026-11-24 09:00", "2026-11-24 11:30"),
        (Hours(TOKYO, callee_zones=(LOS_ANGELES,)), "2026-11-24 09:00", "2026-11-24 14:30"),
        (Hours(TOKYO, callee_zones=(NEW_YORK, LOS_ANGELES)), "2026-11-24 09:00", "2026-11-24 11:30"),
        (Hours(TOKYO, callee_zones=(NEW_YORK,)), "2026-11-24 12:00", None),
        # on his clock in place of the site's: 23:00 in Tokyo is 9:00 in New York
        (Hours(TOKYO, callee_zones=(NEW_YORK,)), "2026-11-24 23:00", "2026-11-25 11:30"),
        (Hours(TOKYO, callee_zones=(NEW_YORK, LOS_ANGELES)), "2026-11-24 23:00", None),
        # a law of his country: never after 20:00, and not on Sundays
        (
            Hours(TOKYO, callee_zones=(NEW_YORK,), besides=(Quiet(time(20), time(8)),)),
            "2026-11-24 09:00",
            "2026-11-24 10:00",
        ),
        (
            Hours(TOKYO, callee_zones=(NEW_YORK,), besides=(Quiet(days=WEEK - {6}),)),
            "2026-11-22 09:00",
            "2026-11-22 11:30",
        ),
        (Hours(TOKYO, callee_zones=(NEW_YORK,), besides=(Quiet(days=WEEK - {6}),)), "2026-11-23 09:00", None),
        # of a trunk, on the site's clock where the number tells none
        (Hours(TOKYO, besides=(Quiet(time(18), time(0)),)), "2026-11-24 17:00", "2026-11-24 18:00"),
    ],
)
def test_the_strictest_holds(callee: Hours, now: str, until: str | None) -> None:
    assert callee.ring_until(at(now, "Asia/Tokyo")) == (until and at(until, "Asia/Tokyo"))


def test_opening_and_holidays_stay_on_the_clock_of_the_site() -> None:
    callee = Hours(TOKYO, dict.fromkeys(range(5), spans("09:00-18:00")), callee_zones=(NEW_YORK,))
    assert callee.stretch(at("2026-11-20 12:00", "Asia/Tokyo")) == (
        at("2026-11-23 09:00", "Asia/Tokyo"),
        at("2026-11-23 11:30", "Asia/Tokyo"),
    )


@pytest.mark.parametrize(
    ("back", "zone"), [("2026-11-01 01:30", "America/New_York"), ("2026-10-25 02:30", "Europe/Berlin")]
)
def test_when_his_clock_is_put_back_quiet_hours_take_both(back: str, zone: str) -> None:
    twice = datetime.fromisoformat(back)
    kind = Quiet((twice - timedelta(minutes=15)).time(), (twice + timedelta(minutes=15)).time())
    callee = Hours(TOKYO, quiet_from=time(4), quiet_until=time(5), callee_zones=(clock.zone(zone),), besides=(kind,))
    first = clock.first(twice, clock.zone(zone))
    assert all(callee.quiet(first + minutes * MINUTE) for minutes in range(-15, 75))
    assert not callee.quiet(first - 16 * MINUTE)
    assert not callee.quiet(first + 75 * MINUTE)


def test_whom_no_hour_is_left_for_is_said() -> None:
    mornings = Hours(TOKYO, dict.fromkeys(range(7), spans("12:00-15:00")), callee_zones=(NEW_YORK,))
    with pytest.raises(SchedulerError, match="all lie within the callee's quiet hours"):
        mornings.next_opening(at("2026-11-24 09:00", "Asia/Tokyo"))
