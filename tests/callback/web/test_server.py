"""How an application is served: what is bounded before it, how long a connection may live, and how it all ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from callback.errors import CallbackError
from callback.logs.repeated import Repeated
from callback.web.connections import Limits
from callback.web.server import HEAD_BYTES, SHUTDOWN_S, Serving, opened

HEAD: Final = b"POST /said HTTP/1.1\r\nHost: here\r\n"
MUCH: Final = b"x" * (1 << 20)


class App:
    """Says what it was asked, streams until it is told to end, or never answers."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.is_stuck = threading.Event()
        self.asked: list[str] = []
        self.routes = Starlette(
            routes=[
                Route("/said", self._said, methods=["GET", "POST"]),
                Route("/stream", self._stream),
                Route("/flood", self._flood),
                Route("/never", self._never),
                Route("/whose", self._whose),
            ]
        )

    async def _said(self, request: Request) -> Response:
        self.asked.append(request.method)
        return PlainTextResponse(await request.body())

    async def _stream(self, _request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield b"data: begun\n\n"
            await self.ended.wait()
            yield b"event: bye\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _flood(self, _request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            while True:
                yield MUCH
                await asyncio.sleep(0)  # what is sent after the end of a connection waits for nothing

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _whose(self, request: Request) -> Response:
        return PlainTextResponse(f"{request.client.host if request.client else None} {request.url.scheme}")

    async def _never(self, _request: Request) -> Response:
        self.is_stuck.set()
        with contextlib.suppress(asyncio.CancelledError):  # as work does that cannot be broken off
            await asyncio.Event().wait()
        await asyncio.Event().wait()
        return Response()


class Served:
    """An application that is served in a thread of its own."""

    def __init__(self, serving: Serving) -> None:
        self.told: list[str] = []
        self.line = threading.Event()  # a line was told
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.app, self._standing = self.run(self._begin(serving))
        self.port: int = self.run(self._standing.__aenter__())

    async def _begin(self, serving: Serving) -> tuple[App, AbstractAsyncContextManager[int]]:
        app = App()
        return app, opened(app.routes, ("127.0.0.1", 0), serving, Repeated(self._tell))

    def _tell(self, line: str) -> None:
        self.told.append(line)
        self.line.set()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def end(self) -> None:
        self.run(self._standing.__aexit__(None, None, None))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.run_until_complete(_all_ended())
        self._loop.close()


async def _all_ended() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@contextlib.contextmanager
def served(limits: Limits | None = None, **more: Any) -> Iterator[Served]:
    running = Served(Serving(limits or Limits(), **more))
    try:
        yield running
        running.end()
    finally:
        running.close()


@contextlib.contextmanager
def asked(running: Served, saying: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", running.port), 10) as one:
        one.sendall(saying)
        yield one


def rest(one: socket.socket) -> bytes:
    """All that comes until the connection ends."""
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while part := one.recv(1 << 16):
            heard += part
    return heard


def until(one: socket.socket, said: bytes) -> bytes:
    """What comes up to and with these bytes."""
    heard = b""
    while said not in heard:
        part = one.recv(1 << 16)
        assert part, f"it ended after {heard!r}"
        heard += part
    return heard


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.parametrize("saying", [b"", b"POST /sa", HEAD], ids=["nothing", "half a line", "half a head"])
def test_a_head_that_does_not_come_ends_the_connection(saying: bytes) -> None:
    with served(Limits(head_s=0.2)) as running, asked(running, saying) as one:
        assert rest(one) == b""
    assert running.told[0] == "a connection was ended: it did not say the head of a request within 0.2 s"


def test_a_body_that_does_not_come_is_answered_that_it_is_too_slow() -> None:
    saying = HEAD + b"Content-Length: 10\r\n\r\nabc"
    with served(Limits(head_s=0.2), body_s=0.3, keep_alive=True) as running, asked(running, saying) as one:
        answer = rest(one)  # and the connection ends, though others may ask again
    assert status(answer) == 408
    assert answer.endswith(b"too slow")
    assert running.app.asked == []


_LARGE: Final = {
    "told": HEAD + b"Content-Length: %d\r\n\r\n" % len(MUCH) + MUCH,
    "in parts": HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(MUCH) + MUCH + b"\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("saying", _LARGE.values(), ids=_LARGE)
def test_who_sends_too_much_is_told_so_when_all_was_sent(saying: bytes) -> None:
    with served(body_bytes=1000) as running, asked(running, saying) as one:
        assert status(rest(one)) == 413
    assert running.app.asked == []


_LONG: Final = {
    "a line": b"GET /" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\n\r\n",
    "a line without an end": b"GET /" + b"x" * HEAD_BYTES,
    "many lines": HEAD + b"".join(b"X-%d: %s\r\n" % (at, b"x" * 100) for at in range(200)) + b"\r\n",
    "a value without an end": HEAD + b"X: " + b"x" * HEAD_BYTES,
}


@pytest.mark.parametrize("saying", _LONG.values(), ids=_LONG)
def test_a_head_that_is_too_large_is_no_request(saying: bytes) -> None:
    with served() as running, asked(running, saying) as one:
        assert status(rest(one)) == 400
    assert running.app.asked == []
    assert running.told == ["a request was broken off, or is none"]


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
def test_a_body_that_is_not_too_large_comes_whole(size: int) -> None:
    body = b"x" * size
    with served(body_bytes=1000) as running, asked(running, HEAD + b"Content-Length: %d\r\n\r\n" % size) as one:
        for letter in body:
            one.sendall(bytes([letter]))
        assert rest(one).partition(b"\r\n\r\n")[2] == body


def test_a_connection_may_ask_again_where_that_is_wished() -> None:
    asking = b"GET /said HTTP/1.1\r\nHost: here\r\n\r\n"
    with served(Limits(head_s=0.3, speak_s=0.4, live_s=0.5), keep_alive=True) as running, asked(running, b"") as one:
        for _ in range(4):  # altogether longer than a request may take
            assert select_nothing(one, 0.2)
            one.sendall(asking)
            assert status(until(one, b"\r\n\r\n")) == 200
        assert rest(one) == b""  # and when it asks no more, it ends
    assert len(running.app.asked) == 4


def select_nothing(one: socket.socket, for_s: float) -> bool:
    """Whether nothing comes for so long."""
    one.settimeout(for_s)
    try:
        one.recv(1)
    except TimeoutError:
        return True
    finally:
        one.settimeout(10)
    return False


STREAM: Final = b"GET /stream HTTP/1.1\r\nHost: here\r\n\r\n"


def test_a_stream_lives_longer_than_an_answer_and_as_many_as_may() -> None:
    with served(Limits(live_s=0.4, streams=1)) as running, asked(running, STREAM) as one:
        until(one, b"begun")
        with asked(running, STREAM) as other:
            until(other, b"begun")
            assert b"bye" not in rest(other)  # one too many: it has as long as an answer
        running.run(_tell(running.app))
        until(one, b"bye")
    assert running.told == ["a connection was ended: it was not answered within 0.4 s"]


async def _tell(app: App) -> None:
    app.ended.set()


def test_another_stream_finds_room_when_one_has_ended() -> None:
    with served(Limits(live_s=0.3, streams=1), keep_alive=True) as running:
        with asked(running, STREAM) as one:
            until(one, b"begun")
        with asked(running, STREAM) as one:
            until(one, b"begun")
            assert select_nothing(one, 0.6)
            running.run(_tell(running.app))
            until(one, b"bye")


def test_who_takes_nothing_of_a_stream_is_ended() -> None:
    flood = b"GET /flood HTTP/1.1\r\nHost: here\r\n\r\n"
    with served(Limits(stall_s=0.3, streams=9)) as running, asked(running, flood) as one:
        assert running.line.wait(10)
        assert len(rest(one)) > 0
    assert running.told == ["a connection was ended: it took too little of what it was sent for 0.3 s"]


def test_streams_are_told_of_the_end(caplog: pytest.LogCaptureFixture) -> None:
    ending = threading.Event()
    running = Served(Serving(Limits(streams=9), ending=ending.set))
    with asked(running, STREAM) as one, ThreadPoolExecutor() as pool:
        until(one, b"begun")
        closing = pool.submit(running.end)
        assert ending.wait(10)
        running.run(_tell(running.app))
        assert b"bye" in rest(one)
        closing.result(10)
    running.close()
    assert caplog.records == []


@pytest.mark.parametrize("path", [b"/stream", b"/never"])
def test_what_does_not_end_by_itself_is_ended_without_a_traceback(
    path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    running = Served(Serving(Limits(streams=9)))
    with asked(running, b"GET %s HTTP/1.1\r\nHost: here\r\n\r\n" % path) as one:
        if path == b"/stream":
            until(one, b"begun")
        else:
            assert running.app.is_stuck.wait(10)
        running.end()
        assert b"bye" not in rest(one)
    running.close()
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        ((), b"127.0.0.1 http"),
        (("127.0.0.2",), b"127.0.0.1 http"),
        (("127.0.0.1",), b"192.0.2.7 https"),
        (("127.0.0.0/8",), b"192.0.2.7 https"),
    ],
)
def test_only_a_proxy_that_is_named_says_who_asks(proxies: tuple[str, ...], seen: bytes) -> None:
    asking = b"GET /whose HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\r\n"
    with served(proxies=proxies) as running, asked(running, asking) as one:
        assert rest(one).partition(b"\r\n\r\n")[2] == seen


def test_a_request_writes_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with served() as running, asked(running, b"GET /said?token=secret HTTP/1.1\r\nHost: here\r\n\r\n") as one:
        assert status(rest(one)) == 200
    assert not [record for record in caplog.records if "secret" in record.getMessage()]


def test_an_application_that_cannot_begin_is_not_served() -> None:
    def broken(_app: Starlette) -> AbstractAsyncContextManager[None]:
        raise CallbackError("no")

    async def serve() -> None:
        async with opened(Starlette(lifespan=broken), ("127.0.0.1", 0), Serving(Limits()), Repeated(print)):
            pytest.fail("it is served")

    with pytest.raises(CallbackError, match="could not begin"):
        asyncio.run(serve())


def test_the_end_waits_for_what_is_being_answered() -> None:
    """Who asked before is answered after, within SHUTDOWN_S."""
    assert SHUTDOWN_S > 1
    answering, go_on = threading.Event(), threading.Event()

    def slowly(_request: Request) -> Response:
        answering.set()
        go_on.wait(10)
        return PlainTextResponse("done")

    running = Served(Serving(Limits(), ending=go_on.set))
    running.app.routes.router.routes.append(Route("/slow", slowly))
    with asked(running, b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n") as one:
        assert answering.wait(10)
        running.end()
        assert rest(one).endswith(b"done")
    running.close()
