"""Who was there: by logins where there are such, else by calls."""

from __future__ import annotations

from datetime import date

import pytest

from scheduler import clock
from scheduler.clock import HOUR, MINUTE
from scheduler.staffing.learning.attendance import Attendance, AttendanceRecorder
from tests.scheduler.moments import at

ZONE = clock.zone("Asia/Shanghai")
DAY = date(2025, 11, 21)
NINE = at("2025-11-21 09:00")


def present(attendance: Attendance, queue: str) -> dict[int, float]:
    return {number: share for number, share in enumerate(attendance.by_queue[queue][DAY]) if share}


def test_who_logs_in_was_there_while_he_was_logged_in() -> None:
    register = AttendanceRecorder(ZONE)
    register.logged_in("Ann", "sales", NINE, NINE + HOUR)
    register.logged_in("Ann", "sales", NINE + HOUR + 15 * MINUTE, NINE + 2 * HOUR)
    register.served("Ann", "sales", NINE, NINE + MINUTE)
    found = register.attendance()
    assert present(found, "sales") == pytest.approx({18: 1, 19: 1, 20: 0.5, 21: 1})
    assert (found.agents, found.read_off) == (1, 0)
    assert [str(block) for block in found.blocks(DAY)] == ["Ann 09:00-11:00"]


def test_who_never_logs_in_or_out_is_read_off_his_calls() -> None:
    register = AttendanceRecorder(ZONE)
    register.logged_in("Ann", "sales", NINE - 20 * HOUR, NINE + HOUR)  # nobody works for 21 hours
    for minute in (0, 20, 40, 120):  # no rest of more than half an hour within a stretch
        register.served("Ann", "sales", NINE + minute * MINUTE, NINE + (minute + 15) * MINUTE)
    found = register.attendance()
    assert present(found, "sales") == pytest.approx({18: 1, 19: 25 / 30, 22: 0.5})
    assert (found.agents, found.read_off) == (1, 1)


def test_of_several_queues_each_has_its_share_of_him() -> None:
    register = AttendanceRecorder(ZONE)
    for queue in ("sales", "help"):
        register.logged_in("Ann", queue, NINE, NINE + HOUR)
    register.logged_in("Ann", "help", NINE + HOUR, NINE + 2 * HOUR)
    for minute, queue in ((0, "sales"), (5, "help"), (10, "help"), (15, "help")):
        register.served("Ann", queue, NINE + minute * MINUTE, NINE + (minute + 1) * MINUTE)
    found = register.attendance()
    assert present(found, "sales") == pytest.approx({18: 0.25, 19: 0.25})
    assert present(found, "help") == pytest.approx({18: 0.75, 19: 0.75, 20: 1, 21: 1})
    assert found.of("help", DAY)[18:22] == (1, 1, 1, 1)


def test_who_is_logged_in_without_a_queue_serves_those_that_he_serves() -> None:
    register = AttendanceRecorder(ZONE)
    register.logged_in("Ann", "", NINE, NINE + HOUR)
    register.served("Ann", "sales", NINE, NINE + MINUTE)
    assert present(register.attendance(), "sales") == pytest.approx({18: 1, 19: 1})


def test_who_never_served_anybody_is_nobody() -> None:
    register = AttendanceRecorder(ZONE)  # a login may go by the phone, and talks by the name
    register.logged_in("PJSIP/100", "sales", NINE, NINE + HOUR)
    register.served("Ann", "sales", NINE, NINE + 30 * MINUTE)
    found = register.attendance()
    assert found.agents == 1
    assert present(found, "sales") == pytest.approx({18: 1})


def test_a_night_shift_counts_on_both_days() -> None:
    register = AttendanceRecorder(ZONE)
    register.logged_in("Ann", "sales", at("2025-11-20 22:00"), at("2025-11-21 02:00"))
    register.served("Ann", "sales", at("2025-11-20 22:00"), at("2025-11-20 22:05"))
    found = register.attendance()
    assert sum(found.by_queue["sales"][DAY]) == sum(found.by_queue["sales"][date(2025, 11, 20)]) == 4
