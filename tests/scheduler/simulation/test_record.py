"""Reading a record, and what is read off it: agents, patience, redials."""

from __future__ import annotations

import pytest

from scheduler.clock import HOUR, MINUTE, SECOND
from scheduler.simulation.draws import shares
from scheduler.simulation.errors import RecordError
from scheduler.simulation.month import prepare
from scheduler.simulation.presence import PresenceLimits, infer
from scheduler.simulation.record import NOBODY, Recorded, read
from scheduler.simulation.redials import curve, find
from scheduler.simulation.survival import Curve, fit
from tests.scheduler.simulation.centres import DAY_AT, at

HEADER = (
    "vru_line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time,q_start,q_exit,q_time,"
    "outcome,ser_start,ser_exit,ser_time,server"
)
SERVED_AT_ONCE = "A,1,0,0,PS,1999-02-01,7:02:47,7:02:56,9,0:00:00,0:00:00,0,AGENT,7:02:55,7:05:41,166,ann"
WAITED = "A,2,481,2,PS,1999-02-01,8:19:42,8:19:47,5,8:19:47,8:20:21,34,AGENT,8:20:20,8:22:04,104,bob"
HUNG_UP = "A,3,233,1,NW,1999-02-01,8:09:16,8:09:22,6,8:09:22,8:09:27,5,HANG,0:00:00,0:00:00,0,NO_SERVER"
NIGHT = "A,4,0,0,PS,1999-02-01,23:59:40,23:59:50,10,23:59:50,0:00:20,30,AGENT,0:00:20,0:01:20,60,ann"
MENU = "A,5,0,0,PS,1999-02-01,8:00:00,8:00:05,5,0:00:00,0:00:00,0,HANG,0:00:00,0:00:00,0,NO_SERVER"
PHANTOM = "A,6,0,0,PS,1999-02-01,8:00:00,8:00:05,5,0:00:00,0:00:00,0,PHANTOM,0:00:00,0:00:00,0,NO_SERVER"
BACKWARDS = "A,7,0,0,PS,1999-02-01,8:00:09,8:00:05,-4,0:00:00,0:00:00,0,AGENT,8:00:05,8:00:09,4,ann"
ROUNDED = "A,8,6.02701E+11,1,PS,1999-02-01,9:00:00,9:00:05,5,9:00:05,9:00:09,4,HANG,0:00:00,0:00:00,0,NO_SERVER"


def test_calls_that_wanted_an_agent_are_read_in_their_order() -> None:
    lines = [HEADER, SERVED_AT_ONCE, WAITED, HUNG_UP, NIGHT, MENU, PHANTOM, BACKWARDS, ROUNDED]
    calls = read(lines)
    assert calls == [
        Recorded(2, DAY_AT, at("7:02:56"), None, "PS", 0, 0, "ann", at("7:02:55"), 166),
        Recorded(4, DAY_AT, at("8:09:22"), "233", "NW", 1, 5, None),
        Recorded(3, DAY_AT, at("8:19:47"), "481", "PS", 2, 34, "bob", at("8:20:20"), 104),
        Recorded(9, DAY_AT, at("9:00:05"), None, "PS", 1, 4, None),
        Recorded(5, DAY_AT, at("23:59:50"), None, "PS", 0, 30, "ann", at("24:00:20"), 60),
    ]


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["a,b", "1,2"], "line 1: no column customer_id, priority"),
        ([HEADER, WAITED, WAITED.replace("8:19:47", "8h19")], "line 3: q_start '8h19' is no time of day"),
        ([HEADER, WAITED.replace("8:19:47,8", "28:19:47,8")], "line 2: q_start '28:19:47' is no time of day"),
        (
            [HEADER, WAITED.replace("1999-02-01", "1.2.99")],
            "line 2: date '1.2.99' is no day: write it as in 1999-02-28",
        ),
        ([HEADER, WAITED.replace(",34,", ",x,")], "line 2: q_time 'x' is no whole number"),
        ([HEADER, WAITED.replace("AGENT", "GONE")], "line 2: outcome 'GONE' is none of AGENT, HANG, PHANTOM"),
        ([HEADER, "A,1"], "line 2: not as many fields as the header"),
        ([HEADER, MENU], "no call in the whole file wanted an agent"),
    ],
)
def test_a_bad_line_is_named_with_its_remedy(lines: list[str], word: str) -> None:
    with pytest.raises(RecordError, match="line") as caught:
        read(lines)
    assert word in str(caught.value)


def served(line: int, when: str, talk_s: int, agent: str = "ann", waited_s: int = 0, queue: str = "q") -> Recorded:
    return Recorded(line, DAY_AT, at(when) - waited_s * SECOND, None, queue, 0, waited_s, agent, at(when), talk_s)


def lost(line: int, when: str, waited_s: int = 10, customer: str | None = None) -> Recorded:
    return Recorded(line, DAY_AT, at(when), customer, "q", 0, waited_s, None)


def hours(calls: list[Recorded], without: str = "") -> list[tuple[str, list[tuple[float, float]]]]:
    """Who was there, in minutes after 10:00."""
    agent_days = infer(
        sorted(calls, key=lambda call: call.at), PresenceLimits(60, 900), frozenset(without.split())
    ).agent_days
    ten = at("10:00")
    return [
        (agent_day.agent, [((since - ten) / MINUTE, (until - ten) / MINUTE) for since, until in agent_day.there])
        for agent_day in agent_days[DAY_AT]
    ]


def test_an_agent_is_there_from_his_first_talk_to_his_last() -> None:
    assert hours([served(1, "10:00", 60), served(2, "10:05", 60)]) == [("ann", [(0, 6)])]


def test_while_somebody_waits_whom_he_could_serve_he_is_away() -> None:
    calls = [served(1, "10:00", 60), lost(2, "10:02", 120), served(3, "10:10", 60)]
    assert hours(calls) == [("ann", [(0, 1), (4, 11)])]


def test_a_short_absence_is_after_call_work() -> None:
    calls = [served(1, "10:00", 60), served(2, "10:01:40", 60, waited_s=70)]
    assert hours(calls) == [("ann", [(0, 2 + 2 / 3)])]
    assert infer(sorted(calls, key=lambda call: call.at), PresenceLimits()).after_call_s == (40,)


def test_free_for_too_long_he_was_away() -> None:
    assert hours([served(1, "10:00", 60), served(2, "10:20", 60)]) == [("ann", [(0, 1), (20, 21)])]


def test_who_served_unnamed_was_there_for_the_talk() -> None:
    assert hours([served(7, "10:00", 60, agent=NOBODY)]) == [("unnamed-7", [(0, 1)])]


def test_in_a_queue_that_is_left_out_he_is_away() -> None:
    calls = [served(1, "10:00", 60), served(2, "10:02", 60, queue="IN"), served(3, "10:04", 60)]
    assert hours(calls, "IN") == [("ann", [(0, 2), (3, 5)])]


def test_the_curve_counts_whom_something_else_stopped_as_long_as_he_was_watched() -> None:
    curve_ = fit([10, 30], [10, 20], tail=True)  # at 10: 1 of 4; at 30: 1 of 1
    assert curve_ == Curve((10, 30), (0.25, 1.0), 35.0)


def test_beyond_the_curve_it_never_happens_or_in_its_tail() -> None:
    never = fit([10], [20], tail=False)
    drawn = [never.draw(shares(0, number)) for number in range(200)]
    assert 60 < sum(one is None for one in drawn) < 140
    assert all(one is None or 9 <= one <= 10 for one in drawn)
    tail = fit([10], [20], tail=True)
    assert all((one := tail.draw(shares(0, number))) is not None and one >= 9 for number in range(200))


def test_redials_are_found_by_customer_else_by_chance() -> None:
    calls = [
        lost(1, "10:00", 60, "c"),
        lost(2, "10:05", 60, "c"),
        lost(3, "11:00", 60),
        lost(4, "11:05", 60),
        served(5, "11:30", 60),
    ]
    known = curve(calls)
    assert known.times_s == (240,)
    assert find(calls, Curve((240,), (1.0,)), shares(0, 0)) == {2, 4, 5}


def test_who_called_again_is_not_among_those_who_come_of_their_own() -> None:
    calls = [served(0, "9:00", 50), lost(1, "10:00", 60, "c"), lost(2, "10:05", 60, "c")]
    month = prepare(calls, frozenset())
    assert [arrival.caller for arrival in month.arrivals(DAY_AT, 0)] == [0, 1]
    assert [arrival.talk_s for arrival in month.arrivals(DAY_AT, 0)] == [50, 50]  # drawn from who was served
    assert month.patience_s() == 60
    assert month.agent_days[DAY_AT][0].there == ((at("9:00"), at("9:00:50")),)
    assert at("10:00") - DAY_AT == 10 * HOUR
