"""From what was read to what follows from it, in order: kept in the journal first, then digested.

Reading never waits for what follows. While that has no room (the database is away, or slow), messages are only kept;
what was not digested is read from the journal again as there is room. So memory stays bounded, the order is kept, and
what is not yet digested survives a kill like the rest. A checkpoint never lies beyond what was digested, nor beyond
what survives a kill.
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
from telephony.calls.open_call import FLEETING
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
"""Records digested in one go while catching up, before others have their turn."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stretch of the stream came to. Once it is committed, the journal before `checkpoint` may go."""

    calls: tuple[Judged, ...]
    attempts: tuple[dial.AttemptEvent, ...]
    checkpoint: int
    gap: Gap | None = None
    agent_calls: tuple[AgentCall, ...] = ()


class Listening:
    """Keeps and digests what is heard. `on_heard` gets what follows, in order; it may be slow where `room` says no."""

    def __init__(
        self,
        tracker: Tracker,
        dialler: Dialler,
        journal: Journal,
        *,
        on_heard: Callable[[Heard], Awaitable[None]],
        room: Callable[[], bool],
    ) -> None:
        self.tracker, self.dialler, self.journal = tracker, dialler, journal
        self.digested_until = journal.start
        self._on_heard, self._room = on_heard, room
        self._level = asyncio.Event()
        self._level.set()
        self._behind = asyncio.Event()
        self._flushing = self._unflushed = False
        self._digesting_at = 0  # the arrival of what is digested now, while behind

    def recall(self, offset: int) -> Iterator[Heard]:
        """Hear again what the journal kept from `offset` on (`Journal.resume` says it): what was not committed."""
        for record in self.journal.read_from(offset):
            heard = self._digest_record(record)
            if heard is not None:
                yield heard
        self.all_digested()

    def all_digested(self) -> None:
        """Note that everything in the journal was digested: heard again, or taken from a listing."""
        self.digested_until = self.journal.end

    async def hear(self, message: Message, event: events.Event | None, arrived_at: int) -> None:
        """Keep a message, and digest it unless others before it wait. Raises JournalFull where it cannot be kept.

        What is said again and again is not kept: to lose it makes a verdict less exact, never wrong. While others wait,
        nobody can tell whether all else was said before: the tracker has not heard those.
        """
        now = self._level.is_set()
        if event is not None and (not self.tracker.adds(event) if now else isinstance(event, FLEETING)):
            if now and self._room():
                await self.hand_on(self.heard(self.tracker.feed(event, arrived_at), []))
            return
        record = self.keep(message.raw, arrived_at)
        if self._level.is_set() and self._room():
            await self.hand_on(self._digest(message, event, record))
        elif self._level.is_set():
            self._level.clear()
            self._digesting_at = arrived_at
            self._behind.set()

    async def note(self, note: events.ChannelEvent, arrived_at: int) -> None:
        """Keep and digest what was found out by asking, like a message."""
        await self.hear(Message(notes.write(note)), note, arrived_at)

    def keep(self, raw: bytes, arrived_at: int) -> Record:
        """Add to the journal; it survives a kill as soon as it is flushed, which is before anything follows from it."""
        if self._unflushed:
            self.journal.flush()
        offset = self.journal.append(raw, arrived_at)
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)
        return Record(offset, arrived_at, raw, self.journal.end)

    def _flush(self) -> None:
        """Flush once for all that one read brought: to write each message by itself costs more than to judge it.

        Where the disk is full, the next message is refused, and no checkpoint lies beyond what is on the disk.
        """
        self._flushing = False
        try:
            self.journal.flush()
        except JournalFull:
            self._unflushed = True
        else:
            self._unflushed = False

    async def catch_up(self) -> None:
        """Digest what was only kept, as there is room, until cancelled."""
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

    def heard(self, calls: list[Call], attempts: list[dial.AttemptEvent]) -> Heard | None:
        """Give what follows from a stretch; None where nothing does."""
        follows = calls or attempts or self.tracker.agent_calls
        return self.stretch(judged(calls), attempts) if follows else None

    def stretch(
        self, calls: Iterable[Judged], attempts: Iterable[dial.AttemptEvent] = (), gap: Gap | None = None
    ) -> Heard:
        """Give a stretch with its checkpoint, for which what was kept so far is flushed."""
        self._flush()
        agent_calls = tuple(self.tracker.agent_calls)
        self.tracker.agent_calls.clear()
        return Heard(tuple(calls), tuple(attempts), self.checkpoint(), gap, agent_calls)

    async def hand_on(self, heard: Heard | None) -> None:
        """Tell what follows, where something does."""
        if heard is not None:
            await self._on_heard(heard)

    async def _digest_until(self, end: int) -> None:
        for count, record in enumerate(self.journal.read_from(self.digested_until)):
            self._digesting_at = record.arrived_at
            await self.hand_on(self._digest_record(record))
            if count % TURN == TURN - 1:
                await asyncio.sleep(0)
        self.digested_until = max(self.digested_until, end)  # what is damaged is left out

    def _digest_record(self, record: Record) -> Heard | None:
        message = Message(record.raw)
        event = notes.read(record.raw) or parsing.read(message, record.arrived_at)
        return self._digest(message, event, record)

    def _digest(self, message: Message, event: events.Event | None, record: Record) -> Heard | None:
        self.digested_until = record.next_offset
        calls: list[Call] = []
        if event is not None:
            calls = self.tracker.feed(event, record.arrived_at, record.offset)
        attempts = self.dialler.feed(message, event.at if event else record.arrived_at, record.offset)
        if isinstance(event, events.Hangup) and dial.attempt_of_message(message) is not None:
            attempts += self.dialler.keep_only(self.tracker.own_live())
        return self.heard(calls, attempts)


def wanted(raw: bytes) -> bool:
    """Tell by a look at its bytes whether anybody reads an event. Most nobody does: this is what they cost."""
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
