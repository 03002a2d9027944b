"""A call's events in order, and what was made of them first: the queue visits. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from telephony.calls.call import QueueVisit
from telephony.calls.facts.visits import Stay
from telephony.events import BridgeEnter, ChannelEvent, Hangup

E = TypeVar("E", bound=ChannelEvent)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A call's events in order, and what was made of them first."""

    call_id: str
    events: Sequence[ChannelEvent]
    own: Sequence[ChannelEvent]
    stays: Sequence[Stay]
    visits: Sequence[QueueVisit]
    over: Hangup | None

    @property
    def last(self) -> QueueVisit | None:
        """Give the visit that the call is judged by."""
        return self.visits[-1] if self.visits else None


def first(events: Iterable[ChannelEvent], kind: type[E]) -> E | None:
    """Give the first event of a kind."""
    return next((event for event in events if isinstance(event, kind)), None)


def of(events: Iterable[ChannelEvent], kind: type[E]) -> list[E]:
    """Give the events of a kind."""
    return [event for event in events if isinstance(event, kind)]


def bridged(events: Iterable[ChannelEvent]) -> list[BridgeEnter]:
    """Give when channels were joined with another one, to talk."""
    return [event for event in of(events, BridgeEnter) if event.bridge_type == "basic"]
