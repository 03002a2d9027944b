"""Calls that an agent dialled by hand over a trunk: what was dialled, and how long both talked. Pure.

What counts was said by Asterisk alone: a channel on a trunk which it made itself to call somebody (it began down, and
nobody called on it), the string that it dialled on it, and the bridge in which that channel met the phone that began
the call. A caller's own channel is none of these, whatever number or name it shows and wherever it is transferred to:
the talk is only that of the phone with the channel that was dialled for it, and ends when one of them leaves.

Asterisk's BridgeLeave is not read. Who leaves a bridge and stays alive enters another one, or hangs up soon: so a talk
may seem longer by what an announcement takes, never by another talk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from telephony.calls.facts import media
from telephony.calls.facts.media import Talk, Voice
from telephony.calls.facts.pre_queue import RING
from telephony.calls.facts.timeline import bridged, first, of
from telephony.events import BridgeEnter, ChannelEvent, DialBegin, Hangup, HangupRequest, Newchannel, Newstate
from telephony.ids import SECOND, attempt_of

_NO_VOICE: Final = Voice()


@dataclass(frozen=True, slots=True)
class AgentCall:
    """A channel that was dialled over a trunk and is over, or no longer connected to the phone that began the call.

    `talked_s` is how long the two were joined, 0 where nobody was or where what was heard is not whole; `mute` is the
    side that sent no sound meanwhile.
    """

    call_id: str
    phone: str  # the channel of the phone that began the call
    channel: str  # the one that was dialled
    dial_string: str  # without the technology, as Dial() was given it
    dialled_at: int
    ended_at: int
    talked_at: int | None = None
    talked_s: float = 0.0
    mute: str | None = None


def agent_calls_of(
    call_id: str,
    phone: str,
    events: Iterable[ChannelEvent],
    voices: Mapping[str, Voice],
    channels: Iterable[str],
    trunks: tuple[str, ...],
    *,
    whole: bool,
) -> Iterator[AgentCall]:
    """Give those of a call's `channels` that were dialled over a trunk for the phone that began the call.

    `whole`: nothing of the call is known to be lost. Of one with a gap a talk proves nothing. Calls of ours are none.
    """
    if attempt_of(call_id) is not None or not trunks:
        return
    events = sorted(events, key=lambda event: event.at)
    for uniqueid in channels:
        own = [event for event in events if event.uniqueid == uniqueid]
        began = first(own, DialBegin)
        if began is None or not began.channel.startswith(trunks) or _called_on(own):
            continue
        ended_at = max(event.at for event in own)
        talk = _talk(call_id, uniqueid, events) if whole and first(own, Newchannel) else None
        facts = (call_id, phone, began.channel, began.dial_string, began.at, ended_at)
        if talk is None:
            yield AgentCall(*facts)
            continue
        silent = media.mute(talk, voices.get(uniqueid, _NO_VOICE), voices.get(call_id, _NO_VOICE))
        yield AgentCall(*facts, talk.since, (talk.until - talk.since) / SECOND, silent.side if silent else None)


def _called_on(own: Iterable[ChannelEvent]) -> bool:
    """Tell whether the channel is an incoming call: then Asterisk did not make it to dial."""
    return any(isinstance(e, Newstate) or (isinstance(e, Newchannel) and e.state == RING) for e in own)


def _talk(phone: str, customer: str, events: list[ChannelEvent]) -> Talk | None:
    """Give the longest time in which both were in one bridge, and in no other since."""
    entries = [e for e in bridged(events) if e.bridge and e.uniqueid in (phone, customer)]
    ends = [e.at for e in events if isinstance(e, (Hangup, HangupRequest)) and e.uniqueid in (phone, customer)]
    found, where = [], dict.fromkeys((phone, customer), "")
    for entry in entries:
        where[entry.uniqueid] = entry.bridge
        if where[phone] == where[customer]:
            left = [e.at for e in _entered(events, phone, customer) if e.at > entry.at and e.bridge != entry.bridge]
            until = min([at for at in (*left, *ends) if at >= entry.at], default=None)
            found += [Talk(entry.at, until)] if until is not None else []
    return max(found, key=lambda talk: talk.until - talk.since, default=None)


def _entered(events: Iterable[ChannelEvent], *channels: str) -> list[BridgeEnter]:
    return [entry for entry in of(events, BridgeEnter) if entry.uniqueid in channels]
