"""What commands print: plain text stays plain, nothing steers the terminal, and no table cuts what stands in it."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from callback.cli.tables import terminal

WILD = st.text(st.characters(), max_size=30)
HEADS = ("#", "number", "why")
STEERING = [
    "\x1b[31mred",
    "\x1b]0;a title of mine\x07",
    "\x9b31m",
    "two\nlines",
    "a\rb",
    "\u202eturned",
    "\u2028",
    "\ud800",
    "\x7f",
    "\x00",
]


@given(WILD)
def test_nothing_of_others_steers_a_terminal(text: str) -> None:
    shown = terminal.printable(text)
    assert len(shown) == len(text)
    assert all(c.isprintable() or c in "\u200c\u200d" for c in shown)
    assert all(unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} for c in shown)


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=30))
def test_what_can_be_read_is_left_as_it_is(text: str) -> None:
    assert terminal.printable(text) == text


@pytest.mark.parametrize("text", STEERING)
def test_what_steers_is_replaced(text: str) -> None:
    assert terminal.printable(text).isprintable()


def test_letters_that_are_joined_stay_joined() -> None:
    joined = "नमस्\u200dते 👩\u200d💻 a\u200cb"
    assert terminal.printable(joined) == joined


@given(WILD)
def test_json_for_a_terminal_holds_the_same_value(text: str) -> None:
    line = terminal.as_json({"why": text})
    assert json.loads(line) == {"why": text}
    assert line.isprintable()


def wide(monkeypatch: pytest.MonkeyPatch, columns: int, *, tty: bool) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if tty else "0")
    monkeypatch.setenv("NO_COLOR", "1")


MARKUP = ["[/x]", "[red]hi[/red]", "[", "]", "\\[x]", "[link=file:///]a[/link]", ":smile:", "[/]", "[@click=a]b"]


@pytest.mark.parametrize("name", MARKUP)
@pytest.mark.parametrize("tty", [True, False])
def test_markup_in_a_name_is_a_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, tty: bool
) -> None:
    wide(monkeypatch, 80, tty=tty)
    terminal.put(terminal.table(HEADS, [("1", name, name), (name, "b", Text("red"))], sentences={"why"}))
    out = capsys.readouterr().out
    assert out.count(name) == 3


@pytest.mark.parametrize("columns", [1, 20, 40, 80, 200])
@pytest.mark.parametrize("tty", [True, False])
def test_a_number_stands_whole_at_any_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, tty: bool
) -> None:
    wide(monkeypatch, columns, tty=tty)
    sentence = "callers wait, they go first until 12:30 and then some more words stand here, many of them in a row"
    rows = [(str(n), f"+81901234560{n}", sentence) for n in range(9)]
    terminal.put(terminal.table(HEADS, rows, sentences={"why"}, figures={"#"}))
    lines = capsys.readouterr().out.splitlines()
    for n in range(9):
        assert [line for line in lines if f"{n} +81901234560{n} callers" in " ".join(line.split())]
    if not tty:
        assert len([line for line in lines if sentence in line]) == 9  # a line each, for grep


def test_a_terminal_of_80_columns_is_kept_to_where_words_allow_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide(monkeypatch, 80, tty=True)
    terminal.put(terminal.table(HEADS, [("1", "+819012345601", "word " * 40)], sentences={"why"}))
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert sum(line.count("word") for line in lines) == 40


def test_a_later_table_is_as_narrow_as_if_it_were_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide(monkeypatch, 40, tty=True)
    narrow = terminal.table(HEADS, [("1", "2", "word " * 30)], sentences={"why"})
    terminal.put(narrow)
    alone = capsys.readouterr().out
    terminal.put(terminal.table(HEADS, [("1", "x" * 100, "w")], sentences={"why"}), narrow)
    assert capsys.readouterr().out.endswith(alone)


NAMES = ["support", "billing-and-refunds", "サポート窓口の待ち行列", "a queue with a name of many words in it"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("columns", [40, 60, 80])
def test_beside_a_long_name_a_sentence_can_still_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, name: str
) -> None:
    wide(monkeypatch, columns, tty=True)
    rows = [("+819012345601", name, "callers wait, they go first")]
    terminal.put(terminal.table(("number", "queue", "why"), rows, sentences={"why"}, names={"queue"}))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= columns
    assert all(any(word in line for line in lines) for word in ("callers", "first"))
    shown = "".join("".join(lines).split())
    assert all(sign in shown for sign in name.replace(" ", ""))


def test_figures_that_do_not_fit_stand_closer_and_names_give_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = ("queue", *(f"count {n}" for n in range(8)))
    rows = [("billing-and-refunds", *["100%/100%"] * 8)]
    for tty, widest in ((True, 91), (False, 200)):
        wide(monkeypatch, 91, tty=tty)
        terminal.put(terminal.table(heads, rows, names={"queue"}, figures=heads[1:]))
        out = capsys.readouterr().out
        assert max(map(cell_len, out.splitlines())) <= widest
        assert out.count("100%/100%") == 8
    assert "billing-and-refunds" in out
