"""The staffing report: what it reads, what it draws, and what it says where a record is absent."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import drawing, staffing
from benchmarks.staffing_data import BANK, US_BANK, bank, us_bank
from scheduler.staffing.shifts import Block

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


def test_what_is_absent_is_said(tmp_path: Path) -> None:
    assert staffing.main(["--data", str(tmp_path), "--docs", str(tmp_path)]) == 0
    report = (tmp_path / "staffing.md").read_text()
    assert "The bank's month: left out" in report
    assert "The US bank: left out" in report
    assert "name the folder that holds it with --data" in report


@pytest.mark.parametrize(
    "picture",
    [
        drawing.lines("A & B", ["1 h", "2 h"], {"ours <": [0.1, None], "theirs": [0.2, 2.0]}, 1.0, "ahead"),
        drawing.heat("Lost", ["Mon", "Tue"], ["09:00", "09:30"], {(0, 0): 1.0, (1, 1): 4.0}, {(1, 1)}),
        drawing.heat("Nothing", ["Mon"], ["09:00"], {}, set()),
    ],
)
def test_pictures_are_svg(picture: str) -> None:
    root = ET.fromstring(picture)  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["aria-label"]


def test_the_heat_map_frames_what_it_is_told() -> None:
    picture = drawing.heat("Lost", ["Mon"], ["09:00", "09:30"], {(0, 0): 1.0, (0, 1): 4.0}, {(0, 1)})
    assert picture.count('stroke-width="2"') == 1
    assert picture.index('fill-opacity="0.29') < picture.index('fill-opacity="1.00"')
