"""What became of a caller whom somebody handed on, outside the queues. Pure."""

from dataclasses import dataclass
from typing import Final

from telephony.calls.call import Onward
from telephony.calls.facts.bridges import Rooms, hung_up_at
from telephony.calls.facts.conference import in_a_room, is_conference, is_parking
from telephony.calls.facts.pre_queue import CONFERENCE
from telephony.calls.facts.timeline import Story, bridged, of
from telephony.calls.facts.visits import NEAR, OVERTAKING
from telephony.events import (
    BridgeEnter,
    ChannelEvent,
    DialBegin,
    DialplanStep,
    Hangup,
    Newchannel,
    ParkedCall,
    ParkedCallGiveUp,
    ParkedCallTimeOut,
    UnParkedCall,
)
from telephony.ids import is_local

ATTENDED: Final = "Local/_attended@"
"""Names of the channels by which Asterisk joins two talks: on a busy PBX they come well before it says so."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """When somebody handed the caller on, what came of it, and when the caller met somebody, if at all."""

    at: int | None = None
    onward: Onward | None = None
    met_at: int | None = None


def hand_over(story: Story, rooms: Rooms) -> HandOver:
    """Tell what came of it that somebody parked the caller, or that the last queue's agent handed the caller on."""
    parked = _parked(story)
    if parked is not None:
        return _from(story, parked.at, _fetched_at(story, rooms, parked), "left")
    conference = _conference(story)
    handed_at = _handed_at(story)
    if handed_at is None:
        handed_at = conference.at if conference else None
    if handed_at is None:
        return HandOver()
    return _from(story, handed_at, _met_at(story, rooms, handed_at), "left" if conference else None)


def _from(story: Story, at: int, met_at: int | None, otherwise: Onward | None) -> HandOver:
    if met_at is not None:
        return HandOver(at, "met", met_at)
    return HandOver(at, "rung" if _rang(story, at) else otherwise)


def _parked(story: Story) -> ChannelEvent | None:
    """Give what last put the caller into a parking lot since the last queue; if that was lost, what ended it."""
    since = 0 if story.last is None else story.last.joined_at
    own = [event for event in story.own if event.at >= since]
    began = [e for e in own if isinstance(e, ParkedCall) or (isinstance(e, BridgeEnter) and is_parking(e))]
    ended = [e for e in own if isinstance(e, ParkedCallGiveUp | ParkedCallTimeOut)]
    return next(reversed(began or ended), None)


def _fetched_at(story: Story, rooms: Rooms, parked: ChannelEvent) -> int | None:
    """Give when somebody fetched the caller, or took the phone that rang afterwards."""
    own = story.own[story.own.index(parked) + 1 :]  # in order, though nothing be stamped
    legs = {stay.leg for stay in story.stays}
    before = {e.bridge for e in bridged(story.events) if e.uniqueid in legs}  # an echo of a talk with an agent
    joined = [rooms.phone_in(e.bridge, e.at) if e.bridge else e.at for e in bridged(own) if e.bridge not in before]
    unheard = [e.at for e in _others(story) if e.at > parked.at and rooms.alone_in(e.bridge)]
    fetched = [e.at for e in of(own, UnParkedCall)]
    return min((at for at in (*fetched, *joined, *unheard) if at is not None), default=None)


def _rang(story: Story, handed_at: int) -> bool:
    """Tell whether a phone other than an agent's of the queues was rung."""
    agents = {leg for stay in story.stays for leg in (*stay.rung, stay.leg)}
    others = [e for e in story.events if isinstance(e, DialBegin | Newchannel) and e.uniqueid != story.call_id]
    return any(e.at >= handed_at - NEAR and e.uniqueid not in agents for e in others)


def _handed_at(story: Story) -> int | None:
    """Give when the agent handed the caller on; where nobody said so, when he left him, and the call went on."""
    if story.last is None or story.last.connected_at is None:
        return None
    stay, over = story.stays[-1], story.over
    if stay.completed_at is not None:
        return stay.completed_at if stay.handed_on else None
    gone = next((e.at for e in of(story.events, Hangup) if e.uniqueid == stay.leg), None)
    return gone if gone is not None and (over is None or over.at > gone + NEAR) else None


def _connected_at(story: Story) -> int:
    return story.stays[-1].connected_at or 0


def _conference(story: Story) -> DialplanStep | BridgeEnter | None:
    """Give what tells that he was put into a conference, or a waiting room, after the agent had answered.

    That he was handed on need not have been said. He enters it when its first announcement is over.
    """
    if story.last is None or story.last.connected_at is None:
        return None
    steps = [e for e in of(story.own, DialplanStep) if e.application == CONFERENCE]
    told: list[DialplanStep | BridgeEnter] = [*steps]
    told += [e for e in of(story.own, BridgeEnter) if in_a_room(e)]
    return min((e for e in told if e.at >= _connected_at(story)), key=lambda event: event.at, default=None)


def _met_at(story: Story, rooms: Rooms, handed_at: int) -> int | None:
    """Give when he whom an agent handed on met somebody: he was joined anew, or somebody took the agent's place."""
    joined = [e.at if not e.bridge else rooms.phone_in(e.bridge, e.at) for e in _anew(story, handed_at)]
    met = [*_beside_him(story, rooms, handed_at), *in_conferences(story, _connected_at(story)), *joined]
    return min((max(at, handed_at) for at in met if at is not None), default=None)


def _anew(story: Story, handed_at: int) -> list[BridgeEnter]:
    """Give the caller's entries into further bridges since then: an echo of the first one is no new one.

    Another bridge than his first is new, though the news of the hand-over be late.
    """
    own = bridged(story.own)
    since = {e.bridge: e.at for e in reversed(own)}
    late = [e for e in own if e.at >= handed_at and (not e.bridge or since[e.bridge] >= handed_at)]
    further = [e for e in own if e.bridge and e.bridge != own[0].bridge and since[e.bridge] >= handed_at - NEAR]
    return [*late, *further]


def _others(story: Story) -> list[BridgeEnter]:
    """Give the entries of others: not of the caller, nor the queues' agents, nor what ties two bridges together."""
    known = {story.call_id, *(stay.leg for stay in story.stays)}
    return [e for e in bridged(story.events) if e.uniqueid not in known and not is_local(e.channel)]


def _beside_him(story: Story, rooms: Rooms, handed_at: int) -> list[int]:
    """Give when others came into a bridge of the caller's, or one that Local channels tie to it.

    Not so those who are joined among themselves, as a mobile is that hears that it may press 1 to take the call.
    """
    legs = {stay.leg for stay in story.stays}
    early = max(handed_at - NEAR, (story.stays[-1].connected_at or 0) + NEAR)  # who came in then is not this agent
    since = min(handed_at - OVERTAKING, early)
    his = rooms.reached_from(e.bridge for e in bridged(story.events) if e.uniqueid in {*legs, story.call_id})
    others = [e for e in bridged(story.events) if e.uniqueid not in {*legs, story.call_id}]
    late = [e.at for e in others if e.at >= since and (e.bridge in his or rooms.alone_in(e.bridge))]
    return [*late, *(e.at for e in others if e.channel.startswith(ATTENDED))]


def in_conferences(story: Story, since: int) -> list[int]:
    """Give when the caller was in a conference with somebody, before he hung up; a talk with the agent is none."""
    until = hung_up_at(story.own)
    conferences = [e for e in of(story.events, BridgeEnter) if is_conference(e)]
    his = [e for e in conferences if e.uniqueid == story.call_id and e.at >= since]
    entered = {e.bridge: e.at for e in his}
    others = [e for e in conferences if e.uniqueid != story.call_id and e.bridge in entered]
    met = (max(e.at, entered[e.bridge]) for e in others)
    return [at for at in met if until is None or at <= until]
