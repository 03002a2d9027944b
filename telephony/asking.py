"""Questions that the PBX is asked about its channels, while it is listened to; what it answers becomes a note.

Is the caller who joined a queue really there? Whoever can write into the stream can write a whole call, but no channel:
a Getvar on the Uniqueid finds it or not. And: may the PBX tell, from now on, when somebody talks on these channels?
TALK_DETECT is set by AMI, without any change to the dialplan; it costs the native bridging of those channels.

Questions wait in a bounded line and are asked a few at a time. Reading never waits for them: the answers lie behind
what is read.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

from telephony.ami.client import ActionFailed
from telephony.ami.protocol import Message
from telephony.errors import TelephonyError
from telephony.events import AgentConnect, ChannelEvent, Confirmed, Denied, Detecting, QueueCallerJoin, QueueEntry
from telephony.ids import attempt_of, is_local

AT_A_TIME: Final = 8
LINE: Final = 2000
"""Questions that may wait. Who joins when the line is full is denied: a flood must not open the door."""
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
Question = tuple[type[ChannelEvent], ChannelEvent]


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

    def hear(self, event: ChannelEvent | None) -> None:
        """Put the questions that an event raises into the line; gives back at once."""
        if isinstance(event, Joined):
            if attempt_of(event.uniqueid) is None and not is_local(event.channel):
                self._put((Confirmed, event))
        elif isinstance(event, AgentConnect) and self._detect(event.queue):
            for leg in self._legs(event):
                self._put((Detecting, leg))

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_A_TIME):
                tasks.create_task(self._work())

    def _put(self, question: Question) -> None:
        if len(self._line) >= LINE:
            self.refused["too many questions"] += 1
            if question[0] is Confirmed:
                self._overflow.append(question[1])
        else:
            self._line.append(question)
        self._waiting.release()

    async def _work(self) -> None:
        while True:
            await self._waiting.acquire()
            if not self._overflow and not self._line:
                continue
            kind, about = (Denied, self._overflow.popleft()) if self._overflow else self._line.popleft()
            try:
                await self._find_out(kind, about)
            except TelephonyError as error:
                log.info("unanswered about %s: %s", about.uniqueid, error)
            except Exception:  # of whoever was told: the others are asked about all the same
                log.exception("what was to be done about %s failed", about.uniqueid)

    async def _find_out(self, kind: type[ChannelEvent], about: ChannelEvent) -> None:
        if kind is Confirmed:
            await self._confirm(about)
        elif kind is Detecting:
            await self._switch_on(about)
        else:
            await self._say(Denied, about)

    async def _confirm(self, about: ChannelEvent) -> None:
        headers = [("Channel", about.uniqueid), ("Variable", "CALLERID(num)")]
        try:
            answer = await self._ask("Getvar", headers, timeout_s=TIMEOUT_S)
        except ActionFailed as error:
            if "no such channel" in error.message.get("Message").lower():
                await self._say(Denied, about)
            else:
                self.refused[f"Getvar: {error.message.get('Message')}"] += 1
        else:
            at = self._clock()
            await self._note(Confirmed(at, about.uniqueid, about.linkedid, about.channel, answer.get("Value")))
            if isinstance(about, Joined):
                await self._there(about)

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
