"""The bridges of a call, and with which phones the caller was bridged outside the queues. Pure.

Only an entry of the caller's own channel into a bridge proves a talk, and only if a phone is in it: behind a Local
channel the dialplan may be asking a mobile to press 1, or play a message. A bridge is followed through the halves of
Local channels to a phone. If the entry of a channel that must have been there was lost, it counts as a phone.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from telephony.calls.facts.by_kind import ByKind
from telephony.events import BridgeEnter, Hangup, HangupRequest
from telephony.ids import is_local


class Bridges:
    """The bridges of two who talk, of a call; each view of them is made when a call first needs it: many need none."""

    def __init__(self, call_id: str, events: ByKind) -> None:
        self.call_id = call_id
        self._events = events

    @cached_property
    def entries(self) -> dict[str, dict[str, BridgeEnter]]:
        """Give the first entry of each channel into each bridge, by bridge, then by channel."""
        entries: dict[str, dict[str, BridgeEnter]] = {}
        for event in self._events.joined:
            if event.bridge:
                entries.setdefault(event.bridge, {}).setdefault(event.uniqueid, event)
        return entries

    @cached_property
    def of_half(self) -> dict[str, list[str]]:
        """Give the bridges into which a channel of a name came: one half of a Local channel."""
        of_half: dict[str, list[str]] = {}
        for event in self._events.joined:
            if event.bridge:
                of_half.setdefault(event.channel, []).append(event.bridge)
        return of_half

    @cached_property
    def gone(self) -> dict[str, int]:
        """Give when each channel hung up, or began to."""
        gone: dict[str, int] = {}
        for event in (*self._events.of(Hangup), *self._events.of(HangupRequest)):
            gone[event.uniqueid] = min(event.at, gone.get(event.uniqueid, event.at))
        return gone

    def phone_in(self, bridge: str, at: int) -> int | None:
        """Give when a phone shared this bridge, directly or behind Local channels, with the caller who entered at `at`.

        None: no phone did. If only the caller's entry was heard, any other channel of the call may have been there.
        """
        if self.entries.get(bridge, {}).keys() == {self.call_id}:
            others = {event.uniqueid for event in self._events.in_order} - {self.call_id}
            alone = bool(others) and all(self.gone.get(other, at + 1) <= at for other in others)
            return None if alone else at
        found = [since for since in self._others(bridge, {bridge}) if self._still_there(since, at)]
        return min((max(at, since.at) for since in found), default=None)

    def reached_from(self, bridges: Iterable[str]) -> set[str]:
        """Give these bridges and those that Local channels connect to them."""
        seen = set(bridges)
        for bridge in list(seen):
            for _ in self._others(bridge, seen):
                pass
        return seen

    def alone_in(self, bridge: str) -> bool:
        """Tell whether at most one entry into a bridge was heard: who else was in it is not known."""
        return len(self.entries.get(bridge, ())) < 2  # noqa: PLR2004 - two make a talk

    def may_lack_caller(self, until: int | None) -> bool:
        """Tell whether the caller's entry may have been lost: before `until` a channel was alone in a bridge.

        A Local channel counts only if a phone was behind it. `until` None: at any time.
        """
        alone = [entry for inside in self.entries.values() if len(inside) == 1 for entry in inside.values()]
        late = [e for e in alone if e.uniqueid != self.call_id and (until is None or e.at < until)]
        return any(not is_local(e.channel) or self._behind(e) for e in late)

    def _behind(self, local: BridgeEnter) -> bool:
        """Tell whether a phone was behind a Local channel when it entered its bridge."""
        bridges = [bridge for bridge in self.of_half.get(other_half(local.channel), ()) if bridge != local.bridge]
        found = [entry for bridge in bridges for entry in self._others(bridge, {local.bridge, bridge})]
        return any(self._still_there(entry, local.at) for entry in found)

    def _others(self, bridge: str, seen: set[str]) -> Iterator[BridgeEnter]:
        """Give the entries of the phones in a bridge, and of those behind its Local channels.

        If a bridge has only one entry, the other was lost: the one stands for both.
        """
        inside = self.entries.get(bridge, {})
        if len(inside) == 1:
            yield from inside.values()
        for entry in inside.values():
            if entry.uniqueid == self.call_id:
                continue
            if not is_local(entry.channel):
                yield entry
                continue
            for further in self.of_half.get(other_half(entry.channel), ()):
                if further not in seen:
                    seen.add(further)
                    yield from self._others(further, seen)

    def _still_there(self, entry: BridgeEnter, at: int) -> bool:
        return self.gone.get(entry.uniqueid, at) >= at


def other_half(channel: str) -> str:
    """Give the name of the other half of a Local channel."""
    stem, _, half = channel.rpartition(";")
    return f"{stem};{'1' if half == '2' else '2'}"


def hung_up_at(own: ByKind) -> int | None:
    """Give when the caller hung up, from the events of the caller's channel."""
    request = own.first(HangupRequest)
    return request.at if request else None


def joined_at(bridges: Bridges, own: ByKind, since: int, agents_in: Collection[str] = frozenset()) -> int | None:
    """Give when the caller was first bridged with a phone since `since`, outside the bridges `agents_in`.

    A caller who hung up before that talked with nobody.
    """
    until = hung_up_at(own)
    entries = [entry for entry in own.joined if entry.bridge not in agents_in or not entry.bridge]
    met = (entry.at if not entry.bridge else bridges.phone_in(entry.bridge, entry.at) for entry in entries)
    return min((at for at in met if at is not None and at >= since and (until is None or at <= until)), default=None)
