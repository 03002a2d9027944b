"""Under any order, repetition or loss of events a call gets one verdict, and no wrong kind; nothing raises."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony import events as e
from telephony.events import Event
from telephony.tracker import Tracker
from telephony.verdict import judge
from tests.telephony.recorded import NAMES, events_of

SECOND: Final = 1_000_000
T0: Final = 1_795_307_000 * SECOND
CALLER: Final = "1795307000.1"
STAMPED: Final = tuple(name for name in NAMES if "ast16" not in name)


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


def mishaps(**fixed: Any) -> st.SearchStrategy[Mishap]:
    anything: dict[str, Any] = {
        "seed": st.integers(0, 1 << 30),
        "loss": st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.5, 0.9]),
        "copies": st.sampled_from([0, 1, 5, 30]),
        "delay": st.sampled_from([0, 1_000, 50_000, 900_000]),
        "stamped": st.booleans(),
    }
    return st.builds(Mishap, **(anything | {name: st.just(value) for name, value in fixed.items()}))


def kinds_of(stream: Iterable[tuple[int, Event]]) -> dict[str, str]:
    """Give each call's kind; no call may come out twice."""
    tracker, now, calls = Tracker("main"), 0, []
    for arrival, event in stream:
        now = max(now, arrival)
        calls += tracker.feed(event, now)
    calls += tracker.finish(now)
    assert len({call.call_id for call in calls}) == len(calls)
    return {call.call_id: judge(call).kind for call in calls}


def truth_of(name: str) -> dict[str, str]:
    return kinds_of((event.at, event) for event in events_of(name))


@settings(max_examples=150)
@given(st.sampled_from(STAMPED), mishaps(loss=0.0, stamped=True))
def test_with_timestamps_no_order_and_no_repetition_changes_a_verdict(name: str, mishap: Mishap) -> None:
    assert kinds_of(mishap.befall(events_of(name))) == truth_of(name)


@settings(max_examples=150)
@given(st.sampled_from(NAMES), mishaps(loss=0.0, stamped=False))
def test_without_timestamps_a_kind_is_right_or_unknown(name: str, mishap: Mishap) -> None:
    truth, found = truth_of(name), kinds_of(mishap.befall(events_of(name)))
    assert set(found) == set(truth)
    assert all(kind in {truth[call_id], "unknown"} for call_id, kind in found.items())


@settings(max_examples=400)
@given(st.sampled_from(NAMES), mishaps())
def test_under_loss_a_kind_is_right_or_unknown(name: str, mishap: Mishap) -> None:
    truth, found = truth_of(name), kinds_of(mishap.befall(events_of(name)))
    assert set(found) <= set(truth)
    assert all(kind in {truth[call_id], "unknown", "unfinished"} for call_id, kind in found.items())


@pytest.mark.parametrize("name", NAMES)
def test_any_one_event_may_be_lost(name: str) -> None:
    """A call whose channel and queue are still heard of gets its one verdict."""
    truth, events = truth_of(name), events_of(name)
    for lost in range(len(events)):
        rest = [(event.at, event) for event in events[:lost] + events[lost + 1 :]]
        found = kinds_of(rest)
        assert set(found) == set(truth) or name.startswith("11")
        assert all(kind in {truth[call_id], "unknown", "unfinished"} for call_id, kind in found.items())


CHANNELS: Final = st.sampled_from([CALLER, "1795307000.2", "1795307000.3", "lcr-1-1", "lcr-1-2", "cb-1", ""])
NAMES_OF_CHANNELS: Final = st.sampled_from(["PJSIP/t-1", "Local/a@b-1;1", "Local/a@b-1;2", "OutgoingSpoolFailed", ""])
QUEUES: Final = st.sampled_from(["support", "sales", ""])
SECONDS: Final = st.none() | st.integers(0, 60)


def some(kind: type[Event], *rest: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(kind, st.integers(T0, T0 + 60 * SECOND), CHANNELS, CHANNELS, NAMES_OF_CHANNELS, *rest)


WORD: Final = st.sampled_from(
    ["", "1", "0901", "TIMEOUT", "FULL", "UNKNOWN", "basic", "transfer", "Queue", "support,,"]
)
ANY_EVENT: Final = st.one_of(
    some(e.Newchannel, WORD, WORD),
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
    some(e.HangupRequest, st.sampled_from([None, 16, 18, 41, 44])),
    some(e.SoftHangupRequest, st.sampled_from([None, 1, 16, 32])),
    some(e.Hangup, st.sampled_from([None, 0, 16, 18, 41, 44])),
    some(e.DTMFEnd, WORD, WORD),
    some(e.BridgeEnter, WORD),
    some(e.CoreShowChannel, WORD, WORD, WORD),
)


@settings(max_examples=300)
@given(st.lists(ANY_EVENT, max_size=40), st.booleans(), st.integers(0, 40))
def test_no_stream_raises_or_judges_a_call_twice(events: list[Event], restarted: bool, gap_at: int) -> None:
    tracker, calls = Tracker("main", age_limit_s=60), []
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
