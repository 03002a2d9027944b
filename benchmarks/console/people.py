"""People at the console, in processes of their own: who read pages, and whose pages are live."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from multiprocessing.connection import Connection as Pipe
from typing import Final
from urllib.parse import quote

import aiohttp

from benchmarks.errors import BenchmarkError

COOKIE: Final = "lcr"
_VIEW: Final = re.compile(r'data-view="([^"]*)"')
_V: Final = re.compile(rb'"v":(\d+)')
_BUFFER: Final = 4 << 20
DEAF: Final = 2048  # bytes that who reads nothing has room for


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in: the cookie's token and the language, and the pages that are looked at."""

    token: str
    language: str
    pages: Sequence[str]

    @property
    def headers(self) -> dict[str, str]:
        """What the browser says of the person with each request."""
        return {"Cookie": f"{COOKIE}={self.token}; language={self.language}"}


@dataclass(slots=True)
class Reads:
    """What readers got: milliseconds of each page by its kind, from the request to the last byte."""

    took_ms: dict[str, list[float]] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Frames:
    """What live pages got: of each its address, and each frame's place in the feed and when it came (monotonic ns)."""

    pages: list[str] = field(default_factory=list)
    came: list[list[tuple[int, int]]] = field(default_factory=list)
    bytes: int = 0
    ended: int = 0
    resyncs: int = 0


def read_pages(pipe: Pipe, url: str, people: Sequence[Person], pause_s: float) -> None:
    """Be a process: each person reads page after page, until told to end; then say how long it took."""
    pipe.send(asyncio.run(_read_pages(pipe, url, people, pause_s)))


async def _read_pages(pipe: Pipe, url: str, people: Sequence[Person], pause_s: float) -> Reads:
    reads, told = Reads(), asyncio.create_task(asyncio.to_thread(pipe.recv))
    pipe.send("begins")
    async with asyncio.TaskGroup() as group:
        for place, person in enumerate(people):
            later = place / len(people)  # people do not ask in step
            group.create_task(_reader(url, person, pause_s * (1 + later), reads, told))
            await asyncio.sleep(pause_s / len(people))
    return reads


async def _reader(url: str, person: Person, pause_s: float, reads: Reads, told: asyncio.Task[object]) -> None:
    async with aiohttp.ClientSession(headers=person.headers) as client:
        while True:
            for page in person.pages:
                if told.done():
                    return
                kind = _kind(page)
                began_s = time.perf_counter()
                async with client.get(f"{url}{page}", allow_redirects=False) as answer:
                    body = await answer.read()
                    _must_be_there(page, answer.status)
                reads.took_ms.setdefault(kind, []).append((time.perf_counter() - began_s) * 1e3)
                reads.bytes[kind] = len(body)
                await asyncio.sleep(pause_s)


def watch_pages(pipe: Pipe, url: str, people: Sequence[Person], deaf: Person) -> None:
    """Be a process: each person looks at one page, live; say when all have it, and what came when told to end.

    One more is deaf, and reads nothing.
    """
    asyncio.run(_watch_pages(pipe, url, people, deaf))


async def _watch_pages(pipe: Pipe, url: str, people: Sequence[Person], deaf: Person) -> None:
    frames, open_ = Frames(), list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    async with aiohttp.ClientSession() as client:
        addresses = [await _live_address(client, url, person) for person in (*people, deaf)]
    for person, address in zip(people, addresses[:-1], strict=True):
        open_.append(await _opened(url, person, address, _BUFFER))
        frames.pages.append(person.pages[0])
        frames.came.append([])
    _, silent = await _opened(url, deaf, addresses[-1], DEAF)
    following = [asyncio.create_task(_follow(reader, frames, place)) for place, (reader, _) in enumerate(open_)]
    pipe.send(len(open_))
    await asyncio.to_thread(pipe.recv)
    frames.ended = sum(task.done() for task in following)
    for task in following:
        task.cancel()
    await asyncio.wait(following)
    for writer in (silent, *(writer for _, writer in open_)):
        writer.transport.abort()
    pipe.send(frames)


async def _live_address(client: aiohttp.ClientSession, url: str, person: Person) -> str:
    """The address that a page has for its own live view."""
    async with client.get(f"{url}{person.pages[0]}", headers=person.headers, allow_redirects=False) as answer:
        page = await answer.text()
        _must_be_there(person.pages[0], answer.status)
    found = _VIEW.search(page)
    if found is None or not found[1]:
        raise BenchmarkError(f"{person.pages[0]} is not live: it has no data-view")
    return "&".join(f"view={quote(view)}" for view in unescape(found[1]).split())


async def _opened(
    url: str, person: Person, address: str, room: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=room)
    head = "".join(f"{name}: {value}\r\n" for name, value in person.headers.items())
    writer.write(f"GET /stream?{address} HTTP/1.1\r\nHost: {host}:{port}\r\n{head}\r\n".encode())
    await writer.drain()
    return reader, writer


async def _follow(reader: asyncio.StreamReader, frames: Frames, place: int) -> None:
    """Note each frame by its place in the feed."""
    status = await reader.readline()
    if b" 200 " not in status:
        raise BenchmarkError(f"a stream was refused: {status.decode().strip()}")
    with suppress(asyncio.IncompleteReadError):
        while event := await reader.readuntil(b"\n\n"):
            now = time.monotonic_ns()
            frames.bytes += len(event)
            frames.resyncs += b"event: resync" in event
            if found := _V.search(event):
                frames.came[place].append((int(found[1]), now))


def _kind(page: str) -> str:
    return {"now": "now", "queue": "queue", "r": "timeline", "reports": "reports"}[
        page.split("?", maxsplit=1)[0].split("/")[1]
    ]


def _must_be_there(page: str, status: int) -> None:
    if status != 200:  # noqa: PLR2004
        raise BenchmarkError(f"{page} was answered by {status}")
