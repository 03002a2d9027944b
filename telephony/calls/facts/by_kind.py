"""A call's events in order, each once, and by kind. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from telephony.events import BridgeEnter, ChannelEvent, ConfbridgeJoin

E = TypeVar("E", bound=ChannelEvent)


class ByKind:
    """Events in order, and by kind: sorted out once, since each fact looks at a few kinds alone.

    `joined` are those by which channels were joined with another one, to talk.
    """

    __slots__ = ("_of", "in_order", "joined")

    def __init__(self, in_order: Sequence[ChannelEvent]) -> None:
        self.in_order = in_order
        by_kind: dict[type[ChannelEvent], list[Any]] = defaultdict(list)
        for event in in_order:
            by_kind[type(event)].append(event)
        if ConfbridgeJoin in by_kind:  # the one kind of which another is made
            by_kind[BridgeEnter] = [event for event in in_order if isinstance(event, BridgeEnter)]
        self._of = by_kind
        self.joined = [event for event in self.of(BridgeEnter) if event.bridge_type == "basic"]

    def of(self, kind: type[E]) -> Sequence[E]:
        """Give the events of a kind."""
        return self._of.get(kind, ())

    def first(self, kind: type[E]) -> E | None:
        """Give the first event of a kind."""
        events = self._of.get(kind)
        return events[0] if events else None

    def among(self, *kinds: type[ChannelEvent]) -> Sequence[ChannelEvent]:
        """Give the events of some kinds, in order."""
        present = [kind for kind in kinds if kind in self._of]
        if len(present) > 1:
            return [event for event in self.in_order if isinstance(event, tuple(present))]
        return self._of[present[0]] if present else ()


def in_order(events: Iterable[ChannelEvent]) -> list[ChannelEvent]:
    """Give events in the order of their instants, each once. Those of different instants differ: that is seen first."""
    found = sorted(events, key=attrgetter("at"))
    one_each = len({event.at for event in found}) == len(found)
    return found if one_each else list(dict.fromkeys(found))
