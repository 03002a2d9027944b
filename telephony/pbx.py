"""The entry point of the package: one Asterisk, its calls, its agents and our callbacks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from telephony import events, parsing
from telephony.agents import AgentsView
from telephony.ami.client import Account, ActionFailed, ActionTimeout, Client, Handlers, NotConnected, Stats
from telephony.ami.protocol import Message
from telephony.ami.sieve import RefusedMessages
from telephony.calls.call import Judged
from telephony.calls.tracker import GRACE_S, Tracker
from telephony.dialling import dialler as dial
from telephony.dialling.commands import Commands
from telephony.dialling.dialler import Dialler
from telephony.dialling.enquiries import ASKED_ABOUT, Enquiries, WaitingCaller
from telephony.ids import SECOND, is_local
from telephony.listening import gap
from telephony.listening.gap import Gap
from telephony.listening.journal import Journal, JournalFull
from telephony.listening.pipeline import WANTED, MessageHeard, Pipeline, Stretch, judged
from telephony.listening.proof import GapEvidence, newest
from telephony.listening.stall import Stall
from telephony.listening.status import Interval, StatusReporter
from telephony.listening.stocktaking import LISTING_TIMEOUT_S, Listings, Stocktaking
from telephony.listening.wiring import Wiring
from telephony.tasks import together

__all__ = ["Consumer", "Gap", "LastRun", "Pbx", "Stretch", "WaitingCaller", "Wiring"]

log = logging.getLogger(__name__)

TICK_S = 0.002
"""How soon it is looked again where a grace has ended, but messages that are held may still tell of that call."""
LOOK_EVERY_S = 0.5
CLOCK_EVERY_S = 30
COMPARE_EVERY_S = 120
"""How often the channels that we follow are compared with a listing of the PBX."""
SILENT_S = 15
"""A dead connection is noticed at most so much later; so a gap begins so much earlier."""


async def _ignore(_caller: WaitingCaller) -> None:
    """Do nothing about a waiting caller."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """What a Pbx calls.

    `on_stretch` gets what the stream told, in order; it may be slow while `room` says no. `on_state` gets a state and
    its reason: up, down, journal-full, behind, level, refused, strangers. `on_caller` gets each waiting caller whose
    channel the PBX has confirmed.
    """

    on_stretch: Callable[[Stretch], Awaitable[None]]
    on_state: Callable[[str, str], None]
    room: Callable[[], bool] = lambda: True
    on_caller: Callable[[WaitingCaller], Awaitable[None]] = _ignore


@dataclass(frozen=True, slots=True)
class LastRun:
    """What an earlier run knew at its end: by it a restart and a gap are known, and which calls the gap may hold.

    `boot` is the start-up stamp of that Asterisk, `heard_at` when it was last listened to (None: never), `newest` its
    last channel by then.
    """

    boot: str = ""
    heard_at: int | None = None
    newest: str = ""


FIRST_RUN: Final = LastRun()


class Pbx:
    """One Asterisk. First `recall`, then `run()`, which listens until cancelled."""

    def __init__(
        self,
        wiring: Wiring,
        journal: Journal,
        reached_after_s: Callable[[], float],
        consumer: Consumer,
        last_run: LastRun = FIRST_RUN,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.name = wiring.name
        self.tracker = Tracker(wiring.name, trunks=wiring.trunks, gives_originated=False)
        self.agents = AgentsView()
        self.dialler = Dialler(reached_after_s)
        self.queues: set[str] = set()  # all that the PBX has, also those without a member
        self.boot = last_run.boot  # the start-up stamp of that Asterisk; empty until it is known
        self.ready = False  # connected, the snapshot is in, and what the gap before it held
        self.clock_off_s = 0.0
        self.refused = RefusedMessages()  # messages that were refused, by why: forged, malformed
        self.gaps = 0  # times that the journal had no room for what came
        self._heard_at, self._up_at, self._newest_event_at = last_run.heard_at, 0, 0
        self.newest = self._newest = last_run.newest  # channels: the last one at `heard_at`, the last one of all
        self._journal, self._clock, self._wiring = journal, clock, wiring
        self._full = False
        self._stall, self._arrived_at = Stall(LOOK_EVERY_S), 0
        self._unclear: dict[str, Judged] = {}  # what could not be judged while stock was taken: the log may know
        self._on_state, self._on_stretch = consumer.on_state, consumer.on_stretch
        self._pipeline = Pipeline(self.tracker, self.dialler, journal, on_stretch=self._pass_on, room=consumer.room)
        account = Account(wiring.host, wiring.port, wiring.username, wiring.secret, wiring.tls)
        self._client = Client(account, Handlers(self._on_messages, self._on_up, self._on_down, WANTED))
        self.commands = Commands(self._client, self._pbx_clock)
        self._enquiries = Enquiries(
            self._client.action,
            self._note,
            clock=self._pbx_clock,
            detect=wiring.detect,
            legs=self._legs,
            there=consumer.on_caller,
        )
        self._stock = Stocktaking(self._client, self._pipeline, self.agents, self._enquiries, self.refused, self._clock)

    # Pipeline

    def recall(self, offset: int) -> Iterator[Stretch]:
        """Digest again what the journal holds from `offset` on (see `Journal.resume`): what was not committed."""
        yield from self._pipeline.recall(offset)

    async def run(self) -> None:
        """Listen until cancelled. Raises LoginRefused; after any other failure the connection is made anew."""
        await together(
            self._client.run(), self._pipeline.catch_up(), self._enquiries.run(), self._let_pass(), self._look_around()
        )

    async def level(self) -> None:
        """Wait until all that was read is digested: only then are the live channels known."""
        await self._pipeline.level()

    @property
    def is_level(self) -> bool:
        """Tell whether all that was read is digested."""
        return self._pipeline.is_level

    @property
    def behind_s(self) -> float:
        """Give by how many seconds digesting is behind what was read; 0 where it is not."""
        return self._pipeline.lag_s(self._clock())

    @property
    def heard_at(self) -> int | None:
        """When the PBX was last listened to; None: never."""
        return self._heard_at

    @property
    def stats(self) -> Stats:
        """The counts of its connections as they are now."""
        return self._client.stats

    def checkpoint(self) -> int:
        """The journal offset from which everything that is not over can be digested again."""
        return self._pipeline.checkpoint()

    async def _on_messages(self, messages: list[Message], arrived_at: int) -> None:
        heard: list[MessageHeard] = []
        for message in messages:
            event = parsing.read(message, arrived_at, self.refused)
            if type(event) is events.QueueMember:
                self.agents.feed(event)  # not for the journal: the next listing has it all
                continue
            attempt = dial.attempt_of_message(message)
            if event is not None or attempt is not None:
                heard.append((message, event, attempt))
        if not heard:
            return
        try:
            await self._pipeline.take(heard, arrived_at)
        except JournalFull as error:
            await self._make_room(error)
            raise
        self._full = False
        self._look_at([event for _, event, _ in heard if event is not None], arrived_at)

    def _look_at(self, told: list[events.Event], arrived_at: int) -> None:
        """Note what events that were taken tell of the PBX itself, and ask it about some of them."""
        if not told:
            return
        old_s = (arrived_at - told[0].at) / SECOND + self.clock_off_s
        self._stall.reads(old_s, (arrived_at - self._arrived_at) / SECOND)
        self._arrived_at = arrived_at
        self._newest_event_at = max(self._newest_event_at, *[event.at for event in told])
        for event in told:
            if isinstance(event, events.Newchannel):
                self._newest = newest(self._newest, event.uniqueid)
            elif type(event) in ASKED_ABOUT:
                self._enquiries.hear(event, behind_s=max(self._behind_s(arrived_at), self._stall.behind_s()))

    async def _pass_on(self, stretch: Stretch) -> None:
        if not self.ready:
            self._unclear.update((call.call_id, (call, verdict)) for call, verdict in stretch.calls if not verdict.rank)
        await self._on_stretch(stretch)

    async def _note(self, note: events.ChannelEvent) -> None:
        with suppress(JournalFull):  # the next message finds it full, and does what is to be done
            await self._pipeline.note(note, self._clock())

    async def _make_room(self, why: JournalFull) -> None:
        """Give up the calls that hold the older half of a full journal; the caller then makes the connection anew.

        To wait instead could last for ever: the Hangup that would free the journal could not be read. While digesting
        is behind, nothing is given up: the journal empties as digesting goes on.
        """
        self.gaps += 1
        if not self._full:
            self._full = True
            self._on_state("journal-full", str(why))
        if not self._pipeline.is_level:
            return
        middle = (self._journal.start + self._pipeline.digested_until) // 2
        self.dialler.forget_before(middle)
        calls = self.tracker.give_up(middle)
        await self._pipeline.deliver(self._pipeline.stretch(judged(calls)))  # the checkpoint alone frees too

    async def _look_around(self) -> None:
        """Check clocks, ages and counts now and then, and report what people should know."""
        clock_due, compare_due = Interval(CLOCK_EVERY_S), Interval(COMPARE_EVERY_S)
        status = StatusReporter(self._on_state)
        while True:
            self._stall.tick()
            await asyncio.sleep(LOOK_EVERY_S)
            if self.ready and clock_due.due():
                await self._measure_clock()
            if self.ready and compare_due.due():
                await self._compare_channels()
            now = self._clock()
            newest = f"; the newest of the stream: {self.refused.excerpt}" if self.refused.excerpt else ""
            status.report_counts(
                "refused", "messages refused since the start", self.refused + self._enquiries.refused, newest
            )
            status.report_counts("strangers", "callers on no trunk of ours, left out", self.tracker.strangers)
            status.report_lag(self._pipeline.lag_s(now), level=self._pipeline.is_level)
            self._grow_old(now)

    async def _compare_channels(self) -> None:
        """Compare the channels that we follow with a listing: a Hangup may have been lost, or refused."""
        asked_at, refused = self._clock(), self.stats.forged
        with suppress(NotConnected, ActionTimeout, ActionFailed):
            listed = await self._client.listing("CoreShowChannels", timeout_s=LISTING_TIMEOUT_S)
            await self._stock.caught_up()
            if self.stats.forged != refused:
                return  # the line of a live channel may have been refused
            present = {item.get("Uniqueid") for item in listed}
            calls = self.tracker.compare(present, self._clock(), asked_at=asked_at)
            attempts = self.dialler.keep_only(self.tracker.own_live())
            await self._pipeline.deliver(self._pipeline.stretch_if_any(calls, attempts))

    def _grow_old(self, now: int) -> None:
        """Forget what is too old to be of use."""
        self._journal.expire(now)
        self.dialler.tick(now)
        if self.ready:
            self._heard_at, self.newest = now, self._newest

    async def _let_pass(self) -> None:
        """End the graces of calls in time, whether or not events come.

        A grace that begins while this sleeps ends later than the sleep does. While messages are only kept, perhaps for
        as long as the database is away, none is looked at.
        """
        while True:
            await self._pipeline.level()
            now, ends_at = self._clock(), self.tracker.next_grace_ends_at()
            left_s = GRACE_S if ends_at is None else (ends_at - now) / SECOND
            await asyncio.sleep(min(max(left_s, TICK_S), GRACE_S))
            await self._pass_time(self._clock())

    async def _pass_time(self, now: int) -> None:
        """Pass on the calls that are over by now. While messages wait, their arrivals tell the time instead."""
        if self._pipeline.is_level and not self._client.held_bytes:
            await self._pipeline.deliver(self._pipeline.stretch_if_any(self.tracker.tick(now), []))

    # After a connection came up

    async def _on_up(self) -> None:
        """Take stock: waiting callers, live channels, whether that Asterisk was restarted, the calls of the gap.

        The log is read meanwhile, which may take long: callers who give up in that time are known from the first
        listing, or from the events of their own channels.
        """
        await self._stock.caught_up()
        up_at = self._clock()
        boot = await self.commands.boot_stamp()
        restarted = self.boot not in ("", boot)
        await self._measure_clock()
        looking = asyncio.ensure_future(self._look_back(up_at, restarted=restarted))
        try:
            await self._stock.first_look()
            gap_calls = await looking
            listed = await self._stock.ask()
            # What is let go of here is handed on at once: nothing may come between.
            missing = judged(self._stock.take(listed, restarted=restarted))
        except JournalFull as error:
            await self._make_room(error)
            raise
        finally:
            looking.cancel()
        self.queues = set(listed.queues)
        own = self.tracker.own_live()
        attempts = self.dialler.keep_only(own)
        for attempt in own:
            self.dialler.adopt(attempt, self._pipeline.digested_until)
        self.boot = boot
        if gap_calls is not None:
            gap_calls = gap.mark_doubtful(gap_calls, self._evidence(listed, gap_calls, restarted=restarted))
        calls = gap.best_verdicts(
            [*self._unclear.values(), *missing], gap_calls.calls if gap_calls else (), self.tracker.alive()
        )
        await self._pipeline.deliver(self._pipeline.stretch(calls, attempts, gap_calls.gap if gap_calls else None))
        self._unclear.clear()
        self.ready, self._up_at = True, up_at
        await self._stock.confirm(listed)
        self._on_state("up", f"Asterisk started {boot}" + (", restarted since we last saw it" if restarted else ""))

    async def _look_back(self, until: int, *, restarted: bool) -> gap.GapCalls | None:
        """Read the calls of the gap from the logs; None if this PBX was never listened to."""
        since = self._heard_at
        if since is None or since >= until:
            return None
        off = int(self.clock_off_s * SECOND)  # the logs are written by the PBX's clock
        times = (since + off, until + off)
        gap_calls = await asyncio.to_thread(
            gap.ask_logs, self._wiring, *times, restarted=restarted, known=self.tracker.knows
        )
        return replace(gap_calls, gap=replace(gap_calls.gap, since=since, until=until))

    def _evidence(self, listed: Listings, gap_calls: gap.GapCalls, *, restarted: bool) -> GapEvidence:
        """Give what was heard before the gap and after it: what the log tells of it is mark_doubtful by that."""
        log = self._wiring.log
        return GapEvidence(
            since=gap_calls.gap.since + int(self.clock_off_s * SECOND),
            newest=self.newest,
            after=[self._newest, *(channel.uniqueid for channel in listed.channels)],
            heard=self.tracker.knows,
            recorded=gap_calls.recorded,
            restarted=restarted,
            forgeable=log is None or log.forgeable,
        )

    async def _measure_clock(self) -> None:
        """Compare the clocks by a Ping; if the connection is lost meanwhile, the last figure stays."""
        with suppress(NotConnected, ActionTimeout, ActionFailed):
            stamp = (await self._client.ping()).get("Timestamp")
            self.clock_off_s = float(stamp) - self._clock() / SECOND if stamp else 0.0

    def _pbx_clock(self) -> int:
        """The PBX's clock, as its events are stamped."""
        return self._clock() + int(self.clock_off_s * SECOND)

    def _behind_s(self, arrived_at: int) -> float:
        """Give how long ago the PBX sent what came. The newest of all stamps counts: a single one may be forged."""
        return max(0.0, (arrived_at - self._newest_event_at) / SECOND + self.clock_off_s)

    def _legs(self, talk: events.AgentConnect) -> list[events.ChannelEvent]:
        """Give the channels that carry a talk's voice: a Local channel only connects others."""
        live = {channel.uniqueid: channel for channel in self.tracker.channels.of_call(talk.linkedid)}
        return [
            events.ChannelEvent(talk.at, channel.uniqueid, channel.linkedid, channel.channel)
            for channel in live.values()
            if not is_local(channel.channel)
        ]

    async def _on_down(self, reason: str) -> None:
        if self.ready and self._heard_at is not None:
            self._heard_at = max(self._up_at, self._heard_at - SILENT_S * SECOND)
        self.ready = False
        self._on_state("down", reason)

    # Our attempts

    def own_live(self) -> set[str]:
        """Give our attempts that have a live channel, as far as was heard."""
        return self.tracker.own_live()

    def forget(self, attempt: str) -> None:
        """Stop following an attempt that was resolved by its ticket: it no longer holds the journal."""
        self.dialler.forget(attempt)
