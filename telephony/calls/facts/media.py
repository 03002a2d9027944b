"""Which side's voice was heard in a talk: from the detector, Asterisk's RTP counters, and holds. Pure.

The events of a channel are folded into a few values as they come, in any order and however often.

`mute` finds the side that sent no sound. Either the counters prove that no packet ever came from there, or the
detector, known to be on for that very channel, never heard talk. Both only in a talk of several seconds beside holds,
and only while the other side was heard: where both are mute, nobody spoke, or the phones send to each other past
Asterisk, whose counters then say nothing. What it cannot tell: a caller who only listens, or whose phone is muted.

`stalled` finds that the agent's phone died without a signal: what had come from it stopped, while the customer's
voice went on coming, until the customer hung up. It does not hold for a phone that was on hold, that still sends its
own reports (RTCP), or that had paused before and continued: it suppresses silence. What it cannot tell: a phone that
suppresses silence, sends no reports, and had not paused before its agent fell silent for good; and one of two phones
joined directly that goes on sending to Asterisk. Phones that pause for less than two reports (10 s) are none of these.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Literal

from telephony.calls.call import Mute
from telephony.events import (
    ChannelTalkingStart,
    ChannelTalkingStop,
    Detecting,
    Hold,
    RTCPReceived,
    RTCPSent,
    RtpTotal,
    Unhold,
    kinds,
)
from telephony.ids import SECOND
from telephony.values import value

LISTENED_S: Final = 6.0
"""For so long one must have been able to hear a side before it is called mute."""
LATE_S: Final = 3
"""A detector that is on so much later has missed what people say first, and proves nothing."""
STALLED_S: Final = 9.0
"""For so long nothing may have come from the agent; one report follows another after 5 s."""

_REMEMBERED: Final = 16
_NEAR: Final = 2 * SECOND
_FRESH: Final = 7 * SECOND  # a report is due every 5 s
_FLOWS: Final = 10  # packets a second; the longest usual packet, 60 ms, makes 16
_STEADY: Final = 0.8

VOICE: Final = kinds(
    ChannelTalkingStart,
    ChannelTalkingStop,
    Detecting,
    Hold,
    Unhold,
    RTCPSent,
    RTCPReceived,
    RtpTotal,
)
"""What is folded here."""
VoiceEvent = ChannelTalkingStart | ChannelTalkingStop | Detecting | Hold | Unhold | RTCPSent | RTCPReceived | RtpTotal
Report = tuple[int, int]
"""When Asterisk told what it had received, and the highest sequence number; -1: nothing yet."""
NOTHING_YET: Final = -1


@value
class Talk:
    """From when until when somebody talked with the caller."""

    since: int
    until: int


@dataclass(slots=True)
class Voice:
    """What is known of the voice that comes from the far end of one channel."""

    detecting_at: int | None = None
    started_at: int = -1  # the last time that it began to talk
    stopped_at: int = -1
    reported_at: int = -1  # the last report of its own
    received: int | None = None  # packets in all
    arrived: bool = False  # at least one packet
    heard_in_this_talk: bool = False  # it talked since somebody was joined with somebody in this call
    reports: list[Report] = field(default_factory=list)  # the last ones
    holds: list[tuple[int, bool]] = field(default_factory=list)  # the last changes: on hold, or no longer

    def take(self, event: VoiceEvent) -> None:
        """Fold an event."""
        at = event.at
        match event:
            case ChannelTalkingStart():
                self.started_at, self.heard_in_this_talk = max(self.started_at, at), True
            case ChannelTalkingStop():
                self.stopped_at, self.heard_in_this_talk = max(self.stopped_at, at), True
            case Detecting():
                self.detecting_at = at if self.detecting_at is None else min(self.detecting_at, at)
            case Hold() | Unhold():
                _remember(self.holds, (at, isinstance(event, Hold)))
            case RTCPReceived():
                self.reported_at = max(self.reported_at, at)
            case RTCPSent(highest=highest):
                self.arrived = self.arrived or highest is not None
                _remember(self.reports, (at, NOTHING_YET if highest is None else highest))
            case RtpTotal(received=received):
                self.received = max(received, self.received or 0)

    def sounded(self, talk: Talk) -> bool:
        """Tell whether it was heard to talk then, or might have been."""
        still_talking = self.started_at > self.stopped_at
        return max(self.started_at, self.stopped_at) >= talk.since - _NEAR or still_talking

    def sounded_since(self, at: int) -> bool:
        """Tell whether it was heard to begin or to stop talking later than that."""
        return max(self.started_at, self.stopped_at) > at

    def silent_media(self, talk: Talk, listened_s: float) -> bool:
        """Tell whether the counters prove that not one packet came, though there was time for it."""
        if self.arrived or self.received or self.sounded(talk):
            return False
        still_nothing = any(at >= talk.since + listened_s * SECOND for at, _ in self.reports)
        return still_nothing or self.received == 0

    def flows(self, talk: Talk) -> bool:
        """Tell whether packets came to Asterisk all through that time."""
        told = [report for report in self.reports if talk.since <= report[0] <= talk.until + _NEAR]
        return len(told) > 1 and _rate(told[0], told[-1]) >= _FLOWS

    def held(self, talk: Talk) -> int:
        """Give for how many µs of the talk it held the other side; where only its end was heard, from the start."""
        total, since = 0, talk.since if self.holds and not self.holds[0][1] else None
        for at, on in self.holds:
            if on and since is None:
                since = at
            elif not on and since is not None:
                total += _overlap(since, at, talk)
                since = None
        return total + (_overlap(since, talk.until, talk) if since is not None else 0)


def mute(talk: Talk, customer: Voice, agent: Voice, listened_s: float = LISTENED_S) -> Mute | None:
    """Give the side that sent no sound all through the talk, and how that is known; None if neither did so."""
    held = customer.held(talk) + agent.held(talk)
    if talk.until - talk.since - held < listened_s * SECOND:
        return None
    sides: tuple[tuple[Literal["customer", "agent"], Voice, Voice], ...] = (
        ("customer", customer, agent),
        ("agent", agent, customer),
    )
    for side, one, other in sides:
        if one.silent_media(talk, listened_s) and (other.sounded(talk) or other.flows(talk)):
            return Mute(side, "no-media")
        if other.sounded(talk) and not one.sounded(talk) and _listened(one, talk, held) >= listened_s * SECOND:
            return Mute(side, "no-sound")
    return None


def _listened(voice: Voice, talk: Talk, held: int) -> int:
    """Give for how many µs of the talk the detector was on for this channel; none where it missed how it began."""
    on_at = voice.detecting_at
    return 0 if on_at is None or on_at > talk.since + LATE_S * SECOND else talk.until - max(talk.since, on_at) - held


def stalled(talk: Talk, customer: Voice, agent: Voice, stalled_s: float = STALLED_S) -> bool:
    """Tell whether the agent's phone had died when the customer hung up."""
    reports = [report for report in agent.reports if talk.since <= report[0] <= talk.until + _NEAR]
    if len(reports) < 2 or reports[-1][1] == NOTHING_YET or talk.until - reports[-1][0] > _FRESH:  # noqa: PLR2004 - a pair
        return False
    since = min(at for at, highest in reports if highest == reports[-1][1])
    pause = Talk(since, talk.until)
    if talk.until - since < stalled_s * SECOND or not customer.flows(pause):
        return False
    alive = agent.reported_at > since + _NEAR or agent.sounded_since(since + _NEAR)
    held = agent.held(pause) + customer.held(pause) > 0
    return not (alive or held or _paused([report for report in reports if report[0] <= since]))


def _paused(reports: Sequence[Report]) -> bool:
    """Tell whether fewer packets came at some times than at others; the last stretch, cut short, says nothing."""
    rates = [_rate(one, next_) for one, next_ in pairwise(reports[:-1])]
    return bool(rates) and min(rates) < _STEADY * max(rates)


def _rate(first: Report, last: Report) -> float:
    """Give packets a second."""
    return (last[1] - first[1]) * SECOND / max(1, last[0] - first[0])


def _overlap(since: int, until: int, talk: Talk) -> int:
    return max(0, min(until, talk.until) - max(since, talk.since))


def _remember(items: list[Any], item: object) -> None:
    """Keep the last different ones, in order: the same ones, in whatever order and however often they come."""
    if item not in items:
        insort(items, item)
        del items[:-_REMEMBERED]
