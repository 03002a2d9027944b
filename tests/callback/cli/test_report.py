"""`callback hints` and `callback report`: every form of them, from logs and from the database."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from callback.cli.tables import progress
from tests.callback.cli.conftest import Typed
from tests.callback.logged import A_DAY, AGAIN_A_DAY, LOST_A_DAY, SETTINGS, weeks

Run = Typed
ROSTER = "agent,day,start,end\nAnn,Mon,09:00,12:00\nBob,Mon,09:00,11:00\nCho,Mon,10:00,12:00\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, typed: Run) -> Run:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "dumb")
    return lambda *words: typed(*words, "--zone", "Asia/Tokyo")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "queue_log"
    path.write_text("".join(f"{line}\n" for line in weeks(3)))
    return path


def told(run: Run, *words: object) -> dict[str, Any]:
    status, out, err = run(*words, "--json")
    assert status == 0, err
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def test_hints_say_where_how_many_and_on_how_many_past_days_it_would_have_held(run: Run, log: Path) -> None:
    found = told(run, "hints", log, "--proofs", 2)
    proved = [hint for hint in found["hints"] if "evidence" in hint]
    assert len(proved) == 2
    for hint in proved:
        proof = hint["evidence"]
        assert proof["days"] == 3
        assert 0 <= proof["kept_without"] <= proof["kept"] <= 3
        assert proof["hung_up_share"] < proof["hung_up_share_without"]
        assert {"dialled_share", "reached_share", "closed_share"} < proof.keys()
    assert (found["roster"], found["agents"], found["agents_read_off_calls"]) == ("log", 2, 0)
    peak = [row for row in found["half_hours"] if row["day"] == "2026-09-28" and row["time"] == "10:30"]
    assert peak[0]["planned"] == 1
    assert peak[0]["needed"] > 1
    assert peak[0]["more"] == peak[0]["needed"] - 1


def test_people_read_hints_evidence_and_moves(run: Run, log: Path) -> None:
    status, out, _ = run("hints", log, "--proofs", 1, "--from", "2026-09-28", "--days", 1)
    assert status == 0
    assert re.search(r"^ *10:30-\S+ +\+\d *$", out, re.MULTILINE)
    assert re.search(r"\d of the last 3 Mon would have kept 90% in 30 min; without: \d of 3", out)
    assert "as logged" in out
    assert "more shifts" in out


def test_a_week_is_a_table_that_fits_a_narrow_terminal(run: Run, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = run("hints", log, "--proofs", 0)
    assert status == 0
    lines = out.splitlines()
    head = next(line for line in lines if line.split()[:2] == ["Mon", "28"])
    assert head.split() == ["Mon", "28", "Tue", "29", "Wed", "30", "Thu", "01", "Fri", "02"]
    rows = [line for line in lines if re.match(r" *\d\d:\d\d-", line)]
    assert len(rows) > 1
    assert all(re.fullmatch(r" *\d\d:\d\d-\d\d:\d\d( +[+-]\d+){5}", row.rstrip()) for row in rows)
    assert max(map(len, [head, *rows])) < 80


def test_settings_are_found_as_by_every_other_command(
    run: Run, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "site.toml"
    settings.write_text(SETTINGS)
    assert run("import-queue-log", log, "--settings", settings)[0] == 0
    monkeypatch.setenv("CALLBACK_SETTINGS", str(settings))
    assert told(run, "hints", "--proofs", 0)["half_hours"]
    monkeypatch.delenv("CALLBACK_SETTINGS")
    monkeypatch.chdir(tmp_path)
    assert run("report", "--proofs", 0)[0] == 2
    settings.rename(tmp_path / "callback.toml")
    assert told(run, "report", "--proofs", 0)["calls"] == 15 * A_DAY


def test_a_long_work_tells_how_far_it_is_where_there_is_no_terminal(
    run: Run, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    _, _, err = run("hints", log, "--proofs", 2)
    assert "reading: 100%" in err
    assert "replaying past days: 50%" in err
    monkeypatch.setattr(progress, "EVERY_S", 1e9)
    assert run("hints", log, "--proofs", 0)[2] == ""


def test_an_agent_whom_the_log_names_by_a_phone_is_its_number(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text("".join(f"{line}\n" for line in weeks(3)).replace("|agent1|", "|Local/101@from-queue/n|"))
    moves = told(run, "hints", path, "--proofs", 0)["moves"]
    spoken = str(moves)
    assert "Local/" not in spoken
    assert "101 " in spoken or not any("becomes" in line for lines in moves.values() for line in lines)


def test_a_roster_is_held_against_the_need(run: Run, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER)
    found = told(run, "hints", log, "--roster", path, "--from", "2026-09-28", "--days", 1, "--proofs", 0)
    planned = {row["time"]: row["planned"] for row in found["half_hours"]}
    assert [planned[time] for time in ("09:00", "10:00", "11:30")] == [2, 3, 2]
    assert found["roster"] == "file"


def test_csv_has_a_line_for_each_half_hour(run: Run, log: Path) -> None:
    status, out, _ = run("hints", log, "--csv")
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["day"] for row in rows} >= {"2026-09-28", "2026-10-02"}
    assert all(int(row["more"]) == int(row["needed"]) - int(row["planned"]) for row in rows)


class Page(HTMLParser):
    """What an HTML page would fetch, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetches: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetches += [str(value) for name, value in attrs if name in {"src", "href", "srcset"}]
        if tag == "script":
            self.fetches.append("a script")
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_needs_nothing_else_and_has_its_pictures(run: Run, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    status, out, err = run("report", log, "--proofs", 1, "--html", path, "--site", "Ann & Bob")
    assert (status, out) == (0, f"{path} is written\n"), err
    text = path.read_text()
    page = Page()
    page.feed(text)
    assert (page.open, page.fetches) == ([], [])
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 5  # each working day of the week to come
    for picture in pictures:
        ET.fromstring(picture)  # noqa: S314 - our own
    assert "Callers lost in a half hour" in text
    assert "Agents needed and planned" in text
    assert re.search(r"<li>[^<]*would have kept 90%[^<]*<ul><li>in 30 min", text), "what belongs together stands so"
    assert re.search(
        r"<title>Ann &amp; Bob: lost callers until 2026-09-25, made \d{4}-\d\d-\d\d \d\d:\d\d</title>", text
    )
    assert "<h1>Ann &amp; Bob: lost callers</h1>" in text


def test_the_report_for_people_and_programs(run: Run, log: Path) -> None:
    status, out, _ = run("report", log, "--proofs", 0)
    assert status == 0
    assert "10:00-11:00" in out
    assert "ahead:" in out
    found = told(run, "report", log, "--proofs", 0)
    assert (found["calls"], found["abandoned"]) == (15 * A_DAY, 15 * LOST_A_DAY)
    assert found["redialled"] == dict.fromkeys(("10", "30", "60"), 15 * AGAIN_A_DAY)
    assert {row["horizon"] for row in found["forecast"]} >= {"0.5 h", "1 d"}
    assert found["peaks"]
    assert found["promises"] == {}


def test_from_the_database_it_is_the_same_as_from_the_log(run: Run, log: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'history.db'}"
    assert run("import-queue-log", log, "--database", url)[0] == 0
    by_log, by_database = told(run, "report", log, "--proofs", 0), told(run, "report", "--database", url, "--proofs", 0)
    assert by_database == by_log


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to read"),
        (["{log}", "--html", "--settings", "{folder}/callback.toml"], "--settings is an option"),
        (["--settings", "--json"], "--json is an option"),
        (["{log}", "--roster", "--csv"], "--csv is an option"),
        (["--database", "-s"], "-s is an option"),
        (["--database", "sqlite:///{folder}/new.db"], "no call is known: import a log first"),
        (["/dev/null"], "no call is known: those files hold none"),
        (["{log}", "--roster", "{folder}/none.csv"], "--roster"),
        (["{log}", "--from", "soon"], "--from soon"),
        (["{log}", "--html", "{folder}/no/such/place.html"], "--html"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, log: Path, tmp_path: Path, words: list[str], said: str) -> None:
    status, _, err = run("report", "--proofs", 0, *(word.format(folder=tmp_path, log=log) for word in words))
    assert status == 2
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "new.db").exists()


def test_a_bad_roster_tells_every_fault(run: Run, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("agent,day,start,end\nAnn,Mon,nine,12:00\nBob,Someday,09:00,11:00\n")
    status, _, err = run("hints", log, "--roster", path)
    assert status == 2
    assert "line 2" in err
    assert "line 3" in err
