"""The face of the package: one Asterisk, listened to and asked.

What is heard goes to the journal first, then to the tracker and the dialler; what they conclude is handed on with the
checkpoint up to which the journal is no longer needed once that was committed. A checkpoint never lies beyond what was
heard, nor beyond what survives a kill.
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
from telephony.ids import SECOND
from telephony.journal import Journal, JournalFull, Record
from telephony.tasks import together
from telephony.tracker import Tracker
from telephony.verdict import judge

log = logging.getLogger(__name__)

TICK_S = 0.5
CLOCK_EVERY_S = 30
REFUSED_EVERY_S = 60
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
    """One Asterisk. First `recall`, then `run()`, which listens until cancelled.

    `on_heard` gets what was heard, in order, and may be slow. `on_state` is told: up, down, journal-full, refused.
    `boot` is the start-up stamp that an earlier run saw last (`Pbx.boot`): so a restart of the PBX while nobody
    listened is known as one.
    """

    def __init__(
        self,
        wiring: Wiring,
        journal: Journal,
        reached_after_s: float,
        *,
        on_heard: Callable[[Heard], Awaitable[None]],
        on_state: Callable[[str, str], None],
        boot: str = "",
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.name = wiring.name
        self.tracker = Tracker(wiring.name)
        self.agents = AgentsView()
        self.dialler = Dialler(reached_after_s)
        self.queues: set[str] = set()  # all that the PBX has, also those without a member
        self.boot = boot  # the start-up stamp of that Asterisk; empty until it is known
        self.ready = False  # connected, and the snapshot is in
        self.clock_off_s = 0.0
        self.refused: Counter[str] = Counter()  # messages that were refused, by why: forged, malformed
        self.gaps = 0  # times that the journal had no room for what came
        self._journal, self._clock = journal, clock
        self._heard_until = journal.start
        self._full = False
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
        """Hear again what the journal kept from `offset` on (`Journal.resume` says it): what was not committed."""
        for record in self._journal.read_from(offset):
            self._heard_until = record.next_offset
            message = Message(record.raw)
            heard = self._digest(message, events.read(message, record.arrived_at), record)
            if heard is not None:
                yield heard
        self._heard_until = self._journal.end

    async def run(self) -> None:
        """Listen for ever; raises LoginRefused, and whatever else went wrong is mended by reconnecting."""
        await together(self._client.run(), self._tick())

    async def _on_message(self, message: Message, arrived_at: int) -> None:
        event = events.read(message, arrived_at, self.refused)
        if isinstance(event, events.QueueMember):
            self.agents.feed(event)  # not to be heard again: the next listing tells it all
            return
        if event is None and dial.attempt_told_of(message) is None:
            return
        try:
            record = self._keep(message, arrived_at)
        except JournalFull as error:
            await self._make_room(error)
            raise
        await self._hand_on(self._digest(message, event, record))

    def _keep(self, message: Message, arrived_at: int) -> Record:
        """Write a message to the journal, so that it survives a kill before anything follows from it."""
        offset = self._journal.append(message.raw, arrived_at)
        self._journal.flush()
        self._heard_until = self._journal.end
        self._full = False
        return Record(offset, arrived_at, message.raw, self._heard_until)

    async def _make_room(self, why: JournalFull) -> None:
        """Give up what holds the older half of a full journal; the connection is then to be made anew, to take stock.

        Waiting instead would be deafness for ever: the Hangup that would free the journal could not be read.
        """
        self.gaps += 1
        if not self._full:
            self._full = True
            self._on_state("journal-full", str(why))
        middle = (self._journal.start + self._heard_until) // 2
        self.dialler.forget_before(middle)
        calls = self.tracker.let_go(middle)
        await self._on_heard(Heard(_judged(calls), (), self.checkpoint()))  # with no call too: the checkpoint frees

    def _digest(self, message: Message, event: events.Event | None, record: Record) -> Heard | None:
        calls: list[Call] = []
        if event is not None:
            calls = self.tracker.feed(event, record.arrived_at, record.offset)
        attempts = self.dialler.feed(message, event.at if event else record.arrived_at, record.offset)
        if isinstance(event, events.Hangup) and dial.attempt_told_of(message) is not None:
            attempts += self.dialler.keep_only(self.own_live())
        return self._heard(calls, attempts)

    async def _hand_on(self, heard: Heard | None) -> None:
        if heard is not None:
            await self._on_heard(heard)

    def _heard(self, calls: list[Call], attempts: list[dial.News]) -> Heard | None:
        if not calls and not attempts:
            return None
        return Heard(_judged(calls), tuple(attempts), self.checkpoint())

    def checkpoint(self) -> int:
        """The journal offset from which everything that is not over can be heard again."""
        oldest = (self.tracker.oldest_offset(), self.dialler.oldest_offset())
        return min(offset for offset in (*oldest, self._heard_until) if offset is not None)

    async def _tick(self) -> None:
        """Let graces and age limits pass, whether or not anything is heard."""
        every_clock, every_refusal = _Every(CLOCK_EVERY_S), _Every(REFUSED_EVERY_S)
        refused = 0
        while True:
            await asyncio.sleep(TICK_S)
            if self.ready and every_clock.due():
                await self._measure_clock()
            if self.refused.total() > refused and every_refusal.due():
                refused = self.refused.total()
                self._on_state("refused", f"messages refused since the start: {_counted(self.refused)}")
            await self._pass_time(self._clock())

    async def _pass_time(self, now: int) -> None:
        """Look what is over by now. While messages are held, it is their arrivals that tell the time."""
        self._journal.expire(now)
        self.dialler.tick(now)
        if not self._client.stats.held_bytes:
            await self._hand_on(self._heard(self.tracker.tick(now), []))

    # After a connection came up

    async def _on_up(self) -> None:
        """Take stock: who waits, which channels live, whether that Asterisk was restarted."""
        asked_at = self._clock()
        boot = await self._boot_stamp()
        restarted = self.boot not in ("", boot)
        channels = await self._client.listing("CoreShowChannels", timeout_s=LISTING_TIMEOUT_S)
        # The queues last: their listing replaces what was heard of agents meanwhile.
        queues = await self._client.listing("QueueStatus", timeout_s=LISTING_TIMEOUT_S)
        await self._caught_up()
        self.queues = {item.get("Queue") for item in queues if item.name == "QueueParams"}
        try:
            calls = self._take_stock([*channels, *queues], asked_at, restarted=restarted)
        except JournalFull as error:
            await self._make_room(error)
            raise
        own = self.own_live()
        attempts = self.dialler.keep_only(own)
        for attempt in own:
            self.dialler.adopt(attempt, self._heard_until)
        self.boot = boot
        await self._hand_on(self._heard(calls, attempts))
        await self._measure_clock()
        self.ready = True
        self._on_state("up", f"Asterisk started {boot}" + (", restarted since we last saw it" if restarted else ""))

    def _take_stock(self, listed: list[Message], asked_at: int, *, restarted: bool) -> list[Call]:
        """Reconcile agents and calls with the listings; who waits in them stands in the journal from here on."""
        now = self._clock()
        read = [(events.read(item, now, self.refused), item) for item in listed]
        lines = {event: item for event, item in read if event is not None}
        self.agents.reset(lines)
        return self.tracker.snapshot(
            [event for event in lines if isinstance(event, events.CoreShowChannel)],
            [event for event in lines if isinstance(event, events.QueueEntry)],
            now,
            asked_at=asked_at,
            restarted=restarted,
            keep=lambda event: self._keep(lines[event], now).offset,
        )

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

    # Our attempts

    def own_live(self) -> set[str]:
        """Give our attempts that have a live channel, as far as was heard."""
        return self.tracker.own_live()

    def forget(self, attempt: str) -> None:
        """Stop following an attempt that was resolved by its ticket: it holds the journal no more."""
        self.dialler.forget(attempt)

    async def place(self, order: Order) -> None:
        """Start a callback. Raises PlacingRefused; any other TelephonyError leaves open whether it was started."""
        pbx_now_s = self._clock() / SECOND + self.clock_off_s
        try:
            await self._client.action("Originate", dial.originate(order, pbx_now_s))
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


class _Every:
    """A thing that is done once in so many seconds, whatever the wall clock does."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._done_at = seconds, float("-inf")

    def due(self) -> bool:
        """Tell whether it is time again; if so, it counts as done."""
        now = time.monotonic()
        due = now - self._done_at >= self._seconds
        self._done_at = now if due else self._done_at
        return due


def _judged(calls: list[Call]) -> tuple[tuple[Call, Verdict], ...]:
    return tuple((call, judge(call)) for call in calls)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {why}" for why, count in sorted(counts.items()))
