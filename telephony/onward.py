"""What became of a caller whom an agent handed on, outside the queues. Pure."""

from dataclasses import dataclass
from typing import Final

from telephony.call import Onward
from telephony.events import DialBegin, Hangup, Newchannel
from telephony.story import Story, bridged, of
from telephony.visits import NEAR, OVERTAKING

ATTENDED: Final = "Local/_attended@"
"""Names of the channels by which Asterisk joins two talks: on a busy PBX they come well before it says so."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """When an agent handed the caller on, what came of it, and when he met somebody, if he did."""

    at: int | None = None
    onward: Onward | None = None
    met_at: int | None = None


def hand_over(story: Story) -> HandOver:
    """Tell what came of it that the last queue's agent handed the caller on."""
    handed_at = _handed_at(story)
    if handed_at is None:
        return HandOver()
    met_at = _met_at(story, handed_at)
    if met_at is not None:
        return HandOver(handed_at, "met", met_at)
    return HandOver(handed_at, "rung" if _rang(story, handed_at) else None)


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


def _met_at(story: Story, handed_at: int) -> int | None:
    """Give when he whom an agent handed on met somebody: he was joined anew, or somebody took the agent's place."""
    legs = {stay.leg for stay in story.stays}
    early = max(handed_at - NEAR, (story.stays[-1].connected_at or 0) + NEAR)  # who came in then is not this agent
    since = min(handed_at - OVERTAKING, early)
    own = {e.bridge: e.at for e in reversed(bridged(story.own))}  # an echo of his first bridge is no new one
    anew = [e.at for e in bridged(story.own) if not e.bridge or own[e.bridge] >= handed_at]
    others = [
        e.at
        for e in bridged(story.events)
        if e.uniqueid not in {*legs, story.call_id} and (e.at >= since or e.channel.startswith(ATTENDED))
    ]
    return min((max(at, handed_at) for at in (*others, *(at for at in anew if at >= handed_at))), default=None)
