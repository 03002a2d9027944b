"""Questions that the PBX is asked about its channels, while it is listened to; what it answers becomes a note.

Is the caller who joined a queue really there? Whoever can write into the stream can write a whole call, but no channel:
a Getvar on the Uniqueid finds it or not. Only an answer that comes soon says that nobody ever was: who joined some
seconds ago may have hung up since. And: may the PBX tell, from now on, when somebody talks on these channels?
TALK_DETECT is set by AMI, without any change to the dialplan; it costs the native bridging of those channels.

Questions wait in a bounded line and are asked a few at a time. Reading never waits for them: the answers lie behind
what is read. Nor do they wait for what is done about a caller who is there, such as a look into a database: callers
are greeted from a line of its own.
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
from telephony.events import AgentConnect, ChannelEvent, Confirmed, Denied, Detecting, QueueCallerJoin, QueueEntry
from telephony.ids import attempt_of, is_local

AT_A_TIME: Final = 8
GREETERS: Final = 4
LINE: Final = 2000
"""Questions that may wait. Who joins when the line is full of new ones is denied: a flood must not open the door."""
PROMPT_S: Final = 1.0
"""An answer that comes later than this after the join does not say that the caller never was there."""
TIMEOUT_S: Final = 5.0
DETECTOR: Final = "700,256"
"""TALK_DETECT: 700 ms of quiet end a talk; 256 is the energy of silence. Measured with both versions."""

log = logging.getLogger(__name__)


class Ask(Protocol):
    """How an action is asked."""

    def __call__(self, name: str, headers: Iterable[tuple[str, str]], *, timeout_s: float) -> Awaitable[Message]:
        """Ask, and wait for the answer."""
        ...


Note = Callable[[ChannelEvent], Awaitable[None]]
Joined = QueueCallerJoin | QueueEntry


class Question(NamedTuple):
    """What is to be found out about a channel. `told_at` is when the PBX told of it (monotonic s)."""

    kind: type[ChannelEvent]
    about: ChannelEvent
    told_at: float

    @property
    def late(self) -> bool:
        """Tell whether the channel may be gone by now, though it was there."""
        return time.monotonic() - self.told_at > PROMPT_S


class Asking:
    """Asks about what is heard. `detect` says for which queues; `legs` gives the live channels of a talk.

    `there` is told of each caller who is there, once the PBX has said so.

    `refused` counts the answers other than yes and no, by what was asked: rights or a module are missing.
    """

    def __init__(
        self,
        ask: Ask,
        note: Note,
        *,
        clock: Callable[[], int],
        detect: Callable[[str], bool],
        legs: Callable[[AgentConnect], Iterable[ChannelEvent]],
        there: Callable[[Joined], Awaitable[None]],
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._ask, self._note, self._clock, self._detect, self._legs = ask, note, clock, detect, legs
        self._there = there
        self._line: deque[Question] = deque()
        self._waiting = asyncio.Semaphore(0)
        self._overflow: deque[ChannelEvent] = deque(maxlen=LINE)
        self._callers: asyncio.Queue[Joined] = asyncio.Queue(LINE)

    def hear(self, event: ChannelEvent | None, *, behind_s: float = 0.0) -> None:
        """Put the questions that an event raises into the line; gives back at once.

        `behind_s` is how long ago the PBX told it: this process, or the network, may have stood still meanwhile.
        """
        told_at = time.monotonic() - behind_s
        if isinstance(event, Joined):
            if _customer(event):
                self._put(Question(Confirmed, event, told_at))
        elif isinstance(event, AgentConnect) and self._detect(event.queue):
            for leg in self._legs(event):
                self._put(Question(Detecting, leg, told_at))

    async def listed(self, caller: QueueEntry, number: str) -> None:
        """Note that a listing of all channels shows this caller with that number: nobody need be asked."""
        if _customer(caller):
            await self._confirmed(caller, number)

    async def run(self) -> None:
        """Ask and greet until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_A_TIME):
                tasks.create_task(self._work())
            for _ in range(GREETERS):
                tasks.create_task(self._greet())

    def _put(self, question: Question) -> None:
        if len(self._line) < LINE:
            self._line.append(question)
        elif self._line[0].late:  # no flood, but a PBX that does not answer: the oldest question is of no use any more
            self._line.popleft()
            self._line.append(question)
            self.refused["asked too late"] += 1
        else:
            self.refused["too many questions"] += 1
            if question.kind is Confirmed:
                self._overflow.append(question.about)
        self._waiting.release()

    async def _work(self) -> None:
        while True:
            await self._waiting.acquire()
            if not self._overflow and not self._line:
                continue
            about = self._overflow.popleft() if self._overflow else None
            question = Question(Denied, about, 0) if about is not None else self._line.popleft()
            try:
                await self._find_out(question)
            except TelephonyError as error:
                log.info("unanswered about %s: %s", question.about.uniqueid, error)

    async def _greet(self) -> None:
        while True:
            caller = await self._callers.get()
            try:
                await self._there(caller)
            except Exception as error:  # of whoever was told: the others are greeted all the same
                log.warning("nothing was done about %s, who waits: %s", caller.uniqueid, error)
                log.debug("what failed", exc_info=True)

    async def _find_out(self, question: Question) -> None:
        if question.kind is Confirmed:
            await self._confirm(question)
        elif question.kind is Detecting:
            await self._switch_on(question.about)
        else:
            await self._say(Denied, question.about)

    async def _confirm(self, question: Question) -> None:
        about = question.about
        headers = [("Channel", about.uniqueid), ("Variable", "CALLERID(num)")]
        try:
            answer = await self._ask("Getvar", headers, timeout_s=TIMEOUT_S)
        except ActionFailed as error:
            if "no such channel" not in error.message.get("Message").lower():
                self.refused[f"Getvar: {error.message.get('Message')}"] += 1
            elif not question.late:
                await self._say(Denied, about)
        else:
            await self._confirmed(about, answer.get("Value"))

    async def _confirmed(self, about: ChannelEvent, number: str) -> None:
        await self._note(Confirmed(self._clock(), about.uniqueid, about.linkedid, about.channel, number))
        if isinstance(about, Joined):
            if self._callers.full():  # the first one is likely to be gone
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
            await self._say(Detecting, about)

    async def _say(self, kind: type[Denied | Detecting], about: ChannelEvent) -> None:
        await self._note(kind(self._clock(), about.uniqueid, about.linkedid, about.channel))


def _customer(caller: Joined) -> bool:
    """Tell whether somebody stands in the queue who may be a customer."""
    return attempt_of(caller.uniqueid) is None and not is_local(caller.channel)
