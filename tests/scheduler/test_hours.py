"""When a customer's phone may ring: no ring in quiet hours, on any date, in any zone."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.clock import DAY, HOUR, MINUTE
from scheduler.errors import SchedulerError
from scheduler.hours import EVERY_DAY, Hours, spans
from tests.scheduler.moments import at, changes, hours, instants, shown, zones

SHANGHAI = clock.zone("Asia/Shanghai")
WORKDAYS = dict.fromkeys(range(5), spans("09:00-12:00, 13:00-18:00"))


def wall_is_quiet(instant: int, site: Hours) -> bool:
    """The definition, said without intervals: the wall clock stands within the quiet hours."""
    wall = clock.local(instant, site.zone).time()
    if site.quiet_from < site.quiet_until:
        return site.quiet_from <= wall < site.quiet_until
    return wall >= site.quiet_from or wall < site.quiet_until


def wall_is_open(instant: int, site: Hours) -> bool:
    wall = clock.local(instant, site.zone)
    day = () if wall.date() in site.holidays else site.opening.get(wall.weekday(), ())
    return any(opens <= wall.time() and (closes == time(0) or wall.time() < closes) for opens, closes in day)


@given(st.data())
def test_no_ring_reaches_into_quiet_hours(data: st.DataObject) -> None:
    zone = data.draw(zones)
    site, now = data.draw(hours(zone)), data.draw(instants(zone))
    until = site.ring_until(now)
    assume(until is not None)
    assert until is not None
    assert now < until <= now + 3 * DAY
    assert not any(wall_is_quiet(moment, site) for moment in [*range(now, until, MINUTE), until - 1])
    assert site.quiet(until)


@given(st.data())
def test_quiet_covers_the_wall_clock_and_little_more(data: st.DataObject) -> None:
    zone = data.draw(zones)
    site, now = data.draw(hours(zone)), data.draw(instants(zone))
    if wall_is_quiet(now, site):
        assert site.quiet(now)
        assert not site.may_ring(now)
    elif site.quiet(now):  # more is quiet only where the clock is put back
        year = clock.local(now, site.zone).year
        assert any(abs(now - change) <= DAY for change in changes(zone, year))


@given(st.data())
def test_away_from_clock_changes_open_is_what_the_wall_clock_says(data: st.DataObject) -> None:
    zone = data.draw(zones)
    now = data.draw(instants(zone))
    today = clock.local(now, clock.zone(zone)).date()
    holidays = frozenset(data.draw(st.sets(st.sampled_from([today, today.replace(day=1)]))))
    site = data.draw(hours(zone, holidays))
    assume(not any(abs(now - change) <= DAY for change in changes(zone, today.year)))
    assert site.open(now) == wall_is_open(now, site)


@given(st.data())
def test_the_next_opening_is_the_first_moment_that_may_ring(data: st.DataObject) -> None:
    zone = data.draw(zones)
    site, now = data.draw(hours(zone)), data.draw(instants(zone))
    opening = site.next_opening(now)
    assert opening >= now
    assert site.may_ring(opening)
    if opening == now:
        return
    step = max((opening - now) // 50, 1)
    assert not any(site.may_ring(moment) for moment in range(now, opening, step))
    assert not site.may_ring(opening - 1)


@given(st.data())
def test_up_to_the_cut_every_moment_may_ring(data: st.DataObject) -> None:
    zone = data.draw(zones)
    site, now = data.draw(hours(zone)), data.draw(instants(zone))
    until, cut = site.ring_until(now), site.cut(now)
    assert (cut is None) == (until is None) == (not site.may_ring(now))
    if cut is None or until is None:
        return
    assert now < cut <= until
    assert not site.may_ring(cut)
    step = max((cut - now) // 50, 1)
    assert all(site.may_ring(moment) for moment in range(now, cut, step))


@pytest.mark.parametrize(
    ("now", "may_ring", "until", "cut", "opening"),
    [
        ("2025-11-21 10:00", True, "2025-11-21 21:30", "2025-11-21 12:00", "2025-11-21 10:00"),
        ("2025-11-21 12:00", False, None, None, "2025-11-21 13:00"),
        ("2025-11-21 17:59:59", True, "2025-11-21 21:30", "2025-11-21 18:00", "2025-11-21 17:59:59"),
        ("2025-11-21 18:00", False, None, None, "2025-11-25 09:00"),  # a Friday; Monday is a holiday
        ("2025-11-24 10:00", False, None, None, "2025-11-25 09:00"),
    ],
)
def test_a_site_with_lunch_weekends_and_a_holiday(
    now: str, may_ring: bool, until: str | None, cut: str | None, opening: str
) -> None:
    site = Hours(SHANGHAI, WORKDAYS, frozenset({date(2025, 11, 24)}))
    assert site.may_ring(at(now)) is may_ring
    assert site.ring_until(at(now)) == (until and at(until))
    assert site.cut(at(now)) == (cut and at(cut))
    assert shown(site.next_opening(at(now))) == opening


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2025-11-21 21:29:57", "2025-11-21 21:30"),
        ("2025-11-21 21:30", None),
        ("2025-11-22 07:59:59", None),
        ("2025-11-22 08:00", "2025-11-22 21:30"),
    ],
)
def test_by_default_phones_are_quiet_from_half_past_nine_until_eight(now: str, until: str | None) -> None:
    assert Hours(SHANGHAI).ring_until(at(now)) == (until and at(until))


def test_quiet_hours_may_lie_within_the_day_and_start_at_any_second() -> None:
    site = Hours(SHANGHAI, quiet_from=time(14, 3, 7), quiet_until=time(14, 5))
    assert site.cut(at("2025-11-20 23:50")) == at("2025-11-21 14:03:07")  # midnight is no closing
    assert site.quiet(at("2025-11-21 14:03:07"))
    assert site.next_opening(at("2025-11-21 14:03:07")) == at("2025-11-21 14:05")


@pytest.mark.parametrize(
    ("quiet_from", "quiet_until", "start", "end"),
    [
        (time(2, 30), time(5), "2025-03-30 03:00", "2025-03-30 05:00"),  # 02:30 is jumped over
        (time(1), time(2, 30), "2025-03-30 01:00", "2025-03-30 03:00"),
    ],
)
def test_when_clocks_go_forward(quiet_from: time, quiet_until: time, start: str, end: str) -> None:
    site = Hours(clock.zone("Europe/Berlin"), quiet_from=quiet_from, quiet_until=quiet_until)
    begin = site.ring_until(at("2025-03-30 00:30", "Europe/Berlin"))
    assert begin == at(start, "Europe/Berlin")
    assert site.next_opening(begin) == at(end, "Europe/Berlin")


@pytest.mark.parametrize(
    ("quiet_from", "quiet_until", "start", "end"),
    [
        (time(2, 30), time(5), "2025-10-26 00:30", "2025-10-26 04:00"),  # from the first 02:30
        (time(1), time(2, 30), "2025-10-25 23:00", "2025-10-26 01:30"),  # until the second 02:30
        (time(2, 15), time(2, 45), "2025-10-26 00:15", "2025-10-26 01:45"),
    ],
)
def test_when_clocks_go_back_quiet_hours_take_both(quiet_from: time, quiet_until: time, start: str, end: str) -> None:
    site = Hours(clock.zone("Europe/Berlin"), quiet_from=quiet_from, quiet_until=quiet_until)
    begin = site.ring_until(at("2025-10-25 22:30", "UTC"))
    assert begin == at(start, "UTC")
    assert site.next_opening(begin) == at(end, "UTC")


def test_a_site_that_never_closes_stays_open_when_clocks_change_at_midnight() -> None:
    for zone in ("America/Havana", "America/St_Johns", "Africa/Cairo", "Pacific/Apia"):
        site = Hours(clock.zone(zone), EVERY_DAY)
        for change in (change for year in range(2005, 2015) for change in changes(zone, year)):
            assert all(site.open(change + minutes * MINUTE) for minutes in range(-120, 120, 13))


def test_a_far_opening_is_found_and_none_at_all_is_said() -> None:
    year = frozenset(date.fromordinal(day) for day in range(date(2025, 1, 1).toordinal(), date(2026, 1, 1).toordinal()))
    assert shown(Hours(SHANGHAI, holidays=year).next_opening(at("2025-01-01 10:00"))) == "2026-01-01 08:00"
    for_ever = frozenset(date.fromordinal(date(2025, 1, 1).toordinal() + day) for day in range(1000))
    with pytest.raises(SchedulerError, match="holidays"):
        Hours(SHANGHAI, holidays=for_ever).next_opening(at("2025-01-01 10:00"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ()),
        ("09:00-24:00", ((time(9), time(0)),)),
        ("00:00-12:00,13:00:30 - 18:00", ((time(0), time(12)), (time(13, 0, 30), time(18)))),
    ],
)
def test_opening_hours_are_read(text: str, read: tuple[tuple[time, time], ...]) -> None:
    assert spans(text) == read


@pytest.mark.parametrize("text", ["9-12", "09:00", "09:00-25:00", "24:00-09:00", "09:00-12:00,", "nine to five"])
def test_opening_hours_that_cannot_be_read_are_shown(text: str) -> None:
    with pytest.raises(SchedulerError, match="09:00-12:00, 13:00-24:00"):
        spans(text)


@pytest.mark.parametrize(
    ("opening", "fault"),
    [
        ({0: spans("22:00-02:00")}, "cross midnight.*24:00"),
        ({0: spans("09:00-09:00")}, "empty"),
        ({0: spans("09:00-12:00, 11:00-13:00")}, "overlap"),
        ({0: spans("13:00-24:00, 09:00-12:00")}, "out of order"),
        ({7: spans("09:00-12:00")}, "weekday 7"),
        ({0: spans("21:30-24:00"), 1: spans("00:00-08:00")}, "no phone may ever ring"),
        ({}, "no phone may ever ring"),
    ],
)
def test_hours_that_nobody_could_mean_are_refused(
    opening: dict[int, tuple[tuple[time, time], ...]], fault: str
) -> None:
    with pytest.raises(SchedulerError, match=fault):
        Hours(SHANGHAI, opening)


def test_quiet_hours_without_length_are_refused() -> None:
    with pytest.raises(SchedulerError, match="quiet_from and quiet_until"):
        Hours(SHANGHAI, quiet_from=time(8), quiet_until=time(8))


def test_an_opening_cut_off_by_quiet_hours_on_both_sides_still_rings() -> None:
    site = Hours(SHANGHAI, {0: spans("07:00-22:00")})
    assert site.next_opening(at("2025-11-22 00:00")) == at("2025-11-24 08:00")
    assert site.cut(at("2025-11-24 08:00")) == at("2025-11-24 08:00") + 13 * HOUR + 30 * MINUTE


def test_a_day_without_an_opening_is_a_closed_day() -> None:
    monday, holiday, saturday = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 28)
    site = Hours(SHANGHAI, WORKDAYS, frozenset({holiday}))
    assert [site.opens_on(day) for day in (monday, holiday, saturday)] == [True, False, False]


@given(st.data())
def test_a_day_opens_if_the_site_is_open_at_some_time_of_it(data: st.DataObject) -> None:
    zone = data.draw(zones)
    site, now = data.draw(hours(zone)), data.draw(instants(zone))
    assert site.opens_on(clock.local(now, site.zone).date()) or not wall_is_open(now, site)
