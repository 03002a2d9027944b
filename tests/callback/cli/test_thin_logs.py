"""Logs that hold little: every command says what it can, and of the rest that it is too little."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.history.counts import History
from callback.reports.week import Week, first_day
from scheduler import clock
from scheduler.hours import Hours
from telephony.queue_log.briefs import LogBriefs
from telephony.queue_log.entries import Entry, parse_all
from tests.callback.cli.conftest import Typed
from tests.callback.logged import weeks

T = 1_795_307_000
TOKYO = clock.zone("Asia/Tokyo")
Run = Callable[..., tuple[int, str]]


def served(number: int, at: int, waits: int = 0, talks: int = 0) -> list[str]:
    answered, over = at + waits, at + waits + talks
    return [
        f"{at}|{at}.{number}|help|NONE|ENTERQUEUE||090{number:08d}|1",
        f"{answered}|{at}.{number}|help|SIP/31|CONNECT|{waits}|x|0",
        f"{over}|{at}.{number}|help|SIP/31|COMPLETECALLER|{waits}|{talks}|1",
    ]


def gave_up(number: int, at: int, waits: int = 0) -> list[str]:
    return [
        f"{at}|{at}.{number}|help|NONE|ENTERQUEUE||090{number:08d}|1",
        f"{at + waits}|{at}.{number}|help|NONE|ABANDON|1|1|{waits}",
    ]


def weekly(number: int, of: Callable[[int, int], list[str]]) -> list[str]:
    return [line for week in range(number) for each in range(30) for line in of(each, T + week * 604_800 + each)]


THIN = {
    "one call, answered and over in its second": served(1, T),
    "one call, answered": served(1, T, 5, 80),
    "one call, given up": gave_up(1, T, 30),
    "fifty calls in one second": [line for number in range(50) for line in served(number, T)],
    "weeks in which no talk lasted a second": weekly(4, served),
    "the same, and everybody else gave up at once": [*weekly(4, served), *weekly(4, lambda n, at: gave_up(n + 50, at))],
    "weeks in which nobody was answered": weekly(4, lambda number, at: gave_up(number, at, 20)),
    "weeks in which everybody gave up at once": weekly(4, gave_up),
    "a talk that a restart cut off": [*served(1, T, 3, 9)[:2], f"{T + 4}|NONE|NONE|NONE|QUEUESTART|"],
    "nobody has come to the end of a talk": served(1, T, 3, 9)[:2],
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, typed: Typed, tmp_path: Path) -> Run:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")

    def command(name: str, lines: list[str], *words: str) -> tuple[int, str]:
        path = tmp_path / "queue_log"
        path.write_text("".join(f"{line}\n" for line in sorted(lines, key=lambda line: int(line.split("|")[0]))))
        status, out, err = typed(name, path, "--zone", "Asia/Tokyo", *words)
        return status, out + err.strip()

    return command


@pytest.mark.parametrize("command", ["import-queue-log", "hints", "report"])
@pytest.mark.parametrize("name", THIN)
def test_all_is_said_that_can_be(run: Run, name: str, command: str) -> None:
    status, said = run(command, THIN[name])
    assert status == 0, said
    assert "too little to say: " in said
    assert "would have kept" not in said
    assert "nobody is missing" not in said
    if command != "hints":
        assert " calls" in said
    assert run(command, THIN[name], "--json")[0] == 0


@pytest.mark.parametrize("command", ["import-queue-log", "report"])
def test_a_peak_needs_two_days(run: Run, command: str) -> None:
    of_one_day = "too little to say when: 1 of the 2 same weekdays that it takes"
    assert of_one_day in run(command, THIN["one call, given up"])[1]
    assert of_one_day not in run(command, THIN["weeks in which everybody gave up at once"])[1]


def test_where_nobody_was_lost_no_map_is_drawn(run: Run) -> None:
    said = run("import-queue-log", THIN["one call, answered"])[1]
    assert "\nLosses\nnobody was lost\n" in said
    assert "up to" not in said


@pytest.mark.parametrize("command", ["hints", "report"])
def test_a_day_of_which_too_little_is_known_has_no_rows(run: Run, command: str) -> None:
    status, said = run(command, THIN["one call, answered"], "--csv")
    assert (status, said.splitlines()) == (0, ["queue,day,time,calls,losses,needed,planned,more"])


ONLY_MEMBERS = [f"{T}|MANAGER|help|SIP/31|ADDMEMBER|", f"{T + 90}|MANAGER|help|SIP/31|REMOVEMEMBER|"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "no call is known: the log holds no line\n"),
        (ONLY_MEMBERS, "no call is known: the log holds 2 lines, and none of a call\n"),
        (["nonsense"], "1 lines left out"),
    ],
    ids=["empty", "members", "nonsense"],
)
def test_a_log_without_a_call_is_said_to_be_one(run: Run, lines: list[str], why: str) -> None:
    status, said = run("import-queue-log", []) if not lines else run("import-queue-log", ONLY_MEMBERS)
    assert status == 0
    assert "no call is known: " in said
    assert "missing" not in said
    assert "Losses" not in said
    assert why in said or lines == ["nonsense"]


def test_estimates_are_not_worded_as_proofs(run: Run) -> None:
    log = weeks(3)
    status, said = run("import-queue-log", log)
    assert status == 0
    assert "estimated from 3 " in said
    assert "would have kept" not in said
    [*_, last] = run("import-queue-log", log, "--json")[1].splitlines()
    for hint in json.loads(last)["hints"]:
        assert "evidence" not in hint
        assert hint["estimate"].keys() == {"days", "hung_up_share", "hung_up_share_without"}


def test_a_share_of_nobody_is_no_share(run: Run) -> None:
    """Two agents too few for the calls that come, but whoever came was served in the end: nobody is lost."""
    log = list(weekly(4, lambda number, at: served(number, at + 1000 * number, 20, 900)))
    status, said = run("hints", log, "--proofs", "3")
    assert status == 0
    assert "+1" in said
    assert "nobody was lost then on the last 4 " in said
    assert "0% to 0%" not in said
    assert "in 30 min" not in said


CALLS = st.lists(
    st.builds(
        lambda of, number, day, second, waits, talks: of(number, T + day * 86_400 + second, waits, *talks),
        st.sampled_from([served, lambda number, at, waits, _: gave_up(number, at, waits)]),
        st.integers(0, 9),
        st.sampled_from([0, 7, 14, 21]),
        st.integers(0, 7200),
        st.integers(0, 30),
        st.tuples(st.sampled_from([0, 0, 1, 400])),
    ),
    max_size=60,
)


@given(CALLS, st.sampled_from([0, 5]))
def test_whatever_a_log_holds_the_week_to_come_can_be_told(calls: list[list[str]], more: int) -> None:
    lines = [line for call in calls for line in call] + (weekly(3, served) if more else [])
    told = parse_all(sorted(lines, key=lambda line: int(line.split("|")[0])))
    briefs, history = LogBriefs("main"), History(TOKYO)
    for call in [*briefs.over([one for one in told if isinstance(one, Entry)]), *briefs.finish()]:
        history.add(call)
    if not history.last_at:
        return
    week = Week(history, Hours(TOKYO), first_day(history))
    for each in week.outlooks:
        assert not (each.too_little and each.hints)
        assert not each.too_little or each.needed == each.planned
