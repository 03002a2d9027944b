"""A lasting connection to the manager: logs in, delivers messages, sends actions, detects its loss, reconnects.

One connection: connect → banner → Login → FullyBooted → `on_up` → messages, until it is lost → what was read is still
delivered → `on_down` → wait → connect. Everything but the consumer has a deadline: reading stops while the consumer is
slow, and nothing is dropped.
"""

import asyncio
import dataclasses
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from telephony.ami.connecting import Account, Unreached, connect
from telephony.ami.link import (
    BACKLOG_BYTES,
    ActionFailed,
    ActionTimeout,
    Batch,
    Link,
    NotConnected,
    Stats,
)
from telephony.ami.protocol import ActionRefused, Message
from telephony.ami.wanted import Looks
from telephony.errors import TelephonyError

__all__ = [
    "Account",
    "ActionFailed",
    "ActionRefused",
    "ActionTimeout",
    "Client",
    "Handlers",
    "Limits",
    "LoginRefused",
    "NotConnected",
    "Stats",
]

CALM = 10
"""After a connection that brought events the wait is at most this many times the first one."""

log = logging.getLogger(__name__)


class LoginRefused(TelephonyError):
    """Asterisk answered the login with an error. The client stops: another try could only lock the account."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """What a client calls.

    `on_messages(messages, arrived_at)` gets what one read brought, in order: every event that belongs to no listing of
    ours and that is `wanted` (None: each is; most are dropped that way); `arrived_at` is when it was read, µs UTC.
    While it runs, reading stops. So it must not await an action, whose answer may lie behind the messages that it holds
    back: start a task. If it raises, that is a bug of ours, and what it half did is unknown: the exception is logged,
    messages that were read but not delivered are dropped, the connection is closed, `on_down` is called, and the client
    reconnects. That is a gap like any other, which the journal and the snapshot in `on_up` mend.

    `on_up()` is called after FullyBooted, as a task of its own: reading and `on_messages` go on, so it can await
    actions. If it raises, the connection is closed in the same way; if the connection is lost, it is cancelled.

    `on_down(reason)` is called each time that a connection, or an attempt at one, has ended, after the last message
    that was read: possibly several times in a row, never when `run` is cancelled or raises.
    """

    on_messages: Callable[[list[Message], int], Awaitable[None]]
    on_up: Callable[[], Awaitable[None]]
    on_down: Callable[[str], Awaitable[None]]
    wanted: Looks | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a client waits, and how many bytes it holds. `backoff_s` is the first wait and the longest one."""

    connect_timeout_s: float = 5.0
    boot_timeout_s: float = 300.0
    ping_every_s: float = 5.0
    ping_deadline_s: float = 5.0
    backoff_s: tuple[float, float] = (0.2, 30.0)
    backlog_bytes: int = BACKLOG_BYTES


DEFAULT_LIMITS: Final = Limits()


class Client:
    """One manager connection that comes back by itself. Run it as a task: `run()`; cancel that to stop."""

    def __init__(
        self,
        account: Account,
        handlers: Handlers,
        limits: Limits = DEFAULT_LIMITS,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._account, self._handlers, self._limits, self._clock = account, handlers, limits, clock
        self._backoff = Backoff(*limits.backoff_s)
        self._stats = Stats()
        self._link: Link | None = None
        self._up_since: float | None = None
        self._heard = False  # an event came since it was up

    @property
    def up(self) -> bool:
        """Whether actions can be asked: from FullyBooted until the connection is lost."""
        return self._up_since is not None and self._link is not None and not self._link.lost

    @property
    def held_bytes(self) -> int:
        """How much was read and not delivered yet."""
        return self._stats.held_bytes

    @property
    def stats(self) -> Stats:
        """The counts as they are now."""
        return dataclasses.replace(self._stats)

    async def run(self) -> None:
        """Stay connected until cancelled. Raises LoginRefused; after any other failure it reports and reconnects."""
        while True:
            reason = await self._connection()
            log.info("%s: %s", self._account.where, reason)
            try:
                await self._handlers.on_down(reason)
            except Exception:
                log.exception("on_down failed; the connection is made anew all the same")
            await asyncio.sleep(self._backoff.next())
            self._stats.reconnects += 1

    async def action(self, name: str, headers: Iterable[tuple[str, str]] = (), *, timeout_s: float = 10.0) -> Message:
        """Send an action and give its answer, matched by ActionID.

        The ActionID is made here, unless the headers bring one (which must be as hard to guess).
        Raises ActionRefused (cannot be sent), NotConnected, ActionTimeout, ActionFailed (Response: Error).
        """
        return await self._connected().ask(name, headers, timeout_s)

    async def listing(
        self, name: str, headers: Iterable[tuple[str, str]] = (), *, timeout_s: float = 10.0
    ) -> list[Message]:
        """Ask for a list (QueueStatus, CoreShowChannels, DBGet …) and give its items, without the Complete.

        Raises what `action` raises, ActionFailed too where the answer is no list. Items that are not as Asterisk
        writes them are left out, and counted as forged.
        """
        return await self._connected().ask_list(name, headers, timeout_s)

    async def ping(self) -> Message:
        """Send a Ping; the Timestamp of the answer is the PBX's clock."""
        return await self.action("Ping", timeout_s=self._limits.ping_deadline_s)

    def _connected(self) -> Link:
        if self._link is None or not self.up:
            raise NotConnected(f"Not connected to {self._account.where}: wait until the PBX is back.")
        return self._link

    async def _connection(self) -> str:
        """Make one connection, serve it until its end, and give the reason of that."""
        try:
            link = await connect(self._account, self._new_link, self._limits.connect_timeout_s)
        except Unreached as error:
            return str(error)
        self._link = link
        try:
            await self._log_in(link)
            return await self._serve(link)
        except NotConnected:
            return await link.until_lost()
        finally:
            self._link = self._up_since = None
            link.close("we stopped")
            link.drop_held()
            await link.until_lost()

    def _new_link(self) -> Link:
        return Link(self._clock, self._stats, self._limits.backlog_bytes, self._handlers.wanted)

    async def _log_in(self, link: Link) -> None:
        """Log in, once the greeting shows that an Asterisk answers."""
        try:
            async with asyncio.timeout(self._limits.connect_timeout_s):
                await link.greeted
            headers = (("Username", self._account.username), ("Secret", self._account.secret))
            await link.ask("Login", headers, self._limits.connect_timeout_s)
        except TimeoutError:
            link.close(f"no greeting within {self._limits.connect_timeout_s} s: {self._account.silence}")
            raise NotConnected("no greeting") from None
        except ActionTimeout as error:
            link.close(str(error))
            raise NotConnected("no answer to the login") from error
        except ActionFailed as error:
            raise LoginRefused(
                f"Asterisk at {self._account.where} refused the login of manager user {self._account.username!r} "
                f"({error.message.get('Message') or 'no reason given'}): correct username and secret of this "
                "PBX in the settings, or its manager.conf (secret, permit/deny)."
            ) from error

    async def _serve(self, link: Link) -> str:
        """Deliver messages and watch the connection until it is lost and all that was read is delivered."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver(link))
            helpers = [tasks.create_task(self._come_up(link)), tasks.create_task(self._watch(link))]
            reason = await link.until_lost()
            if self._up_since is not None:
                self._backoff.lasted(asyncio.get_running_loop().time() - self._up_since, heard=self._heard)
            for helper in helpers:
                helper.cancel()
        return reason

    async def _deliver(self, link: Link) -> None:
        """Deliver what was read, also what is left from a lost connection."""
        batch: Batch | None = None
        try:
            while await link.more():
                batch = link.take()
                if batch is not None:
                    self._heard = self._heard or (self._up_since is not None and _is_news(batch))
                    await self._handlers.on_messages(batch.messages, batch.arrived_at)
                await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001 - whatever fails, the connection is made anew
            why = _log_failure("on_messages", error)
            dropped = link.drop_held() + (len(batch.messages) if batch else 0)
            link.close(f"our own handling of messages failed: {why}; up to {dropped} were dropped")
        finally:
            link.close("our own handling of messages was cancelled")

    async def _come_up(self, link: Link) -> None:
        """Wait until Asterisk has booted, then let the application ask what it missed."""
        if not await self._booted(link):
            return
        self._up_since, self._heard = asyncio.get_running_loop().time(), False
        log.info("%s: up, %s", self._account.where, link.greeted.result())
        try:
            await self._handlers.on_up()
        except asyncio.CancelledError:
            link.close("our own start after connecting was cancelled")
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails, the connection is made anew
            if not link.lost:
                link.close(f"our own start after connecting failed: {_log_failure('on_up', error)}")

    async def _booted(self, link: Link) -> bool:
        try:
            async with asyncio.timeout(self._limits.boot_timeout_s):
                await link.booted
        except NotConnected:
            return False
        except TimeoutError:
            link.close(
                f"no FullyBooted within {self._limits.boot_timeout_s} s: give manager user {self._account.username!r} "
                "the read class system, or see why Asterisk does not finish booting"
            )
            return False
        return True

    async def _watch(self, link: Link) -> None:
        """Ping, and close the connection if it stays silent.

        Silence counts, not the missing answer: while bytes come, the connection is alive and the answer is queued
        behind them; and while we do not read, the silence is ours.
        """
        loop = asyncio.get_running_loop()
        while not link.lost:
            await asyncio.sleep(self._limits.ping_every_s)
            asked_at = loop.time()
            _, answer = link.send("Ping")
            while not answer.done():
                left_s = self._limits.ping_deadline_s - link.silent_s(asked_at)
                if left_s <= 0:
                    link.close(f"no sign of life within {self._limits.ping_deadline_s} s of a ping")
                    return
                await asyncio.wait([answer], timeout=left_s)


class Backoff:
    """The wait before another attempt: doubles from `first_s` to `most_s`, less up to half at random.

    It starts again at `first_s` only after a connection that lasted longer than the longest wait, so that an unstable
    PBX is not flooded with logins. After one that brought any event the PBX works again: the wait becomes short.
    """

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._wait_s = first_s
        self._chance = random.SystemRandom()

    def lasted(self, up_s: float, *, heard: bool = False) -> None:
        """Tell how long a connection was up, and whether an event came in it."""
        if up_s > self._most_s:
            self._wait_s = self._first_s
        elif heard:
            self._wait_s = min(self._wait_s, self._first_s * CALM)

    def next(self) -> float:
        """Give the seconds to wait now."""
        wait_s, self._wait_s = self._wait_s, min(self._wait_s * 2, self._most_s)
        return wait_s * self._chance.uniform(0.5, 1.0)


def _is_news(batch: Batch) -> bool:
    """Tell whether the PBX told anything beside that it is up."""
    return any(message.name != "FullyBooted" for message in batch.messages)


def _log_failure(where: str, error: Exception) -> str:
    """Log why a connection is closed and made anew, and give the reason; unforeseen errors with a traceback."""
    if isinstance(error, TelephonyError):  # a full disk, a PBX that refuses
        log.warning("%s: %s The connection is closed and made anew", where, error)
        return str(error)
    log.error("%s failed; the connection is closed and made anew", where, exc_info=error)
    return repr(error)
