"""From messages to calls and attempts, in order: what one read brought is digested, and written to the journal.

Reading never waits for the consumer. While the consumer has no room (the database is away, or slow), messages are only
written; they are read from the journal again as there is room. So memory stays bounded, the order is kept, and what is
not yet digested survives a kill. Results are passed on when what they were made from is in the journal.

What one read brought shares its arrival, its record in the journal, one look at the graces that ended, and one stretch
for the consumer: each of these costs more than to digest a message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from telephony import events, parsing
from telephony.ami.protocol import MESSAGE_END, Message
from telephony.ami.wanted import Looks, either
from telephony.calls.call import Call, Judged
from telephony.calls.facts.agent_call import AgentCall
from telephony.calls.open_call import REPEATED
from telephony.calls.tracker import Tracker
from telephony.calls.verdict import judge
from telephony.dialling import dialler as dial
from telephony.dialling.dialler import Dialler
from telephony.errors import NotLevel
from telephony.listening import notes
from telephony.listening.gap import Gap
from telephony.listening.journal import Journal, JournalFull
from telephony.listening.segments import HEADER_LIMIT, Record

FULL_DISK_S: Final = 1.0
TURN: Final = 256
"""Messages digested in one go while catching up, before others have their turn."""

MessageHeard = tuple[Message, events.Event | None, str | None]
"""A message, what it tells (None where only the dialler reads it), and the attempt of ours that it is about."""

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
        self._ended = False  # catching up
        self._level.set()
        self._behind = asyncio.Event()
        self._digesting_at = 0  # the arrival of what is digested now, while behind

    def recall(self, offset: int) -> Iterator[Stretch]:
        """Digest again what the journal holds from `offset` on (see `Journal.resume`): what was not committed."""
        for record in self.journal.read_from(offset):
            _, stretch = self._digest_record(record)
            if stretch is not None:
                yield stretch
        self.all_digested()

    def all_digested(self) -> None:
        """Note that everything in the journal is digested."""
        self.digested_until = self.journal.end

    async def take(self, heard: Sequence[MessageHeard], arrived_at: int) -> None:
        """Digest what one read brought and write it to the journal; only write it while earlier messages wait.

        JournalFull where there is no room, and nothing of it was taken; or on a full disk: then it was digested, and no
        checkpoint lies beyond what is on the disk.

        Events that only repeat are not written: without them a verdict is less exact, never wrong. While earlier ones
        wait, the tracker cannot tell what repeats.
        """
        lasting = [message.raw for message, event, _ in heard if type(event) not in REPEATED]
        if not (self._level.is_set() and self._room()):
            self._write(lasting, arrived_at)
            if self._level.is_set():
                self._level.clear()
                self._digesting_at = arrived_at
                self._behind.set()
            return
        if lasting:  # of these alone some are written
            self.journal.check_room(sum([len(raw) + len(MESSAGE_END) for raw in lasting]) + HEADER_LIMIT)
        needed: list[bytes] = []
        calls, attempts = self._digest(heard, arrived_at, self.journal.end, needed)
        try:
            self._write(needed, arrived_at)
            self.all_digested()
        finally:
            await self.deliver(self.stretch_if_any(calls, attempts))

    async def note(self, note: events.ChannelEvent, arrived_at: int) -> None:
        """Write and digest a note, like a message."""
        await self.take([(Message(notes.write(note)), note, None)], arrived_at)

    def _write(self, raws: list[bytes], arrived_at: int) -> None:
        if raws:
            self.journal.append(MESSAGE_END.join(raws), arrived_at)

    async def catch_up(self) -> None:
        """Digest what was only written, as there is room, until cancelled."""
        self._ended = False
        try:
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
        finally:
            self._ended = True
            self._level.set()  # whoever waits for it waits no more

    async def level(self) -> None:
        """Wait until all that was read is digested. NotLevel where that will not be: catching up has ended."""
        while not (self._level.is_set() or self._ended):  # what came between its end and our turn may have begun anew
            await self._level.wait()
        if self._ended and self.digested_until < self.journal.end:
            raise NotLevel("not all that was read is digested yet, and nobody listens any more")

    def lag_s(self, now: int) -> float:
        """Give by how many seconds digesting is behind; 0 where it is not."""
        return 0.0 if self._level.is_set() else max(0.0, (now - self._digesting_at) / 1e6)

    @property
    def is_level(self) -> bool:
        """Tell whether all that was read is digested."""
        return self._level.is_set()

    def checkpoint(self) -> int:
        """The journal offset from which everything that is not over can be heard again."""
        oldest = (self.tracker.oldest_offset(), self.dialler.oldest_offset(), self.digested_until)
        return min(offset for offset in oldest if offset is not None)

    def stretch_if_any(self, calls: list[Call], attempts: list[dial.AttemptEvent]) -> Stretch | None:
        """Give the stretch that ends here; None if it told nothing."""
        some = calls or attempts or self.tracker.agent_calls
        return self.stretch(judged(calls), attempts) if some else None

    def stretch(
        self, calls: Iterable[Judged], attempts: Iterable[dial.AttemptEvent] = (), gap: Gap | None = None
    ) -> Stretch:
        """Give a stretch with its checkpoint."""
        agent_calls = tuple(self.tracker.agent_calls)
        self.tracker.agent_calls.clear()
        return Stretch(tuple(calls), tuple(attempts), self.checkpoint(), gap, agent_calls)

    async def deliver(self, stretch: Stretch | None) -> None:
        """Pass a stretch to the consumer, if there is one."""
        if stretch is not None:
            await self._on_stretch(stretch)

    async def _digest_until(self, end: int) -> None:
        since_turn = 0
        for record in self.journal.read_from(self.digested_until):
            self._digesting_at = record.arrived_at
            messages, stretch = self._digest_record(record)
            await self.deliver(stretch)
            since_turn += messages
            if since_turn >= TURN:
                since_turn = 0
                await asyncio.sleep(0)
        self.digested_until = max(self.digested_until, end)  # what is damaged is left out

    def _digest_record(self, record: Record) -> tuple[int, Stretch | None]:
        """Digest again what a record holds: give how many messages, and what they told."""
        heard = list(_read_again(record))
        calls, attempts = self._digest(heard, record.arrived_at, record.offset)
        self.digested_until = record.next_offset
        return len(heard), self.stretch_if_any(calls, attempts)

    def _digest(
        self, heard: Sequence[MessageHeard], arrived_at: int, offset: int, needed: list[bytes] | None = None
    ) -> tuple[list[Call], list[dial.AttemptEvent]]:
        """Digest messages of one arrival, which are in the journal at `offset`; `needed` gets those that must be."""
        tracker, attempts = self.tracker, list[dial.AttemptEvent]()
        calls = tracker.tick(arrived_at)
        for message, event, attempt in heard:
            adds = event is None or tracker.take(event, offset)
            if adds and needed is not None:
                needed.append(message.raw)
            if attempt is not None:
                attempts += self.dialler.take(attempt, message, event.at if event else arrived_at, offset)
                if isinstance(event, events.Hangup):
                    attempts += self.dialler.keep_only(tracker.own_live())
        return calls, attempts


def _read_again(record: Record) -> Iterator[MessageHeard]:
    """Give the messages of a record with their events; the note, if it is one."""
    note = notes.read(record.body)
    if note is not None:
        yield Message(record.body), note, None
        return
    for raw in record.body.split(MESSAGE_END):
        message = Message(raw)
        yield message, parsing.read(message, record.arrived_at), dial.attempt_of_message(message)


WANTED: Final[Looks] = {
    b"Event: " + kind: look
    for kind, look in (
        dict.fromkeys(dial.KINDS, dial.wanted)
        | parsing.LOOKS
        | {kind: either(parsing.LOOKS[kind], dial.wanted) for kind in dial.KINDS & parsing.LOOKS.keys()}
    ).items()
}
"""The kinds of event that anything here reads. Most are not read: that they are not here is their whole cost."""


def judged(calls: list[Call]) -> tuple[Judged, ...]:
    """Judge each call."""
    return tuple((call, judge(call)) for call in calls)
