"""What `make faults` says at the end, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.faults import report
from lab.faults.__main__ import main
from lab.faults.accounting import Account, Wrong
from lab.faults.catalogue import FAULTS, NOTHING, chosen
from lab.faults.records import SECOND, CallIn, Seen
from lab.faults.report import Result
from lab.faults.run import Struck

T0 = 1_700_000_000 * SECOND
KILLED, CUT = chosen(["pbx-killed", "ami-cut"])[::-1]


def result(*wrong: Wrong, complaint: str = "") -> Result:
    struck = (
        Struck(NOTHING, T0, {"verdict": 2.0, "callback": 4.0, "text": 3.1}),
        Struck(CUT, T0 + 60 * SECOND, {"verdict": 7.0, "callback": 9.5}, [complaint] if complaint else []),
        Struck(KILLED, T0 + 120 * SECOND, {"verdict": 6.0, "callback": 12.0, "text": 8.0}),
    )
    account = Account(wrong=list(wrong))
    account.reasons["reserved: reached"] = 7
    seen = Seen((CallIn("+819012345678", T0, T0 + SECOND, "gave-up", 1.0),))
    return Result(1, 200.0, seen, account, struck)


LOST = Wrong("lost", "+819012345678", T0 + 61 * SECOND, "gave-up after 2.2 s: no such call in the books")


def test_the_last_line_is_one_object() -> None:
    told = json.loads(report.lines(result(LOST))[-1])
    assert (told["calls"], told["lost"], told["double_dials"], told["double_texts"]) == (1, 1, 0, 0)
    assert told["faults"] == 2, "nothing is no fault"
    assert told["recovered_s"]["ami-cut"] == {"verdict": 7.0, "callback": 9.5}


def test_what_went_wrong_is_said_with_the_fault_before_it() -> None:
    said = "\n".join(report.lines(result(LOST, complaint="no text within 60 s")))
    assert "WRONG  lost of +819012345678, 1.0 s after ami-cut: gave-up after 2.2 s: no such call in the books" in said
    assert "WRONG  ami-cut: no text within 60 s" in said


def test_only_a_clean_run_is_right() -> None:
    assert result().right
    assert not result(LOST).right
    assert not result(complaint="no text within 60 s").right


def test_the_figures_are_put_into_the_page(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text("before\n<!-- measured by make faults -->\nold\n<!-- end of what was measured -->\nafter\n")
    report.write(result(LOST), page)
    written = page.read_text()
    assert written.startswith("before\n<!-- measured by make faults -->\nMeasured with seed 1 on ")
    assert written.endswith("<!-- end of what was measured -->\nafter\n")
    assert "old" not in written
    assert (
        "| `ami-cut` | the manager connection is reset, and refused | 5 s | 7.0 s | 9.5 s | none | 1 | 0 | 0 |"
        in written
    )


def test_a_page_without_a_place_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text("nothing here\n")
    with pytest.raises(LabError, match="has no place for figures"):
        report.write(result(), page)
    assert page.read_text() == "nothing here\n"


def test_the_page_of_the_docs_has_that_place() -> None:
    assert "<!-- measured by make faults -->\n" in report.PAGE.read_text()


def test_a_fault_that_is_not_known_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ami-cut", "coffee"]) == 2
    assert "no such fault: coffee. `make faults ARGS=--list` names them." in capsys.readouterr().err


def test_the_list_names_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [fault.name for fault in FAULTS]
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 13
