"""The staffing report: what it reads, what it draws, and what it says where a record is absent."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from benchmarks import staffing
from benchmarks.staffing_data import BANK, US_BANK, bank, us_bank
from scheduler.staffing.blocks import Block

HEAD = (
    "vru_line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time,q_start,q_exit,q_time,outcome,"
    "ser_start,ser_exit,ser_time,server"
)
LINES = """\
L,1,7,0,PS,1999-02-01,9:00:00,9:00:05,5,9:00:05,9:01:05,60,AGENT,9:01:04,9:05:00,236,a1
L,2,0,0,PS,1999-02-01,9:10:00,9:10:05,5,9:10:05,9:10:35,30,HANG,0:00:00,0:00:00,0,NO_SERVER
L,3,0,0,PS,1999-02-01,9:12:00,9:12:05,5,0:00:00,0:00:00,0,HANG,0:00:00,0:00:00,0,NO_SERVER
L,4,0,0,PS,1999-02-01,9:20:00,9:20:05,5,0:00:00,0:00:00,0,AGENT,9:20:06,9:59:00,2334,a1
L,5,0,0,PS,1999-02-01,9:30:00,9:30:05,-3,0:00:00,0:00:00,0,AGENT,9:31:00,9:32:00,60,a1
L,6,0,0,PS,1999-02-01,9:30:00,9:30:05,5,0:00:00,0:00:00,0,PHANTOM,0:00:00,0:00:00,0,NO_SERVER
L,7,0,0,IN,1999-02-01,11:00:00,11:00:05,5,0:00:00,0:00:00,0,AGENT,11:00:06,11:30:00,1794,a1
L,8,0,0,NE,1999-02-01,9:30:00,9:30:05,5,0:00:00,0:00:00,0,AGENT,9:31:00,9:32:00,60,NO_SERVER
"""


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_bytes(gzip.compress(text.encode()))


def test_the_bank_is_read_as_its_readme_says(tmp_path: Path) -> None:
    put(tmp_path, BANK, f"{HEAD}\n{LINES}")
    month = bank(tmp_path)
    assert [(call.caller, call.lost, call.waited_s, call.handled_s) for call in month.calls] == [
        ("7", False, 60, 236),
        ("", True, 30, None),
        ("", False, 0, 2334),
        ("", False, 0, 60),
    ]
    assert month.nameless == 1
    # at his desk from his first call on, away from 10:00 to 11:00, for nobody rests longer than half an hour there
    assert month.shifts == {date(1999, 2, 1): [Block("a1", 18, 23, (20, 21))]}


def test_five_minutes_become_half_hours(tmp_path: Path) -> None:
    put(tmp_path, US_BANK, "local_datetime,calls\n2003-03-03 07:00,3\n2003-03-03 07:25,4\n2003-03-03 07:30,5\n")
    row = us_bank(tmp_path)[date(2003, 3, 3)]
    assert (row[14], row[15], sum(row)) == (7, 5, 12)


@pytest.mark.parametrize("there", [None, BANK, US_BANK])
def test_where_a_record_is_absent_nothing_is_written_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], there: str | None
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "staffing.md").write_text("of last time")
    if there == BANK:
        put(tmp_path, BANK, f"{HEAD}\n{LINES}")
    elif there:
        put(tmp_path, US_BANK, "local_datetime,calls\n2003-03-03 07:00,3\n")
    assert staffing.main(["--data", str(tmp_path), "--docs", str(docs)]) == 1
    assert (docs / "staffing.md").read_text() == "of last time"
    assert list(docs.iterdir()) == [docs / "staffing.md"]
    said = capsys.readouterr().err
    assert f"{US_BANK if there == BANK else BANK} is not there: name the folder that holds it with --data" in said
