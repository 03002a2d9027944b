"""Serves an application over HTTP: what strangers send is bounded before it, and the end comes without haste or noise.

An application gets a request when all of it has come. A head or a body that is too large, too slow or broken off never
gets as far. No line is written for a request: an address may be a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TextIO, cast

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from callback.errors import CallbackError
from callback.logs.repeated import Repeated
from callback.web.connections import ConnectionLimiter, Limits

NAME: Final = "callback"
"""What the server calls itself; no versions."""
HEAD_BYTES: Final = 16 << 10
SHUTDOWN_S: Final = 2.0
ALIVE_EVERY_S: Final = 5.0
LINE_BYTES: Final = 1 << 20
BROKEN_OFF: Final = "a request was broken off, or is none"
_LINGER_S: Final = 2.0  # what is still sent to a request that was refused is read so long, else no answer arrives
_LAST_S: Final = 2  # after the connections were ended, for what is still at work
_CLOSE: Final = {"Connection": "close"}


@dataclass(frozen=True, slots=True)
class Serving:
    """How an application is served.

    `body_s` is what the body of a request may take after its head. `keep_alive`: a connection may ask more than once.
    `proxies` are addresses whose X-Forwarded headers are believed. `ending` is called before connections are ended, to
    let streams end by themselves.
    """

    limits: Limits
    body_bytes: int = 64 << 10
    body_s: float = 10.0
    keep_alive: bool = False
    proxies: Sequence[str] = ()
    ending: Callable[[], None] | None = None


class _Broken(Exception):
    """The other side is gone before its request was whole."""


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Protocol(HttpToolsProtocol):
    """The HTTP of one connection; its limiter is told how far it is."""

    def __init__(self, server: Server, serving: Serving, limiter: ConnectionLimiter, tally: Repeated) -> None:
        super().__init__(server.config, server.server_state, server.lifespan.state)
        self._serving, self._limiter, self._tally = serving, limiter, tally
        self._inner, self.app = cast("ASGIApp", self.app), cast("Any", self._ask)
        self._head: int | None = 0  # bytes of the head so far; None: it is whole

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("too long")

    def send_400_response(self, msg: str) -> None:
        self._tally.note(BROKEN_OFF)
        super().send_400_response(msg)

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            raise ValueError("too long")  # the parser makes no request of it
        self._head = None
        self._limiter.head_has_come(self.transport)
        super().on_headers_complete()
        if not self._serving.keep_alive:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._head = 0
        self._limiter.request_has_come(self.transport)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._limiter.was_answered(self.transport)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the application when all of it has come."""
        try:
            body = await _whole(scope, receive, self._serving)
        except _Broken:
            self._tally.note(BROKEN_OFF)
            return
        except _Refused as refused:
            await PlainTextResponse(str(refused), refused.status, _CLOSE)(scope, receive, send)
            return

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_stream(message):
                self._limiter.stream_begins(self.transport)
            await send(message)

        await self._inner(scope, _once(body, receive), say)


async def _whole(scope: Scope, receive: Receive, serving: Serving) -> bytes:
    """Read the body of a request. _Refused where it is too large or too slow, _Broken where no more comes."""
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if int(told) <= serving.body_bytes:  # the parser lets nothing but digits through
        try:
            async with asyncio.timeout(serving.body_s):
                body = await _body(receive, serving.body_bytes)
        except TimeoutError as error:
            raise _Refused(408, "too slow") from error
        if body is not None:
            return body
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while (await _part(receive))[1]:
                pass
    raise _Refused(413, f"too large: at most {serving.body_bytes} bytes")


async def _body(receive: Receive, most: int) -> bytes | None:
    """Read a body; None as soon as it is larger than that."""
    body, comes = bytearray(), True
    while comes:
        part, comes = await _part(receive)
        body += part
        if len(body) > most:
            return None
    return bytes(body)


async def _part(receive: Receive) -> tuple[bytes, bool]:
    """Read a part of a body, and whether another comes."""
    message = await receive()
    if message["type"] != "http.request":
        raise _Broken
    return message.get("body", b""), message.get("more_body", False)


def _once(body: bytes, receive: Receive) -> Receive:
    """Give a body that has come; what comes after it is the end of the connection."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def take() -> Message:
        return left.pop() if left else await receive()

    return take


def _is_stream(message: Message) -> bool:
    headers = message.get("headers", ())
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)


@asynccontextmanager
async def opened(app: ASGIApp, address: tuple[str, int], serving: Serving, tally: Repeated) -> AsyncIterator[int]:
    """Serve an application there, until the block ends; give the port.

    OSError where nobody can listen there, CallbackError where the application cannot begin. At the end, requests that
    are being answered have SHUTDOWN_S for it.
    """
    config = Config(
        app,
        interface="asgi3",
        http=HttpToolsProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        headers=[("server", NAME)],
        proxy_headers=bool(serving.proxies),
        forwarded_allow_ips=list(serving.proxies),
        timeout_graceful_shutdown=int(SHUTDOWN_S) + _LAST_S,
    )
    config.load()
    logging.getLogger("uvicorn.error").addFilter(_was_not_ended)
    server, limiter, loop = Server(config), ConnectionLimiter(serving.limits, tally), asyncio.get_running_loop()
    server.lifespan = config.lifespan_class(config)
    loop.set_exception_handler(partial(_on_fault, tally))
    made = limiter.limited(lambda: _Protocol(server, serving, limiter, tally))
    listening = await loop.create_server(made, *address, start_serving=False)
    async with listening:
        await server.lifespan.startup()
        if server.lifespan.should_exit:
            raise CallbackError("the application could not begin; what it said last says why")
        server.servers = [listening]
        ticking = asyncio.create_task(server.main_loop())
        await server.on_tick(0)  # now each answer has its date and our name
        await listening.start_serving()
        try:
            yield listening.sockets[0].getsockname()[1]
        finally:
            server.should_exit = True
            await ticking
            await _end(server, serving)


async def _end(server: Server, serving: Serving) -> None:
    if serving.ending is not None:
        serving.ending()
    cutting = asyncio.get_running_loop().call_later(SHUTDOWN_S, _cut, server)
    try:
        await server.shutdown()
    finally:
        cutting.cancel()


def _cut(server: Server) -> None:
    for connection in list(server.server_state.connections):
        connection.transport.abort()


def _was_not_ended(record: logging.LogRecord) -> bool:
    """Whether a line tells of a fault: what is at work when we end is cancelled, which is none."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _on_fault(tally: Repeated, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Count what happens when the machine has nothing left for another connection; log what is unheard of."""
    fault = context.get("exception")
    if isinstance(fault, OSError) and "accept" in context["message"]:
        tally.note(f"nobody else can connect for a moment: {fault.strerror}; see the limits of the service")
    else:
        loop.default_exception_handler(context)


async def until_told(
    serve: Callable[[asyncio.Event], Awaitable[None]],
    until_eof: TextIO | None,
    hear: Callable[[bytes], object] = lambda _line: None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until that stream ends, as it does when the process that holds it dies.

    That process gets a sign of life on our standard output: a process that hangs writes none. What it tells us is heard
    line by line.
    """
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if until_eof is None:
        await serve(stopped)
        return
    reader = asyncio.StreamReader(LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), until_eof)
    ending, living = loop.create_task(_heard(reader, hear)), loop.create_task(_live(sys.stdout.fileno()))
    ending.add_done_callback(lambda _: stopped.set())
    try:
        await serve(stopped)
    finally:
        living.cancel()


async def _heard(reader: asyncio.StreamReader, hear: Callable[[bytes], object]) -> None:
    """Hear line by line, until there is no more; a line that is too long is left out."""
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            continue
        if not line:
            return
        hear(line)


async def _live(told_by: int) -> None:
    """Write a sign of life now and then; where nobody reads them there is no room for more, and none is needed."""
    os.set_blocking(told_by, False)
    while True:
        with contextlib.suppress(OSError):
            os.write(told_by, b".")
        await asyncio.sleep(ALIVE_EVERY_S)
