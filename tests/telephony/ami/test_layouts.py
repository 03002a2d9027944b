"""A message that looks like one that was found sound is read alike, and nothing forged looks like one."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import parsing
from telephony.ami.layouts import ANY, LAYOUTS_OF_A_KIND, Layouts
from telephony.ami.protocol import Message
from telephony.ami.wanted import accepts
from telephony.listening.pipeline import WANTED
from telephony.replay import messages_of
from tests.telephony.recorded import LOSSES, NAMES, path_of

HANGUP = b"Event: Hangup\r\nPrivilege: call,all\r\nChannel: PJSIP/a-1\r\nUniqueid: 1.1\r\nCause: 16"
FORMS = {b"Hangup": {"Uniqueid": ".{1,9}", "Channel": ANY, "Absent": ANY, "Cause": "[0-9]*"}}
VALUES = ("1.1", "PJSIP/a-1", "", "16")


class Forgetful(Layouts):
    """Knows no layout: everything is read line by line."""

    def learn(self, kind: bytes, raw: bytes) -> None:
        """Forget it."""


def plainly(raw: bytes) -> tuple[object, Counter[str]]:
    """Read it line by line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "_LAYOUTS", Forgetful({}))
        return quickly(raw)


def quickly(raw: bytes) -> tuple[object, Counter[str]]:
    counts: Counter[str] = Counter()
    return parsing.read(Message(raw), 7, counts), counts


@cache
def heard() -> list[bytes]:
    """Every recorded message that is worth reading, read once, so that its layout is known."""
    raws = [
        message.raw
        for name in (*NAMES, *LOSSES)
        for message in messages_of(path_of(name))
        if accepts(WANTED, message.raw)
    ]
    for raw in raws:
        parsing.read(Message(raw), 7)
    return raws


def test_every_recorded_message_is_read_as_line_by_line() -> None:
    assert len(heard()) > 1000
    assert all(quickly(raw) == plainly(raw) for raw in heard())


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A recorded message with lines left out, repeated, moved, welded or written by somebody else."""
    lines = draw(st.sampled_from(heard())).split(b"\r\n")
    others = draw(st.sampled_from(heard())).split(b"\r\n")
    for _ in range(draw(st.integers(1, 3))):
        at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "twice", "swap", "weld", "foreign", "none"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "twice":
                lines.insert(to, lines[at])
            case "swap":
                lines[at], lines[to] = lines[to], lines[at]
            case "weld":
                lines[at] += draw(st.sampled_from([b"\r", b"\n", b": ", b"\xff", b"\r\nUniqueid: 6.6", b" Cause: 1"]))
            case "foreign":
                lines.insert(at, draw(st.sampled_from(others)))
            case _:
                lines = [b"Channel: none" if line.startswith(b"Channel: ") else line for line in lines]
    return b"\r\n".join(lines)


@given(mangled())
def test_whatever_comes_is_read_as_line_by_line(raw: bytes) -> None:
    assert quickly(raw) == plainly(raw)


def test_only_what_was_learnt_is_read() -> None:
    layouts = Layouts(FORMS)
    assert layouts.read(b"Hangup", HANGUP) is None
    layouts.learn(b"Hangup", HANGUP)
    assert layouts.read(b"Hangup", HANGUP) == VALUES
    assert layouts.read(b"Hangup", HANGUP.replace(b"a-1", b"b: c\r")) == ("1.1", "PJSIP/b: c\r", "", "16")


@pytest.mark.parametrize(
    "raw",
    [
        HANGUP + b"\r\nCause: 17",
        HANGUP.replace(b"Cause: 16", b"Cause:16"),
        HANGUP.replace(b"1.1", b"1.1\n"),
        HANGUP.replace(b"a-1", b"\xff"),
        HANGUP.replace(b"Uniqueid: 1.1\r\n", b""),
        HANGUP.replace(b"1.1", b""),
        HANGUP.replace(b"16", b"x"),
    ],
    ids=["a line more", "no value", "half a line's end", "no UTF-8", "a line less", "nothing in it", "another form"],
)
def test_another_look_is_not_read(raw: bytes) -> None:
    layouts = Layouts(FORMS)
    layouts.learn(b"Hangup", HANGUP)
    assert layouts.read(b"Hangup", raw) is None


def test_only_so_many_layouts_are_remembered() -> None:
    layouts = Layouts(FORMS)
    raws = [HANGUP + b"\r\nX%d: y" % number for number in range(LAYOUTS_OF_A_KIND + 1)]
    for raw in raws:
        layouts.learn(b"Hangup", raw)
    assert [layouts.read(b"Hangup", raw) for raw in raws] == [VALUES] * LAYOUTS_OF_A_KIND + [None]


@pytest.mark.parametrize("name", ["ChanVariable", "ChanVariable(PJSIP/a-1)"])
def test_colons_in_the_variables_of_a_channel_are_not_tried_against_each_other(name: str) -> None:
    """Else the look at this one would last for years: each of its colons in twelve lines, with each in the others."""
    layouts = Layouts(FORMS)
    layouts.learn(b"Hangup", HANGUP + b"".join(b"\r\n%b: V=%d" % (name.encode(), n) for n in range(12)))
    of_caller = b"".join(b"\r\n%b: V=%b" % (name.encode(), b": " * 40) for _ in range(12))
    assert layouts.read(b"Hangup", HANGUP + of_caller) == VALUES
    assert layouts.read(b"Hangup", HANGUP + of_caller + b"\r\nExtra: 1") is None
