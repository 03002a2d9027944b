"""What Asterisk wrote passes; what a caller wrote, and what he cut in two, does not."""

from __future__ import annotations

import gzip
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import parsing
from telephony.ami import sieve
from telephony.ami.protocol import Message, Parser
from telephony.dialling import dialler
from tests.telephony.wire import written

STREAMS = sorted((Path(__file__).parents[2] / "streams").rglob("*.ami.gz"))
LONGEST = 79  # bytes of a number, or an extension, that PJSIP passes on
ID = "1795307133.66"
HOSTILE = b"Num: 0903\r\nX\r\n"  # a caller in some of the recordings
OPTIONAL = {"LastPause", "LoginTime", "PausedReason", "Wrapuptime", "Abandoned", "Weight"}
KINDS = sorted(name.decode() for name in sieve.KINDS)
VALUES = ("CallerIDNum", "ConnectedLineNum", "Exten")


def messages_of(path: Path) -> list[Message]:
    return Parser().feed(gzip.decompress(path.read_bytes()))


def parts(kind: str, **headers: str) -> list[Message]:
    """Give what is read of an event in which these values stand."""
    return read(written([("Event", kind), *headers.items()]))


def read(raw: bytes) -> list[Message]:
    return Parser().feed(b"Asterisk Call Manager/1\r\n" + raw + b"\r\n\r\n")


# The genuine


def test_whatever_is_acted_on_is_looked_at() -> None:
    assert set(parsing._READERS) | {name.encode() for name in dialler._READERS} <= sieve.KINDS  # noqa: SLF001


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_every_recorded_message_is_whole(path: Path) -> None:
    broken = [message for message in messages_of(path) if not sieve.whole(message.raw)]
    assert [message for message in broken if HOSTILE not in message.raw] == []


def test_the_recordings_hold_nearly_every_kind() -> None:
    heard = Counter(message.name.encode() for path in STREAMS for message in messages_of(path))
    unheard = {b"NewAccountCode", b"QueueMemberAdded", b"QueueMemberPause", b"QueueMemberPenalty"}
    unheard |= {b"QueueMemberRinginuse", b"QueueMemberRemoved", b"RTCPReceived"}
    assert sieve.KINDS - heard.keys() <= unheard


@pytest.mark.parametrize("value", ["090\n1234", "090\r1234", "\n", "9" * 79, "\\r\\n", "ÿé", "<unknown>", "a: b", ""])
@pytest.mark.parametrize("key", ["CallerIDNum", "ConnectedLineNum", "Exten", "AccountCode"])
def test_a_strange_value_is_still_asterisks(key: str, value: str) -> None:
    (message,) = parts("Hangup", **{key: value})
    assert sieve.whole(message.raw)


def test_what_asterisk_adds_by_its_settings_passes() -> None:
    """Timestampevents, displaysystemname, channelvars, and a header of a version to come."""
    ids = {"Uniqueid": ID, "Linkedid": ID}
    usual = written([("Event", "AgentConnect"), *ids.items(), ("DestUniqueid", ID), ("Timestamp", "1795307133.1")])
    for mark, more in (
        (b"\r\nChannel: ", b"\r\nSystemName: lab"),
        (b"\r\nDestChannel: ", b"\r\nChanVariable: A=1\r\nChanVariable: B="),
        (b"\r\nContext: ", b"\r\nTenantid: one"),
    ):
        assert sieve.whole(usual.replace(mark, more + mark))


def test_a_program_of_the_site_may_say_what_it_likes() -> None:
    assert sieve.whole(b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: Backup\r\nUniqueid: done")
    assert sieve.whole(
        b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: none\r\nUniqueid: none\r\nVariable: A\r\nValue: "
    )
    assert sieve.whole(b"Event: Reload\r\nPrivilege: system,all\r\nModule: All")


# The forged

BREAKS = ("\r\n\r\n", "\r\n\r\nX", "\r\n\r\nEvent: Foo", "\r\nX: y", "\r\nLinkedid: 1", "\r\nCallerIDName: x", "\r\n")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "UserEvent"])  # what is cut off it nobody reads
@pytest.mark.parametrize("end", BREAKS)
def test_no_event_that_shows_such_a_number_passes(kind: str, end: str) -> None:
    usual = Message(written([("Event", kind), ("Uniqueid", ID)]))
    assert sieve.whole(usual.raw)
    for key in (*VALUES, *(f"{of}{key}" for of in ("Dest", "Parkee") for key in VALUES)):
        if usual.count(key):
            value = usual.get(key)
            broken = usual.raw.replace(f"\r\n{key}: {value}\r\n".encode(), f"\r\n{key}: 0901{end}\r\n".encode(), 1)
            assert [part for part in read(broken) if part.name == kind and sieve.whole(part.raw)] == []


FORGED = (
    f"Event: Hangup\r\nUniqueid: {ID}\r\nLinkedid: {ID}",
    f"Event: Hangup\r\nUniqueid: {ID}\r\nLinkedid: 1\r\nChannel: P",
    f"Event: Newchannel\r\nUniqueid: {ID}\r\nCallerIDNum: 0901",
    f"Event: UserEvent\r\nUserEvent: LcrRequested\r\nUniqueid: {ID}",
    "Event: UserEvent\r\nUserEvent: LcrEnded\r\nCallbackId: s3",
    f"Event: QueueCallerAbandon\r\nQueue: sales\r\nUniqueid: {ID}",
    "Event: QueueMemberStatus\r\nQueue: sales\r\nInterface: PJSIP/a\r\nStatus: 1",
    f"Event: VarSet\r\nUniqueid: {ID}\r\nVariable: QUEUESTATUS\r\nValue: FULL",
)


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("kind", ["Newchannel", "Newexten", "VarSet", "QueueEntry"])
@pytest.mark.parametrize("end", ["", "\r\n\r\nX", "\r\n", "\r\n\r\nEvent: Foo"])
def test_no_event_that_a_caller_writes_passes(kind: str, forged: str, end: str) -> None:
    found = parts(kind, CallerIDNum=f"0\r\n\r\n{forged}{end}")
    mine = [part for part in found if part.raw.startswith(forged.encode())]
    assert mine
    assert not any(sieve.whole(part.raw) for part in mine)


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("key", ["AppData", "DialString", "Value", "Number"])
def test_nor_does_it_at_the_end_of_an_event_where_no_rest_betrays_it(key: str, forged: str) -> None:
    """A dialplan that hands the number on: NoOp(${CALLERID(num)}), Dial(PJSIP/${EXTEN}@trunk)."""
    raw = written([("Event", "Newexten"), (key, f"0\r\n\r\n{forged}")])
    first, second = read(raw)
    assert sieve.whole(first.raw)
    assert not sieve.whole(second.raw)


def test_a_number_and_an_extension_weld_no_event_about_another() -> None:
    """The longest of both, with Asterisk's own headers between them."""
    number = f"\r\n\r\nEvent: VarSet\r\nVariable: QUEUESTATUS\r\nValue: FULL\r\nUniqueid: {ID}"
    exten = f"\r\nUniqueid: {ID}\r\nLinkedid: {ID}\r\nChannel: P\r\n\r\nX"
    assert max(len(number), len(exten)) <= LONGEST
    found = parts("Newchannel", CallerIDNum=number, Exten=exten)
    assert [part.name for part in found if part.name] == ["Newchannel", "VarSet"]
    assert not any(sieve.whole(part.raw) for part in found if part.name)


def shortest(kind: str) -> bytes:
    """Give the shortest message of a kind that passes and tells whom it is about."""
    told = {"Event": kind, "UserEvent": "LcrClosed", "Uniqueid": ID, "Linkedid": "1", "Channel": "P"}
    said = [("UserEvent", "LcrClosed")] if kind == "UserEvent" else []
    lines = written([("Event", kind), ("Uniqueid", ID), *said]).decode().split("\r\n")
    keys = [line.partition(":")[0] for line in lines if line.split(":")[0] not in OPTIONAL]
    return "\r\n".join(f"{key}: {told.get(key, '')}" for key in keys).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_can_write_a_whole_event(kind: str) -> None:
    """The shortest that passes is longer than the longest number; and what is listed needs our ActionID."""
    assert sieve.whole(shortest(kind))
    least = {"QueueParams": 1, "QueueEntry": 2}.get(kind, 2 if kind.startswith("QueueMember") else 3)
    assert len(shortest(kind)) > least * LONGEST


@given(st.text(st.sampled_from("\r\n:E vent0abX.1"), max_size=LONGEST), st.sampled_from(VALUES))
def test_no_value_with_a_line_end_leaves_its_event_whole(value: str, key: str) -> None:
    found = parts("Hangup", **{key: value})
    assert any(part.name == "Hangup" and sieve.whole(part.raw) for part in found) == ("\r\n" not in value)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stands_between_an_event_and_what_begins_it(kind: str) -> None:
    head, rest = written([("Event", kind), ("Uniqueid", ID), ("UserEvent", "LcrClosed")]).split(b"\r\n", 1)
    assert not sieve.whole(head + b"\r\nX: y\r\n" + rest)


def test_no_other_order_is_asterisks() -> None:
    """Of pieces that are welded together something stands out of its place."""
    lines = written([("Event", "Hangup"), ("Uniqueid", ID)]).split(b"\r\n")
    for first, second in pairwise(range(1, len(lines))):
        lines[first], lines[second] = lines[second], lines[first]
        assert not sieve.whole(b"\r\n".join(lines))
        lines[first], lines[second] = lines[second], lines[first]
    assert sieve.whole(b"\r\n".join(lines))


# Telling it


def test_an_excerpt_is_one_short_line_of_ascii() -> None:
    raw = written([("Event", "Newchannel"), ("CallerIDNum", "é\x00\x1b[2J\r\n\r\n")]).split(b"\r\n\r\n")[0]
    assert sieve.excerpt(raw).startswith("Event: Newchannel ... ")
    assert sieve.excerpt(raw).endswith(r"CallerIDNum: \xc3\xa9\x00\x1b[2J")
    assert len(sieve.excerpt(raw * 100)) < 500
    assert sieve.excerpt(b"Event: Hangup\r\nX: y") == r"Event: Hangup\r\nX: y"


def test_refusals_are_counted_and_the_newest_shown() -> None:
    counts = sieve.RefusedMessages()
    sieve.refuse(counts, "forged", b"Event: A")
    sieve.refuse(counts, "forged", b"Event: B")
    sieve.refuse(None, "forged", b"Event: C")
    assert (counts["forged"], counts.excerpt) == (2, "Event: B")
