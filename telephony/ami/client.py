"""A connection to the manager that stays: logs in, listens, asks, notices death, comes back.

The walk of one connection: connect → banner → Login → FullyBooted → `on_up` → messages, until it is lost →
what was read is still delivered → `on_down` → wait → connect. Nothing waits without a deadline but the
consumer itself: reading stops while it is slow, and nothing is dropped.
"""

import asyncio
import dataclasses
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable

from telephony.ami.link import (
    BACKLOG_BYTES,
    ActionFailed,
    ActionTimeout,
    Link,
    NotConnected,
    Stats,
)
from telephony.ami.protocol import ActionRefused, Message
from telephony.errors import TelephonyError

__all__ = [
    "ActionFailed",
    "ActionRefused",
    "ActionTimeout",
    "Client",
    "LoginRefused",
    "NotConnected",
    "Stats",
]

CALM = 10
"""The wait after a connection that brought events is this many times the first one at most."""
BATCH = 256
"""Messages delivered in one go before the event loop has its turn, when the consumer never waits."""

log = logging.getLogger(__name__)


class LoginRefused(TelephonyError):
    """Asterisk answered the login with an error: trying again would only lock us out, so the client stops."""


class Client:
    """One manager connection that comes back by itself. Run it as a task: `run()`; cancel that to stop.

    `on_message(message, arrived_at)` gets every event that is no item of a listing of ours and that `wanted` wants by
    a look at its bytes (most are not, and are dropped where they come in), one after the other, in order; `arrived_at`
    is when it was read, µs UTC. While it takes its time, reading stops. So it must not await an action, whose answer
    may lie behind what it holds back: start a task.
    If it raises, that is a bug of ours, and what it half did is unknown: the exception is logged, what was
    read but not delivered is dropped, the connection is closed, `on_down` is called, and the client
    reconnects. That is a gap like any other, which the journal and the snapshot in `on_up` mend.

    `on_up()` is called after FullyBooted, as a task of its own: reading and `on_message` go on, so that it
    can await actions. When it raises, the connection is given up in the same way; when the connection is
    lost, it is cancelled.

    `on_down(reason)` is called each time that a connection, or an attempt at one, has ended, after the last
    message that was read: possibly several times in a row, never when `run` is cancelled or raises.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        on_message: Callable[[Message, int], Awaitable[None]],
        on_up: Callable[[], Awaitable[None]],
        on_down: Callable[[str], Awaitable[None]],
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        connect_timeout_s: float = 5.0,
        boot_timeout_s: float = 300.0,
        ping_every_s: float = 5.0,
        ping_deadline_s: float = 5.0,
        backoff_s: tuple[float, float] = (0.2, 30.0),
        backlog_bytes: int = BACKLOG_BYTES,
        wanted: Callable[[bytes], bool] = lambda _raw: True,
    ) -> None:
        self._host = host
        self._port = port
        self._username = username
        self._secret = secret
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._clock = clock
        self._connect_timeout_s = connect_timeout_s
        self._boot_timeout_s = boot_timeout_s
        self._ping_every_s = ping_every_s
        self._ping_deadline_s = ping_deadline_s
        self._backoff = Backoff(*backoff_s)
        self._backlog_bytes = backlog_bytes
        self._wanted = wanted
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
        """Stay connected until cancelled. Raises LoginRefused; any other failure is told and tried again."""
        while True:
            reason = await self._connection()
            log.info("%s:%d: %s", self._host, self._port, reason)
            try:
                await self._on_down(reason)
            except Exception:
                log.exception("on_down failed; the connection is made anew all the same")
            await asyncio.sleep(self._backoff.next())
            self._stats.reconnects += 1

    async def action(self, name: str, headers: Iterable[tuple[str, str]] = (), *, timeout_s: float = 10.0) -> Message:
        """Ask the PBX to do something and give its answer, matched by ActionID.

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
        """Ask for a sign of life; the answer's Timestamp is the PBX's clock."""
        return await self.action("Ping", timeout_s=self._ping_deadline_s)

    def _connected(self) -> Link:
        if self._link is None or not self.up:
            raise NotConnected(f"Not connected to {self._host}:{self._port}: wait until the PBX is back.")
        return self._link

    async def _connection(self) -> str:
        """Make one connection, live through it, give the reason of its end."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, link = await loop.create_connection(self._new_link, self._host, self._port)
        except TimeoutError:
            return f"no answer to connecting within {self._connect_timeout_s} s"
        except OSError as error:
            return f"cannot connect: {error}"
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
        return Link(self._clock, self._stats, self._backlog_bytes, self._wanted)

    async def _log_in(self, link: Link) -> None:
        """Say who we are, once we know that it is an Asterisk who listens."""
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await link.greeted
            headers = (("Username", self._username), ("Secret", self._secret))
            await link.ask("Login", headers, self._connect_timeout_s)
        except TimeoutError:
            link.close(f"no greeting within {self._connect_timeout_s} s: is an Asterisk manager on that port?")
            raise NotConnected("no greeting") from None
        except ActionTimeout as error:
            link.close(str(error))
            raise NotConnected("no answer to the login") from error
        except ActionFailed as error:
            raise LoginRefused(
                f"Asterisk at {self._host}:{self._port} refused the login of manager user {self._username!r} "
                f"({error.message.get('Message') or 'no reason given'}): correct username and secret of this "
                "PBX in the settings, or its manager.conf (secret, permit/deny)."
            ) from error

    async def _serve(self, link: Link) -> str:
        """Deliver, watch and be up until the connection is lost, and until what was read is delivered."""
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
        """Hand over message after message; the rest of a lost connection too."""
        try:
            while await link.more():
                for _ in range(BATCH):
                    if (held := link.take()) is None:
                        break
                    self._heard = self._heard or (self._up_since is not None and held[0].name != "FullyBooted")
                    await self._on_message(*held)
                await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001 - whatever fails, the connection is made anew
            why = _told("on_message", error)
            link.close(f"our own handling of a message failed: {why}; {link.drop_held()} more were dropped")
        finally:
            link.close("our own handling of messages was cancelled")

    async def _come_up(self, link: Link) -> None:
        """Wait until Asterisk has booted, then let the application ask what it missed."""
        if not await self._booted(link):
            return
        self._up_since, self._heard = asyncio.get_running_loop().time(), False
        log.info("%s:%d: up, %s", self._host, self._port, link.greeted.result())
        try:
            await self._on_up()
        except asyncio.CancelledError:
            link.close("our own start after connecting was cancelled")
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails, the connection is made anew
            if not link.lost:
                link.close(f"our own start after connecting failed: {_told('on_up', error)}")

    async def _booted(self, link: Link) -> bool:
        try:
            async with asyncio.timeout(self._boot_timeout_s):
                await link.booted
        except NotConnected:
            return False
        except TimeoutError:
            link.close(
                f"no FullyBooted within {self._boot_timeout_s} s: give manager user {self._username!r} the "
                "read class system, or see why Asterisk does not finish booting"
            )
            return False
        return True

    async def _watch(self, link: Link) -> None:
        """Ping, and give the connection up when it stays silent.

        What counts is silence, not the answer: while bytes come, the connection is alive and the answer
        stands in line behind them; and while we do not read, silence is ours.
        """
        loop = asyncio.get_running_loop()
        while not link.lost:
            await asyncio.sleep(self._ping_every_s)
            asked_at = loop.time()
            _, answer = link.send("Ping")
            while not answer.done():
                left_s = self._ping_deadline_s - link.silent_s(asked_at)
                if left_s <= 0:
                    link.close(f"no sign of life within {self._ping_deadline_s} s of a ping")
                    return
                await asyncio.wait([answer], timeout=left_s)


class Backoff:
    """How long to wait before another attempt: doubles from `first_s` to `most_s`, less up to half by chance.

    It begins again only after a connection that lasted longer than the longest wait: one that comes and goes
    must not become a storm. After one that brought events at all the PBX is at work again: the wait becomes short.
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


def _told(where: str, error: Exception) -> str:
    """Log why a connection is given up and made anew, and give it; what nobody foresaw by traceback."""
    if isinstance(error, TelephonyError):  # a full disk, a PBX that refuses
        log.warning("%s: %s The connection is given up and made anew", where, error)
        return str(error)
    log.error("%s failed; the connection is given up and made anew", where, exc_info=error)
    return repr(error)
