"""Every recorded stream gives the calls that are true of it; what is no capture is refused with its line."""

import gzip
import json
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.calls.call import Call, Verdict
from telephony.calls.tracker import Tracker
from telephony.replay import CaptureError, as_json, calls_of
from tests.telephony import replayed
from tests.telephony.recorded import LOSSES, NAMES, STREAMS, events_of, path_of

Line = tuple[str | None, str | None, str, str | None, str | None]
CALLER: Final = "09012345678"
SERVED: Final[Line] = (CALLER, "support", "served", None, None)
RINGING: Final = "gave-up-while-ringing"
WAITING: Final = "gave-up-waiting"
CALLBACK: Final[Line] = (CALLER, "support", "callback", None, None)


def dropped(reason: str, side: str, queue: str = "support") -> list[Line]:
    return [(CALLER, queue, "dropped", reason, side)]


def gave_up(number: str | None) -> Line:
    return (number, "burst", "abandoned", WAITING, None)


# Number, queue, kind, reason, side of each call, in the order in which they end.
TRUE: Final[dict[str, list[Line]]] = {
    "01-normal-caller-hangs-up": [SERVED],
    "01-normal-caller-hangs-up-ast16": [SERVED],
    "02-normal-agent-hangs-up": [SERVED],
    "03a-abandon-ringing": [(CALLER, "support", "abandoned", RINGING, None)],
    "03a-abandon-ringing-ast16": [(CALLER, "support", "abandoned", RINGING, None)],
    "03b-abandon-before-answer-CANCEL": [(CALLER, "support", "abandoned", RINGING, None)],
    "04a-queue-timeout": [(CALLER, "support", "blocked", "queue-time-out", None)],
    "04a-queue-timeout-ast16": [(CALLER, "support", "blocked", "queue-time-out", None)],
    "04b-queue-full": [
        (CALLER, "full", "abandoned", RINGING, None),
        ("09099998888", "full", "blocked", "queue-full", None),
    ],
    "05a-congestion": [(CALLER, None, "blocked", "congestion", None)],
    "05d-hangup42": [(CALLER, None, "blocked", "channel-limit", None)],
    "06a-caller-media-dies-rtp-timeout": dropped("media-time-out", "customer"),
    "07a-agent-crash-caller-then-hangs-up": dropped("media-stalled", "agent"),
    "07b-agent-crash-session-timer": dropped("phone-gone", "agent", "timers"),
    "07c-caller-BYE-Q850-41": dropped("line-failed", "customer"),
    "07c-caller-BYE-Q850-41-ast16": dropped("line-failed", "customer"),
    "07i-AMI-Hangup-cause41": dropped("line-failed", "system"),
    "08a-caller-no-rtp": [(CALLER, "support", "silent", "no-media", "customer")],
    "08a-caller-no-rtp-ast16": [(CALLER, "support", "silent", "no-media", "customer")],
    "08b-caller-digital-silence": [SERVED],  # silent: but a capture does not tell that the detector was on
    "08e-both-talk": [SERVED],
    "08k-mute-hold": [SERVED],
    "09a-reserve-in-queue": [(CALLER, "support", "requested", "digit-in-queue", None)],
    "10a-blind-transfer-to-sales": [(CALLER, "sales", "served", None, None)],
    "11a-agent-first-success": [CALLBACK],
    "11a-agent-first-success-ast16": [CALLBACK],
    "11b-agent-first-customer-busy": [CALLBACK],
    "11c-agent-first-customer-noanswer": [CALLBACK],
    "11d-agent-first-invalid-number": [CALLBACK],
    "11g-agent-first-agent-never-answers": [CALLBACK],
    "11h-customer-first-success": [CALLBACK],
    "11j-customer-first-noanswer": [(CALLER, None, "callback", None, None)],
    "11n-originate-duplicate-ChannelId": [CALLBACK],
    "12-dbput-priority": [
        ("09000000001", "support", "served", None, None),
        ("09011112222", "support", "served", None, None),
        ("09000000002", "support", "abandoned", RINGING, None),
    ],
    "13a1-before-connection-loss": [
        ("09000000001", "support", "unfinished", "capture-ended", None),
        ("09000000002", "support", "unfinished", "capture-ended", None),
    ],
    "13a2-after-reconnect": [  # B and D came and went in the gap: only queue_log knows them
        ("09000000003", "support", "abandoned", WAITING, None),
        ("09000000001", "support", "served", None, None),
    ],
    "15-weird-caller-ids": [
        *[gave_up(CALLER)] * 5,
        gave_up(None),  # 60 zeros
        gave_up(None),  # anonymous
        gave_up(CALLER),
        gave_up("+819012345678"),
        gave_up(CALLER),
        gave_up("0901"),
        gave_up(CALLER),
    ],
    "16-all": [SERVED, (CALLER, "support", "abandoned", RINGING, None)],
    "16-mask-call-agent": [SERVED, (CALLER, "support", "abandoned", RINGING, None)],
    "17a-local-member-normal": [(CALLER, "localq", "served", None, None)],
    "18-plain-queue-default-options": [(CALLER, "plain", "served", None, None)],
}


GAVE_UP: Final[Line] = (CALLER, None, "abandoned", "before-queue", None)


def refused(reason: str) -> Line:
    return (CALLER, None, "blocked", reason, None)


BEFORE: Final = [
    GAVE_UP,
    refused("turned-away"),
    refused("busy"),
    refused("congestion"),
    refused("congestion"),
    refused("channel-limit"),
    (CALLER, "desk3", "blocked", "no-such-queue", None),
]
LEFT: Final[Line] = (CALLER, "desk10", "abandoned", "gave-up-after-transfer", None)
FORGOTTEN: Final[Line] = (CALLER, "desk10", "blocked", "transfer-unanswered", None)
FETCHED: Final[Line] = (CALLER, "desk10", "served", None, None)
# The same for calls lost in other ways, and for what looks like them: the trunks are known.
LOST: Final[dict[str, list[Line]]] = {
    "agent-calls-out": [],
    "agent-sends-nothing": [(CALLER, "support", "silent", "no-media", "agent")],
    "agent-sends-nothing-behind-local-member-ast16": [(CALLER, "local03", "silent", "no-media", "agent")],
    "alone-in-a-conference": [LEFT],
    "alone-in-a-conference-ast16": [LEFT],
    "met-in-a-conference": [FETCHED],
    "waited-for-in-a-conference": [FETCHED],
    "parked-gave-up": [LEFT],
    "parked-gave-up-ast16": [LEFT],
    "parked-until-the-time-was-over": [FORGOTTEN],
    "parked-until-the-time-was-over-ast16": [FORGOTTEN],
    "parked-and-back-unanswered": [FORGOTTEN],
    "parked-and-back-answered": [FETCHED],
    "parked-fetched": [FETCHED],
    "parked-fetched-ast16": [FETCHED],
    "parked-by-the-reception": [(CALLER, None, "abandoned", "gave-up-after-transfer", None)],
    "mobile-asked-and-gave-up": [GAVE_UP],
    "mobile-asked-and-taken": [(CALLER, None, "served", None, None)],
    "agents-phone-dies-ast16": dropped("media-stalled", "agent"),
    "agents-phone-dies-behind-local-member": dropped("media-stalled", "agent", "local03"),
    "before-any-queue": BEFORE,
    "before-any-queue-ast16": BEFORE,
    "both-send-nothing": [SERVED],
    "colleagues-talk": [],
    "held-till-the-end-ast16": [SERVED],
    "no-more-calls": [("09011111111", "desk04", "served", None, None), refused("maxcalls")],
    "phones-joined-directly": [SERVED],
    "put-through-to-a-colleague-ast16": [SERVED],
    "put-through-unanswered": [(CALLER, "support", "abandoned", "gave-up-after-transfer", None)],
    "put-through-unanswered-ast16": [(CALLER, "support", "abandoned", "gave-up-after-transfer", None)],
    "reception-answers": [(CALLER, None, "served", None, None)],
    "reception-does-not-answer-ast16": [GAVE_UP],
    "transferred-to-a-colleague": [SERVED],
    "transferred-to-a-queue-agent": [SERVED],
    "transferred-to-a-queue-agent-who-ends-it-ast16": [SERVED],
    "transferred-while-the-queue-waits": [(CALLER, "desk05", "abandoned", WAITING, None)],
    "transferred-while-the-queue-waits-answered-ast16": [(CALLER, "desk05", "served", None, None)],
}


def line_of(call: Call, verdict: Verdict) -> Line:
    return (call.number, call.queue, verdict.kind, verdict.reason, verdict.side)


def lines_of(capture: Path | bytes) -> list[Line]:
    return sorted((line_of(*found) for found in calls_of(capture)), key=str)


def test_every_stream_has_its_truth() -> None:
    assert set(TRUE) == set(NAMES)
    assert {f"losses/{name}" for name in LOST} == set(LOSSES)


@pytest.mark.parametrize("name", LOST)
def test_recorded_losses(name: str) -> None:
    found = [line_of(*found) for found in calls_of(path_of(f"losses/{name}"), trunks=("PJSIP/trunk",))]
    assert found == LOST[name]


@pytest.mark.parametrize("name", NAMES)
def test_recorded_streams(name: str) -> None:
    assert lines_of(path_of(name)) == sorted(TRUE[name], key=str)


@pytest.mark.parametrize("name", NAMES)
def test_with_the_trunks_known_the_same_calls_come_out(name: str) -> None:
    trunks = ("PJSIP/trunk",)
    assert sorted((line_of(*found) for found in calls_of(path_of(name), trunks=trunks)), key=str) == sorted(
        TRUE[name], key=str
    )


def test_what_came_in_on_no_trunk_is_no_customers() -> None:
    assert list(calls_of(path_of("01-normal-caller-hangs-up"), trunks=("DAHDI/",))) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("11")])
def test_our_own_callbacks_come_out_once_under_their_first_channel(name: str) -> None:
    ours = gzip.decompress(path_of(name).read_bytes()).replace(b"cb11", b"lcr-cb11")
    found = [(call.call_id, verdict.kind) for call, verdict in calls_of(ours)]
    assert found == [(f"lcr-cb{name[:3]}-1", "callback")]


@pytest.mark.parametrize(
    ("name", "waited_s", "talked_s"),
    [
        ("01-normal-caller-hangs-up", 1.006, 7.299),
        ("01-normal-caller-hangs-up-ast16", 1.0, 7.0),  # no Timestamp: whole seconds, as app_queue counts them
        ("03a-abandon-ringing-ast16", 4.0, 0.0),
        ("04a-queue-timeout", 5.002, 0.0),
        ("07b-agent-crash-session-timer", 1.009, 109.0),
        ("10a-blind-transfer-to-sales", 2.008, 7.3),  # both visits
        ("11a-agent-first-success-ast16", 1.0, 5.0),
        ("13a1-before-connection-loss", 1.012, 0.315),  # the talk as long as it was seen
    ],
)
def test_seconds(name: str, waited_s: float, talked_s: float) -> None:
    _, verdict = next(calls_of(path_of(name)))
    assert (verdict.waited_s, verdict.talked_s) == (waited_s, talked_s)


def unstamped(name: str) -> bytes:
    """Give a stream as Asterisk 16 writes it where nobody asked for Timestamps."""
    return re.sub(rb"\r\nTimestamp: [0-9.]+", b"", gzip.decompress(path_of(name).read_bytes()))


@pytest.mark.parametrize("name", [*NAMES, *LOSSES])
def test_without_timestamps_nothing_but_what_packets_alone_tell_changes(name: str) -> None:
    """The side too: what tells whose voice stopped seems to come long before the Hangups."""
    trunks = ("PJSIP/trunk",)
    stamped = {call.call_id: line_of(call, verdict) for call, verdict in calls_of(path_of(name), trunks=trunks)}
    for call, verdict in calls_of(unstamped(name), trunks=trunks):
        true = stamped.pop(call.call_id)
        assert line_of(call, verdict) == true or (true[3] in VOICE_ALONE_TELLS and verdict.kind == "served")
    assert stamped == {}


CLASSES: Final = ("dialplan", "reporting", "user", "dtmf", "system")
VOICE_ALONE_TELLS: Final = {"no-media", "no-sound", "media-stalled"}


def without(classes: set[str], name: str) -> bytes:
    """Give a stream as a manager user gets it who may not read these classes."""
    messages = gzip.decompress(path_of(name).read_bytes()).split(b"\r\n\r\n")
    forbidden = tuple(f"Privilege: {word},".encode() for word in classes)
    kept = [raw for raw in messages if not any(line.startswith(forbidden) for line in raw.split(b"\r\n")[1:2])]
    return b"\r\n\r\n".join(kept)


@pytest.mark.parametrize("name", [*NAMES, *LOSSES])
@pytest.mark.parametrize("trunks", [(), ("PJSIP/trunk",)], ids=["", "trunks"])
def test_fewer_classes_tell_fewer_reasons_and_never_a_wrong_kind(name: str, trunks: tuple[str, ...]) -> None:
    truth = {call.call_id: verdict for call, verdict in calls_of(path_of(name), trunks=trunks)}
    for missing in ({"dialplan"}, {"reporting"}, {"user", "dtmf"}, set(CLASSES)):
        found = {call.call_id: verdict for call, verdict in calls_of(without(missing, name), trunks=trunks)}
        assert set(found) <= set(truth)
        for call_id, verdict in found.items():
            kinds = {truth[call_id].kind, "unknown"} | (
                {"served"} if truth[call_id].reason in VOICE_ALONE_TELLS else set()
            )
            assert verdict.kind in kinds
            assert verdict.lost <= (truth[call_id].lost or truth[call_id].kind == "requested")


def test_json_shape() -> None:
    shape = as_json(*next(calls_of(path_of("06a-caller-media-dies-rtp-timeout"))))
    evidence = shape.pop("evidence")
    assert json.loads(json.dumps(shape)) == {
        "call_id": "1795307196.38",
        "number": CALLER,
        "queue": "support",
        "kind": "dropped",
        "reason": "media-time-out",
        "side": "customer",
        "waited_s": 1.004,
        "talked_s": 7.981,
        "started_at": "2026-11-22T00:26:36.484678Z",
    }
    assert isinstance(evidence, list)
    assert evidence[0] == "QueueCallerJoin support at 2026-11-22T00:26:36.500718Z"
    assert "SoftHangupRequest caller flags 1 at 2026-11-22T00:26:45.485299Z" in evidence
    assert evidence[-1] == "Hangup caller cause 44 at 2026-11-22T00:26:45.487880Z"


@pytest.mark.parametrize("name", NAMES)
def test_evidence_holds_no_number(name: str) -> None:
    for call, verdict in calls_of(path_of(name)):
        assert verdict.evidence or call.queue is None
        assert not any(call.number in line for line in verdict.evidence if call.number)


def test_a_capture_comes_plain_or_packed_as_bytes_or_as_a_file(tmp_path: Path) -> None:
    packed = path_of("04b-queue-full").read_bytes()
    plain = tmp_path / "stream.gz"  # what it begins with counts, not its name
    plain.write_bytes(gzip.decompress(packed))
    assert lines_of(plain) == lines_of(packed) == lines_of(gzip.decompress(packed)) == TRUE["04b-queue-full"]


@given(st.sampled_from(NAMES), st.floats(0.0, 1.0))
def test_a_capture_may_stop_anywhere(name: str, part: float) -> None:
    raw = gzip.decompress(path_of(name).read_bytes())
    kinds = {str(line[2]) for line in lines_of(raw[: max(1, int(len(raw) * part))])}
    assert kinds <= {"unfinished", "callback", *(line[2] for line in TRUE[name])}


def test_a_capture_may_begin_late() -> None:
    raw = gzip.decompress(path_of("03a-abandon-ringing").read_bytes())
    middle = raw[raw.index(b"QueueCallerJoin") + 20 :]
    # The join, cut, is no event any more; what is said of his leaving names him too.
    assert lines_of(middle) == [("09012345678", "support", "abandoned", RINGING, None)]


WHOLE: Final = gzip.decompress(path_of("03a-abandon-ringing").read_bytes())
LINES: Final = WHOLE.count(b"\n")


@pytest.mark.parametrize(
    ("capture", "line", "what"),
    [
        (b"", 1, "holds nothing"),
        (b"call_id,number\r\n1,0901\r\n", 1, "not AMI"),
        (b"\x7fELF\x02\x01\x01\x00", 1, "not AMI"),
        (WHOLE.replace(b"\r\n", b"\n"), 1, "LF alone"),
        (WHOLE + b"Event: x\r\nA: \0\r\n", LINES + 2, "NUL"),
        (WHOLE + b"Event: x\r\n" + b"A" * (2 << 20), LINES + 1, "does not end"),
        (gzip.compress(WHOLE)[:-400], 1, "damaged"),
        (gzip.compress(WHOLE)[:900] + b"\xff" * 900 + gzip.compress(WHOLE)[1800:], 1, "damaged"),
    ],
)
def test_what_is_no_capture_is_refused_with_its_line(tmp_path: Path, capture: bytes, line: int, what: str) -> None:
    path = tmp_path / "broken.ami"
    path.write_bytes(capture)
    with pytest.raises(CaptureError) as refused:
        list(calls_of(path))
    assert refused.value.line == line
    assert what in refused.value.what
    assert str(path) in str(refused.value)
    assert refused.value.remedy in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"nowhere\.ami, line 1: cannot be read"):
        list(calls_of(tmp_path / "nowhere.ami"))


def test_what_came_before_the_fault_comes_out() -> None:
    found: list[str] = []
    raw = gzip.decompress(path_of("16-all").read_bytes()) + b"Event: x\r\n\r\n" * 20_000 + b"\0"
    with pytest.raises(CaptureError):
        found.extend(verdict.kind for _, verdict in calls_of(raw))
    assert found == ["served"]  # the second call was still in its grace


def repeated(raw: bytes, times: int) -> Iterator[bytes]:
    """A stream in which a call comes again and again, as another one each time."""
    for number in range(times):
        yield raw.replace(b"1795307149.", b"17953%05d." % (7149 + 20 * number))


def test_memory_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "long.ami.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        for piece in repeated(WHOLE[WHOLE.index(b"Event: Newchannel") : WHOLE.index(b"Response: Goodbye")], 250):
            packed.write(piece)
    tracemalloc.start()
    try:
        calls = sum(1 for _ in calls_of(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert calls == 250
    assert peak < 4 << 20  # of 8 MB


# Whoever else is on a trunk was not dialled by hand: callers, colleagues, agents' mobiles, our own callbacks.
BY_HAND: Final = {
    "losses/agent-calls-out": [("PJSIP/agent1-00000004", "09055556666@trunk", 2.0)],
    "floor/last-agent-leaves": [("PJSIP/agent10-00000045", "09099990001@trunk", 1.03)],
    "floor/last-agent-leaves-ast16": [("PJSIP/agent10-00000045", "09099990001@trunk", 1.03)],
}
EVERY: Final = sorted(str(path.relative_to(STREAMS)).removesuffix(".ami.gz") for path in STREAMS.rglob("*.ami.gz"))


@pytest.mark.parametrize("name", EVERY)
def test_what_agents_dialled_by_hand_and_nothing_else(name: str) -> None:
    tracker, now = Tracker("main", trunks=("PJSIP/trunk",)), 0
    for event in events_of(name):
        now = max(now, event.at)
        tracker.feed(event, now)
    tracker.finish(now)
    found = [(call.phone, call.dial_string, round(call.talked_s, 2)) for call in tracker.agent_calls]
    assert found == BY_HAND.get(name, [])


def test_recorded_streams_are_judged_byte_for_byte_as_they_were() -> None:
    assert list(replayed.every_line()) == (replayed.STREAMS / "replayed.tsv").read_text().splitlines()
