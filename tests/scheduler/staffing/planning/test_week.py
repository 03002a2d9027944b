"""The days to come: who is planned, who is needed, and which hints weigh most."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduler import clock
from scheduler.clock import DAY as A_DAY_US
from scheduler.clock import HOUR, MINUTE
from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.learning.attendance import Attendance, AttendanceRecorder
from scheduler.staffing.learning.fresh import PastCall
from scheduler.staffing.planning import roster, week
from scheduler.staffing.planning.need import StaffingTerms
from scheduler.staffing.planning.queue import Queue, learn
from scheduler.staffing.planning.week import Staff
from tests.scheduler.moments import at

ZONE = clock.zone("Asia/Shanghai")
MONDAY = date(2025, 9, 1)
NINE = at("2025-09-01 09:00")
TERMS = StaffingTerms()


def calls(queue: str, weekdays: range, each_min: int) -> list[PastCall]:
    """Four weeks of mornings; in the hour from ten on every third call is lost."""
    return [
        PastCall(
            NINE + day * A_DAY_US + minute * MINUTE,
            queue,
            f"{queue} {day} {minute}",
            lost,
            30,
            lost,
            None if lost else 120,
        )
        for day in range(28)
        if day % 7 in weekdays
        for minute in range(0, 180, each_min)
        for lost in (60 <= minute < 120 and minute % 3 == 0,)
    ]


@pytest.fixture(scope="module")
def queues() -> dict[str, Queue]:
    return learn([*calls("sales", range(5), 1), *calls("help", range(2), 10)], ZONE)


@pytest.fixture(scope="module")
def attendance() -> Attendance:
    """One agent on every day of the first three weeks, two in the fourth."""
    register = AttendanceRecorder(ZONE)
    for day in range(28):
        begins = NINE + day * A_DAY_US
        for agent in ("Ann", "Bob")[: 2 if day >= 21 else 1]:
            register.logged_in(agent, "sales", begins, begins + 3 * HOUR)
            register.served(agent, "sales", begins, begins + MINUTE)
    return register.attendance()


def test_days_on_which_nothing_ever_came_are_left_out(queues: dict[str, Queue]) -> None:
    pairs = week.to_come(queues, MONDAY + timedelta(days=28))
    assert [(queue.name, day.weekday()) for queue, day in pairs] == [
        *(("help", weekday) for weekday in range(2)),
        *(("sales", weekday) for weekday in range(5)),
    ]


def test_the_worst_days_lose_most(queues: dict[str, Queue]) -> None:
    worst = week.worst(queues, MONDAY + timedelta(days=28), 3)
    assert [queue.name for queue, _ in worst] == ["sales"] * 3


def test_without_a_roster_as_many_are_planned_as_on_the_last_same_weekdays(attendance: Attendance) -> None:
    staff = Staff(attendance)
    assert staff.planned("sales", MONDAY + timedelta(days=28))[18:25] == (1, 1, 1, 1, 1, 1, 0)
    assert staff.was("sales", MONDAY + timedelta(days=21))[18] == 2
    assert staff.planned("nobody's", MONDAY) == (0,) * A_DAY


def test_with_a_roster_it_counts_and_the_past_is_what_it_was(attendance: Attendance) -> None:
    staff = Staff(attendance, roster.read(b"time,Mon,Tue\n09:00,3,2.5\n"))
    assert staff.planned("sales", MONDAY + timedelta(days=28))[18] == 3
    assert staff.planned("sales", MONDAY + timedelta(days=29))[18] == 3
    assert staff.was("sales", MONDAY)[18] == 1
    assert staff.was("sales", MONDAY - timedelta(days=7))[18] == 3  # nobody knows, so as it was planned


def test_hints_are_need_less_plan_and_the_weightiest_come_first(
    queues: dict[str, Queue], attendance: Attendance
) -> None:
    staff, day = Staff(attendance), MONDAY + timedelta(days=28)
    outlooks = [week.outlook(queue, one, staff, TERMS) for queue, one in week.to_come(queues, day)]
    for each in outlooks:
        more = {number: hint.more for hint in each.hints for number in hint.half_hours}
        for number in range(A_DAY):
            assert more.get(number, 0) == each.needed[number] - each.planned[number]
    ranked = week.wanting(outlooks)
    weights = [each.weight(hint) for each, hint in ranked]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 0
    assert all(hint.more > 0 for _, hint in ranked)
    [(number, expected, needed, planned), *_] = week.shown(outlooks[-1])
    assert (number, expected, planned) == (18, 30, 1)
    assert needed > 1


def test_a_hint_is_proved_on_all_the_same_weekdays_there_are(queues: dict[str, Queue], attendance: Attendance) -> None:
    staff, queue = Staff(attendance), queues["sales"]
    each = week.outlook(queue, MONDAY + timedelta(days=28), staff, TERMS)
    [(_, hint), *_] = week.wanting([each])
    replay = queue.estimated_replay(lambda day: staff.was("sales", day), TERMS)
    proof = week.proved(each, hint, queue, staff, replay).evidence
    assert proof is not None
    assert proof.days == 4
    assert proof.kept >= proof.kept_without
    assert (proof.hung_up_share or 0) < (proof.hung_up_share_without or 0)
    assert proof.closed_share is None  # sums do not tell it
