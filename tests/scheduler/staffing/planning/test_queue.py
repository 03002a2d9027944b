"""A queue learnt from its past: forecast, need and hints, and nothing from later."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduler import clock
from scheduler.clock import DAY, MINUTE
from scheduler.staffing.learning.fresh import PastCall
from scheduler.staffing.planning.need import StaffingTerms
from scheduler.staffing.planning.queue import Queue, learn
from tests.scheduler.moments import at

ZONE = clock.zone("Asia/Shanghai")
MONDAY = date(2025, 9, 1)
WEEKS = 6


def calls(queue: str = "sales") -> list[PastCall]:
    """Give six weeks of a site open 09:00-12:00: a call a minute, three at 10, and one in six of those is lost."""
    nine = at("2025-09-01 09:00")
    found = []
    for day in range(7 * WEEKS):
        for minute in range(180):
            each = 3 if 60 <= minute < 90 else 1
            for place in range(each):
                lost = each == 3 and minute % 2 == 0 and place == 0
                when = nine + day * DAY + minute * MINUTE
                caller = f"{queue} {day} {minute} {place}"
                found.append(
                    PastCall(when, queue, caller, lost, waited_s=30, hung_up=lost, handled_s=None if lost else 120)
                )
    return found


@pytest.fixture(scope="module")
def queue() -> Queue:
    return learn([*calls(), PastCall(at("2025-09-02 03:00"), "sales", "stray", lost=False, handled_s=120)], ZONE)[
        "sales"
    ]


def test_every_queue_is_learnt(queue: Queue) -> None:
    both = learn([*calls(), *calls("help")], ZONE)
    assert list(both) == ["help", "sales"]
    assert both["help"].demand == both["sales"].demand
    assert queue.seconds(20) == pytest.approx(120)
    assert queue.patience.mean_s == pytest.approx(30 * 240 / 15, rel=0.01)


def test_the_forecast_is_what_always_comes(queue: Queue) -> None:
    day = MONDAY + timedelta(days=7 * WEEKS)
    expected = queue.expects(day)
    assert expected.mean[18:24] == (30, 30, 90, 30, 30, 30)
    assert sum(expected.mean) == 240
    assert queue.loses(day).mean[20] == 15
    busy = queue.expects(day, [0.0] * 18 + [60.0])
    assert busy.mean[19] >= expected.mean[19]


def test_need_is_where_calls_come(queue: Queue) -> None:
    tuesday = MONDAY + timedelta(days=7 * WEEKS + 1)
    needed = [each.at_work for each in queue.need(tuesday, StaffingTerms())]
    assert [number for number, agents in enumerate(needed) if agents] == list(range(18, 24))  # the stray call is none
    assert needed[20] > needed[19] == needed[23]
    cautious = [each.at_work for each in queue.need(tuesday, StaffingTerms(), sure=0.99)]
    assert all(few <= many for few, many in zip(needed, cautious, strict=True))


def test_hints_come_with_evidence_of_the_days_there_are(queue: Queue) -> None:
    day = MONDAY + timedelta(days=7 * WEEKS)
    present = [0] * 18 + [5, 5, 5, 3, 3, 3] + [0] * 24
    found = queue.hints(day, present, StaffingTerms())
    more = next(hint for hint in found if hint.first == 20)
    assert more.more > 0
    assert more.evidence is not None
    assert (more.evidence.days, more.evidence.weekday) == (WEEKS, 0)
    assert (more.evidence.kept, more.evidence.kept_without) == (WEEKS, 0)
    assert more.evidence.hung_up_share_without == pytest.approx(15 / 90)
    assert (more.evidence.hung_up_share or 0) < 15 / 90


def test_a_roster_that_is_right_gets_no_hint(queue: Queue) -> None:
    day = MONDAY + timedelta(days=7 * WEEKS)
    assert queue.hints(day, [each.roster for each in queue.need(day, StaffingTerms())], StaffingTerms()) == []


def morning(weeks: int, each_day: int, talk_s: float | None = 120.0) -> list[PastCall]:
    """Give Mondays of a few calls; None: nobody was answered."""
    nine = at("2025-09-01 09:00")
    return [
        PastCall(
            nine + week * 7 * DAY + number * MINUTE, "sales", f"{week} {number}", talk_s is None, 20, False, talk_s
        )
        for week in range(weeks)
        for number in range(each_day)
    ]


@pytest.mark.parametrize(
    ("calls", "too_little"),
    [
        (morning(1, 1), "1 of the 2 days like it that it takes"),
        (morning(1, 300), "1 of the 2 days like it that it takes"),
        (morning(2, 9), "18 of the 20 calls on such days that it takes"),
        (morning(8, 2), "16 of the 20 calls on such days that it takes"),
        (morning(4, 10, None), "0 of the 20 talks that it takes"),
        (morning(4, 10, 0.0), "0 of the 20 talks that it takes"),
        (morning(2, 10), ""),
        ([*morning(4, 10, None), *morning(2, 10)], ""),
    ],
    ids=["a call", "a day", "two thin days", "thin days", "no talk", "talks of no second", "enough", "enough and lost"],
)
def test_of_too_little_nothing_is_said(calls: list[PastCall], too_little: str) -> None:
    found = learn(calls, ZONE)["sales"]
    day = MONDAY + timedelta(days=7 * 8)
    assert found.too_little(day) == too_little
    assert bool(found.hints(day, [0] * 48, StaffingTerms())) is not bool(too_little)


def test_a_queue_whose_talks_lasted_no_second_is_reckoned_like_the_site() -> None:
    help_ = [call._replace(queue="help", handled_s=0.0) for call in morning(4, 10)]
    queues = learn([*morning(4, 10), *help_], ZONE)
    assert queues["help"].seconds(18) == queues["sales"].seconds(18) == 120


def test_shrinkage_asks_for_more_on_the_roster(queue: Queue) -> None:
    day = MONDAY + timedelta(days=7 * WEEKS)
    plain, shrunk = (queue.need(day, StaffingTerms(shrinkage=share)) for share in (0, 0.3))
    assert all(few.roster < many.roster for few, many in zip(plain, shrunk, strict=True) if few.at_work)
    assert [each.at_work for each in plain] == [each.at_work for each in shrunk]


def test_on_a_weekday_on_which_nobody_ever_called_nobody_is_needed() -> None:
    found = learn(morning(4, 10), ZONE)["sales"]
    tuesday = MONDAY + timedelta(days=7 * 8 + 1)
    assert found.too_little(tuesday) == ""
    assert {need.at_work for need in found.need(tuesday, StaffingTerms())} == {0}
    assert found.too_little(MONDAY + timedelta(days=7 * 8)) == ""
