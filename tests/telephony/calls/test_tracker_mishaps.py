"""Under any order, repetition or loss of events a call gets one verdict, and no wrong kind; nothing raises."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from telephony import events as e
from telephony.calls.tracker import Tracker
from telephony.calls.verdict import judge
from telephony.events import Event
from tests.telephony.recorded import LOSSES, NAMES, events_of

SECOND: Final = 1_000_000
T0: Final = 1_795_307_000 * SECOND
CALLER: Final = "1795307000.1"
ALL: Final = (*NAMES, *LOSSES)
STAMPED: Final = tuple(name for name in ALL if "ast16" not in name or name in LOSSES)


@dataclass(frozen=True)
class Mishap:
    """What happens to a stream on its way: loss, repetition, delay (µs), and whether Timestamps survive."""

    seed: int
    loss: float
    copies: int
    delay: int
    stamped: bool

    def befall(self, events: Iterable[Event]) -> list[tuple[int, Event]]:
        """Give the events with their arrival, in its order."""
        chance = Random(self.seed)  # noqa: S311 - a reproducible mess
        kept = [event for event in events if chance.random() >= self.loss]
        kept += [chance.choice(kept) for _ in range(self.copies) if kept]
        late = sorted(((event.at + chance.randint(0, self.delay), event) for event in kept), key=lambda pair: pair[0])
        return late if self.stamped else [(arrival, replace(event, at=arrival)) for arrival, event in late]

    def tells_no_order(self, name: str) -> bool:
        """Tell whether nothing is left of the order of what happened: a call was over sooner than the delay lasts."""
        return name in OVER_IN_A_SECOND and not self.stamped and self.delay >= SECOND // 2


OVER_IN_A_SECOND: Final = {"losses/no-more-calls"}


def mishaps(**fixed: Any) -> st.SearchStrategy[Mishap]:
    anything: dict[str, Any] = {
        "seed": st.integers(0, 1 << 30),
        "loss": st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.5, 0.9]),
        "copies": st.sampled_from([0, 1, 5, 30]),
        "delay": st.sampled_from([0, 1_000, 50_000, 900_000]),
        "stamped": st.booleans(),
    }
    return st.builds(Mishap, **(anything | {name: st.just(value) for name, value in fixed.items()}))


TRUNKS: Final = ("PJSIP/trunk",)
VOICE_ALONE_TELLS: Final = {"no-media", "no-sound", "media-stalled"}
"""Reasons of verdicts that look normal where what was told of the voice is lost: documented with the table."""
UNMET: Final = {"gave-up-after-transfer", "transfer-unanswered"}
REFUSED: Final = {"congestion", "busy", "channel-limit", "maxcalls"}
"""Reasons before any queue: where no trunks are known, such calls come out only if all of them was heard."""
TALKS: Final = (e.QueueEvent, e.QueueStatus, e.Newexten, e.BridgeEnter)
LEFT: Final = (e.ParkedCall, e.UnParkedCall, e.ParkedCallGiveUp, e.ParkedCallTimeOut)
LAST_TALK: Final = (e.AgentConnect, e.AgentComplete, e.BridgeEnter, e.QueueCallerLeave, e.QueueCallerAbandon, *LEFT)
SERVED_OR_GONE: Final = ({"served", "abandoned"}, {"served", "blocked"})
Judged = dict[str, tuple[str, str | None]]


def judged(stream: Iterable[tuple[int, Event]], trunks: tuple[str, ...] = ()) -> Judged:
    """Give each call's kind and reason; no call may come out twice."""
    tracker, now, calls = Tracker("main", trunks=trunks), 0, []
    for arrival, event in stream:
        now = max(now, arrival)
        calls += tracker.feed(event, now)
    calls += tracker.finish(now)
    assert len({call.call_id for call in calls}) == len(calls)
    verdicts = [(call.call_id, judge(call)) for call in calls]
    return {call_id: (verdict.kind, verdict.reason) for call_id, verdict in verdicts}


@cache
def listened(name: str) -> tuple[Event, ...]:
    """Give a stream's events as if we had switched the detector on where it was on."""
    detected = name.startswith("08")
    events = []
    for event in events_of(name):
        events.append(event)
        if detected and isinstance(event, e.AgentConnect):
            phone = next(one for one in events if isinstance(one, e.Newchannel) and one.uniqueid == event.leg)
            on = [e.Detecting(event.at, whose.uniqueid, whose.linkedid, whose.channel) for whose in (event, phone)]
            events.extend(on)
    return tuple(events)


@cache
def truth_of(name: str, trunks: tuple[str, ...] = ()) -> Judged:
    return judged(((event.at, event) for event in listened(name)), trunks)


def right(found: Judged, truth: Judged, heard: Iterable[Event], whole: Iterable[Event] = ()) -> bool:
    """Tell whether each kind is the true one or unknown, but for what cannot be noticed.

    Of a call that was handed on, few events tell whether anybody talked with him at last: where several are lost of
    the `whole`, served and abandoned cannot be told apart.
    """
    heard = list(heard)
    if handed_on(whole) and _told_of_talk(whole) - _told_of_talk(heard) > 1:
        found = {
            one: (kind, why)
            for one, (kind, why) in found.items()
            if {kind, truth.get(one, ("", None))[0]} not in SERVED_OR_GONE
        }
    return all(_right(call_id, kind, truth[call_id], heard) for call_id, (kind, _) in found.items() if call_id in truth)


def handed_on(events: Iterable[Event]) -> bool:
    """Whether an agent passed the caller on: to a phone that the queue did not ring, or into another queue."""
    events = list(events)
    queues = {event.queue for event in events if isinstance(event, e.QueueCallerJoin)}
    bridges = {event.bridge for event in events if isinstance(event, e.BridgeEnter)}
    return len(queues) > 1 or len(bridges) > 1


def _told_of_talk(events: Iterable[Event]) -> int:
    return len({replace(event, at=0) for event in events if isinstance(event, LAST_TALK)})


def rang_somebody(call_ids: Iterable[str], heard: Iterable[Event]) -> set[str]:
    """Give those of whom it was heard that they rang a phone."""
    rung = {
        call_id for event in heard if isinstance(event, e.DialBegin) for call_id in (event.uniqueid, event.linkedid)
    }
    return rung & set(call_ids)


def agents_own(call_ids: Iterable[str], whole: Iterable[Event]) -> set[str]:
    """Give those that an agent made: where all that told of her phone is lost, they look like a customer's."""
    whole = list(whole)
    phones = {event.interface for event in whole if isinstance(event, e.AgentCalled | e.AgentConnect)}
    made = {e_.uniqueid for e_ in whole if isinstance(e_, e.Newchannel) and e_.channel.rpartition("-")[0] in phones}
    return made & set(call_ids)


def _right(call_id: str, kind: str, truth: tuple[str, str | None], heard: list[Event]) -> bool:
    if kind in {truth[0], "unknown", "unfinished"}:
        return True
    of_call = [
        event for event in heard if isinstance(event, e.ChannelEvent) and call_id in {event.uniqueid, event.linkedid}
    ]
    if kind == "served":  # what was told of the voice is lost, or of a transfer, and nothing else tells
        return truth[1] in VOICE_ALONE_TELLS or (truth[1] in UNMET and not _transfer_told(of_call))
    if kind == "silent":  # all that one side said is lost, and not that we listened
        talked = {
            event.uniqueid for event in of_call if isinstance(event, e.ChannelTalkingStart | e.ChannelTalkingStop)
        }
        return truth[0] == "served" and len(talked) == 1
    # Where the trunks are known: nothing was heard of a queue, nor of anybody whom he talked with.
    return not any(isinstance(event, TALKS) for event in of_call)


def _transfer_told(events: list[Any]) -> bool:
    handed_on = any(isinstance(event, e.AgentComplete) for event in events)
    legs = {event.leg for event in events if isinstance(event, e.AgentCalled | e.AgentConnect | e.AgentComplete)}
    rung = [event for event in events if isinstance(event, e.Newchannel | e.DialBegin) and event.uniqueid not in legs]
    left = any(isinstance(event, e.ParkedCall | e.ParkedCallGiveUp | e.ParkedCallTimeOut) for event in events)
    alone = any(isinstance(event, e.DialplanStep) and event.application == "ConfBridge" for event in events)
    alone = alone or any(isinstance(event, e.BridgeEnter) and event.bridge_type != "basic" for event in events)
    return left or (handed_on and (alone or any(event.uniqueid != event.linkedid for event in rung)))


@settings(max_examples=150)
@given(st.sampled_from(STAMPED), mishaps(loss=0.0, stamped=True), st.sampled_from([(), TRUNKS]))
def test_with_timestamps_no_order_and_no_repetition_changes_a_verdict(
    name: str, mishap: Mishap, trunks: tuple[str, ...]
) -> None:
    assert judged(mishap.befall(listened(name)), trunks) == truth_of(name, trunks)


@settings(max_examples=150)
@given(st.sampled_from(ALL), mishaps(loss=0.0, stamped=False), st.sampled_from([(), TRUNKS]))
def test_without_timestamps_a_kind_is_right_or_unknown(name: str, mishap: Mishap, trunks: tuple[str, ...]) -> None:
    assume(not mishap.tells_no_order(name))
    truth, events = truth_of(name, trunks), listened(name)
    found = judged(mishap.befall(events), trunks)
    assert set(found) == set(truth)
    assert right(found, truth, events)


@settings(max_examples=300)
@given(st.sampled_from(ALL), mishaps(), st.sampled_from([(), TRUNKS]))
def test_under_loss_a_kind_is_right_or_unknown(name: str, mishap: Mishap, trunks: tuple[str, ...]) -> None:
    assume(not mishap.tells_no_order(name))
    truth, left = truth_of(name, trunks), mishap.befall(listened(name))
    found, heard = judged(left, trunks), [event for _, event in left]
    beyond = set(found) - set(truth)  # where no trunks are known, whom a call rang tells that it is not a customer's
    assert not (trunks and beyond)
    assert rang_somebody(beyond, heard) <= agents_own(beyond, listened(name))
    assert right(found, truth, heard, listened(name))


@pytest.mark.parametrize("trunks", [(), TRUNKS], ids=["", "trunks"])
@pytest.mark.parametrize("name", ALL)
def test_any_one_event_may_be_lost(name: str, trunks: tuple[str, ...]) -> None:
    """A call whose channel and queue are still heard of gets its one verdict."""
    truth, events = truth_of(name, trunks), listened(name)
    for lost in range(len(events)):
        rest = events[:lost] + events[lost + 1 :]
        found = judged([(event.at, event) for event in rest], trunks)
        missing = {truth[call_id][1] for call_id in set(truth) - set(found)}
        assert set(found) <= set(truth)
        assert missing <= (set() if trunks else REFUSED) or name.startswith("11")
        assert right(found, truth, rest)


@pytest.mark.parametrize("name", ALL)
def test_what_need_not_be_kept_changes_no_verdict_but_what_packets_alone_tell(name: str) -> None:
    """After a crash the calls are put together again from what was kept."""
    tracker, kept = Tracker("main", trunks=TRUNKS), []
    for event in listened(name):
        tracker.tick(event.at)
        if tracker.take(event):
            kept.append(event)
    truth, found = truth_of(name, TRUNKS), judged(((event.at, event) for event in kept), TRUNKS)
    assert set(found) == set(truth)
    assert all(found[call_id] == truth[call_id] or truth[call_id][1] in VOICE_ALONE_TELLS for call_id in truth)
    assert not any(isinstance(event, e.RTCPSent | e.RTCPReceived) for event in kept)


def test_where_the_detector_was_on_silence_is_found() -> None:
    assert set(truth_of("08b-caller-digital-silence").values()) == {("silent", "no-sound")}
    assert set(truth_of("08a-caller-no-rtp").values()) == {("silent", "no-media")}
    assert set(truth_of("08e-both-talk").values()) == {("served", None)}
    assert set(truth_of("08k-mute-hold").values()) == {("served", None)}


CHANNELS: Final = st.sampled_from([CALLER, "1795307000.2", "1795307000.3", "lcr-1-1", "lcr-1-2", "cb-1", ""])
NAMES_OF_CHANNELS: Final = st.sampled_from(["PJSIP/t-1", "Local/a@b-1;1", "Local/a@b-1;2", "OutgoingSpoolFailed", ""])
QUEUES: Final = st.sampled_from(["support", "sales", ""])
SECONDS: Final = st.none() | st.integers(0, 60)


def some(kind: type[Event], *rest: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(kind, st.integers(T0, T0 + 60 * SECOND), CHANNELS, CHANNELS, NAMES_OF_CHANNELS, *rest)


WORD: Final = st.sampled_from(
    ["", "1", "0901", "TIMEOUT", "FULL", "UNKNOWN", "basic", "transfer", "Queue", "support,,"]
)
BRIDGE: Final = st.sampled_from(["basic", "base", "stasis", "parking", ""])
ANY_EVENT: Final = st.one_of(
    some(e.Newchannel, WORD, WORD, st.sampled_from([None, 0, 4, 6])),
    some(e.Newstate),
    some(e.NewCallerid, WORD),
    some(e.Newexten, WORD),
    some(e.QueueStatus, WORD),
    some(e.DialBegin, WORD),
    some(e.QueueCallerJoin, QUEUES, WORD),
    some(e.QueueEntry, QUEUES, WORD, SECONDS),
    some(e.QueueCallerLeave, QUEUES),
    some(e.QueueCallerAbandon, QUEUES, SECONDS),
    some(e.AgentCalled, QUEUES, CHANNELS),
    some(e.AgentRingNoAnswer, QUEUES, CHANNELS),
    some(e.AgentConnect, QUEUES, CHANNELS, WORD, WORD, SECONDS),
    some(e.AgentComplete, QUEUES, CHANNELS, WORD, WORD, SECONDS, SECONDS, WORD),
    some(e.HangupRequest, st.sampled_from([None, 16, 18, 41, 44]), WORD, st.sampled_from([None, 4, 5, 6])),
    some(e.SoftHangupRequest, st.sampled_from([None, 1, 16, 32])),
    some(e.Hangup, st.sampled_from([None, 0, 16, 18, 41, 44]), WORD, st.sampled_from([None, 4, 5, 6])),
    some(e.DTMFEnd, WORD, WORD),
    some(
        e.BridgeEnter, BRIDGE, st.sampled_from(["", "one", "two"]), st.sampled_from(["", "softmix", "holding_bridge"])
    ),
    some(e.ParkedCall),
    some(e.UnParkedCall),
    some(e.ParkedCallGiveUp),
    some(e.ParkedCallTimeOut),
    some(e.CoreShowChannel, WORD, WORD, WORD, WORD),
    some(
        e.DialplanStep,
        st.sampled_from(["Hangup", "Congestion", "Busy", "Answer", "ConfBridge"]),
        WORD,
        st.sampled_from(["h", "s"]),
    ),
    some(e.Hold),
    some(e.Unhold),
    some(e.ChannelTalkingStart),
    some(e.ChannelTalkingStop),
    some(e.RTCPSent, st.none() | st.integers(0, 3000), st.just(0)),
    some(e.RTCPReceived),
    some(e.RtpTotal, st.integers(0, 3000)),
    some(e.LcrRequested, QUEUES),
    some(e.LcrClosed, QUEUES),
    some(e.LcrReason, st.sampled_from(["verification", "other", ""])),
    some(e.Confirmed, WORD),
    some(e.Denied),
    some(e.Detecting),
)


@settings(max_examples=200)
@given(st.lists(ANY_EVENT, max_size=40), st.booleans(), st.integers(0, 40), st.sampled_from([(), ("PJSIP/t",)]))
def test_no_stream_raises_or_judges_a_call_twice(
    events: list[Event], restarted: bool, gap_at: int, trunks: tuple[str, ...]
) -> None:
    tracker, calls = Tracker("main", trunks=trunks, age_limit_s=60), []
    for number, event in enumerate(events):
        if number == gap_at:
            listed = [other for other in events if isinstance(other, e.CoreShowChannel)]
            entries = [other for other in events if isinstance(other, e.QueueEntry)]
            calls += tracker.snapshot(listed, entries, event.at, restarted=restarted)
        calls += tracker.feed(event, event.at, number)
    calls += tracker.finish(T0 + 500 * SECOND)
    verdicts = [judge(call) for call in calls]
    assert len({call.call_id for call in calls}) == len(calls)
    assert all(verdict.waited_s >= 0 and verdict.talked_s >= 0 for verdict in verdicts)
    assert all(verdict.source == "live-partial" for verdict in verdicts if verdict.kind == "unknown")
    assert tracker.oldest_offset() is None
    assert tracker.waiting("support") == tracker.waiting("sales") == 0
