"""Who is with a caller in a conference: its people keep calls of their own, and nothing else ties them. Pure."""

from typing import Final

from telephony.events import BridgeEnter, ChannelEvent, Hangup
from telephony.ids import SECOND

_MANY: Final = frozenset({"base", "stasis"})
_MACHINES: Final = ("UnicastRTP/", "AudioSocket/", "WebSocket/", "Snoop/")
"""Channels by which programs hear and speak: nobody is at their other end."""
_HOLDS: Final = "holding_bridge"
_PARKING: Final = "parking"
PEOPLE: Final = 1000
"""Channels that are remembered; of more the oldest are forgotten."""
_LATE: Final = 10 * SECOND
"""News of one channel may come after that of another by less than this."""


def is_conference(event: BridgeEnter) -> bool:
    """Tell whether somebody entered a bridge in which many may meet: a conference, or one that a program made (ARI).

    Nobody meets there before another one has entered: programs let a caller wait in it while they ring for him.
    """
    return in_a_room(event) and event.technology != _HOLDS and not event.channel.startswith(_MACHINES)


def in_a_room(event: BridgeEnter) -> bool:
    """Tell whether a channel entered a conference, or a waiting room (BridgeWait), where each waits for himself."""
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
        """Take an event; give the entries of those who are in the conference that this channel enters."""
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
        for channel in (*old, *list(self._entered)[:-PEOPLE]):
            self._entered.pop(channel, None)
            self._gone.pop(channel, None)
