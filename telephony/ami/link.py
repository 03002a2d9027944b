"""One connection to the manager, from its greeting to its loss: answers go to their actions, events are held.

What the socket brings is sorted at once, in `data_received`: answers go to the actions that asked, the items
of a listing to that listing, the events that are wanted into a backlog, from which the consumer takes what one read
brought at a time, at its own pace. When the backlog is full the transport is paused, so that the PBX's own buffer and
then its `writetimeout` take over: nothing is dropped here and memory stays bounded.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from telephony.ami.protocol import EVENT, ActionRefused, Message, Parser, ProtocolError, encode
from telephony.ami.sieve import whole
from telephony.ami.wanted import Looks, accepts, sift
from telephony.errors import TelephonyError

BACKLOG_BYTES = 1 << 20
"""Held messages above which reading pauses; it goes on at half. One read adds at most 256 KiB (asyncio)."""
MESSAGE_COST = 256
"""What holding a message costs beside its bytes, so that a flood of tiny ones is bounded too."""
GIVEN_UP_LISTINGS = 16
"""How many listings that were given up are remembered, to swallow the items that still come."""

_RESPONSE = b"Response: "
_END = ["ActionID", "EventList"]  # as the end of a list begins, behind its name


class NotConnected(TelephonyError):
    """No connection to the PBX, or it was lost before the answer: what was asked may have been done."""


class ActionTimeout(TelephonyError):
    """The PBX did not answer an action in time: it may have been done all the same."""


class ActionFailed(TelephonyError):
    """The PBX answered an action with an error, kept in `message`."""

    def __init__(self, sentence: str, message: Message) -> None:
        super().__init__(sentence)
        self.message = message


@dataclass(slots=True)
class Stats:
    """Counts of a client since it began, over all its connections."""

    messages: int = 0
    bytes: int = 0
    reconnects: int = 0
    pauses: int = 0  # times that reading stopped for a slow consumer
    unmatched: int = 0  # answers that nobody waited for (any more)
    forged: int = 0  # rests of what a caller cut in two, and items of listings that Asterisk did not write so
    held_bytes: int = 0  # the backlog now, MESSAGE_COST included


@dataclass(frozen=True, slots=True)
class Batch:
    """The events that one read brought and that are wanted; when it was, µs UTC; the bytes that holding them takes."""

    messages: list[Message]
    arrived_at: int
    cost: int


class _Listing:
    """The items of a list as they come. One that was given up still swallows what comes late."""

    __slots__ = ("done", "items")

    def __init__(self) -> None:
        self.items: list[Message] = []
        self.done: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()

    def take(self, message: Message) -> bool:
        """Take an item; True when it was the end."""
        ended = message.name.endswith("Complete")
        if not self.done.done():
            if ended:
                self.done.set_result(self.items)
            else:
                self.items.append(message)
        return ended


class _Listings(dict[str, _Listing]):
    """The lists that were asked for and have not ended, by ActionID; a few that were given up among them."""

    def open(self, action_id: str) -> _Listing:
        """Await a list; the oldest that were given up are awaited no more."""
        given_up = [known for known, listing in self.items() if listing.done.done()]
        for known in given_up[:-GIVEN_UP_LISTINGS]:
            del self[known]
        listing = self[action_id] = _Listing()
        return listing

    def take(self, message: Message, stats: Stats) -> bool:
        """Take an item of one of them; False where it is none's.

        Every ActionID is looked at: one that a caller forged into an entry must not hide it.
        """
        for action_id in message.all("ActionID"):
            if (listing := self.get(action_id)) is not None:
                if not _listed(message):
                    stats.forged += 1
                elif listing.take(message):
                    del self[action_id]
                return True
        return False


class Link(asyncio.Protocol):
    """The connection itself. `greeted` and `booted` fail with NotConnected when it is lost before."""

    def __init__(
        self,
        clock: Callable[[], int],
        stats: Stats,
        backlog_bytes: int = BACKLOG_BYTES,
        wanted: Looks | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[str] = self._loop.create_future()
        self.booted: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._clock = clock
        self._wanted = wanted
        self._stats = stats
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._reason = ""
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._listings = _Listings()
        self._backlog: deque[Batch] = deque()
        self._backlog_bytes = backlog_bytes
        self._arrived = asyncio.Event()
        self._paused = False
        self._alive_at = self._loop.time()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Sort what came; stop reading when too much of it is held."""
        self._alive_at = self._loop.time()
        self._stats.bytes += len(data)
        try:
            raws = self._parser.raws(data)
        except ProtocolError as error:
            self.close(str(error))
            return
        self._stats.messages += len(raws)
        if not self.greeted.done():
            self._greet()
        if self._wanted is not None and not self._listings and self.booted.done():
            wanted = sift(self._wanted, raws, self._take_other)
        else:
            wanted = [Message(raw) for raw in raws if self._sort(raw)]
        if wanted:
            cost = sum([len(message.raw) for message in wanted]) + MESSAGE_COST * len(wanted)
            batch = Batch(wanted, self._clock(), cost)
            self._stats.held_bytes += cost
            self._backlog.append(batch)
            self._arrived.set()
        if self._stats.held_bytes > self._backlog_bytes:
            self._pause()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail those who wait; messages that are held can still be taken."""
        reason = self._reason = self._reason or self._why(exc)
        lists = (listing.done for listing in self._listings.values())
        waiting: list[asyncio.Future[Any]] = [self.greeted, self.booted, *self._answers.values(), *lists]
        for future in waiting:
            _fail(future, reason)
        self._lost.set_result(reason)
        self._arrived.set()

    # For its owner

    @property
    def lost(self) -> bool:
        """Whether the connection is over, or about to be."""
        return self._lost.done() or self._reason != ""

    async def until_lost(self) -> str:
        """Wait for the end and give its reason. To be cancelled here leaves the connection as it is."""
        await asyncio.wait([self._lost])
        return self._lost.result()

    def close(self, reason: str) -> None:
        """End the connection at once, without waiting for what is not yet sent. The first reason stays."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    def silent_s(self, since: float) -> float:
        """Seconds that nothing came, from `since` (loop time) at the earliest; 0 while we do not read."""
        return 0.0 if self._paused else self._loop.time() - max(self._alive_at, since)

    async def more(self) -> bool:
        """Wait until something is held; False once the connection is lost and everything was taken."""
        if not self._backlog and not self._lost.done():
            self._arrived.clear()
            await self._arrived.wait()
        return bool(self._backlog)

    def take(self) -> Batch | None:
        """Take the oldest that is held; None when there is nothing."""
        if not self._backlog:
            return None
        batch = self._backlog.popleft()
        self._stats.held_bytes -= batch.cost
        if self._paused and self._stats.held_bytes <= self._backlog_bytes // 2:
            self._resume()
        return batch

    def drop_held(self) -> int:
        """Forget what is held, give how many messages it was."""
        dropped = 0
        while (batch := self.take()) is not None:
            dropped += len(batch.messages)
        return dropped

    def send(self, name: str, headers: Iterable[tuple[str, str]] = ()) -> tuple[str, asyncio.Future[Message]]:
        """Send an action, give its ActionID and its answer to come. An ActionID among the headers is kept."""
        headers = list(headers)
        action_id = next((value for key, value in headers if key == "ActionID"), "")
        if not action_id:
            # Unguessable, because a caller can write messages into our stream, answers too.
            action_id = secrets.token_hex(16)
            headers.insert(0, ("ActionID", action_id))
        if action_id in self._answers:
            raise ActionRefused(f"An action with ActionID {action_id!r} is under way: choose another.")
        data = encode(name, headers)
        answer: asyncio.Future[Message] = self._loop.create_future()
        if self.lost or self._transport is None:
            _fail(answer, self._reason)
        else:
            self._answers[action_id] = answer
            self._transport.write(data)
        return action_id, answer

    async def ask(self, name: str, headers: Iterable[tuple[str, str]], timeout_s: float) -> Message:
        """Send an action, wait for its answer; see Client.action."""
        action_id, answer = self.send(name, headers)
        try:
            async with asyncio.timeout(timeout_s):
                return _checked(name, await answer)
        except TimeoutError:
            raise ActionTimeout(_late(name, timeout_s)) from None
        finally:
            self._answers.pop(action_id, None)

    async def ask_list(self, name: str, headers: Iterable[tuple[str, str]], timeout_s: float) -> list[Message]:
        """Send an action that is answered by a list, wait for its end; see Client.listing."""
        action_id, answer = self.send(name, headers)
        listing = self._listings.open(action_id)
        try:
            async with asyncio.timeout(timeout_s):
                _begun(name, await answer)
                return await listing.done
        except TimeoutError:
            raise ActionTimeout(_late(name, timeout_s)) from None
        except ActionFailed:
            del self._listings[action_id]
            raise
        finally:
            self._answers.pop(action_id, None)
            listing.done.cancel()

    # Inside

    def _why(self, error: Exception | None) -> str:
        how = f"the connection broke: {error}" if error else "the PBX closed the connection"
        return how + (", in the middle of a message" if self._parser.unfinished else "")

    def _greet(self) -> None:
        if self._parser.banner is not None:
            self.greeted.set_result(self._parser.banner)
        elif self._parser.greeted:
            self.close("what answers there is no Asterisk manager: check host and port")

    def _sort(self, raw: bytes) -> bool:
        """Hand a message to who waits for it; tell whether it is to be held: an event that is wanted, in no listing."""
        if not raw.startswith(EVENT):
            self._take_other(raw)
            return False
        message = Message(raw)
        if self._listings and self._listings.take(message, self._stats):
            return False
        if not self.booted.done() and message.name == "FullyBooted":
            self.booted.set_result(None)
        return self._wanted is None or accepts(self._wanted, raw)

    def _take_other(self, raw: bytes) -> None:
        """Take what is no event: an answer, or the rest of what a caller cut in two."""
        if not raw.startswith(_RESPONSE):
            self._stats.forged += 1
            return
        message = Message(raw)
        answer = self._answers.pop(message.get("ActionID"), None)
        if answer is None or answer.done():
            self._stats.unmatched += 1
        else:
            answer.set_result(message)

    def _pause(self) -> None:
        if not self._paused and not self.lost and self._transport is not None:
            self._paused = True
            self._stats.pauses += 1
            self._transport.pause_reading()

    def _resume(self) -> None:
        self._paused = False
        self._alive_at = self._loop.time()
        if not self.lost and self._transport is not None:
            self._transport.resume_reading()


def _listed(message: Message) -> bool:
    """Tell whether it is an item, or the end, of a list as Asterisk writes it.

    An entry's ActionID comes last, so a waiting caller could join the rest of the entry to a forged end; in
    the genuine end it comes first.
    """
    ends = message.name.endswith("Complete")
    return [key for key, _ in message.headers[1:3]] == _END if ends else whole(message.raw)


def _fail(future: asyncio.Future[Any], reason: str) -> None:
    """Fail a future; if nobody waits for it, that is not logged as an error."""
    if not future.done():
        future.set_exception(NotConnected(f"Not connected to the PBX: {reason or 'not yet'}."))
        future.exception()


def _checked(name: str, answer: Message) -> Message:
    if answer.get("Response").lower() == "error":
        raise ActionFailed(f"The PBX refused action {name}: {answer.get('Message') or 'no reason'}.", answer)
    return answer


def _begun(name: str, answer: Message) -> None:
    if _checked(name, answer).get("EventList").lower() != "start":
        raise ActionFailed(f"Action {name} is not answered by a list: ask it as an action.", answer)


def _late(name: str, timeout_s: float) -> str:
    return f"The PBX did not answer action {name} within {timeout_s} s: see whether it was done all the same."
