"""Who is in a conference with a caller. Each keeps a call of their own; only the bridge connects them. Pure."""

from typing import Final

from telephony.events import BridgeEnter, ChannelEvent, Hangup, kinds
from telephony.ids import SECOND

_MANY: Final = frozenset({"base", "stasis"})
_MACHINES: Final = ("UnicastRTP/", "AudioSocket/", "WebSocket/", "Snoop/")
"""Channels by which programs hear and speak: nobody is at their other end."""
_HOLDS: Final = "holding_bridge"
_PARKING: Final = "parking"
MEMBERS: Final = 1000
"""Channels that are remembered; of more the oldest are forgotten."""
IN_CONFERENCES: Final = kinds(BridgeEnter, Hangup)
"""The events that tell who is in a conference."""
_LATE: Final = 10 * SECOND
"""News of one channel may come after that of another by less than this."""


def is_conference(event: BridgeEnter) -> bool:
    """Tell whether a channel entered a bridge for many: a conference, or one that a program made (ARI).

    One entry is no talk: programs let a caller wait in such a bridge while they ring a phone.
    """
    return in_a_room(event) and event.technology != _HOLDS and not event.channel.startswith(_MACHINES)


def in_a_room(event: BridgeEnter) -> bool:
    """Tell whether a channel entered a conference, or a waiting room (BridgeWait), where callers hear only music."""
    return event.bridge_type in _MANY and bool(event.bridge)


def is_parking(event: BridgeEnter) -> bool:
    """Tell whether a channel entered the bridge in which all parked callers wait, each alone."""
    return event.bridge_type == _PARKING


class Conferences:
    """Remembers which channels are in which conference."""

    def __init__(self) -> None:
        self._entered: dict[str, BridgeEnter] = {}  # by channel
        self._gone: dict[str, int] = {}

    def take(self, event: ChannelEvent) -> list[BridgeEnter]:
        """Take an event; give the entries of the other channels in the conference that this channel enters."""
        if isinstance(event, Hangup) and event.uniqueid in self._entered:
            self._gone[event.uniqueid] = event.at
        if not isinstance(event, BridgeEnter) or not is_conference(event):
            return []
        self._forget(event.at)
        met = [other for other in self._entered.values() if self._together(event, other)]
        self._entered[event.uniqueid] = event
        return met

    def _together(self, one: BridgeEnter, other: BridgeEnter) -> bool:
        same = one.bridge == other.bridge and one.uniqueid != other.uniqueid
        last = max(one.at, other.at)
        return same and all(self._gone.get(channel, last) >= last for channel in (one.uniqueid, other.uniqueid))

    def _forget(self, now: int) -> None:
        old = [channel for channel, at in self._gone.items() if at < now - _LATE]
        for channel in (*old, *list(self._entered)[:-MEMBERS]):
            self._entered.pop(channel, None)
            self._gone.pop(channel, None)
