"""Cases and flags at the terminal: what is typed, what it says, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from callback.settings.care import QueueCare
from callback.store import tables as t
from tests.callback.cli.conftest import Typed
from tests.callback.decisions.care.centre import CARE
from tests.callback.world import NOON, ON, US, World, emptied, rules

NUMBER: Final = "+819012345678"
_ON: Final = ON.model_copy(update={"care": QueueCare(cases=True, flags=True)})


@pytest.fixture
def settings(sqlite_world: World, tmp_path: Path) -> Path:
    file = tmp_path / "callback.toml"
    file.write_text(
        f'[database]\nurl = "{sqlite_world.store.url}"\n[pbx]\nusername = "u"\nsecret = "s"\n'
        f'journal = "{tmp_path}/journal"\n[trunks.main]\nregion = "JP"\nform = "national"\n'
        '[rules]\nzone = "Asia/Tokyo"\n'
    )
    return file


@pytest.fixture
def run(typed: Typed, settings: Path, sqlite_world: World) -> Callable[..., str]:
    """Type a command that is to succeed, under these rules; give what it printed."""
    emptied(sqlite_world.store)
    World(sqlite_world.store.url, rules(queues={"support": _ON}, care=CARE))

    def run_(*words: object) -> str:
        status, out, err = typed(*words, "-s", settings)
        assert status == 0, err
        return out

    return run_


def test_a_complaint_goes_its_way_at_the_terminal(run: Callable[..., str], sqlite_world: World) -> None:
    said = run("case", "register", NUMBER, "charged twice", "-q", "support", "--topic", "billing/wrong-amount")
    assert "case 1 of" in said
    assert "registered" in said
    assert NUMBER not in said
    assert "assigned" in run("case", "assign", "1", "--to", "carl", "--department", "billing", "-w", "theirs")
    assert "answered" in run("case", "answer", "1", "the money is back")
    assert "assigned" in run("case", "deny", "1", "--how", "call", "--words", "not yet")
    run("case", "answer", "1", "now it is")
    run("case", "confirm", "1", "--how", "call")
    run("case", "note", "1", "a friendly talk")
    shown = run("case", "show", "1")
    assert "says: charged twice" in shown
    assert "a friendly talk" in shown
    (listed,) = map(json.loads, run("case", "list", "--json").splitlines())
    assert (listed["state"], listed["owner"], listed["department"]) == ("confirmed", "carl", "billing")
    assert [row.state for row in sqlite_world.rows(t.care_case)] == ["confirmed"]


def test_a_flag_is_set_listed_and_cancelled(run: Callable[..., str], sqlite_world: World) -> None:
    assert "flag 1 of" in run("flag", "add", NUMBER, "2026-12-24", "-q", "support", "-w", "asks how it goes")
    (listed,) = map(json.loads, run("flag", "list", "--json").splitlines())
    assert (listed["day"], listed["state"], listed["reason"]) == ("2026-12-24", "waiting", "asks how it goes")
    assert "cancelled" in run("flag", "cancel", "1", "-w", "was here")
    assert "Nobody is flagged." in run("flag")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("case", "register", NUMBER, "x", "-q", "sales"), "cases = true"),
        (("case", "register", NUMBER, "x", "-q", "support", "--topic", "nope"), "there is no topic 'nope'"),
        (("case", "register", "12", "x", "-q", "support"), "no telephone number"),
        (("case", "show", "7"), "there is no case 7"),
        (("case", "confirm", "1", "--how", "dream"), "--how dream"),
        (("case", "assign", "1", "-w", "x"), "--to PERSON"),
        (("flag", "add", NUMBER, "soon", "-q", "support", "-w", "x"), "'soon' is no day"),
        (("flag", "add", NUMBER, "2020-01-01", "-q", "support", "-w", "x"), "is past"),
        (("flag", "cancel", "9", "-w", "x"), "there is no flag 9"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_says_what_to_mend(
    typed: Typed, run: Callable[..., str], settings: Path, words: tuple[str, ...], said: str
) -> None:
    status, _, err = typed(*words, "-s", settings)
    assert status == 2
    assert said in err


def _file(folder: Path, *lines: str, head: str = "number,topic,words,wish,opened,reference", **how: Any) -> Path:
    file = folder / "complaints.csv"
    file.write_text("\n".join((head, *lines)) + "\n", **{"encoding": "utf-8", **how})
    return file


GOOD: Final = (
    "090-1111-2222,billing,charged twice,the money back,2026-11-23 09:40,CRM-1",
    "+81 90 1111 3333,,=cmd|' /C calc'!A1,,,",
    '090-1111-4444,billing,"two lines,\nand a quote "" too",,,CRM-3',
)


def test_a_file_is_imported_once_however_often(run: Callable[..., str], sqlite_world: World, tmp_path: Path) -> None:
    file = _file(tmp_path, *GOOD)
    assert "3 could be registered" in run("case", "import", file, "-q", "support", "--dry-run")
    assert sqlite_world.rows(t.care_case) == []
    assert sqlite_world.rows(t.person) == []
    first = json.loads(run("case", "import", file, "-q", "support", "--json"))
    assert (first["new"], first["known"], first["bad"]) == (3, 0, 0)
    cases, steps = sqlite_world.rows(t.care_case), sqlite_world.rows(t.care_step)
    assert cases[0].opened_at == NOON - 140 * 60 * US
    assert cases[0].due_at == cases[0].opened_at + 48 * 3600 * US
    assert cases[1].words == "=cmd|' /C calc'!A1"
    again = json.loads(run("case", "import", file, "-q", "support", "--json"))
    assert (again["new"], again["joined"], again["known"]) == (0, 0, 3)
    assert (sqlite_world.rows(t.care_case), sqlite_world.rows(t.care_step)) == (cases, steps)


def test_one_that_joined_an_open_case_is_known_again_too(
    run: Callable[..., str], sqlite_world: World, tmp_path: Path
) -> None:
    file = _file(tmp_path, "09011112222,,first,,,A", "09011112222,,second,,,B")
    first = json.loads(run("case", "import", file, "-q", "support", "--json"))
    assert (first["new"], first["joined"]) == (1, 1)
    run("case", "withdraw", "1", "--how", "call")
    again = json.loads(run("case", "import", file, "-q", "support", "--json"))
    assert (again["new"], again["joined"], again["known"]) == (0, 0, 2)
    assert len(sqlite_world.rows(t.care_case)) == 1


def test_each_bad_line_is_named_and_keeps_no_other_out(
    typed: Typed, run: Callable[..., str], settings: Path, sqlite_world: World, tmp_path: Path
) -> None:
    lines = (
        "12,,too short a number,,,",  # 2
        GOOD[0],
        "09011115555,nope,no such topic,,,",  # 4
        "09011116666,,,,,",  # 5
        "09011117777,,tomorrow,,2026-11-24 10:00,",  # 6
        "09011118888,,a\0b,,,",  # 7
        "09011119999,,too,many,,cells,here",  # 8
        f"09011110000,,{'x' * 40_000},,,",  # 9
        GOOD[2],
        '09011111111,,"never closed,,,',  # 12
    )
    status, out, err = typed("case", "import", _file(tmp_path, *lines), "-q", "support", "-s", settings)
    assert status == 1
    named = [line.partition(":")[0] for line in err.splitlines() if line.startswith("line ")]
    assert named == [f"line {number}" for number in (2, 4, 5, 6, 7, 8, 9, 12)], err
    assert "2 registered" in out
    assert "8 could not be used" in out
    assert len(sqlite_world.rows(t.care_case)) == 2
    assert len(sqlite_world.rows(t.person)) == 2


def test_a_file_of_a_chinese_spreadsheet_is_read(run: Callable[..., str], sqlite_world: World, tmp_path: Path) -> None:
    file = _file(tmp_path, "09011112222;被收费两次", head="number;words", encoding="gb18030")
    run("case", "import", file, "-q", "support")
    assert [row.words for row in sqlite_world.rows(t.care_case)] == ["被收费两次"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("number,queue", "no column 'words'"),
        ("number,words,colour", "'colour' is no column"),
        ("number,words,words", "there twice"),
        ("", "no column 'number'"),
    ],
)
def test_a_file_without_its_columns_is_refused_whole(
    typed: Typed, run: Callable[..., str], settings: Path, tmp_path: Path, head: str, said: str
) -> None:
    status, _, err = typed("case", "import", _file(tmp_path, "x,y", head=head), "-s", settings)
    assert status == 2
    assert said in err


def test_what_is_no_text_is_refused(typed: Typed, run: Callable[..., str], settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "complaints.csv"
    file.write_bytes(b"number,words\n\xff\xff\xff")
    status, _, err = typed("case", "import", file, "-s", settings)
    assert status == 2
    assert "neither UTF-8 nor GB18030" in err
