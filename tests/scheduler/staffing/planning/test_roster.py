"""Rosters in the shapes people keep them, and what is said of those that cannot be read."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.staffing.blocks import Block
from scheduler.staffing.planning.cells import BadCell, as_count, as_day, as_span, as_time
from scheduler.staffing.planning.roster import Roster, RosterError, Shift, read

MONDAY, TUESDAY = date(2025, 11, 24), date(2025, 11, 25)


def present(roster: Roster, day: date = MONDAY, queue: str | None = None) -> dict[int, float]:
    return {number: agents for number, agents in enumerate(roster.present(day, queue)) if agents}


SHAPES = {
    "shifts": "agent,day,start,end\nAnn,Mon,09:00,10:00\nBob,Monday,9,9:30\n",
    "columns in any order": "Note;End;Begin;Name;Day\nx;10:00;09:00;Ann;mon\n;9.30;9;Bob;Mo\n",
    "a date goes before its weekday": (
        "agent,date,start,end\nZoe,Mon,00:00,24:00\nAnn,2025-11-24,0900,1000\nBob,24.11.2025,9am,9:30am\n"
    ),
    "a week": "agent,Mon,Tue\nAnn,09:00-10:00,off\nBob,9:00 - 9:30,\n",
    "a week without a name for the agents": ",Mo,Di\nAnn,09:00-10:00,frei\nBob,9 bis 9:30,-\n",
    "counts": "day,time,agents\nMon,09:00,2\nMon,09:30,1\n",
    "counts over spans": "weekday|interval|headcount\nMon|09:00-09:30|1\nMon|09:00-10:00|1\n",
    "a table of times": "time,Mon,Tue\n09:00,2,0\n09:30,1,\n",
    "a table without a name for the times": ",Mon,Tue\n09:00,2,\n09:30,1,\n",
    "a table of days": "day,09:00,09:30,10:00\nMon,2,1,0\n",
    "a table of dates": "time,2025-11-24,2025/11/25\n09:00,2,\n09:30,1,\n",
    "lines before the header": "Roster of week 48\n\nagent,day,start,end\nAnn,Mon,9,10\nBob,Mon,9,9:30\n",
    "quarter hours": "time,Mon\n09:00,2\n09:15,2\n09:30,1\n09:45,1\n",
    "several agents a line": "day,start,end,agents\nMon,9:00,9:30,2\nMon,9:30,10:00,1\n",
    "Chinese": "姓名,星期,开始,结束\n安,周一,09:00,10:00\n鲍,星期一,9:00,9:30\n",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_shapes(text: str) -> None:
    assert present(read(text.encode())) == {18: 2, 19: 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_separators(encoding: str, separator: str, end: str) -> None:
    text = SHAPES["Chinese"].replace(",", separator).replace("\n", end)
    assert [shift.agent for shift in read(text.encode(encoding)).shifts] == ["安", "鲍"]


def test_hours_are_hours() -> None:
    assert present(read(b"time,Mon\n9,2\n10,1\n")) == {18: 2, 19: 2, 20: 1, 21: 1}


def test_queues_and_breaks() -> None:
    roster = read(
        b"agent,queue,day,start,end,break\n"
        b"Ann,sales,Mon,9:00,12:00,10:00-10:30\n"
        b"Bob,help,Mon,9:00,10:00,\n"
        b'Cy,,Mon,9:00,11:00,"9:30-9:45, 10:30-10:45"\n'
    )
    assert present(roster, queue="sales") == {18: 2, 19: 1.5, 20: 1, 21: 1.5, 22: 1, 23: 1}
    assert present(roster, queue="help")[18] == 2
    assert present(roster)[18] == 3
    assert roster.blocks(MONDAY, "sales") == [Block("Ann", 18, 24, (20,)), Block("Cy", 18, 22)]


def test_the_night_shift_ends_on_the_next_day() -> None:
    roster = read(b"agent,day,start,end,break\nAnn,Mon,22:00,02:00,00:30-01:00\n")
    assert present(roster) == dict.fromkeys(range(44, 48), 1)
    assert present(roster, TUESDAY) == {0: 1, 2: 1, 3: 1}
    assert roster.blocks(MONDAY) == [Block("Ann", 44, 48)]


def test_a_day_in_two_parts() -> None:
    roster = read(b'agent,Mon\nAnn,"9:00-10:00, 11:00-11:30"\n')
    assert present(roster) == {18: 1, 19: 1, 22: 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no header line found: let the first line name its columns"),
        ("Ann,Mon,09:00,17:00\n", "no header line found"),
        ("agent,day,start,end\n", "line 1: no shift follows the header"),
        ("agent,day,start,end\nAnn,Mon,9,17\nBob,Mun,9,17\n", "line 3: 'Mun' is no day: write a weekday as in Mon"),
        ("agent,day,start,end\nAnn,,9,17\n", "line 2: '' is no day"),
        ("agent,day,start,end\nAnn,Mon,9,25:00\n", "line 2: '25:00' is no time of a day"),
        ("agent,day,start,end\nAnn,Mon,9,17:75\n", "line 2: '17:75' is no time of a day"),
        ("agent,day,start,end\nAnn,Mon,13pm,17\n", "line 2: '13pm' is no time: write it as in 5pm"),
        ("agent,day,start,end\nAnn,11/12/2025,9,17\n", "may be either of two days: write dates as in 2025-11-21"),
        ("agent,day,start,end\nAnn,2025-02-30,9,17\n", "line 2: '2025-02-30' is no day of the calendar"),
        ("agent,day,start,end,day\nAnn,Mon,9,17,Tue\n", "line 1: two columns say 'day': leave one"),
        ("agent,day,start,end\nAnn,Mon,9,17,x\n", "line 2: more cells than the header has columns"),
        ("agent,day,start,end,break\nAnn,Mon,9,17,18:00-18:30\n", "line 2: the break '18:00-18:30' lies outside"),
        ("agent,Mon\nAnn,9\n", "line 2: '9' does not say from when to when"),
        ("agent,Mon\nAnn,9-12-17\n", "line 2: '9-12-17' is no span of time"),
        ("time,Mon\n09:00,many\n", "line 2: 'many' is no number of agents: write it as in 3"),
        ("time,Mon\n09:00,-1\n", "line 2: '-1' is no number of agents"),
        ("time,Mon\n09:00,nan\n", "line 2: 'nan' is no number of agents"),
    ],
)
def test_faults_name_the_line_and_the_remedy(text: str, said: str) -> None:
    with pytest.raises(RosterError) as caught:
        read(text.encode())
    assert said in str(caught.value)


def test_every_fault_is_told_at_once_but_no_more_than_twenty() -> None:
    with pytest.raises(RosterError) as caught:
        read(("agent,day,start,end\n" + "Ann,Never,9,17\n" * 30).encode())
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 10 more"


@given(st.text(alphabet='aMon,;\n\t 0123456789:-x"|,周一', max_size=80))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        roster = read(text.encode())
    except RosterError as error:
        assert str(error)  # noqa: PT017 - either is right
    else:
        assert roster.shifts


@given(
    st.lists(
        st.builds(lambda start, length: (start, start + length), st.integers(0, 1400), st.integers(1, 1440)),
        min_size=1,
        max_size=5,
    )
)
def test_no_minute_of_work_is_lost(spans: list[tuple[int, int]]) -> None:
    roster = Roster(tuple(Shift(MONDAY, start, until) for start, until in spans))
    hours = sum(roster.present(MONDAY)) + sum(roster.present(TUESDAY))
    assert 30 * hours == pytest.approx(sum(until - start for start, until in spans))


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("9", 540),
        ("9 Uhr", 540),
        *((cell, 570) for cell in ("09:30", "9.30", "0930", "930", "09:30:00", "9h30", "9:30am")),
        ("12am", 0),
        ("12 p.m.", 720),
        ("5pm", 1020),
        ("24:00", 1440),
    ],
)
def test_times(cell: str, minutes: int) -> None:
    assert as_time(cell) == minutes


@pytest.mark.parametrize("cell", ["", "x", "9:3", "25", "24:01", "0am", "-1"])
def test_no_times(cell: str) -> None:
    with pytest.raises(BadCell):
        as_time(cell)


def test_days_spans_and_counts() -> None:
    assert [as_day(cell) for cell in ("SUNDAY", "Do", "周天", "Fri.")] == [6, 3, 6, 4]
    assert as_day("13/02/2025") == as_day("02/13/2025") == as_day("2025年2月13日") == date(2025, 2, 13)
    assert as_span("22:00 – 02:00") == (1320, 1560)  # noqa: RUF001
    assert [as_count(cell) for cell in ("3", "2,5", "", "-")] == [3, 2.5, 0, 0]
