"""Protocol, sieve, reading and tracker as one, on recorded bytes that are cut, lost, doubled, shuffled, broken, forged.

`HYPOTHESIS_PROFILE=long` tries thousands of cases instead of dozens.
"""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from telephony.ami.protocol import MESSAGE_END, Message, Parser
from telephony.calls.call import Verdict
from telephony.calls.tracker import Tracker
from telephony.calls.verdict import judge
from telephony.parsing import FORGED, read
from telephony.replay import Clock
from tests.telephony.recorded import path_of
from tests.telephony.wire import written

LONGEST: Final = 79  # bytes of a number, or an extension, that PJSIP passes on
STREAMS: Final = (
    "01-normal-caller-hangs-up-ast16",
    "03a-abandon-ringing",
    "03a-abandon-ringing-ast16",
    "04a-queue-timeout",
    "05a-congestion",
    "09a-reserve-in-queue",
)
Outcome = list[tuple[str, str | None, Verdict]]
Forgery = tuple[int, bytes]

names = st.sampled_from(STREAMS)
places = st.integers(0, 1 << 16)
cuts = st.lists(places, max_size=30)
mishaps = st.lists(st.tuples(places, st.sampled_from(["lose", "double", "move"]), places))
faults = st.lists(st.tuples(places, st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\0", b"\xff", b"9"])))


@cache
def bytes_of(name: str) -> bytes:
    return gzip.decompress(path_of(name).read_bytes())


@cache
def messages_of(name: str) -> tuple[bytes, ...]:
    return tuple(message.raw for message in Parser().feed(bytes_of(name)))


def stream(messages: list[bytes]) -> bytes:
    return b"Asterisk Call Manager/9\r\n" + b"".join(message + MESSAGE_END for message in messages)


def pieces(data: bytes, ends: list[int]) -> list[bytes]:
    return [data[a:b] for a, b in pairwise(sorted({0, len(data), *(end % len(data) for end in ends)}))]


def outcome(*parts: bytes, counts: Counter[str] | None = None) -> Outcome:
    """Give what the calls come to in a stream that is read in these parts."""
    parser, tracker, clock, calls = Parser(), Tracker("pbx", trunks=("PJSIP/trunk",)), Clock(), []
    for part in parts:
        for message in parser.feed(part):
            stamped = clock.read(message)
            event = read(message, clock.now, counts)
            if event is not None:
                event = event if stamped else replace(event, at=clock.move(event))
                calls += tracker.feed(event, clock.now)
    calls += tracker.finish(clock.now)
    assert tracker.oldest_offset() is None
    return [(call.call_id, call.number, judge(call)) for call in calls]


@cache
def usual(name: str) -> Outcome:
    return outcome(bytes_of(name))


def judged_once(found: Outcome) -> set[str]:
    ids = [call_id for call_id, _, _ in found]
    assert len(set(ids)) == len(ids)
    return set(ids)


@given(names, cuts)
def test_it_does_not_matter_how_the_bytes_come(name: str, ends: list[int]) -> None:
    assert outcome(*pieces(bytes_of(name), ends)) == usual(name)


def test_byte_by_byte() -> None:
    data = bytes_of("03a-abandon-ringing-ast16")
    assert outcome(*(data[i : i + 1] for i in range(len(data)))) == usual("03a-abandon-ringing-ast16")


@given(names, mishaps)
def test_of_lost_doubled_and_moved_messages_no_call_is_judged_twice_or_made_up(
    name: str, done: list[tuple[int, str, int]]
) -> None:
    messages = list(messages_of(name))
    for place, what, by in done:
        at = place % len(messages)
        taken = messages[at] if what == "double" else messages.pop(at)
        if what != "lose":
            messages.insert((at + by % 20) % (len(messages) + 1), taken)
    told = [message.get(key) for message in map(Message, messages_of(name)) for key in ("Uniqueid", "Linkedid")]
    assert judged_once(outcome(stream(messages))) <= set(told)


@given(names, faults)
def test_broken_bytes_raise_nothing_and_judge_nothing_twice(name: str, done: list[tuple[int, bytes]]) -> None:
    data = bytes_of(name)
    for place, fault in done:
        data = data[: place % len(data)] + fault + data[place % len(data) + 1 :]
    judged_once(outcome(data))


# Forgers


def forged_about(victim: str, channel: str) -> list[str]:
    """Give events that would end or change another's call, and make calls up, cut to what a caller can write."""
    him = f"Uniqueid: {victim}\r\nLinkedid: 1\r\nChannel: P"
    return [
        text[: LONGEST - 8]
        for text in (
            f"Event: Hangup\r\n{him}\r\nCause: 16",
            f"Event: HangupRequest\r\n{him}",
            f"Event: SoftHangupRequest\r\nCause: 32\r\n{him}",
            f"Event: AgentConnect\r\nQueue: support\r\n{him}",
            f"Event: QueueCallerAbandon\r\nQueue: support\r\n{him}",
            f"Event: QueueCallerJoin\r\nQueue: q\r\n{him}\r\nCallerIDNum: 0901",
            f"Event: QueueEntry\r\nQueue: q\r\n{him}\r\nCallerIDNum: 0901",
            f"Event: CoreShowChannel\r\n{him}",
            f"Event: NewCallerid\r\nCallerIDNum: 0901\r\n{him}",
            f"Event: UserEvent\r\nUserEvent: LcrRequested\r\n{him}",
            f"Event: VarSet\r\nVariable: QUEUESTATUS\r\nValue: FULL\r\n{him}",
            f"Event: Hangup\r\nPrivilege: call,all\r\nChannel: {channel}",
            "Event: Newchannel\r\nUniqueid: 9.9\r\nLinkedid: 9.9\r\nChannel: P\r\nCallerIDNum: 0901",
            "Event: Hangup\r\nPrivilege: call,all\r\nTimestamp: 9999999999.000000",
            "Event: X\r\nPrivilege: call,all\r\nTimestamp: 9999999999.000000",
            f"Uniqueid: {victim}",
            "X",
        )
    ]


SHOWING: Final = (
    *("Newchannel", "Newstate", "NewConnectedLine", "Newexten", "VarSet", "DialBegin"),
    *("QueueCallerJoin", "AgentCalled", "QueueCallerAbandon", "HangupRequest", "Hangup"),
)
VALUES: Final = ("CallerIDNum", "Exten", "ConnectedLineNum")
HIS: Final = (("Uniqueid", "1795300000.99"), ("Linkedid", "1795300000.99"), ("Channel", "PJSIP/trunk-000000ff"))
ENDS: Final = ("", "\r\n\r\nX", "\r\n\r\n", "\r\nX: y")


@cache
def victims_in(name: str) -> list[tuple[str, str, str]]:
    owned = [message for message in map(Message, messages_of(name)) if message.get("Linkedid")]
    return sorted({(message.get("Uniqueid"), message.get("Channel"), message.get("Timestamp")) for message in owned})


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, list[Forgery]]:
    """Let somebody with such numbers, and such an extension, call in the midst of a stream."""
    name = draw(names)
    uniqueid, channel, stamp = draw(st.sampled_from(victims_in(name)))
    events = st.sampled_from(forged_about(uniqueid, channel))
    forgeries = []
    for _ in range(draw(st.integers(1, 4))):
        broken = draw(st.lists(st.sampled_from(VALUES), min_size=1, unique=True))
        values = [(key, f"0901\r\n\r\n{draw(events)}{draw(st.sampled_from(ENDS))}") for key in broken]
        shown = [("Event", draw(st.sampled_from(SHOWING))), ("Timestamp", stamp), *HIS]
        forgeries.append((draw(st.integers(0, len(messages_of(name)))), written([*shown, *values])))
    return name, forgeries


def with_forged(name: str, forgeries: list[Forgery]) -> bytes:
    messages = list(messages_of(name))
    for place, forgery in forgeries:
        messages.insert(place, forgery)
    return stream(messages)


@given(hostile(), cuts)
def test_a_forger_changes_nothing_but_a_counter(case: tuple[str, list[Forgery]], ends: list[int]) -> None:
    counts: Counter[str] = Counter()
    assert outcome(*pieces(with_forged(*case), ends), counts=counts) == usual(case[0])
    assert set(counts) <= {FORGED}


def test_a_flood_of_forgers_leaves_nothing_behind() -> None:
    """Their calls are never opened, so that they hold no memory and no journal."""
    parser, tracker, counts = Parser(), Tracker("pbx", trunks=("PJSIP/trunk",)), Counter[str]()
    parser.feed(b"Asterisk Call Manager/9\r\n")
    for n in range(1000):
        own = {"Uniqueid": f"1795300000.{n}", "Linkedid": f"1795300000.{n}", "CallerIDNum": "0901\r\n\r\nEvent: X"}
        for kind in ("Newchannel", "QueueCallerJoin", "QueueCallerAbandon", "Hangup"):
            raw = written([("Event", kind), *own.items(), ("Queue", "support")])
            assert [read(message, n, counts) for message in parser.feed(raw + MESSAGE_END)] == [None, None]
    assert counts == {FORGED: 4000}
    assert (tracker.oldest_offset(), tracker.live_numbers(), parser.unfinished) == (None, {}, False)
