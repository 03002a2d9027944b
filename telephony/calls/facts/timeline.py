"""A call's events in order, and what was made of them first: the queue visits. Pure."""

from collections.abc import Iterable

from telephony.calls.facts.by_kind import ByKind, in_order
from telephony.calls.facts.visits import stays_of, visits_of
from telephony.events import ChannelEvent, Hangup


class Timeline:
    """A call's `events`, those of the caller's `own` channel, and the queue visits, of which the `last` one counts.

    `events` may come in any order and repeatedly. `legs` are the channels of the agents who answered, `over` is the
    Hangup of the caller's channel.
    """

    __slots__ = ("call_id", "events", "last", "legs", "over", "own", "stays", "visits")

    def __init__(self, call_id: str, events: Iterable[ChannelEvent]) -> None:
        every = in_order(events)
        self.call_id = call_id
        self.events = ByKind(every)
        self.own = ByKind([event for event in every if event.uniqueid == call_id])
        self.over = self.own.first(Hangup)
        self.stays = stays_of(every)
        self.visits = visits_of(self.stays, self.own, self.events, self.over.at if self.over else None)
        self.last = self.visits[-1] if self.visits else None
        self.legs = {stay.leg for stay in self.stays if stay.leg}
