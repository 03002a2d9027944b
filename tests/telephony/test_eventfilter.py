"""The filter that we ship leaves all that is read here, whatever callers write, and little else."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.operations.doctor import eventfilter as doctors
from telephony import parsing
from telephony.ami.wanted import accepts
from telephony.dialling import dialler
from telephony.listening.pipeline import WANTED
from telephony.simulator.eventfilter import EventFilter
from telephony.simulator.recording import Recording
from tests.telephony.recorded import STREAMS

SHIPPED = EventFilter.load()
CLASSES = {"system", "call", "agent", "user", "dialplan", "reporting"}  # `read` of the user that we ship
ANSWERS = {b"CoreShowChannel", b"QueueEntry", b"QueueMember"}
"""What comes only as the answer to an action: that is never filtered."""
KINDS = {*parsing.LOOKS, *dialler.KINDS, b"FullyBooted"} - {*ANSWERS, b"VarSet"}


def event(kind: bytes, number: bytes = b"09012345678", *last: bytes) -> bytes:
    lines = (
        b"Event: " + kind,
        b"Privilege: call,all",
        b"Timestamp: 1795300000.000001",
        b"Channel: PJSIP/trunk-00000001",
        b"CallerIDNum: " + number,
        b"CallerIDName: <unknown>",
        *last,
    )
    return b"\r\n".join(lines) + b"\r\n\r\n"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_that_is_read_here_is_sent(kind: bytes) -> None:
    assert SHIPPED.passes(event(kind))


@pytest.mark.parametrize("kind", [b"MusicOnHoldStart", b"NewConnectedLine", b"BridgeCreate", b"TestEvent", b"VarSet"])
def test_what_nobody_reads_is_not(kind: bytes) -> None:
    assert not SHIPPED.passes(event(kind, b"Variable: QUEUESTATUS"))


def test_of_what_pbxs_said_all_that_is_read_here_is_sent_and_little_else() -> None:
    sent, read = Counter[str](), Counter[str]()
    said = 0
    for path in sorted(STREAMS.glob("**/*.ami.gz")):
        for _, message in Recording.load(path).events:
            if message.get("Privilege").partition(",")[0] not in CLASSES:
                continue
            what = message.get("Variable") or message.name
            said += 1
            sent[what] += SHIPPED.passes(message.raw)
            if accepts(WANTED, message.raw):
                read[what] += 1
                assert SHIPPED.passes(message.raw), message.raw
    assert read.keys() >= {"QUEUESTATUS", "RTPAUDIOQOS", "Newexten", "AgentConnect", "RTCPSent", "Hangup"}
    assert read.total() < sent.total() < said * 0.4


@given(st.sampled_from(sorted(KINDS)), st.binary())
def test_no_number_hides_an_event(kind: bytes, number: bytes) -> None:
    assert SHIPPED.passes(event(kind, number))


@given(st.sampled_from([b"QUEUESTATUS", b"RTPAUDIOQOS"]), st.binary())
def test_no_number_hides_a_variable_that_is_read(variable: bytes, number: bytes) -> None:
    assert SHIPPED.passes(event(b"VarSet", number, b"Variable: " + variable, b"Value: FULL"))


def test_a_filter_that_changes_gets_a_new_mark() -> None:
    """By its mark the doctor tells the filter that we ship from an older one: count it up, here and in both places."""
    (_, variables) = (pattern.pattern for pattern in SHIPPED.includes)
    text = b"\n".join(pattern.pattern for pattern in SHIPPED.includes)
    assert (doctors.MARKED[0], hashlib.sha256(text).hexdigest()[:8]) == ("LCR_FILTER_1", "0ce492da")
    assert b"|%s)" % doctors.MARKED[0].encode() in variables


@pytest.mark.parametrize(
    ("lines", "sent"),
    [
        ("", {"Hangup", "VarSet", "Hold"}),
        ("eventfilter = ^Event: H\n", {"Hangup", "Hold"}),
        ("eventfilter=Event: (Hold|VarSet)\neventfilter => !^Event: VarSet  \n", {"Hold"}),
        ("eventfilter = !Event: VarSet\n;eventfilter = ^Event: Hold\n", {"Hangup", "Hold"}),
        ("eventfilter = ^Event: Hangup..Privilege: call\n", {"Hangup"}),
        ("eventfilter = ^Privilege: call\n", set()),
    ],
)
def test_lines_are_read_as_asterisk_reads_them(tmp_path: Path, lines: str, sent: set[str]) -> None:
    file = tmp_path / "manager.conf"
    file.write_text(f"[lcr]\nread = all\n{lines}")
    kinds = ("Hangup", "VarSet", "Hold")
    assert {kind for kind in kinds if EventFilter.load(file).passes(event(kind.encode()))} == sent
