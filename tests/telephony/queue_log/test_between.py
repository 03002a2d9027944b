"""What came and went while nobody listened, and what the log cannot tell."""

import errno
from pathlib import Path

import pytest

from telephony.ids import SECOND
from telephony.queue_log.between import calls_between, open_log
from telephony.queue_log.files import LogFiles
from tests.telephony.queue_log.logs import STREAMS, T, lines

DAY = """0 .1 support NONE ENTERQUEUE |0901|1
100 .2 support NONE ENTERQUEUE |0902|2
110 .2 support NONE ABANDON 2|2|10
150 .1 support Ann CONNECT 150|x.9|1
200 .3 support NONE ENTERQUEUE |0903|1
210 .3 support NONE ABANDON 1|1|10
300 .1 support Ann COMPLETECALLER 150|150|1
310 .4 support NONE ENTERQUEUE |0904|1
320 .5 support NONE ENTERQUEUE |0905|2
330 .5 support NONE ABANDON 2|2|10"""


def at(second: float) -> int:
    return round((T + second) * SECOND)


@pytest.fixture
def log(tmp_path: Path) -> LogFiles:
    path = tmp_path / "queue_log"
    path.write_bytes(b"".join(line + b"\n" for line in lines(DAY)))
    return LogFiles(path)


def numbers(log: LogFiles, since: float, until: float, *, lookback_s: float = 3600) -> list[str | None]:
    found = calls_between(log, at(since), at(until), pbx="main", lookback_s=lookback_s)
    return [call.number for call, _ in found.calls]


def test_calls_that_ended_in_the_time_with_beginnings_before_it(log: LogFiles) -> None:
    assert numbers(log, 0, 400) == ["0902", "0903", "0901", "0905"]
    assert numbers(log, 205, 320) == ["0903", "0901"]
    assert numbers(log, 330.9, 400) == ["0905"], "a log that knows whole seconds may mean a later part of that one"
    assert numbers(log, 331, 400) == []


def test_times_that_follow_each_other_tell_each_call_once(log: LogFiles) -> None:
    parts = [numbers(log, begin, begin + 50 - 1e-6) for begin in range(0, 400, 50)]
    assert sorted(str(number) for part in parts for number in part) == ["0901", "0902", "0903", "0905"]


def test_who_goes_on_to_another_queue_right_after_the_time_is_not_over(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    day = "0 .1 support NONE ENTERQUEUE |0901|1\n95 .1 support NONE EXITWITHTIMEOUT 1|1|95"
    path.write_bytes(b"".join(line + b"\n" for line in lines(day)))
    assert numbers(LogFiles(path), 0, 100) == ["0901"]
    path.write_bytes(b"".join(line + b"\n" for line in lines(f"{day}\n105 .1 sales NONE ENTERQUEUE |0901|1")))
    assert numbers(LogFiles(path), 0, 100) == []


def test_a_beginning_beyond_the_lookback_leaves_the_number_unknown(log: LogFiles) -> None:
    assert numbers(log, 205, 320, lookback_s=20) == ["0903", None]


def test_who_was_still_there_is_told_apart(log: LogFiles) -> None:
    found = calls_between(log, at(0), at(400), pbx="main")
    assert [call.number for call in found.unfinished] == ["0904"]


def test_a_restart_that_was_not_written_yet_ends_who_was_there(log: LogFiles) -> None:
    found = calls_between(log, at(0), at(400), pbx="main", restarted_at=at(350))
    assert [(call.number, verdict.reason) for call, verdict in found.calls][-1] == ("0904", "pbx-restarted")
    assert found.restarts == (at(350),)
    assert found.unfinished == ()


def test_a_restart_in_the_time_is_told_and_those_that_it_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(b"".join(line + b"\n" for line in lines(DAY + "\n500 NONE NONE NONE QUEUESTART |")))
    found = calls_between(LogFiles(path), at(400), at(600), pbx="main")
    assert [(call.number, verdict.kind, verdict.reason) for call, verdict in found.calls] == [
        ("0904", "blocked", "pbx-restarted")
    ]
    assert found.restarts == (at(500),)


def test_a_log_that_covers_the_time_says_nothing_else(log: LogFiles) -> None:
    assert calls_between(log, at(0), at(400), pbx="main").why_not == ""


def test_a_log_that_was_rotated_away_says_from_when_on_it_tells(log: LogFiles) -> None:
    why_not = calls_between(log, at(-1), at(400), pbx="main").why_not
    assert "begins at 2026-11-22T" in why_not
    assert "Keep rotated logs for longer" in why_not


def test_a_log_that_is_not_there_or_empty_says_so(tmp_path: Path) -> None:
    log = open_log(tmp_path / "queue_log")
    assert "there is no" in calls_between(log, 0, SECOND, pbx="main").why_not
    (tmp_path / "queue_log").touch()
    assert "holds no line" in calls_between(log, 0, SECOND, pbx="main").why_not


def test_a_log_that_may_not_be_read_says_so(log: LogFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, _mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # root, who may run this, may read everything
    why_not = calls_between(log, 0, SECOND, pbx="main").why_not
    assert "queue_log cannot be read (Permission denied). Let the service read it" in why_not


def test_the_gap_of_a_lost_connection() -> None:
    """B gave up and D came and went in the gap; A talked on, and C waited on."""
    cut, back = (T + 708) * SECOND, (T + 711) * SECOND
    found = calls_between(open_log(str(STREAMS / "13a.queue_log")), cut, back, pbx="main")
    assert [call.number for call, _ in found.calls] == ["09000000002", "09000000004"]
    assert found.why_not == ""
