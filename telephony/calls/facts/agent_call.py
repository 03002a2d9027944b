"""Calls that an agent dialled by hand over a trunk: what was dialled, and how long both talked. Pure.

What counts was said by Asterisk alone: a channel on a trunk which it made itself to call somebody (it began down, and
nobody called on it), the string that it dialled on it, and the bridge in which that channel met the phone that began
the call. A caller's own channel is none of these, whatever number or name it shows and wherever it is transferred to:
the talk is only that of the phone with the channel that was dialled for it, and ends when one of them leaves.

Asterisk's BridgeLeave is not read. Who leaves a bridge and stays alive enters another one, or hangs up soon: so a talk
may seem longer by what an announcement takes, never by another talk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from telephony.calls.facts import media
from telephony.calls.facts.by_kind import ByKind, in_order
from telephony.calls.facts.media import Talk, Voice
from telephony.calls.facts.pre_queue import RING
from telephony.events import BridgeEnter, ChannelEvent, DialBegin, Hangup, HangupRequest, Newchannel, Newstate
from telephony.ids import SECOND, attempt_of
from telephony.values import value

_NO_VOICE: Final = Voice()


@value
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
    events: Collection[ChannelEvent],
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
    dialled = [e for e in events if isinstance(e, DialBegin) and e.channel.startswith(trunks)]
    over_trunk = {event.uniqueid for event in dialled}.intersection(channels)
    if not over_trunk:  # nearly always
        return
    every = in_order(events)
    by_kind = ByKind(every)
    for uniqueid in sorted(over_trunk):
        own = ByKind([event for event in every if event.uniqueid == uniqueid])
        began = own.first(DialBegin)
        if began is None or not began.channel.startswith(trunks) or _called_on(own):
            continue
        talk = _talk(call_id, uniqueid, by_kind) if whole and own.first(Newchannel) else None
        facts = (call_id, phone, began.channel, began.dial_string, began.at, own.in_order[-1].at)
        if talk is None:
            yield AgentCall(*facts)
            continue
        silent = media.mute(talk, voices.get(uniqueid, _NO_VOICE), voices.get(call_id, _NO_VOICE))
        yield AgentCall(*facts, talk.since, (talk.until - talk.since) / SECOND, silent.side if silent else None)


def _called_on(own: ByKind) -> bool:
    """Tell whether the channel is an incoming call: then Asterisk did not make it to dial."""
    return bool(own.of(Newstate)) or any(event.state == RING for event in own.of(Newchannel))


def _talk(phone: str, customer: str, events: ByKind) -> Talk | None:
    """Give the longest time in which both were in one bridge, and in no other since."""
    both = (phone, customer)
    entered = [e for e in events.of(BridgeEnter) if e.uniqueid in both]
    ends = [e.at for e in (*events.of(Hangup), *events.of(HangupRequest)) if e.uniqueid in both]
    found, where = [], dict.fromkeys(both, "")
    for entry in events.joined:
        if entry.uniqueid not in both or not entry.bridge:
            continue
        where[entry.uniqueid] = entry.bridge
        if where[phone] == where[customer]:
            left = [e.at for e in entered if e.at > entry.at and e.bridge != entry.bridge]
            until = min([at for at in (*left, *ends) if at >= entry.at], default=None)
            found += [Talk(entry.at, until)] if until is not None else []
    return max(found, key=lambda talk: talk.until - talk.since, default=None)
