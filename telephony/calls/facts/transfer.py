"""What happened to a caller who was transferred or parked, outside the queues. Pure."""

from typing import Final

from telephony.calls.call import Onward
from telephony.calls.facts.bridges import Bridges, hung_up_at
from telephony.calls.facts.by_kind import ByKind
from telephony.calls.facts.conference import in_a_room, is_conference, is_parking
from telephony.calls.facts.pre_queue import CONFERENCE
from telephony.calls.facts.timeline import Timeline
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
from telephony.values import value

ATTENDED: Final = "Local/_attended@"
"""Names of the channels by which Asterisk joins two talks: on a busy PBX they come well before it says so."""


@value
class Transfer:
    """When the caller was transferred or parked, what followed, and when somebody talked with the caller, if at all."""

    at: int | None = None
    onward: Onward | None = None
    met_at: int | None = None


_NONE: Final = Transfer()


def transfer_of(timeline: Timeline, bridges: Bridges) -> Transfer:
    """Tell what followed when the caller was parked, or when the last queue's agent transferred the caller."""
    parked = _parked(timeline)
    if parked is not None:
        return _from(timeline, parked.at, _fetched_at(timeline, bridges, parked), "left")
    conference = _conference(timeline)
    handed_at = _handed_at(timeline)
    if handed_at is None:
        handed_at = conference.at if conference else None
    if handed_at is None:
        return _NONE
    return _from(timeline, handed_at, _met_at(timeline, bridges, handed_at), "left" if conference else None)


def _from(timeline: Timeline, at: int, met_at: int | None, otherwise: Onward | None) -> Transfer:
    if met_at is not None:
        return Transfer(at, "met", met_at)
    return Transfer(at, "rung" if _rang(timeline, at) else otherwise)


def _parked(timeline: Timeline) -> ChannelEvent | None:
    """Give the event that last parked the caller since the last queue; if lost, the one that ended the parking."""
    since = 0 if timeline.last is None else timeline.last.joined_at
    joined = timeline.own.among(ParkedCall, BridgeEnter)
    began = [e for e in joined if e.at >= since and (not isinstance(e, BridgeEnter) or is_parking(e))]
    ended = [e for e in timeline.own.among(ParkedCallGiveUp, ParkedCallTimeOut) if e.at >= since]
    return next(reversed(began or ended), None)


def _fetched_at(timeline: Timeline, bridges: Bridges, parked: ChannelEvent) -> int | None:
    """Give when somebody fetched the caller, or answered the phone that rang afterwards."""
    own = timeline.own.in_order
    since = ByKind(own[own.index(parked) + 1 :])  # in order, though nothing be stamped
    before = {
        e.bridge for e in timeline.events.joined if e.uniqueid in timeline.legs
    }  # an echo of a talk with an agent
    joined = [bridges.phone_in(e.bridge, e.at) if e.bridge else e.at for e in since.joined if e.bridge not in before]
    unheard = [e.at for e in _others(timeline) if e.at > parked.at and bridges.alone_in(e.bridge)]
    fetched = [e.at for e in since.of(UnParkedCall)]
    return min((at for at in (*fetched, *joined, *unheard) if at is not None), default=None)


def _rang(timeline: Timeline, handed_at: int) -> bool:
    """Tell whether a phone other than an agent's of the queues was rung."""
    known = {timeline.call_id, *timeline.legs, *(leg for stay in timeline.stays for leg in stay.rung)}
    rung = timeline.events.among(DialBegin, Newchannel)
    return any(e.at >= handed_at - NEAR and e.uniqueid not in known for e in rung)


def _handed_at(timeline: Timeline) -> int | None:
    """Give when the agent transferred the caller; if no event says so, when the agent left and the call continued."""
    if timeline.last is None or timeline.last.connected_at is None:
        return None
    stay, over = timeline.stays[-1], timeline.over
    if stay.completed_at is not None:
        return stay.completed_at if stay.handed_on else None
    gone = next((e.at for e in timeline.events.of(Hangup) if e.uniqueid == stay.leg), None)
    return gone if gone is not None and (over is None or over.at > gone + NEAR) else None


def _connected_at(timeline: Timeline) -> int:
    return timeline.stays[-1].connected_at or 0


def _conference(timeline: Timeline) -> DialplanStep | BridgeEnter | None:
    """Give the event that shows the caller in a conference, or a waiting room, after the agent had answered.

    The transfer itself may not have been reported. The caller enters when the first announcement is over.
    """
    if timeline.last is None or timeline.last.connected_at is None:
        return None
    since = _connected_at(timeline)
    steps = [e for e in timeline.own.of(DialplanStep) if e.application == CONFERENCE and e.at >= since]
    rooms = [e for e in timeline.own.of(BridgeEnter) if in_a_room(e) and e.at >= since]
    found: list[DialplanStep | BridgeEnter] = [*steps, *rooms]
    return min(found, key=lambda event: event.at, default=None)


def _met_at(timeline: Timeline, bridges: Bridges, handed_at: int) -> int | None:
    """Give when the transferred caller talked with somebody: in a new bridge, or where somebody replaced the agent."""
    joined = [e.at if not e.bridge else bridges.phone_in(e.bridge, e.at) for e in _anew(timeline, handed_at)]
    met = [*_met_beside(timeline, bridges, handed_at), *in_conferences(timeline, _connected_at(timeline)), *joined]
    return min((max(at, handed_at) for at in met if at is not None), default=None)


def _anew(timeline: Timeline, handed_at: int) -> list[BridgeEnter]:
    """Give the caller's entries into further bridges since then; a repeated entry into the first one is none.

    A bridge other than the first is new, even if the event of the transfer is late.
    """
    own = timeline.own.joined
    since = {e.bridge: e.at for e in reversed(own)}
    late = [e for e in own if e.at >= handed_at and (not e.bridge or since[e.bridge] >= handed_at)]
    further = [e for e in own if e.bridge and e.bridge != own[0].bridge and since[e.bridge] >= handed_at - NEAR]
    return [*late, *further]


def _others(timeline: Timeline) -> list[BridgeEnter]:
    """Give the entries of others: without the caller, the queues' agents, and the Local channels between bridges."""
    known = {timeline.call_id, *timeline.legs}
    return [e for e in timeline.events.joined if e.uniqueid not in known and not is_local(e.channel)]


def _met_beside(timeline: Timeline, bridges: Bridges, handed_at: int) -> list[int]:
    """Give when others entered a bridge of the caller, or one that Local channels connect to it.

    Bridges without the caller do not count: there a mobile may hear that it can press 1 to take the call.
    """
    early = max(handed_at - NEAR, (timeline.stays[-1].connected_at or 0) + NEAR)  # who came in then is not this agent
    since = min(handed_at - OVERTAKING, early)
    entries, known = timeline.events.joined, {*timeline.legs, timeline.call_id}
    reached = bridges.reached_from(e.bridge for e in entries if e.uniqueid in known)
    others = [e for e in entries if e.uniqueid not in known]
    late = [e.at for e in others if e.at >= since and (e.bridge in reached or bridges.alone_in(e.bridge))]
    return [*late, *(e.at for e in others if e.channel.startswith(ATTENDED))]


def in_conferences(timeline: Timeline, since: int) -> list[int]:
    """Give when the caller was in a conference with somebody, before hanging up; a talk with the agent is none."""
    conferences = [e for e in timeline.events.of(BridgeEnter) if is_conference(e)]
    if not conferences:
        return []
    entered = {e.bridge: e.at for e in conferences if e.uniqueid == timeline.call_id and e.at >= since}
    others = [e for e in conferences if e.uniqueid != timeline.call_id and e.bridge in entered]
    met = (max(e.at, entered[e.bridge]) for e in others)
    until = hung_up_at(timeline.own)
    return [at for at in met if until is None or at <= until]
