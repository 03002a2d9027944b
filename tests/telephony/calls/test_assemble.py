"""A call is put together from its events by kind, each once, in whatever order and however often they came."""

from dataclasses import replace
from functools import cache
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.calls.assemble import CallEvents, assemble
from telephony.calls.call import Call
from telephony.calls.facts.by_kind import ByKind, in_order
from telephony.events import BridgeEnter, ChannelEvent, ConfbridgeJoin, Hangup, ParkedCall
from tests.telephony.recorded import LOSSES, NAMES, events_of

CHANNEL: Final = ("1795307000.1", "1795307000.1", "PJSIP/trunk-1")
ENTERED: Final = BridgeEnter(1, *CHANNEL, "basic", "b1")
CONFERRED: Final = ConfbridgeJoin(2, *CHANNEL, "base", "b2")
PARKED: Final = ParkedCall(3, *CHANNEL)
AGAIN: Final = BridgeEnter(4, *CHANNEL, "basic", "b3")
ORDERED: Final = ByKind([ENTERED, CONFERRED, PARKED, AGAIN])


@cache
def told_in(name: str) -> list[ChannelEvent]:
    return [event for event in events_of(name) if isinstance(event, ChannelEvent)]


def call_of(events: list[ChannelEvent], call_id: str) -> Call:
    return assemble(CallEvents("pbx", call_id, events, "hangup", now=0))


@given(st.sampled_from((*NAMES, *LOSSES)), st.booleans(), st.data())
def test_events_that_come_again_change_nothing(name: str, stamped: bool, data: st.DataObject) -> None:
    """Nor where many are of one instant, as they are where the PBX sends no Timestamp and much is read at once."""
    told = told_in(name)
    call_id = told[0].linkedid
    once = told if stamped else [replace(event, at=0) for event in told]
    again = list(dict.fromkeys(once))
    expected = call_of(again, call_id)
    for place in data.draw(st.lists(st.integers(0, len(once) - 1), max_size=20)):
        again.insert(data.draw(st.integers(again.index(once[place]) + 1, len(again))), once[place])
    assert call_of(again, call_id) == expected


@given(st.sampled_from((*NAMES, *LOSSES)), st.randoms())
def test_events_of_different_instants_may_come_in_any_order(name: str, chance: Random) -> None:
    told = [*{event.at: event for event in told_in(name)}.values()]
    mixed = list(told)
    chance.shuffle(mixed)
    assert call_of(mixed, told[0].linkedid) == call_of(told, told[0].linkedid)


def test_each_event_stands_once_in_the_order_of_the_instants_and_of_one_instant_as_they_came() -> None:
    beside = BridgeEnter(3, *CHANNEL, "basic", "b9")
    assert in_order([AGAIN, beside, ENTERED, PARKED, beside, AGAIN]) == [ENTERED, beside, PARKED, AGAIN]


def test_who_joins_a_conference_enters_a_bridge() -> None:
    assert ORDERED.of(BridgeEnter) == [ENTERED, CONFERRED, AGAIN]
    assert ORDERED.of(ConfbridgeJoin) == [CONFERRED]
    assert ORDERED.joined == [ENTERED, AGAIN]
    assert ORDERED.first(BridgeEnter) is ENTERED


def test_what_was_not_heard_is_not_there() -> None:
    assert list(ORDERED.of(Hangup)) == []
    assert ORDERED.first(Hangup) is None
    assert list(ORDERED.among(Hangup)) == []


@pytest.mark.parametrize(
    ("kinds", "events"),
    [
        ((ParkedCall,), [PARKED]),
        ((ParkedCall, BridgeEnter), [ENTERED, CONFERRED, PARKED, AGAIN]),
        ((Hangup, BridgeEnter), [ENTERED, CONFERRED, AGAIN]),
        ((ParkedCall, ConfbridgeJoin), [CONFERRED, PARKED]),
    ],
)
def test_several_kinds_come_in_order(kinds: tuple[type[ChannelEvent], ...], events: list[ChannelEvent]) -> None:
    assert ORDERED.among(*kinds) == events
