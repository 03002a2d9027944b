"""Streams over HTTP: every tab is live, nobody waits for whoever is slow, and each ends when it is to."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aiohttp
import pytest

from callback.decisions import actions
from callback.store.audit import By
from callback.web.connections import Limits
from callback.web.console import app
from callback.web.console.live.viewers import OF_SESSION
from callback.web.console.live.views import Kind
from callback.web.console.parts import Console
from tests.callback.web.console.live.hubs import OpenOnes
from tests.callback.world import NOON, US, World, call
from tests.console.served import Served, serve
from tests.console.streams import Browsers

ANNA = By("Anna", "customer asked")
TABS = 8
VIEWERS = 60
WIDE = 200_000  # bytes
SOON_S = 3.0  # a second is promised; tests share the machine with others


@pytest.fixture
def live(console_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A console with a live list of the open reservations, of which there is one."""
    for name, wide in (("open", 0), ("wide", WIDE)):
        of_pages: Any = app.VIEWS
        monkeypatch.setitem(of_pages, name, _views(wide))
    console_world.hear(call())
    with serve(console_world, limits=Limits(streams=100, stall_s=1.0)) as served:
        yield served


def _views(wide: int) -> Callable[[Console], Kind]:
    return lambda _console: Kind(lambda audience, _address: OpenOnes(audience, wide=wide))


def hold(served: Served) -> None:
    with served.world.store.write() as connection:
        actions.hold(served.world.work(connection, NOON + US), 1, ANNA)


def test_eight_tabs_of_one_browser_are_live_by_one_stream(live: Served) -> None:
    views = [f"/stream/open?tab={tab}" for tab in range(TABS)]

    async def read() -> None:
        async with Browsers(live) as browsers:
            stream = await browsers.open(*views)
            assert stream.response.headers["Content-Type"].startswith("text/event-stream")
            assert stream.response.headers["X-Accel-Buffering"] == "no"
            assert {(await stream.next()).data["view"] for _ in views} == set(views)
            hold(live)
            frames = [(await stream.next()).data for _ in views]
            assert {frame["view"] for frame in frames} == set(views)
            assert {str(frame["order"]) for frame in frames} == {"{'held': [1]}"}

    asyncio.run(read())


def test_a_page_may_open_the_address_that_stands_in_it(live: Served) -> None:
    address = "/stream/open?lane=late"

    async def read() -> None:
        cookies = {"signed-in-as": "supervisor"}
        async with aiohttp.ClientSession(cookies=cookies) as client, client.get(live.at(address)) as response:
            assert (await response.content.readuntil(b"\n\n")).startswith(b": live")
            frame = await response.content.readuntil(b"\n\n")
            while frame.startswith(b"event: beat"):  # may come before the first picture
                frame = await response.content.readuntil(b"\n\n")
            assert address in frame.decode()

    asyncio.run(read())


def test_a_change_reaches_the_last_of_many_soon(live: Served) -> None:
    async def read() -> None:
        async with Browsers(live) as browsers:
            streams = [await browsers.open("/stream/open", session=str(number)) for number in range(VIEWERS)]
            for stream in streams:
                await stream.next()
            began_s = time.monotonic()
            await asyncio.to_thread(hold, live)
            frames = await asyncio.gather(*(stream.next() for stream in streams))
            assert time.monotonic() - began_s < SOON_S
            assert len({frame.raw for frame in frames}) == 1

    asyncio.run(read())


def test_who_reads_nothing_is_cut_off_and_harms_nobody(live: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        async with Browsers(live) as browsers:
            stream = await browsers.open("/stream/open")
            await stream.next()
            with _deaf(live):
                await _until(lambda: len(live.hub.viewers) == 2)
                place = 0
                while len(live.hub.viewers) == 2:
                    live.world.hear(call(f"0901235{place:04}"))
                    place += 1
                    await stream.next("", _shows(open_=place + 1))
            hold(live)
            await stream.next("", lambda data: "held" in data.get("order", {}))

    asyncio.run(read())


def _shows(open_: int) -> Callable[[Mapping[str, Any]], bool]:
    return lambda data: bool(data["figures"]["open"] == str(open_))


def _deaf(served: Served) -> socket.socket:
    """A browser that asks for views of more than fits between two machines, and reads nothing of it."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((host, int(port)))
    views = "&".join(f"view=/stream/wide%3Fdeaf={number}" for number in range(TABS))
    deaf.sendall(f"GET /stream?{views} HTTP/1.1\r\nHost: {host}\r\nCookie: signed-in-as=manager\r\n\r\n".encode())
    return deaf


def test_who_has_a_row_open_is_seen_by_others_as_long_as_the_browser_is_there(live: Served) -> None:
    async def read() -> None:
        async with Browsers(live) as browsers:
            anna = await browsers.open("/stream/open", session="anna")
            bo = await browsers.open("/stream/open", session="bo", role="manager")
            await anna.next()
            assert await browsers.here("tab-1", "1,99", session="bo", role="manager") == 204
            assert (await anna.next("", lambda data: "who" in data)).data["who"] == {"1": ["Bo"]}
            assert await browsers.here("tab-1", "one", session="bo", role="manager") == 422
            assert await browsers.here("no tab", "1", session="bo", role="manager") == 422
            bo.response.close()
            assert (await anna.next("", lambda data: "who" in data)).data["who"] == {}

    asyncio.run(read())


def test_no_session_opens_more_streams_than_it_may(live: Served) -> None:
    async def read() -> None:
        async with Browsers(live) as browsers:
            streams = [await browsers.open("/stream/open") for _ in range(OF_SESSION)]
            async with await browsers.ask("/stream/open") as refused:
                assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
            streams[0].response.close()
            await _until(lambda: len(live.hub.viewers) < OF_SESSION)
            await browsers.open("/stream/open")

    asyncio.run(read())


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the hub tells nobody who left
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("role", "address", "status"),
    [
        ("administrator", "/stream?view=/stream/open", 403),
        ("agent", "/stream?view=/stream/open", 422),  # no view of an agent's
        ("supervisor", "/stream?view=/stream/agent", 422),
        ("supervisor", "/stream?view=/stream/none", 422),
        ("supervisor", "/stream/none", 422),
        ("supervisor", "/stream", 422),
        ("nobody", "/stream?view=/stream/open", 401),
    ],
)
def test_who_may_not_gets_no_stream(live: Served, role: str, address: str, status: int) -> None:
    async def read() -> None:
        cookies = {"signed-in-as": role}
        asked = live.at(address)
        async with aiohttp.ClientSession(cookies=cookies) as client, client.get(asked, allow_redirects=False) as answer:
            assert answer.status == status
            assert "text/event-stream" not in answer.headers.get("Content-Type", "")

    asyncio.run(read())


def test_a_stream_ends_soon_after_its_session(live: Served) -> None:
    async def read() -> None:
        async with Browsers(live) as browsers:
            anna = await browsers.open("/stream/open")
            bo = await browsers.open("/stream/open", role="manager")
            await bo.next()
            began_s = time.monotonic()
            live.ended.add("Anna")
            assert [event.name for event in await anna.rest()][-1] == "bye"
            assert time.monotonic() - began_s < 5
            hold(live)
            await bo.next("", lambda data: "held" in data.get("order", {}))

    asyncio.run(read())


def test_at_the_end_streams_are_told_and_nothing_is_logged(
    live: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def read() -> None:
        async with Browsers(live) as browsers:
            streams = [await browsers.open("/stream/open", session=str(number)) for number in range(20)]
            for stream in streams:
                await stream.next()
            began_s = time.monotonic()
            live.stop()
            for stream in streams:
                bye = await stream.next("bye")
                assert bye.data == {"why": "ended"}
                assert b"retry: " in bye.raw
                assert await stream.rest() == []
            assert time.monotonic() - began_s < SOON_S

    asyncio.run(read())
    assert [record.getMessage() for record in caplog.records] == []
    assert capfd.readouterr().err == ""
