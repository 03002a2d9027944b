"""Listings of a PBX after a connection came up: queues, agents, waiting callers, live channels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from telephony import events, parsing
from telephony.agents import AgentsView
from telephony.ami.client import Client
from telephony.ami.protocol import Message
from telephony.ami.sieve import RefusedMessages
from telephony.calls.call import Call
from telephony.dialling.enquiries import Enquiries
from telephony.listening.pipeline import Pipeline, judged

LISTING_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Listings:
    """The lines of both listings, as they were at some time since `asked_at`: each event with its message."""

    asked_at: int
    lines: dict[events.Event, Message]
    queues: frozenset[str] = frozenset()

    @property
    def channels(self) -> list[events.CoreShowChannel]:
        """All channels of the PBX."""
        return [event for event in self.lines if isinstance(event, events.CoreShowChannel)]

    @property
    def entries(self) -> list[events.QueueEntry]:
        """All callers who wait."""
        return [event for event in self.lines if isinstance(event, events.QueueEntry)]


class Stocktaking:
    """Asks for the listings and gives them to the tracker and the agents' view; lines on callers go to the journal."""

    def __init__(
        self,
        client: Client,
        pipeline: Pipeline,
        agents: AgentsView,
        enquiries: Enquiries,
        refused: RefusedMessages,
        clock: Callable[[], int],
    ) -> None:
        self._client, self._pipeline, self._agents, self._enquiries = client, pipeline, agents, enquiries
        self._refused, self._clock = refused, clock
        self._confirmed: set[str] = set()

    async def caught_up(self) -> None:
        """Wait until what arrived before the listings is digested: listings do not go through the journal."""
        while self._client.held_bytes or not self._pipeline.is_level:
            await asyncio.sleep(0.01)  # the client's backlog has no event to wait for
            await self._pipeline.level()

    async def first_look(self) -> Listings:
        """Take up the callers who wait now, and end no call yet: so a caller who gives up from now on is known."""
        self._confirmed.clear()
        listed = await self.ask()
        over = judged(self._snapshot(listed, restarted=False, ends=False))
        await self._pipeline.deliver(self._pipeline.stretch(over) if over else None)
        await self.confirm(listed)
        return listed

    async def ask(self) -> Listings:
        """Ask for both listings; what arrived before them is digested when they are given."""
        asked_at = self._clock()
        channels = await self._client.listing("CoreShowChannels", timeout_s=LISTING_TIMEOUT_S)
        # The queues last: their listing replaces what was heard of agents meanwhile.
        queues = await self._client.listing("QueueStatus", timeout_s=LISTING_TIMEOUT_S)
        await self.caught_up()
        now = self._clock()
        read = [(parsing.read(item, now, self._refused), item) for item in (*channels, *queues)]
        names = frozenset(item.get("Queue") for item in queues if item.name == "QueueParams")
        return Listings(asked_at, {event: item for event, item in read if event is not None}, names)

    def take(self, listed: Listings, *, restarted: bool) -> list[Call]:
        """Set agents as listed, and give the calls that are no longer listed: they have ended."""
        self._agents.reset(listed.lines)
        return self._snapshot(listed, restarted=restarted, ends=True)

    async def confirm(self, listed: Listings) -> None:
        """Confirm the callers who wait: by both listings if they agree, else by an enquiry."""
        shown = {channel.uniqueid: channel.number for channel in listed.channels}
        for entry in listed.entries:
            if entry.uniqueid in self._confirmed:
                continue
            self._confirmed.add(entry.uniqueid)
            if entry.uniqueid in shown:
                await self._enquiries.listed(entry, shown[entry.uniqueid])
            else:
                self._enquiries.hear(entry)

    def _snapshot(self, listed: Listings, *, restarted: bool, ends: bool) -> list[Call]:
        """Reconcile the calls with the listings; lines on waiting callers go to the journal."""
        now = self._clock()
        calls = self._pipeline.tracker.snapshot(
            listed.channels,
            listed.entries,
            now,
            asked_at=listed.asked_at,
            restarted=restarted,
            ends=ends,
            keep=lambda event: self._pipeline.journal.append(listed.lines[event].raw, now),
        )
        self._pipeline.all_digested()
        return calls
