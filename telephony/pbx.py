"""The face of the package: one Asterisk, listened to and asked.

What is heard goes to the journal first, then to the tracker and the dialler; what they conclude is handed on with the
checkpoint up to which the journal is no longer needed once that was committed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from telephony import dialler as dial
from telephony import events
from telephony.agents import AgentsView
from telephony.ami.client import ActionFailed, ActionRefused, ActionTimeout, Client, NotConnected
from telephony.ami.protocol import Message
from telephony.call import Call, Verdict
from telephony.dialler import Dialler, Order
from telephony.errors import TelephonyError
from telephony.ids import SECOND, attempt_of
from telephony.journal import Journal, JournalFull
from telephony.tasks import together
from telephony.tracker import Tracker
from telephony.verdict import judge

log = logging.getLogger(__name__)

TICK_S = 0.5
CLOCK_EVERY_S = 30
FULL_WAIT_S = 0.5
LISTING_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stretch of the stream came to. Once it is committed, the journal before `checkpoint` may go."""

    calls: tuple[tuple[Call, Verdict], ...]
    attempts: tuple[dial.News, ...]
    checkpoint: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """An attempt's ticket (None: there is none) and the start-up stamp of the Asterisk that keeps it."""

    value: str | None
    boot: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """How to reach a manager interface."""

    name: str
    host: str
    port: int
    username: str
    secret: str = field(repr=False)


class PlacingRefused(TelephonyError):
    """The PBX, or we ourselves, refused to place a callback: nobody was rung."""


class Pbx:
    """One Asterisk. `run()` listens until cancelled; `on_heard` gets what was heard, in order, and may be slow."""

    def __init__(
        self,
        wiring: Wiring,
        journal: Journal,
        reached_after_s: float,
        *,
        on_heard: Callable[[Heard], Awaitable[None]],
        on_state: Callable[[str, str], None],
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.name = wiring.name
        self.tracker = Tracker(wiring.name)
        self.agents = AgentsView()
        self.dialler = Dialler(reached_after_s)
        self.queues: set[str] = set()  # all that the PBX has, also those without a member
        self.boot = ""  # the start-up stamp of that Asterisk; empty until it is known
        self.ready = False  # connected, and the snapshot is in
        self.clock_off_s = 0.0
        self.refused: Counter[str] = Counter()  # messages that were refused, by why: forged, malformed
        self._journal, self._clock = journal, clock
        self._on_heard, self._on_state = on_heard, on_state
        self._client = Client(
            wiring.host,
            wiring.port,
            wiring.username,
            wiring.secret,
            on_message=self._on_message,
            on_up=self._on_up,
            on_down=self._on_down,
        )

    # Listening

    def recall(self, offset: int) -> Iterator[Heard]:
        """Hear again what the journal kept from `offset` on: what was not committed when the service stopped."""
        begin = offset if offset <= self._journal.end else self._journal.start  # its end was lost: hear all of it
        for record in self._journal.read_from(begin):
            message = Message(record.raw)
            event = events.read(message, record.arrived_at)
            heard = self._digest(message, event, record.arrived_at, record.offset)
            if heard is not None:
                yield heard

    async def run(self) -> None:
        """Listen for ever; raises LoginRefused, and whatever else went wrong is mended by reconnecting."""
        await together(self._client.run(), self._tick())

    async def _on_message(self, message: Message, arrived_at: int) -> None:
        event = events.read(message, arrived_at, self.refused)
        if event is None and dial.MARK not in message.raw:
            return
        offset = await self._keep(message, arrived_at)
        heard = self._digest(message, event, arrived_at, offset)
        if heard is not None or not self._client.stats.held_bytes:
            self._journal.flush()
        if heard is not None:
            await self._on_heard(heard)

    async def _keep(self, message: Message, arrived_at: int) -> int:
        """Write to the journal; while that is full nothing more is read, and Asterisk's own buffer fills up."""
        told = False
        while True:
            try:
                return self._journal.append(message.raw, arrived_at)
            except JournalFull as error:
                if not told:
                    self._on_state("journal-full", str(error))
                    told = True
                await asyncio.sleep(FULL_WAIT_S)

    def _digest(self, message: Message, event: events.Event | None, arrived_at: int, offset: int) -> Heard | None:
        calls: list[Call] = []
        if event is not None:
            self.agents.feed(event)
            calls = self.tracker.feed(event, arrived_at, offset)
        attempts = self.dialler.feed(message, event.at if event else arrived_at, offset)
        return self._heard(calls, attempts)

    def _heard(self, calls: list[Call], attempts: list[dial.News]) -> Heard | None:
        if not calls and not attempts:
            return None
        return Heard(tuple((call, judge(call)) for call in calls), tuple(attempts), self.checkpoint())

    def checkpoint(self) -> int:
        """The journal offset from which everything that is not over can be heard again."""
        oldest = [o for o in (self.tracker.oldest_offset(), self.dialler.oldest_offset()) if o is not None]
        return min(oldest, default=self._journal.end)

    async def _tick(self) -> None:
        """Let graces and age limits pass, whether or not anything is heard."""
        measured_at = self._clock()
        while True:
            await asyncio.sleep(TICK_S)
            if self.ready and self._clock() - measured_at > CLOCK_EVERY_S * SECOND:
                measured_at = self._clock()
                await self._measure_clock()
            self._journal.expire(self._clock())
            heard = self._heard(self.tracker.tick(self._clock()), [])
            if heard is not None:
                await self._on_heard(heard)

    # After a connection came up

    async def _on_up(self) -> None:
        """Take stock: who waits, which channels live, whether that Asterisk was restarted."""
        asked_at = self._clock()
        boot = await self._boot_stamp()
        restarted = self.boot not in ("", boot)
        queues = await self._client.listing("QueueStatus", timeout_s=LISTING_TIMEOUT_S)
        channels = await self._client.listing("CoreShowChannels", timeout_s=LISTING_TIMEOUT_S)
        await self._caught_up()
        now = self._clock()
        listed = [event for item in (*queues, *channels) if (event := events.read(item, now)) is not None]
        self.agents.reset(listed)
        self.queues = {item.get("Queue") for item in queues if item.name == "QueueParams"}
        calls = self.tracker.snapshot(
            [event for event in listed if isinstance(event, events.CoreShowChannel)],
            [event for event in listed if isinstance(event, events.QueueEntry)],
            now,
            asked_at=asked_at,
            restarted=restarted,
        )
        own = self.tracker.own_live()
        attempts = self.dialler.keep_only(own)
        for attempt, legs in _legs(channels).items():
            if attempt in own:
                self.dialler.adopt(attempt, legs, self._journal.end)
        heard = self._heard(calls, attempts)
        if heard is not None:
            await self._on_heard(heard)
        self.boot = boot
        await self._measure_clock()
        self.ready = True
        self._on_state("up", f"Asterisk started {boot}" + (", restarted since we last saw it" if restarted else ""))

    async def _caught_up(self) -> None:
        """Wait until what arrived before the listings was digested: they overtake it."""
        while self._client.stats.held_bytes:  # noqa: ASYNC110 - the client's backlog has no event to wait for
            await asyncio.sleep(0.01)

    async def _boot_stamp(self) -> str:
        status = await self._client.action("CoreStatus")
        return f"{status.get('CoreStartupDate')} {status.get('CoreStartupTime')}"

    async def _measure_clock(self) -> None:
        """Compare clocks by a ping; a connection that is lost meanwhile leaves the last figure."""
        with suppress(NotConnected, ActionTimeout):
            stamp = (await self._client.ping()).get("Timestamp")
            self.clock_off_s = float(stamp) - self._clock() / SECOND if stamp else 0.0

    async def _on_down(self, reason: str) -> None:
        self.ready = False
        self._on_state("down", reason)

    # Asking

    async def place(self, order: Order) -> None:
        """Start a callback. Raises PlacingRefused; any other TelephonyError leaves open whether it was started."""
        try:
            await self._client.action("Originate", dial.originate(order))
        except (ValueError, ActionFailed, ActionRefused) as error:
            raise PlacingRefused(str(error)) from error

    async def ticket(self, attempt: str) -> Ticket:
        """Read an attempt's ticket on the PBX."""
        boot = await self._boot_stamp()
        try:
            items = await self._client.listing("DBGet", [("Family", "lcr"), ("Key", attempt)])
        except ActionFailed as error:
            if "not found" not in error.message.get("Message").lower():
                raise
            return Ticket(None, boot)
        return Ticket(items[0].get("Val") if items else None, boot)

    async def call_off(self, attempt: str) -> None:
        """Hang up an attempt's own leg, if it is there: whoever rings for it stops ringing."""
        try:
            await self._client.action("Hangup", [("Channel", dial.channel_id(attempt)), ("Cause", "16")])
        except ActionFailed as error:
            log.info("attempt %s was over already: %s", attempt, error)


def _legs(channels: list[Message]) -> dict[str, set[str]]:
    """Our attempts among listed channels, with the ids of all their legs."""
    found: dict[str, set[str]] = {}
    for channel in channels:
        attempt = attempt_of(channel.get("Linkedid")) or attempt_of(channel.get("Uniqueid"))
        if attempt is not None:
            found.setdefault(attempt, set()).add(channel.get("Uniqueid"))
    return found
