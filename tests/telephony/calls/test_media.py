"""Who was mute, and whose phone had died: from the detector, the counters and holds, in whatever order they come."""

from itertools import permutations
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import events as e
from telephony.calls.call import Mute
from telephony.calls.facts.media import VOICE, Talk, Voice, mute, stalled

SECOND: Final = 1_000_000
T0: Final = 1_795_307_000 * SECOND
TALK: Final = Talk(T0, T0 + 30 * SECOND)
Told = tuple[float, Any]


def voice(*told: tuple[Any, ...]) -> Voice:
    """Fold what is told as (kind, seconds, more)."""
    folded = Voice()
    for kind, seconds, *more in told:
        folded.take(kind(T0 + round(seconds * SECOND), "1795307000.1", "1795307000.1", "PJSIP/1", *more))
    return folded


def flow(since: float = 1, until: float = 30, rate: int = 50, start: int = 1000) -> list[tuple[Any, ...]]:
    """Give reports every 5 s of packets that come at a rate."""
    seconds = [since + 5 * n for n in range(int((until - since) // 5) + 1)]
    return [(e.RTCPSent, at, start + round(rate * at)) for at in seconds]


NOTHING: Final = [(e.RTCPSent, at, None) for at in (5, 10, 15, 20, 25, 30)]
ON: Final = (e.Detecting, 0.2)
TALKS: Final = [(e.ChannelTalkingStart, 2), (e.ChannelTalkingStop, 4)]


@pytest.mark.parametrize(
    ("customer", "agent", "expected"),
    [
        ([ON], [ON, *TALKS], Mute("customer", "no-sound")),
        ([ON, *TALKS], [ON], Mute("agent", "no-sound")),
        ([*NOTHING], [*flow()], Mute("customer", "no-media")),
        ([*flow()], [(e.RtpTotal, 30, 0)], Mute("agent", "no-media")),
        ([ON, *NOTHING], [*TALKS], Mute("customer", "no-media")),
        ([ON, *flow()], [*TALKS], Mute("customer", "no-sound")),
        ([], [ON, *TALKS], None),  # a detector on one channel says nothing of the other
        ([ON], [ON], None),  # nobody spoke
        ([*NOTHING], [*NOTHING], None),
        ([ON, *flow()], [ON, *flow()], None),
        ([ON], [ON, *flow()], None),  # packets alone do not show that anybody spoke to him
        ([ON, *TALKS], [ON, *TALKS], None),
        ([ON, (e.ChannelTalkingStart, -60)], [ON, *TALKS], None),  # he had begun before, and never stopped
        ([ON, (e.ChannelTalkingStart, -60), (e.ChannelTalkingStop, -50)], [*TALKS], Mute("customer", "no-sound")),
        ([ON, (e.ChannelTalkingStart, 29)], [ON, *TALKS], None),  # cut off in the middle of a word
        ([(e.Detecting, 25)], [ON, *TALKS], None),
        ([(e.Detecting, 3)], [ON, *TALKS], Mute("customer", "no-sound")),
        ([(e.Detecting, 9)], [ON, *TALKS], None),  # who knows what he said before
        ([*NOTHING[:1]], [*flow()], None),  # a report too early to prove anything
        ([*NOTHING, (e.RtpTotal, 30, 7)], [*flow()], None),
        ([*NOTHING, (e.RTCPSent, 30, 12)], [*flow()], None),
        ([*NOTHING], [(e.RTCPSent, 1, 50), (e.RTCPSent, 6, 60), (e.RTCPSent, 11, 60)], None),  # past Asterisk
        ([ON], [ON, *TALKS, (e.Hold, 5)], None),
        ([ON], [ON, *TALKS, (e.Hold, 5), (e.Unhold, 20)], Mute("customer", "no-sound")),
        ([ON, (e.Unhold, 28)], [ON, *TALKS], None),  # the hold's beginning was lost: as if from the start
        ([ON, (e.Hold, -20), (e.Unhold, -10)], [ON, *TALKS], Mute("customer", "no-sound")),
    ],
)
def test_mute(customer: list[Any], agent: list[Any], expected: Mute | None) -> None:
    assert mute(TALK, voice(*customer), voice(*agent)) == expected


@pytest.mark.parametrize(("lasted_s", "expected"), [(5.9, None), (6.0, Mute("customer", "no-media"))])
def test_a_short_talk_is_never_silent(lasted_s: float, expected: Mute | None) -> None:
    talk = Talk(T0, T0 + round(lasted_s * SECOND))
    assert mute(talk, voice((e.RtpTotal, 6, 0)), voice(*TALKS)) == expected
    assert mute(TALK, voice(ON), voice(*TALKS), listened_s=31) is None


STOPPED: Final = [*flow(1, 11), *[(e.RTCPSent, at, 1600) for at in (16, 21, 26)]]


@pytest.mark.parametrize(
    ("customer", "agent", "expected"),
    [
        (flow(), STOPPED, True),
        (flow(), STOPPED[2:], True),
        (flow(), [*STOPPED, (e.RTCPReceived, 8)], True),
        (flow(), [*STOPPED, (e.RTCPReceived, 22)], False),
        (flow(), [*STOPPED, (e.ChannelTalkingStop, 22)], False),
        (flow(), [*STOPPED, (e.Hold, 12)], False),
        (flow(), [*STOPPED, (e.Hold, 2), (e.Unhold, 5)], True),
        ([*flow(), (e.Hold, 12)], STOPPED, False),
        (flow(1, 11), STOPPED, False),  # nothing was reported of the customer any more
        ([(e.RTCPSent, at, 1600) for at in (16, 21, 26)], STOPPED, False),  # both stopped
        (flow(), flow(), False),
        (flow(), STOPPED[:5], False),  # the last report is not fresh: the reports themselves stopped
        (flow(), [*flow(1, 16), (e.RTCPSent, 26, 2000)], False),  # for too short a time
        (flow(), NOTHING, False),  # it never sent anything: that is another matter
        (flow(), [(e.RTCPSent, 1, 50), (e.RTCPSent, 6, 60), *STOPPED[2:]], False),  # it had paused before
        (flow(), [], False),
    ],
)
def test_stalled(customer: list[Any], agent: list[Any], expected: bool) -> None:
    assert stalled(TALK, voice(*customer), voice(*agent)) is expected


def test_a_stall_shorter_than_asked_for_is_none() -> None:
    assert not stalled(TALK, voice(*flow()), voice(*STOPPED), stalled_s=15)


def test_order_and_repetition_change_nothing() -> None:
    told = [ON, (e.Hold, 3), (e.Unhold, 5), (e.ChannelTalkingStart, 2), (e.RTCPSent, 5, 700), (e.RTCPSent, 6, None)]
    assert {repr(voice(*order, *order[:3])) for order in permutations(told)} == {repr(voice(*told))}


@given(st.integers(0, 1 << 30))
def test_of_hours_only_the_last_reports_are_kept(seed: int) -> None:
    told = flow(1, 3600)
    order = list(told)
    Random(seed).shuffle(order)  # noqa: S311 - a reproducible mess
    kept = voice(*order)
    assert len(kept.reports) == 16
    assert kept == voice(*told)


SECONDS: Final = st.floats(-10, 50)
ANYTHING: Final = st.one_of(
    st.tuples(st.sampled_from([kind for kind in VOICE if kind not in {e.RTCPSent, e.RtpTotal}]), SECONDS),
    st.tuples(st.just(e.RTCPSent), SECONDS, st.none() | st.integers(0, 1 << 32)),
    st.tuples(st.just(e.RtpTotal), SECONDS, st.integers(0, 1 << 32)),
)


@given(st.lists(ANYTHING, max_size=30), st.lists(ANYTHING, max_size=30), SECONDS, SECONDS)
def test_never_both_and_never_without_a_witness(
    customer: list[Any], agent: list[Any], since: float, until: float
) -> None:
    talk = Talk(T0 + round(since * SECOND), T0 + round(until * SECOND))
    voices = {"customer": voice(*customer), "agent": voice(*agent)}
    found = mute(talk, voices["customer"], voices["agent"])
    stalled(talk, voices["customer"], voices["agent"])
    if found is not None:
        assert until - since >= 6 - 1e-6
        assert not voices[found.side].sounded(talk)
        other = voices["agent" if found.side == "customer" else "customer"]
        assert other.sounded(talk) or other.flows(talk)
