"""The face of the package: one Asterisk, listened to and asked."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from telephony import events, parsing
from telephony.agents import AgentsView
from telephony.ami.client import ActionFailed, ActionTimeout, Client, NotConnected, Stats
from telephony.ami.protocol import Message
from telephony.ami.sieve import Refused
from telephony.calls.call import Judged
from telephony.calls.tracker import Tracker
from telephony.dialling import dialler as dial
from telephony.dialling.commands import Commands
from telephony.dialling.dialler import Dialler
from telephony.dialling.enquiries import Enquiries, WaitingCaller
from telephony.ids import SECOND, is_local
from telephony.listening import gap
from telephony.listening.gap import Gap
from telephony.listening.journal import Journal, JournalFull
from telephony.listening.pipeline import Heard, Listening, judged, wanted
from telephony.listening.proof import Known, newer
from telephony.listening.status import Every, Telling
from telephony.listening.stocktaking import LISTING_TIMEOUT_S, Listed, Stocktaking
from telephony.listening.wiring import Wiring
from telephony.tasks import together

__all__ = ["Gap", "Heard", "Pbx", "WaitingCaller", "Wiring"]

log = logging.getLogger(__name__)

TICK_S = 0.02
"""A verdict comes at most this much later than the grace of its call."""
LOOK_EVERY_S = 0.5
CLOCK_EVERY_S = 30
ROLL_CALL_EVERY_S = 120
"""How often the channels that live are compared with those that are thought to."""
SILENT_S = 15
"""A connection that died in silence is noticed so much later at most: a gap begins so much earlier."""


async def _nobody_asks(_caller: WaitingCaller) -> None:
    """Take no notice of who waits."""


class Pbx:
    """One Asterisk. First `recall`, then `run()`, which listens until cancelled.

    `on_heard` gets what was heard, in order; while `room` says no, it may be slow. `on_caller` is told of each caller
    who waits, once the PBX has said that he is there. `on_state` is told: up, down, journal-full, behind, level,
    refused, strangers. `boot`, `heard_at` and `newest` are what an earlier run saw last: the start-up stamp of that
    Asterisk, when it was listened to, and the last channel by then. So a restart and a gap are known while nobody
    listened, and which calls may have been in it.
    """

    def __init__(
        self,
        wiring: Wiring,
        journal: Journal,
        reached_after_s: float,
        *,
        on_heard: Callable[[Heard], Awaitable[None]],
        on_state: Callable[[str, str], None],
        room: Callable[[], bool] = lambda: True,
        on_caller: Callable[[WaitingCaller], Awaitable[None]] = _nobody_asks,
        boot: str = "",
        heard_at: int | None = None,
        newest: str = "",
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.name = wiring.name
        self.tracker = Tracker(wiring.name, trunks=wiring.trunks)
        self.agents = AgentsView()
        self.dialler = Dialler(reached_after_s)
        self.queues: set[str] = set()  # all that the PBX has, also those without a member
        self.boot = boot  # the start-up stamp of that Asterisk; empty until it is known
        self.ready = False  # connected, the snapshot is in, and what the gap before it held
        self.clock_off_s = 0.0
        self.refused = Refused()  # messages that were refused, by why: forged, malformed
        self.gaps = 0  # times that the journal had no room for what came
        self._heard_at, self._up_at, self._said_at = heard_at, 0, 0
        self.newest = self._newest = newest  # channels: the last one at `heard_at`, the last one of all
        self._journal, self._clock, self._wiring = journal, clock, wiring
        self._full = False
        self._unclear: dict[str, Judged] = {}  # what could not be judged while stock was taken: the log may know
        self._on_state, self._on_heard = on_state, on_heard
        self._listening = Listening(self.tracker, self.dialler, journal, on_heard=self._pass_on, room=room)
        self._client = Client(
            wiring.host,
            wiring.port,
            wiring.username,
            wiring.secret,
            on_message=self._on_message,
            on_up=self._on_up,
            on_down=self._on_down,
            wanted=wanted,
        )
        self.commands = Commands(self._client, self._pbx_clock)
        self._enquiries = Enquiries(
            self._client.action,
            self._note,
            clock=self._pbx_clock,
            detect=wiring.detect,
            legs=self._legs,
            there=on_caller,
        )
        self._stock = Stocktaking(
            self._client, self._listening, self.agents, self._enquiries, self.refused, self._clock
        )

    # Listening

    def recall(self, offset: int) -> Iterator[Heard]:
        """Hear again what the journal kept from `offset` on (`Journal.resume` says it): what was not committed."""
        yield from self._listening.recall(offset)

    async def run(self) -> None:
        """Listen for ever; raises LoginRefused, and whatever else went wrong is mended by reconnecting."""
        await together(
            self._client.run(), self._listening.catch_up(), self._enquiries.run(), self._let_pass(), self._look_around()
        )

    async def level(self) -> None:
        """Wait until all that was read is digested: only then is anything known of who is on the line."""
        await self._listening.level()

    @property
    def is_level(self) -> bool:
        """Tell whether all that was read is digested."""
        return self._listening.is_level

    @property
    def heard_at(self) -> int | None:
        """When the PBX was listened to last, as far as is known; None: nobody ever did."""
        return self._heard_at

    @property
    def stats(self) -> Stats:
        """The counts of its connections as they are now."""
        return self._client.stats

    def checkpoint(self) -> int:
        """The journal offset from which everything that is not over can be heard again."""
        return self._listening.checkpoint()

    async def _on_message(self, message: Message, arrived_at: int) -> None:
        event = parsing.read(message, arrived_at, self.refused)
        if isinstance(event, events.QueueMember):
            self.agents.feed(event)  # not to be heard again: the next listing tells it all
            return
        if event is None and dial.attempt_of_message(message) is None:
            return
        try:
            await self._listening.hear(message, event, arrived_at)
        except JournalFull as error:
            await self._make_room(error)
            raise
        self._full = False
        if isinstance(event, events.Newchannel):
            self._newest = newer(self._newest, event.uniqueid)
        if isinstance(event, events.ChannelEvent):
            self._enquiries.hear(event, behind_s=self._behind_s(event, arrived_at))

    async def _pass_on(self, heard: Heard) -> None:
        if not self.ready:
            self._unclear.update((call.call_id, (call, verdict)) for call, verdict in heard.calls if not verdict.rank)
        await self._on_heard(heard)

    async def _note(self, note: events.ChannelEvent) -> None:
        with suppress(JournalFull):  # the next message finds it full, and does what is to be done
            await self._listening.note(note, self._clock())

    async def _make_room(self, why: JournalFull) -> None:
        """Give up what holds the older half of a full journal; the connection is then to be made anew, to take stock.

        Waiting instead would be deafness for ever: the Hangup that would free the journal could not be read. Only
        where digesting is behind is there nothing to give up: the journal empties as it goes on.
        """
        self.gaps += 1
        if not self._full:
            self._full = True
            self._on_state("journal-full", str(why))
        if not self._listening.is_level:
            return
        middle = (self._journal.start + self._listening.digested_until) // 2
        self.dialler.forget_before(middle)
        calls = self.tracker.let_go(middle)
        await self._listening.hand_on(self._listening.stretch(judged(calls)))  # the checkpoint alone frees too

    async def _look_around(self) -> None:
        """See now and then to clocks, ages, and what people ought to know."""
        every_clock, every_roll_call = Every(CLOCK_EVERY_S), Every(ROLL_CALL_EVERY_S)
        telling = Telling(self._on_state)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self.ready and every_clock.due():
                await self._measure_clock()
            if self.ready and every_roll_call.due():
                await self._call_the_roll()
            now = self._clock()
            newest = f"; the newest of the stream: {self.refused.excerpt}" if self.refused.excerpt else ""
            telling.counted(
                "refused", "messages refused since the start", self.refused + self._enquiries.refused, newest
            )
            telling.counted("strangers", "callers on no trunk of ours, left out", self.tracker.strangers)
            telling.lag(self._listening.lag_s(now), level=self._listening.is_level)
            self._grow_old(now)

    async def _call_the_roll(self) -> None:
        """Compare the channels that live with those that are thought to: a Hangup may have been lost, or refused."""
        asked_at, refused = self._clock(), self.stats.forged
        with suppress(NotConnected, ActionTimeout, ActionFailed):
            listed = await self._client.listing("CoreShowChannels", timeout_s=LISTING_TIMEOUT_S)
            await self._stock.caught_up()
            if self.stats.forged != refused:
                return  # a line may have been refused, of somebody who is there
            present = {item.get("Uniqueid") for item in listed}
            calls = self.tracker.miss(present, self._clock(), asked_at=asked_at)
            attempts = self.dialler.keep_only(self.tracker.own_live())
            await self._listening.hand_on(self._listening.heard(calls, attempts))

    def _grow_old(self, now: int) -> None:
        """Let go of what is too old to be of use."""
        self._journal.expire(now)
        self.dialler.tick(now)
        if self.ready:
            self._heard_at, self.newest = now, self._newest

    async def _let_pass(self) -> None:
        """Let the graces of calls pass, whether or not anything is heard."""
        while True:
            await asyncio.sleep(TICK_S)
            await self._pass_time(self._clock())

    async def _pass_time(self, now: int) -> None:
        """Look what is over by now. While messages are held or not digested, their arrivals tell the time."""
        if self._listening.is_level and not self._client.held_bytes:
            await self._listening.hand_on(self._listening.heard(self.tracker.tick(now), []))

    # After a connection came up

    async def _on_up(self) -> None:
        """Take stock: who waits, which channels live, whether that Asterisk was restarted, what the gap held.

        The log is read beside it, for that may take long: whoever gives up meanwhile is known from the first listing,
        or by what the events of his own channel say.
        """
        await self._stock.caught_up()
        up_at = self._clock()
        boot = await self.commands.boot_stamp()
        restarted = self.boot not in ("", boot)
        await self._measure_clock()
        looking = asyncio.ensure_future(self._look_back(up_at, restarted=restarted))
        try:
            await self._stock.meet()
            told = await looking
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
            self.dialler.adopt(attempt, self._listening.digested_until)
        self.boot = boot
        if told is not None:
            told = gap.weighed(told, self._known(listed, told, restarted=restarted))
        calls = gap.explained([*self._unclear.values(), *missing], told.calls if told else (), self.tracker.alive())
        await self._listening.hand_on(self._listening.stretch(calls, attempts, told.gap if told else None))
        self._unclear.clear()
        self.ready, self._up_at = True, up_at
        await self._stock.introduce(listed)
        self._on_state("up", f"Asterisk started {boot}" + (", restarted since we last saw it" if restarted else ""))

    async def _look_back(self, until: int, *, restarted: bool) -> gap.Told | None:
        """Ask the logs what came and went since somebody listened last; nobody ever did: then there is no gap."""
        since = self._heard_at
        if since is None or since >= until:
            return None
        off = int(self.clock_off_s * SECOND)  # the logs are written by the PBX's clock
        times = (since + off, until + off)
        told = await asyncio.to_thread(gap.ask, self._wiring, *times, restarted=restarted, known=self.tracker.knows)
        return replace(told, gap=replace(told.gap, since=since, until=until))

    def _known(self, listed: Listed, told: gap.Told, *, restarted: bool) -> Known:
        """Give what was heard before the gap and after it: what the log tells of it is weighed by that."""
        log = self._wiring.log
        return Known(
            since=told.gap.since + int(self.clock_off_s * SECOND),
            newest=self.newest,
            after=[self._newest, *(channel.uniqueid for channel in listed.channels)],
            heard=self.tracker.knows,
            recorded=told.recorded,
            restarted=restarted,
            forgeable=log is None or log.forgeable,
        )

    async def _measure_clock(self) -> None:
        """Compare clocks by a ping; a connection that is lost meanwhile leaves the last figure."""
        with suppress(NotConnected, ActionTimeout, ActionFailed):
            stamp = (await self._client.ping()).get("Timestamp")
            self.clock_off_s = float(stamp) - self._clock() / SECOND if stamp else 0.0

    def _pbx_clock(self) -> int:
        """The PBX's clock, as its events are stamped."""
        return self._clock() + int(self.clock_off_s * SECOND)

    def _behind_s(self, event: events.Event, arrived_at: int) -> float:
        """Give how long ago the PBX said what arrived then. The newest that it said counts: one time may be forged."""
        self._said_at = max(self._said_at, event.at)
        return max(0.0, (arrived_at - self._said_at) / SECOND + self.clock_off_s)

    def _legs(self, talk: events.AgentConnect) -> list[events.ChannelEvent]:
        """Give the channels that carry a talk's voice: a Local one only ties others together."""
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
        """Stop following an attempt that was resolved by its ticket: it holds the journal no more."""
        self.dialler.forget(attempt)
