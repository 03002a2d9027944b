"""Call records: the second witness of a gap, whom no caller can make say anything."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import cdr as module
from telephony.cdr import Cdr, calls_of
from telephony.ids import SECOND
from telephony.listening import gap
from telephony.listening.gap import Gap, RecordedCalls
from tests.telephony.listening.test_gap import call, judged

# As Asterisk 22 wrote them: given up in a queue, busy, congestion, a message that the site is closed, served.
RECORDED = (Path(__file__).parents[1] / "streams" / "records.csv").read_text()
FROM = round(datetime(2026, 11, 29, 19, 58, tzinfo=UTC).timestamp()) * SECOND
UNTIL = FROM + 120 * SECOND
TRUNKS = ("PJSIP/trunk",)


def records(tmp_path: Path, text: str = RECORDED) -> Cdr:
    path = tmp_path / "Master.csv"
    path.write_text(text)
    return Cdr(path)


def test_records_of_a_time_are_read(tmp_path: Path) -> None:
    found = records(tmp_path).between(FROM, UNTIL)
    assert [record.uniqueid.rpartition(".")[2] for record in found] == ["0", "2", "3", "5", "12", "14", "16"]
    assert found[0].number == "09012345678"
    assert (found[0].ended_at, found[0].answered_at) == (FROM + 18 * SECOND, FROM + 16 * SECOND)
    assert found[1].answered_at is None
    later = records(tmp_path).between(FROM + 40 * SECOND, FROM + 60 * SECOND)
    assert [record.did for record in later] == ["201"]


def test_who_came_to_no_queue_is_told_as_far_as_a_record_can(tmp_path: Path) -> None:
    calls = calls_of(records(tmp_path).between(FROM, UNTIL), "main", TRUNKS)
    told = [(call.number, verdict.kind, verdict.reason, verdict.source) for call, verdict in calls]
    assert told == [
        ("09012345671", "blocked", "busy", "log"),
        ("09012345672", "blocked", "congestion", "log"),
        ("09012345674", "served", None, "log"),
        ("09012345675", "unknown", "left-unserved", "log"),
    ]


def test_phones_that_rang_in_vain_before_one_answered_make_one_call(tmp_path: Path) -> None:
    lines = RECORDED.splitlines(keepends=True)
    vain, talk = lines[-2].replace("2345675", "2345674").replace("1795982340.14", "1795982320.12"), lines[-3]
    (told,) = calls_of(records(tmp_path, vain + talk).between(FROM, UNTIL), "main", TRUNKS)
    assert (told[1].kind, told[1].talked_s) == ("served", 10)


def test_where_no_trunk_is_named_nobody_is_taken_for_a_customer(tmp_path: Path) -> None:
    assert list(calls_of(records(tmp_path).between(FROM, UNTIL), "main", ())) == []


def test_blocks_of_any_size_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = records(tmp_path).between(FROM, UNTIL)
    for size in (1, 7, 100, 333, 1000):
        monkeypatch.setattr(module, "BLOCK", size)
        assert records(tmp_path).between(FROM, UNTIL) == whole


def test_times_of_a_zone_and_lines_of_windows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(RECORDED.replace("\n", "\r\n").encode())
    tokyo = Cdr(path, ZoneInfo("Asia/Tokyo")).between(FROM - 9 * 3600 * SECOND, UNTIL - 9 * 3600 * SECOND)
    assert len(tokyo) == 7


WORDS = st.text(alphabet='0",\n\\;', max_size=300)


@given(WORDS)
def test_no_number_makes_a_record_of_another_call(number: str) -> None:
    """Written as Asterisk writes: each quote doubled."""
    line = io.StringIO()
    made = ["", number, "505", "ctx", number, "PJSIP/trunk-1", "", "Queue", "q", *["2026-11-29 19:58:16"] * 3]
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(made)
    text = line.getvalue() + ',1,1,"NO ANSWER","DOCUMENTATION","1795982296.7"'
    found = [record for part in text.split("\n") if (record := Cdr("-")._read(part.encode())) is not None]  # noqa: SLF001
    assert [(record.uniqueid, record.number) for record in found] in ([], [("1795982296.7", number.replace('"', '""'))])


def test_a_whole_record_in_a_number_is_none(tmp_path: Path) -> None:
    forged = RECORDED.splitlines()[1].replace("1795982299.2", "1795982299.99")
    number = f"X\n{forged}\nY".replace('"', '""')
    first = RECORDED.splitlines()[0].replace("09012345678", number, 1)
    assert records(tmp_path, first + "\n").between(FROM, UNTIL) == []


def test_a_record_proves_a_call_of_which_only_the_log_tells_and_adds_those_before_any_queue(tmp_path: Path) -> None:
    found = gap.recorded_calls(records(tmp_path), "main", TRUNKS, FROM, UNTIL)
    assert "1795982296.0" in found.call_ids
    told = ((call(1), judged("abandoned", "log")),)
    calls, both = gap.with_recorded(told, Gap(FROM, UNTIL, 1, ""), found)
    assert (len(calls), both.calls, both.recorded) == (5, 5, True)
    assert calls[0] is told[0]


def test_records_that_cannot_be_read_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = gap.recorded_calls(Cdr(tmp_path / "none.csv"), "main", TRUNKS, FROM, UNTIL)
    assert found == RecordedCalls()
    assert "none.csv cannot be read (No such file or directory)" in caplog.text


def test_a_log_of_many_days_is_read_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = RECORDED.splitlines()[1]
    day = datetime(2026, 11, 1, tzinfo=UTC)
    old = [line.replace("2026-11-29 19:58:19", f"{day + timedelta(minutes=n):%Y-%m-%d %T}") for n in range(20_000)]
    path = tmp_path / "Master.csv"
    path.write_text("\n".join(old) + "\n" + RECORDED)
    read, parse = [0], Cdr._read  # noqa: SLF001

    def counting(cdr: Cdr, part: bytes) -> module.Record | None:
        read[0] += 1
        return parse(cdr, part)

    monkeypatch.setattr(Cdr, "_read", counting)
    assert len(Cdr(path).between(FROM, UNTIL)) == 7
    assert read[0] < 100


def test_records_alone_tell_too(tmp_path: Path) -> None:
    """Without a queue_log the records alone tell; that the log is missing is said all the same."""
    found, told = gap.look_back(None, "main", FROM, UNTIL)
    calls, both = gap.with_recorded(told, found, gap.recorded_calls(records(tmp_path), "main", TRUNKS, FROM, UNTIL))
    assert (len(calls), both.calls, both.why_not) == (4, 4, gap.NO_LOG)
