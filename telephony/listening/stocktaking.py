"""What a PBX says is there: its queues, agents, who waits, which channels live. Asked after a connection came up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from telephony import events, parsing
from telephony.agents import AgentsView
from telephony.ami.client import Client
from telephony.ami.protocol import Message
from telephony.ami.sieve import Refused
from telephony.calls.call import Call
from telephony.dialling.enquiries import Enquiries
from telephony.listening.pipeline import Listening, judged

LISTING_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Listed:
    """The lines of both listings, as they were at some time since `asked_at`; what each of them tells."""

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
    """Asks for the listings and hands them to whoever follows calls and agents; the lines that matter are kept."""

    def __init__(
        self,
        client: Client,
        listening: Listening,
        agents: AgentsView,
        enquiries: Enquiries,
        refused: Refused,
        clock: Callable[[], int],
    ) -> None:
        self._client, self._listening, self._agents, self._enquiries = client, listening, agents, enquiries
        self._refused, self._clock = refused, clock
        self._met: set[str] = set()

    async def caught_up(self) -> None:
        """Wait until what arrived before the listings was digested: they overtake it."""
        while self._client.held_bytes or not self._listening.is_level:
            await asyncio.sleep(0.01)  # the client's backlog has no event to wait for
            await self._listening.level()

    async def meet(self) -> Listed:
        """Get to know who waits now, and end nothing yet: who gives up from here on is somebody who was seen."""
        self._met.clear()
        listed = await self.ask()
        over = judged(self._snapshot(listed, restarted=False, ends=False))
        await self._listening.hand_on(self._listening.stretch(over) if over else None)
        await self.introduce(listed)
        return listed

    async def ask(self) -> Listed:
        """Ask for both listings; what arrived before them is digested by then."""
        asked_at = self._clock()
        channels = await self._client.listing("CoreShowChannels", timeout_s=LISTING_TIMEOUT_S)
        # The queues last: their listing replaces what was heard of agents meanwhile.
        queues = await self._client.listing("QueueStatus", timeout_s=LISTING_TIMEOUT_S)
        await self.caught_up()
        now = self._clock()
        read = [(parsing.read(item, now, self._refused), item) for item in (*channels, *queues)]
        names = frozenset(item.get("Queue") for item in queues if item.name == "QueueParams")
        return Listed(asked_at, {event: item for event, item in read if event is not None}, names)

    def take(self, listed: Listed, *, restarted: bool) -> list[Call]:
        """Take stock: agents are as listed, and calls that are not there have ended, and are given."""
        self._agents.reset(listed.lines)
        return self._snapshot(listed, restarted=restarted, ends=True)

    async def introduce(self, listed: Listed) -> None:
        """See that those who wait are known to be there: two listings that agree prove it, else the PBX is asked."""
        shown = {channel.uniqueid: channel.number for channel in listed.channels}
        for entry in listed.entries:
            if entry.uniqueid in self._met:
                continue
            self._met.add(entry.uniqueid)
            if entry.uniqueid in shown:
                await self._enquiries.listed(entry, shown[entry.uniqueid])
            else:
                self._enquiries.hear(entry)

    def _snapshot(self, listed: Listed, *, restarted: bool, ends: bool) -> list[Call]:
        """Reconcile calls with the listings; who waits in them stands in the journal from here on."""
        now = self._clock()
        calls = self._listening.tracker.snapshot(
            listed.channels,
            listed.entries,
            now,
            asked_at=listed.asked_at,
            restarted=restarted,
            ends=ends,
            keep=lambda event: self._listening.keep(listed.lines[event].raw, now).offset,
        )
        self._listening.all_digested()
        return calls
