"""A manager without a mind: each test says word by word what it sends, over a real socket."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Self

from telephony.ami.client import Client
from telephony.ami.protocol import Message, Parser

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
BOOTED = b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n"
PATIENCE_S = 20.0


def run(main: Coroutine[None, None, None]) -> None:
    """Run a test's coroutine, with a time-out; nothing may be left running behind it."""

    async def watched() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await main
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(watched())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    while not condition():  # noqa: ASYNC110  # there is no event to wait for
        await asyncio.sleep(0.005)


class Peer:
    """The manager's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._reader = reader
        self._parser = Parser()
        self._actions: list[Message] = []

    @property
    def unread(self) -> bytes:
        return bytes(self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def answer(self, action: Message, lines: bytes = b"", response: bytes = b"Success") -> None:
        action_id = action.get("ActionID").encode()
        self.send(b"Response: " + response + b"\r\nActionID: " + action_id + b"\r\n" + lines + b"\r\n")

    async def action(self, name: str | None = None) -> Message:
        """Give the next action; one of another name than is waited for is a ping, which is answered."""
        while True:
            while not self._actions:
                data = await self._reader.read(65536)
                assert data, "the client closed the connection"
                self._actions = self._parser.feed(data)
            action = self._actions.pop(0)
            if name is None or action.get("Action") == name:
                return action
            assert action.get("Action") == "Ping"
            self.answer(action)

    async def log_in(self, *, booted: bool = True) -> Message:
        self.send(BANNER)
        login = await self.action("Login")
        self.answer(login, b"Message: Authentication accepted\r\n")
        if booted:
            self.send(BOOTED)
        return login

    async def gone(self) -> None:
        """Wait until the client has closed its end."""
        try:
            while await self._reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.close()

    def close(self) -> None:
        self.writer.transport.abort()


class Manager:
    """Listens on loopback while entered and gives its connections one by one."""

    port: int
    _server: asyncio.Server

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._known: list[Peer] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for peer in self._known:
            peer.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._known.append(Peer(reader, writer))
        self._peers.put_nowait(self._known[-1])

    async def accept(self) -> Peer:
        return await self._peers.get()

    @property
    def said(self) -> bytes:
        """What came by all connections, and no test has read."""
        return b"".join(peer.unread for peer in self._known)

    @property
    def waiting(self) -> int:
        """Connections that the test has not taken yet."""
        return self._peers.qsize()


class Ear:
    """What an application hears: it keeps everything, and tests wait for it."""

    def __init__(self) -> None:
        self.heard: list[tuple[Message, int]] = []
        self.ups = 0
        self.downs: list[str] = []
        self._news = asyncio.Condition()

    async def on_messages(self, messages: list[Message], arrived_at: int) -> None:
        for message in messages:
            await self.on_message(message, arrived_at)

    async def on_message(self, message: Message, arrived_at: int) -> None:
        self.heard.append((message, arrived_at))
        await self._tell()

    async def on_up(self) -> None:
        self.ups += 1
        await self._tell()

    async def on_down(self, reason: str) -> None:
        self.downs.append(reason)
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, *, heard: int = 0, ups: int = 0, downs: int = 0) -> None:
        async with self._news:
            await self._news.wait_for(lambda: len(self.heard) >= heard and self.ups >= ups and len(self.downs) >= downs)

    @property
    def names(self) -> list[str]:
        return [message.name for message, _ in self.heard]


@asynccontextmanager
async def running(client: Client) -> AsyncIterator[asyncio.Task[None]]:
    """Let a client run; cancel it at the end, as an application that stops does."""
    task = asyncio.create_task(client.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


def numbered(first: int, count: int, padding: int = 0) -> bytes:
    """Give events that carry their number."""
    pad = b"x" * padding
    return b"".join(b"Event: Tick\r\nNumber: %d\r\nPad: %b\r\n\r\n" % (n, pad) for n in range(first, first + count))
