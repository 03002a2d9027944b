"""From messages to calls and attempts, in order: each message is written to the journal, then digested.

Reading never waits for the consumer. While the consumer has no room (the database is away, or slow), messages are only
written; they are read from the journal again as there is room. So memory stays bounded, the order is kept, and what is
not yet digested survives a kill. A checkpoint never lies beyond what was digested, nor beyond what survives a kill.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from telephony import events, parsing
from telephony.ami.protocol import LINE_END, Message
from telephony.calls.call import Call, Judged
from telephony.calls.facts.agent_call import AgentCall
from telephony.calls.open_call import REPEATED
from telephony.calls.tracker import Tracker
from telephony.calls.verdict import judge
from telephony.dialling import dialler as dial
from telephony.dialling.dialler import Dialler
from telephony.listening import notes
from telephony.listening.gap import Gap
from telephony.listening.journal import Journal, JournalFull
from telephony.listening.segments import Record

FULL_DISK_S: Final = 1.0
TURN: Final = 256
"""RecordedCalls digested in one go while catching up, before others have their turn."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stretch of the stream told. Once it is committed, the journal before `checkpoint` may be deleted."""

    calls: tuple[Judged, ...]
    attempts: tuple[dial.AttemptEvent, ...]
    checkpoint: int
    gap: Gap | None = None
    agent_calls: tuple[AgentCall, ...] = ()


class Pipeline:
    """Writes messages to the journal and digests them. `on_stretch` gets the results in order.

    It may be slow while `room` says no.
    """

    def __init__(
        self,
        tracker: Tracker,
        dialler: Dialler,
        journal: Journal,
        *,
        on_stretch: Callable[[Stretch], Awaitable[None]],
        room: Callable[[], bool],
    ) -> None:
        self.tracker, self.dialler, self.journal = tracker, dialler, journal
        self.digested_until = journal.start
        self._on_stretch, self._room = on_stretch, room
        self._level = asyncio.Event()
        self._level.set()
        self._behind = asyncio.Event()
        self._flushing = self._unflushed = False
        self._digesting_at = 0  # the arrival of what is digested now, while behind

    def recall(self, offset: int) -> Iterator[Stretch]:
        """Digest again what the journal holds from `offset` on (see `Journal.resume`): what was not committed."""
        for record in self.journal.read_from(offset):
            stretch = self._digest_record(record)
            if stretch is not None:
                yield stretch
        self.all_digested()

    def all_digested(self) -> None:
        """Note that everything in the journal is digested."""
        self.digested_until = self.journal.end

    async def take(self, message: Message, event: events.Event | None, arrived_at: int) -> None:
        """Write a message to the journal, and digest it unless earlier ones wait. JournalFull if there is no room.

        Events that only repeat are not written: without them a verdict is less exact, never wrong. While earlier ones
        wait, the tracker cannot tell what repeats.
        """
        now = self._level.is_set()
        if event is not None and (not self.tracker.adds(event) if now else isinstance(event, REPEATED)):
            if now and self._room():
                await self.deliver(self.stretch_if_any(self.tracker.feed(event, arrived_at), []))
            return
        record = self.keep(message.raw, arrived_at)
        if self._level.is_set() and self._room():
            await self.deliver(self._digest(message, event, record))
        elif self._level.is_set():
            self._level.clear()
            self._digesting_at = arrived_at
            self._behind.set()

    async def note(self, note: events.ChannelEvent, arrived_at: int) -> None:
        """Write and digest a note, like a message."""
        await self.take(Message(notes.write(note)), note, arrived_at)

    def keep(self, raw: bytes, arrived_at: int) -> Record:
        """Write to the journal. It survives a kill once it is flushed, which is before its results are passed on."""
        if self._unflushed:
            self.journal.flush()
        offset = self.journal.append(raw, arrived_at)
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)
        return Record(offset, arrived_at, raw, self.journal.end)

    def _flush(self) -> None:
        """Flush once for all messages of one read: to flush each one costs more than to judge it.

        If the disk is full, the next message is refused, and no checkpoint lies beyond what is on the disk.
        """
        self._flushing = False
        try:
            self.journal.flush()
        except JournalFull:
            self._unflushed = True
        else:
            self._unflushed = False

    async def catch_up(self) -> None:
        """Digest what was only written, as there is room, until cancelled."""
        while True:
            await self._behind.wait()
            while self.digested_until < (end := self.journal.end):
                try:
                    await self._digest_until(end)
                except JournalFull as error:
                    log.warning("catching up again in %s s: %s", FULL_DISK_S, error)
                    await asyncio.sleep(FULL_DISK_S)
            self._behind.clear()
            self._level.set()

    async def level(self) -> None:
        """Wait until all that was read is digested."""
        while not self._level.is_set():  # what came between its end and our turn may have begun a new one
            await self._level.wait()

    def lag_s(self, now: int) -> float:
        """Give by how many seconds digesting is behind; 0 where it is not."""
        return 0.0 if self._level.is_set() else max(0.0, (now - self._digesting_at) / 1e6)

    @property
    def is_level(self) -> bool:
        """Tell whether all that was read is digested."""
        return self._level.is_set()

    def checkpoint(self) -> int:
        """The journal offset from which everything that is not over can be heard again."""
        oldest = (self.tracker.oldest_offset(), self.dialler.oldest_offset())
        safe = min(self.digested_until, self.journal.flushed_until)
        return min(offset for offset in (*oldest, safe) if offset is not None)

    def stretch_if_any(self, calls: list[Call], attempts: list[dial.AttemptEvent]) -> Stretch | None:
        """Give the stretch that ends here; None if it told nothing."""
        some = calls or attempts or self.tracker.agent_calls
        return self.stretch(judged(calls), attempts) if some else None

    def stretch(
        self, calls: Iterable[Judged], attempts: Iterable[dial.AttemptEvent] = (), gap: Gap | None = None
    ) -> Stretch:
        """Give a stretch with its checkpoint; flushes the journal for it."""
        self._flush()
        agent_calls = tuple(self.tracker.agent_calls)
        self.tracker.agent_calls.clear()
        return Stretch(tuple(calls), tuple(attempts), self.checkpoint(), gap, agent_calls)

    async def deliver(self, stretch: Stretch | None) -> None:
        """Pass a stretch to the consumer, if there is one."""
        if stretch is not None:
            await self._on_stretch(stretch)

    async def _digest_until(self, end: int) -> None:
        for count, record in enumerate(self.journal.read_from(self.digested_until)):
            self._digesting_at = record.arrived_at
            await self.deliver(self._digest_record(record))
            if count % TURN == TURN - 1:
                await asyncio.sleep(0)
        self.digested_until = max(self.digested_until, end)  # what is damaged is left out

    def _digest_record(self, record: Record) -> Stretch | None:
        message = Message(record.raw)
        event = notes.read(record.raw) or parsing.read(message, record.arrived_at)
        return self._digest(message, event, record)

    def _digest(self, message: Message, event: events.Event | None, record: Record) -> Stretch | None:
        self.digested_until = record.next_offset
        calls: list[Call] = []
        if event is not None:
            calls = self.tracker.feed(event, record.arrived_at, record.offset)
        attempts = self.dialler.feed(message, event.at if event else record.arrived_at, record.offset)
        if isinstance(event, events.Hangup) and dial.attempt_of_message(message) is not None:
            attempts += self.dialler.keep_only(self.tracker.own_live())
        return self.stretch_if_any(calls, attempts)


def wanted(raw: bytes) -> bool:
    """Tell from its bytes whether anything here reads an event. Most are not read: this check is their whole cost."""
    look = _LOOKS.get(raw[7 : raw.find(LINE_END)])
    return look is not None and look(raw)


_LOOKS: Final[dict[bytes, parsing.Look]] = {
    **dict.fromkeys(dial.KINDS, dial.wanted),
    **parsing.LOOKS,
    **dict.fromkeys(dial.KINDS & parsing.LOOKS.keys(), lambda raw: parsing.wanted(raw) or dial.wanted(raw)),
}


def judged(calls: list[Call]) -> tuple[Judged, ...]:
    """Judge each call."""
    return tuple((call, judge(call)) for call in calls)
