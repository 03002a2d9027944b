"""Messages become events, or nothing; forgeries are refused; nothing a caller writes raises."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import events, parsing
from telephony.ami.layouts import ANY, Layouts
from telephony.ami.protocol import Message
from telephony.parsing import FORGED, MALFORMED, read
from telephony.replay import messages_of
from tests.telephony.recorded import NAMES, path_of
from tests.telephony.wire import written

ARRIVED = 1_795_307_000_000_001
OWNER = {"Channel": "PJSIP/trunk-00000007", "Uniqueid": "1795307133.7", "Linkedid": "1795307133.1"}
DEST = {"DestChannel": "PJSIP/a-08", "DestUniqueid": "1795307133.8", "DestLinkedid": "1795307133.7"}
MEMBER = {"Queue": "support", "MemberName": "Agent One", "Interface": "Local/1@a/n", "StateInterface": "PJSIP/1"}
STATE = {"Status": "6", "Paused": "1", "InCall": "1", "LastCall": "1795307133", "Wrapuptime": "10"}


SENT_AT = 1_795_307_264_080_901


def message(event: str, *more: tuple[str, str], **headers: str) -> Message:
    return Message(written([("Event", event), *headers.items(), *more]))


@pytest.mark.parametrize(
    ("event", "headers", "expected"),
    [
        ("Newchannel", {"CallerIDNum": "0901", "Exten": "500"}, {"number": "0901", "exten": "500"}),
        ("NewCallerid", {"CallerIDNum": "0901"}, {"number": "0901"}),
        ("Newexten", {"Application": "Queue", "AppData": "support,,,,60"}, {"data": "support,,,,60"}),
        ("VarSet", {"Variable": "QUEUESTATUS", "Value": "TIMEOUT"}, {"value": "TIMEOUT"}),
        ("QueueCallerJoin", {"Queue": "support", "CallerIDNum": "0901"}, {"queue": "support", "number": "0901"}),
        ("QueueCallerLeave", {"Queue": "support"}, {"queue": "support"}),
        ("QueueCallerAbandon", {"Queue": "support", "HoldTime": "4"}, {"hold_s": 4}),
        ("AgentCalled", {"Queue": "support", "DestUniqueid": "x.1"}, {"leg": "x.1"}),
        ("AgentRingNoAnswer", {"Queue": "support", "DestUniqueid": "x.1"}, {"leg": "x.1"}),
        (
            "AgentConnect",
            {"Queue": "support", "DestUniqueid": "x.1", "MemberName": "One", "Interface": "P/1", "HoldTime": "1"},
            {"leg": "x.1", "agent": "One", "interface": "P/1", "hold_s": 1},
        ),
        (
            "AgentComplete",
            {"Queue": "support", "TalkTime": "7", "Reason": "caller"},
            {"leg": "", "hold_s": None, "talk_s": 7, "reason": "caller"},
        ),
        ("HangupRequest", {"Cause": "41"}, {"cause": 41}),
        ("HangupRequest", {}, {"cause": None}),
        ("SoftHangupRequest", {"Cause": "32"}, {"flags": 32}),
        ("Hangup", {"Cause": "0", "Cause-txt": "Unknown"}, {"cause": 0}),
        ("DTMFEnd", {"Digit": "1", "Direction": "Received"}, {"digit": "1", "direction": "Received"}),
        ("BridgeEnter", {"BridgeType": "basic"}, {"bridge_type": "basic"}),
        ("Newchannel", {"Exten": "s", "ChannelState": "0"}, {"state": 0}),
        ("Newstate", {"ChannelState": "4"}, {}),
        ("Hangup", {"Cause": "16", "ChannelState": "5"}, {"state": 5}),
        ("HangupRequest", {"Cause": "17", "ChannelState": "5"}, {"state": 5}),
        (
            "Newexten",
            {"Extension": "514", "Application": "Hangup", "AppData": "34"},
            {"application": "Hangup", "data": "34", "extension": "514", "state": 6},
        ),
        (
            "Newexten",
            {"Priority": "1", "Extension": "514", "Application": "Answer", "AppData": ""},
            {"application": "Answer", "extension": "514"},
        ),
        (
            "VarSet",
            {"Variable": "RTPAUDIOQOS", "Value": "ssrc=7;themssrc=0;lp=0;rxcount=12;txcount=4"},
            {"received": 12},
        ),
        ("RTCPSent", {"ReportCount": "0", "SentNTP": "1795307264.080901"}, {"highest": None, "sent_at": SENT_AT}),
        (
            "RTCPSent",
            {"ReportCount": "1", "Report0HighestSequence": "1213", "Report0SequenceNumberCycles": "2"},
            {"highest": 2 * 65536 + 1213, "sent_at": 0},
        ),
        ("UserEvent", {"UserEvent": "LcrRequested", "Queue": "support"}, {"queue": "support"}),
        ("UserEvent", {"UserEvent": "LcrClosed"}, {"queue": ""}),
        ("UserEvent", {"UserEvent": "LcrReason", "Reason": "wrong-answer"}, {"reason": "wrong-answer"}),
        ("UserEvent", {"UserEvent": "LcrReason", "Reason": "x" * 200}, {"reason": ""}),
        *[(name, {}, {}) for name in ("Hold", "Unhold", "ChannelTalkingStart", "ChannelTalkingStop", "RTCPReceived")],
        (
            "CoreShowChannel",
            {"CallerIDNum": "0901", "Application": "Queue", "ApplicationData": "support"},
            {"number": "0901", "application": "Queue", "data": "support"},
        ),
    ],
)
def test_channel_events(event: str, headers: dict[str, str], expected: dict[str, Any]) -> None:
    found = read(message(event, **OWNER, **headers), ARRIVED)
    assert isinstance(found, events.ChannelEvent)
    assert (found.uniqueid, found.linkedid, found.channel) == ("1795307133.7", "1795307133.1", OWNER["Channel"])
    assert {name: getattr(found, name) for name in expected} == expected


def test_dial_begin_is_about_the_channel_that_rings() -> None:
    found = read(message("DialBegin", **OWNER, **DEST, DialString="09012345678@trunk"), ARRIVED)
    assert found == events.DialBegin(ARRIVED, "1795307133.8", "1795307133.7", "PJSIP/a-08", "09012345678@trunk")


def test_a_listing_of_callers_has_no_linkedid() -> None:
    headers = {"Queue": "support", "Channel": "P/1", "Uniqueid": "7.1", "CallerIDNum": "0901", "Wait": "3"}
    assert read(message("QueueEntry", **headers), 5) == events.QueueEntry(5, "7.1", "7.1", "P/1", "support", "0901", 3)


@pytest.mark.parametrize("event", ["QueueMemberStatus", "QueueMemberAdded", "QueueMemberPause"])
def test_members(event: str) -> None:
    expected = ("support", "Local/1@a/n", "Agent One", "PJSIP/1", 6, True, True, 1795307133, 10, False)
    assert read(message(event, **MEMBER, **STATE), 5) == events.QueueMember(5, *expected)


def test_a_member_of_a_listing_is_named_otherwise() -> None:
    found = read(message("QueueMember", Queue="q", Name="One", Location="PJSIP/1", Status="1"), 5)
    assert found == events.QueueMember(5, "q", "PJSIP/1", "One", "PJSIP/1", 1, False, False, 0, 0, False)


def test_a_member_taken_out() -> None:
    found = read(message("QueueMemberRemoved", **MEMBER), 5)
    assert isinstance(found, events.QueueMember)
    assert found.gone


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("1795307133.212220", 1_795_307_133_212_220),
        ("1795307133.2", 1_795_307_133_200_000),
        ("1795307133", 1_795_307_133_000_000),
        ("1795307133.x", 1_795_307_133_000_000),
        ("", ARRIVED),
        ("soon", ARRIVED),
        ("-5.0", ARRIVED),
        ("0", ARRIVED),
        ("99999999999999999999.1", ARRIVED),
        ("१७९५३०७१३३.0", ARRIVED),
    ],
)
def test_time_is_the_pbxs_or_the_arrival(stamp: str, expected: int) -> None:
    found = read(message("Hangup", **OWNER, Timestamp=stamp), ARRIVED)
    assert found is not None
    assert found.at == expected


@pytest.mark.parametrize(
    "other",
    [
        Message(b"Event: RTCPSent\r\nTo: 127.0.0.1:6001\r\nReportCount: 0"),  # its channel is gone
        message("VarSet", **OWNER, Variable="QUEUENAME", Value="support"),
        message("Newstate", **OWNER, ChannelState="6"),
        message("Newstate", **OWNER, ChannelState="40"),
        message("Newexten", **OWNER, Application="AppQueue", AppData="(Outgoing Line)"),
        message("Newexten", **OWNER, Priority="12", Application="Answer", AppData=""),
        message("VarSet", **OWNER, Variable="RTPAUDIOQOSBRIDGED", Value="ssrc=1;themssrc=0;rxcount=0"),
        message("VarSet", **OWNER, Variable="RTPAUDIOQOS", Value="of another version"),
        message("UserEvent", **OWNER, UserEvent="LcrEnded", CallbackId="7"),
        message("UserEvent", UserEvent="SomebodyElses", Queue="support"),
        Message(b"Response: Success\r\nActionID: 1"),
        Message(b""),
    ],
)
def test_what_nobody_needs_is_nothing_and_is_not_counted(other: Message) -> None:
    counts: Counter[str] = Counter()
    assert read(other, ARRIVED, counts) is None
    assert not counts


@pytest.mark.parametrize("header", ["Uniqueid", "Linkedid", "Channel", "CallerIDNum", "Timestamp", "Event", "X"])
def test_a_repeated_header_is_a_forgery(header: str) -> None:
    counts: Counter[str] = Counter()
    forged = message("Newchannel", (header, "1"), (header, "2"), **(OWNER | {"CallerIDNum": "0901", "Timestamp": "5"}))
    assert read(forged, ARRIVED, counts) is None
    assert counts == {FORGED: 1}


def test_a_line_that_is_no_header_is_a_forgery() -> None:
    counts: Counter[str] = Counter()
    assert read(Message(message("Hangup", **OWNER).raw + b"\r\nsurprise"), ARRIVED, counts) is None
    assert counts == {FORGED: 1}


def test_channel_variables_may_repeat() -> None:
    shown = [("ChanVariable", "A=1"), ("ChanVariable", "B=2"), ("DestChanVariable", "A=1"), ("DestChanVariable", "C=")]
    assert read(message("Hangup", *shown, **OWNER), ARRIVED) is not None


@pytest.mark.parametrize("name", ["PJSIP/trunk-00000007", "Local/1001@from-queue-00000002;1", "Local/a:b@c-1;2"])
def test_channel_variables_may_name_their_channel(name: str) -> None:
    """As Asterisk 11 writes them; some that came later do so too."""
    mine = [(f"ChanVariable({name})", "A=1"), (f"ChanVariable({name})", "B=2")]
    theirs = [(f"DestChanVariable({name})", "A="), (f"DestChanVariable({name})", "B=")]
    for event, shown in (("Hangup", mine), ("AgentCalled", [*mine, *theirs])):
        counts: Counter[str] = Counter()
        assert read(message(event, *shown, Queue="support", DestUniqueid="7.8", **OWNER), ARRIVED, counts) is not None
        assert not counts


@pytest.mark.parametrize("header", ["ChanVariableX", "Variable(A)", "XChan(ChanVariable)"])
def test_what_only_looks_like_a_channel_variable_may_not_repeat(header: str) -> None:
    counts: Counter[str] = Counter()
    assert read(message("Hangup", (header, "A=1"), (header, "B=2"), **OWNER), ARRIVED, counts) is None
    assert counts == {FORGED: 1}


def test_variables_of_many_channels_are_read_by_one_pattern() -> None:
    """Each channel's name would be an order of headers of its own, and only some orders are remembered."""
    layouts = Layouts({b"Hangup": {"Cause": ANY, "Uniqueid": ANY}})
    named = [message("Hangup", ("Cause", "16"), (f"ChanVariable(PJSIP/t-{n})", "A=1"), **OWNER).raw for n in range(99)]
    layouts.learn(b"Hangup", named[0])
    assert all(layouts.read(b"Hangup", raw) == ("16", OWNER["Uniqueid"]) for raw in named)


@pytest.mark.parametrize("missing", ["Uniqueid", "Linkedid", "Channel"])
def test_a_channel_without_identity_is_refused(missing: str) -> None:
    counts: Counter[str] = Counter()
    assert read(message("Newchannel", **(OWNER | {missing: ""})), ARRIVED, counts) is None
    assert counts == {MALFORMED: 1}
    cut = Message(message("Newchannel", **OWNER).raw.replace(f"\r\n{missing}: ".encode(), b"\r\nX: "))
    assert read(cut, ARRIVED, counts) is None
    assert counts == {MALFORMED: 1, FORGED: 1}


def test_injected_line_ends_leave_no_usable_event() -> None:
    """A SIP user with %0d%0a: the message is cut where the caller wanted, and what he wrote stands alone."""
    before = Message(b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: P/1\r\nCallerIDNum: 0901")
    behind = Message(b"Linkedid: 1795307133.7\r\nUniqueid: 1795307133.7")
    counts: Counter[str] = Counter()
    assert [read(part, ARRIVED, counts) for part in (before, behind)] == [None, None]
    assert counts == {FORGED: 1}


@pytest.mark.parametrize("name", NAMES)
def test_recorded_streams_hold_nothing_refused(name: str) -> None:
    counts: Counter[str] = Counter()
    found = [read(part, ARRIVED, counts) for part in messages_of(path_of(name))]
    assert any(found)
    assert not counts


@given(
    st.sampled_from([*(name.decode() for name in parsing._READERS), "Unheard"]),  # noqa: SLF001 - every kind, present and future
    st.lists(
        st.tuples(
            st.sampled_from([*OWNER, "Timestamp", "Queue", "Variable", "Cause", "HoldTime", "Interface", "Status"]),
            st.text() | st.sampled_from(["QUEUESTATUS", "1795307133.7", "1", "Queue"]),
        ),
        max_size=14,
    ),
)
def test_no_message_raises(name: str, headers: list[tuple[str, str]]) -> None:
    raw = b"\r\n".join(f"{key}: {value}".encode() for key, value in [("Event", name), *headers])
    found = read(Message(raw), ARRIVED)
    assert found is None or found.at >= 0


@given(st.binary(max_size=300))
def test_no_bytes_raise(tail: bytes) -> None:
    assert read(Message(b"Event: VarSet\r\nVariable: QUEUESTATUS\r\n" + tail), ARRIVED) is None
