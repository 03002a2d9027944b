"""How people say a time: the next such moment on the site's clock, nights in which clocks change among them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callback.errors import CallbackError
from callback.site.written import instant
from scheduler.clock import DAY, HOUR, MINUTE, local, micros

BERLIN, TOKYO, HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo"), ZoneInfo("Australia/Lord_Howe")
ZONES = [BERLIN, TOKYO, HOWE, ZoneInfo("America/New_York"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("Pacific/Apia")]


def utc(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "said", "at"),
    [
        ("2026-11-23 10:00", "14:50", "2026-11-23 13:50"),
        ("2026-11-23 14:00", "14:50", "2026-11-24 13:50"),  # passed: tomorrow's
        ("2026-11-23 13:50", "14:50", "2026-11-24 13:50"),  # this very minute has come
        ("2026-11-23 10:00", "1450", "2026-11-23 13:50"),  # as keys are pressed
        ("2026-11-23 10:00", "930", "2026-11-24 08:30"),
        ("2026-11-23 10:00", "2030", "2026-11-23 19:30"),
        ("2026-11-23 10:00", "１４：５０", "2026-11-23 13:50"),  # noqa: RUF001 - as a Chinese keyboard types it
        ("2026-11-23 22:59", "0:05", "2026-11-23 23:05"),
        ("2026-11-23 10:00", "9:05", "2026-11-24 08:05"),
        ("2026-11-23 10:00", "+20m", "2026-11-23 10:20"),
        ("2026-11-23 10:00", "+20", "2026-11-23 10:20"),
        ("2026-11-23 10:00", "+20min", "2026-11-23 10:20"),
        ("2026-11-23 10:00", "+2h", "2026-11-23 12:00"),
        ("2026-11-23 10:00", "+1h30m", "2026-11-23 11:30"),
        ("2026-11-23 10:00", "2026-11-25 18:30", "2026-11-25 17:30"),
        ("2026-11-23 10:00", "2026-11-25T18:30+00:00", "2026-11-25 18:30"),
        # Clocks go forward: 02:30 is not shown, and the jump stands for it
        ("2026-03-28 23:00", "2:30", "2026-03-29 01:00"),
        ("2026-03-29 01:00", "2:30", "2026-03-30 00:30"),
        ("2026-03-29 00:30", "+60m", "2026-03-29 01:30"),
        # Clocks go back: 02:30 is shown twice, and the next one counts
        ("2026-10-24 23:00", "2:30", "2026-10-25 00:30"),
        ("2026-10-25 00:30", "2:30", "2026-10-25 01:30"),
        ("2026-10-25 01:30", "2:30", "2026-10-26 01:30"),
        ("2026-10-25 00:45", "3:00", "2026-10-25 02:00"),
    ],
)
def test_a_time_is_the_next_such_moment(now: str, said: str, at: str) -> None:
    assert instant(said, utc(now), BERLIN) == utc(at)


CHANGES = st.sampled_from([date(2026, 3, 28), date(2026, 10, 24), date(2026, 4, 4), date(2026, 10, 3)])


@settings(max_examples=50)
@given(
    st.one_of(st.dates(date(2020, 1, 1), date(2035, 1, 1)), CHANGES),
    st.integers(0, 2 * 1440 * 60 - 1),
    st.times(),
    st.sampled_from(ZONES),
)
@example(date(2026, 10, 24), 24 * 3600 + 90 * 60, time(2, 30), BERLIN)
def test_the_next_moment_lies_ahead_and_none_like_it_comes_before(
    day: date, second: int, wall: time, zone: ZoneInfo
) -> None:
    now = micros(datetime.combine(day, time(), UTC)) + second * 1_000_000
    wall = wall.replace(second=0, microsecond=0)
    at = instant(f"{wall:%H:%M}", now, zone)
    assert now < at <= now + 2 * DAY
    minute = now // MINUTE * MINUTE + MINUTE
    before = (local(one, zone) for one in range(minute, at, MINUTE))
    assert all(f"{one:%H:%M}" != f"{wall:%H:%M}" for one in before)
    shown = local(at, zone)
    jumped = local(at - 1, zone).utcoffset() != shown.utcoffset()
    assert shown.time().replace(fold=0) == wall or (jumped and shown.time() > wall)


@given(st.integers(0, 99_999), st.integers(1, 20_000))
def test_so_long_from_now_is_so_long_whatever_the_clock_does(minutes: int, step: int) -> None:
    now = utc("2026-03-28 00:00") + step * 10 * 1_000_000
    assert instant(f"+{minutes}m", now, BERLIN) == now + minutes * MINUTE
    assert instant("+24h", now, BERLIN) == now + 24 * HOUR


@pytest.mark.parametrize(
    "said",
    [
        "",
        "+",
        "+m",
        "soon",
        "25:00",
        "14:60",
        "14.50",
        "-20m",
        "2460",
        "+5d",
        "9999-12-31",
        "0001-01-01 00:00",
        "+9999h",
    ],
)
def test_what_is_no_time_is_refused_with_how_to_write_one(said: str) -> None:
    with pytest.raises(CallbackError, match=r"14:50 \(the next such moment\), \+20m"):
        instant(said, utc("2026-11-23 10:00"), BERLIN)


@given(st.text(max_size=20))
def test_any_text_is_a_time_or_refused_in_a_sentence(said: str) -> None:
    now = utc("2026-11-23 10:00")
    try:
        at = instant(said, now, TOKYO)
    except CallbackError:
        return
    assert abs(at - now) <= timedelta(days=366).total_seconds() * 1_000_000
