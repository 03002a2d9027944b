"""Assembles a Call from its events, in any order, repeated or incomplete. Pure; nothing is judged here."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from telephony.calls.call import Call, Ending, Mute
from telephony.calls.facts import media
from telephony.calls.facts.bridges import Bridges, hung_up_at, joined_at
from telephony.calls.facts.by_kind import ByKind
from telephony.calls.facts.ending import EVER, end_of, unanswered, window
from telephony.calls.facts.evidence import evidence
from telephony.calls.facts.media import Talk, Voice
from telephony.calls.facts.pre_queue import Departure, departure_of
from telephony.calls.facts.timeline import Timeline
from telephony.calls.facts.transfer import in_conferences, transfer_of
from telephony.calls.facts.visits import NEAR, NEVER_IN, PROVEN_ENDS
from telephony.events import (
    ChannelEvent,
    Confirmed,
    CoreShowChannel,
    Denied,
    DialBegin,
    Hangup,
    HangupRequest,
    LcrClosed,
    LcrReason,
    LcrRequested,
    NewCallerid,
    Newchannel,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
)
from telephony.ids import epoch_of, is_local, originated, usable
from telephony.values import value

REASONS: Final = frozenset({"verification", "agents-mistake", "wrong-answer"})
"""The reasons that an agent may give for breaking off a talk."""
_WORDS: Final = (LcrRequested, LcrClosed, LcrReason)
_OF_NO_CHANNEL: Final = (*_WORDS, Confirmed, Denied)
"""What proves no channel to be the call's: a program may name any in an event of the dialplan or in a question."""
_NO_WORDS: Final = ByKind(())


@value
class CallEvents:
    """What the tracker has of a call at `now`: its events as they came; `gap`: some are known to be lost.

    `voices` are those of its channels; `stepped` tells whether the dialplan ran for it (None: not known).
    """

    pbx: str
    call_id: str
    events: Sequence[ChannelEvent]
    ending: Ending
    now: int
    gap: bool = False
    voices: Mapping[str, Voice] = field(default_factory=dict)
    stepped: bool | None = None


def assemble(call_events: CallEvents) -> Call:
    """Assemble a call. Never raises, whatever is missing, repeated or out of order."""
    call_id = call_events.call_id
    timeline = Timeline(call_id, call_events.events)
    events, own, last, over = timeline.events, timeline.own, timeline.last, timeline.over
    born = own.first(Newchannel)
    bridges = Bridges(call_id, events)
    transfer = transfer_of(timeline, bridges)
    met_again, unmet = transfer.met_at is not None, transfer.onward in {"rung", "left"}
    talked_at = None if unmet else transfer.met_at or _talked_at(timeline, bridges)
    unclear = last is None and talked_at is None and bridges.may_lack_caller(hung_up_at(own))
    ends_at = _ends_at(timeline, talked_at, again=met_again)
    heard = own if talked_at is None else events  # with nobody joined, the caller's own channel alone tells of the end
    end = end_of(heard, call_id, unanswered(timeline), talked_at, window(ends_at, over))
    done = last is not None and timeline.stays[-1].completed_at is not None and not met_again
    talk = None if met_again else _talk(timeline, talked_at, ends_at)
    mute, stalled = _voices(timeline, call_events.voices, talk, by_customer=end.side == "customer")
    alone = talked_at is None and (last is None or unmet)
    left = departure_of(timeline, transfer.at or 0) if alone else Departure()
    first, latest = (own.in_order[0], own.in_order[-1]) if own.in_order else (None, None)
    channel = first.channel if first else ""
    placed = originated(call_id, channel)
    unfinished = call_events.ending == "capture-ended"
    words = _dialplan_words(timeline)
    asked, closed, told_queue = _dialplan_requests(timeline, words, talked_at)
    return Call(
        pbx=call_events.pbx,
        call_id=call_id,
        linkedid=latest.linkedid if latest else call_id,
        channel=channel,
        number=_dialled(events) if placed else _number(own, born),
        did=born.exten if born is not None and born.exten not in {"", "s"} else None,
        started_at=_started_at(call_id, born, events.in_order),
        ended_at=over.at if over else None,
        seen_until=events.in_order[-1].at if events.in_order and not unfinished else call_events.now,
        visits=timeline.visits,
        cause=over.cause if over else None,
        causes=end.causes,
        hangup_by=end.side,
        talked_at=talked_at,
        talking=talked_at is not None and not done and over is None,
        went_on=done and over is not None and ends_at is not None and over.at > ends_at + NEAR,
        cut=end.cut,
        media_lost=end.media_lost,
        placed=placed,
        ending=call_events.ending,
        complete=not call_events.gap and not unclear and born is not None and over is not None and _whole(timeline),
        confirmed=_confirmed(events),
        onward=transfer.onward,
        mute=mute,
        stalled=stalled,
        said=_agents_reason(words, talked_at, ends_at),
        asked=asked,
        closed=closed,
        told_queue=told_queue,
        refused_with=left.refused_with,
        gave_up=left.gave_up,
        turned_away=left.turned_away,
        stepped=call_events.stepped,
        evidence=evidence(events.in_order, call_id, *_findings(mute, stalled=stalled)),
    )


def _talked_at(timeline: Timeline, bridges: Bridges) -> int | None:
    """Give when the last talk began: with the agent, or with another phone later."""
    last = timeline.last
    if last is not None and last.connected_at is not None:
        return last.connected_at
    since = 0 if last is None else last.joined_at
    agents_in = {e.bridge for e in timeline.events.joined if e.bridge and e.uniqueid in timeline.legs}
    joined = joined_at(bridges, timeline.own, since, agents_in)
    shown = [e.at for e in timeline.own.of(CoreShowChannel) if e.at >= since and _put_through(e)]
    return min((at for at in (joined, *shown, *in_conferences(timeline, since)) if at is not None), default=None)


def _put_through(line: CoreShowChannel) -> bool:
    """Tell whether a line shows, after a gap, that Dial had put the caller through."""
    return bool(line.bridge) and line.application == "Dial"


def _ends_at(timeline: Timeline, talked_at: int | None, *, again: bool) -> int | None:
    over_at = timeline.over.at if timeline.over else None
    last = timeline.last
    if again or last is None or (talked_at is not None and last.connected_at is None):
        return over_at
    return last.ended_at or over_at


def _talk(timeline: Timeline, talked_at: int | None, ends_at: int | None) -> Talk | None:
    """Give the talk with the last queue's agent, if that is how it ended."""
    agents = timeline.last is not None and timeline.last.connected_at is not None
    return Talk(talked_at, ends_at) if agents and talked_at is not None and ends_at is not None else None


def _voices(
    timeline: Timeline, voices: Mapping[str, Voice], talk: Talk | None, *, by_customer: bool
) -> tuple[Mute | None, bool]:
    """Tell which side was mute in a talk, and whether the agent's phone had died when the customer hung up."""
    leg = _phone(timeline, talk) if talk else None
    if talk is None or leg is None:
        return None, False
    customer, agent = voices.get(timeline.call_id, Voice()), voices.get(leg, Voice())
    return media.mute(talk, customer, agent), by_customer and media.stalled(talk, customer, agent)


def _phone(timeline: Timeline, talk: Talk) -> str | None:
    """Give the agent's own channel: a Local one only connects it to the caller's. None if it is not known."""
    entered = {e.uniqueid: e.channel for e in timeline.events.joined if talk.since - NEAR <= e.at <= talk.until}
    leg = timeline.stays[-1].leg
    if leg in entered and not is_local(entered[leg]):
        return leg
    phones = [uniqueid for uniqueid, name in entered.items() if uniqueid != timeline.call_id and not is_local(name)]
    return phones[0] if len(phones) == 1 else None


def _findings(mute: Mute | None, *, stalled: bool) -> list[str]:
    found = [f"no sound from the {mute.side} in the talk ({mute.why})"] if mute else []
    return [*found, "no packets from the agent any more, until the customer hung up"] if stalled else found


def _dialplan_requests(timeline: Timeline, words: ByKind, talked_at: int | None) -> tuple[bool, bool, str | None]:
    """Give what our dialplan reported: the caller asked for a callback, the site was closed, the queue.

    It counts while nobody talks with the caller, until the caller reaches another queue or a phone.
    """
    if not words.in_order:  # nearly always
        return False, False, None
    last = timeline.last
    since = 0 if last is None else last.joined_at
    if last is not None and last.connected_at is not None:
        since = last.ended_at or EVER
    elif talked_at is not None:
        since = timeline.over.at if timeline.over else EVER
    asked = [event.queue for event in words.of(LcrRequested) if event.at >= since]
    closed = [event.queue for event in words.of(LcrClosed) if event.at >= since]
    return bool(asked), bool(closed), next(filter(None, [*asked, *closed]), None)


def _dialplan_words(timeline: Timeline) -> ByKind:
    """Give our dialplan's events about channels of this call; those about others are forged."""
    words = timeline.events.among(*_WORDS)
    if not words:
        return _NO_WORDS
    known = {event.uniqueid for event in timeline.events.in_order if not isinstance(event, _OF_NO_CHANNEL)}
    return ByKind([event for event in words if event.uniqueid in known])


def _agents_reason(words: ByKind, talked_at: int | None, ends_at: int | None) -> str | None:
    """Give the agent's reason for breaking off the last talk."""
    if talked_at is None:
        return None
    until = EVER if ends_at is None else ends_at + NEAR
    said = [e.reason for e in words.of(LcrReason) if talked_at - NEAR <= e.at <= until and e.reason in REASONS]
    return said[-1] if said else None


def _confirmed(events: ByKind) -> bool | None:
    if events.of(Confirmed):
        return True
    return False if events.of(Denied) else None


def _number(own: ByKind, born: Newchannel | None) -> str | None:
    """Give the number on the customer's own channel.

    The number at its beginning; if there is none, the first that the dialplan set before the caller joined a queue; if
    the beginning was not seen, the number in the queue.
    """
    came_with = usable(born.number) if born is not None else None
    if came_with is not None:
        return came_with
    joined = own.first(QueueCallerJoin)
    set_ = [e.number for e in own.of(NewCallerid) if joined is None or e.at <= joined.at]
    seen = [] if born is not None else [e.number for e in own.in_order if isinstance(e, _NUMBERED)]
    return next(filter(None, map(usable, [*set_, *seen])), None)


_NUMBERED: Final = (
    *(QueueCallerJoin, QueueEntry, CoreShowChannel, Confirmed),
    *(QueueCallerLeave, QueueCallerAbandon, HangupRequest, Hangup),
)
"""Other events with the number of their channel; each is about one channel only."""


def _dialled(events: ByKind) -> str | None:
    """Give the number that a placed call dialled on a trunk, else the one that it showed to the agent."""
    dialled = [e.dial_string.partition("@")[0] for e in events.of(DialBegin) if "@" in e.dial_string]
    shown = [e.number for e in events.of(NewCallerid)]
    return next(filter(None, map(usable, [*dialled, *shown])), None)


def _started_at(call_id: str, born: Newchannel | None, events: Sequence[ChannelEvent]) -> int:
    """Give the beginning: the channel's, if its clock is the PBX's; else the second that the id tells."""
    epoch = epoch_of(call_id)
    if epoch is None:
        return events[0].at if events else 0
    return born.at if born is not None and abs(born.at - epoch) <= NEAR else epoch


def _whole(timeline: Timeline) -> bool:
    """Tell whether every visit has its beginning and end, and every agent's channel its Hangup."""
    gone = {event.uniqueid for event in timeline.events.of(Hangup)}
    known = timeline.legs <= gone and all(stay.joined for stay in timeline.stays)
    return known and all(
        v.end in PROVEN_ENDS and (v.queue is not None or v.end not in NEVER_IN) for v in timeline.visits
    )
