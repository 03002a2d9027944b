"""Questions to the PBX about its channels, asked beside the stream of events; each answer becomes a note.

Does the channel of a caller who joined a queue exist? A caller who forges lines of the stream can write a whole call,
but cannot make a channel: a Getvar on the Uniqueid finds it or not. Only a prompt "no such channel" proves a forgery: a
caller who joined some seconds ago may have hung up. And: switch on the detector (TALK_DETECT) for the channels of a
talk. It is set by AMI, without a change to the dialplan; those channels lose native bridging.

Questions wait in a bounded queue, and a few are asked at a time. Reading never waits for them: the answers lie behind
what is read. Work for a confirmed caller, such as a look into a database, has a queue of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple, Protocol

from telephony.ami.client import ActionFailed
from telephony.ami.protocol import Message
from telephony.errors import TelephonyError
from telephony.events import (
    AgentConnect,
    ChannelEvent,
    Confirmed,
    Denied,
    Detecting,
    Event,
    QueueCallerJoin,
    QueueEntry,
    kinds,
)
from telephony.ids import attempt_of, is_local

AT_A_TIME: Final = 8
CALLER_WORKERS: Final = 4
WAITING: Final = 2000
"""Questions that may wait. Callers who join while it is full of new ones are denied: a flood must not pass as calls."""
PROMPT_S: Final = 1.0
"""A "no such channel" later than this after the join does not prove that the channel never existed."""
TIMEOUT_S: Final = 5.0
DETECTOR: Final = "700,256"
"""TALK_DETECT: 700 ms of quiet end a talk; 256 is the energy of silence. Measured with both versions."""

log = logging.getLogger(__name__)


class Ask(Protocol):
    """Sends an action and gives its answer."""

    def __call__(self, name: str, headers: Iterable[tuple[str, str]], *, timeout_s: float) -> Awaitable[Message]:
        """Send the action, and wait for the answer."""
        ...


Note = Callable[[ChannelEvent], Awaitable[None]]
WaitingCaller = QueueCallerJoin | QueueEntry
ASKED_ABOUT: Final = kinds(QueueCallerJoin, QueueEntry, AgentConnect)
"""The events that raise a question."""


class Question(NamedTuple):
    """A question about a channel. `told_at` is when the PBX sent the event about it (monotonic s)."""

    kind: type[ChannelEvent]
    about: ChannelEvent
    told_at: float

    @property
    def late(self) -> bool:
        """Tell whether the channel may be gone by now although it existed."""
        return time.monotonic() - self.told_at > PROMPT_S


class Enquiries:
    """Asks the PBX about channels in its events. `detect` says for which queues; `legs` gives a talk's live channels.

    `there` is called for each waiting caller whose channel the PBX has confirmed. `refused` counts the answers other
    than yes and no, by the question: rights or a module are missing.
    """

    def __init__(
        self,
        ask: Ask,
        note: Note,
        *,
        clock: Callable[[], int],
        detect: Callable[[str], bool],
        legs: Callable[[AgentConnect], Iterable[ChannelEvent]],
        there: Callable[[WaitingCaller], Awaitable[None]],
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._ask, self._note, self._clock, self._detect, self._legs = ask, note, clock, detect, legs
        self._there = there
        self._questions: deque[Question] = deque()
        self._waiting = asyncio.Semaphore(0)
        self._overflow: deque[ChannelEvent] = deque(maxlen=WAITING)
        self._callers: asyncio.Queue[WaitingCaller] = asyncio.Queue(WAITING)

    def hear(self, event: Event, *, behind_s: float = 0.0) -> None:
        """Queue the questions about an event, without waiting.

        `behind_s` is how long ago the PBX sent it: this process, or the network, may have stopped meanwhile.
        """
        told_at = time.monotonic() - behind_s
        if isinstance(event, WaitingCaller):
            if _customer(event):
                self._put(Question(Confirmed, event, told_at))
        elif isinstance(event, AgentConnect) and self._detect(event.queue):
            for leg in self._legs(event):
                self._put(Question(Detecting, leg, told_at))

    async def listed(self, caller: QueueEntry, number: str) -> None:
        """Confirm a caller whose channel, with that number, is in a listing of all channels: no question is needed."""
        if _customer(caller):
            await self._confirmed(caller, number)

    async def run(self) -> None:
        """Ask questions, and pass on confirmed callers, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_A_TIME):
                tasks.create_task(self._work())
            for _ in range(CALLER_WORKERS):
                tasks.create_task(self._pass_on_callers())

    def _put(self, question: Question) -> None:
        if len(self._questions) < WAITING:
            self._questions.append(question)
        elif self._questions[
            0
        ].late:  # no flood, but a PBX that does not answer: the oldest question is of no use any more
            self._questions.popleft()
            self._questions.append(question)
            self.refused["asked too late"] += 1
        else:
            self.refused["too many questions"] += 1
            if question.kind is Confirmed:
                self._overflow.append(question.about)
        self._waiting.release()

    async def _work(self) -> None:
        while True:
            await self._waiting.acquire()
            if not self._overflow and not self._questions:
                continue
            about = self._overflow.popleft() if self._overflow else None
            question = Question(Denied, about, 0) if about is not None else self._questions.popleft()
            try:
                await self._answer(question)
            except TelephonyError as error:
                log.info("no answer about channel %s: %s", question.about.uniqueid, error)

    async def _pass_on_callers(self) -> None:
        while True:
            caller = await self._callers.get()
            try:
                await self._there(caller)
            except Exception as error:  # in `there`: the other callers are passed on all the same
                log.warning("waiting caller %s could not be handled: %s", caller.uniqueid, error)
                log.debug("traceback", exc_info=True)

    async def _answer(self, question: Question) -> None:
        if question.kind is Confirmed:
            await self._confirm(question)
        elif question.kind is Detecting:
            await self._switch_on(question.about)
        else:
            await self._write_note(Denied, question.about)

    async def _confirm(self, question: Question) -> None:
        about = question.about
        headers = [("Channel", about.uniqueid), ("Variable", "CALLERID(num)")]
        try:
            answer = await self._ask("Getvar", headers, timeout_s=TIMEOUT_S)
        except ActionFailed as error:
            if "no such channel" not in error.message.get("Message").lower():
                self.refused[f"Getvar: {error.message.get('Message')}"] += 1
            elif not question.late:
                await self._write_note(Denied, about)
        else:
            await self._confirmed(about, answer.get("Value"))

    async def _confirmed(self, about: ChannelEvent, number: str) -> None:
        await self._note(Confirmed(self._clock(), about.uniqueid, about.linkedid, about.channel, number))
        if isinstance(about, WaitingCaller):
            if self._callers.full():  # the oldest one has probably hung up
                self._callers.get_nowait()
            self._callers.put_nowait(about)

    async def _switch_on(self, about: ChannelEvent) -> None:
        headers = [("Channel", about.uniqueid), ("Variable", "TALK_DETECT(set)"), ("Value", DETECTOR)]
        try:
            await self._ask("Setvar", headers, timeout_s=TIMEOUT_S)
        except ActionFailed as error:
            if "no such channel" not in error.message.get("Message").lower():
                self.refused[f"Setvar TALK_DETECT: {error.message.get('Message')}"] += 1
        else:
            await self._write_note(Detecting, about)

    async def _write_note(self, kind: type[Denied | Detecting], about: ChannelEvent) -> None:
        await self._note(kind(self._clock(), about.uniqueid, about.linkedid, about.channel))


def _customer(caller: WaitingCaller) -> bool:
    """Tell whether the waiting caller may be a customer."""
    return attempt_of(caller.uniqueid) is None and not is_local(caller.channel)
