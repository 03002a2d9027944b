"""Streams as a browser reads them: over HTTP, with a session of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Self

import aiohttp

from tests.console.served import Served

PATIENCE_S: Final = 20.0


@dataclass(frozen=True)
class StreamEvent:
    """An event as it came; frames have no name."""

    name: str
    data: dict[str, Any]
    id: str
    raw: bytes


class Stream:
    """One open stream. It is read event by event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self, name: str = "", has: Callable[[Mapping[str, Any]], object] = lambda _: True) -> StreamEvent:
        """Read on to the next event of that name with such data."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = await self._event()
                if event.name == name and has(event.data):
                    return event

    async def rest(self) -> list[StreamEvent]:
        """Read all that comes until the server ends it."""
        events: list[StreamEvent] = []
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    events.append(await self._event())
                except EOFError:
                    return events

    async def _event(self) -> StreamEvent:
        raw, fields = b"", dict[str, str]()
        while line := await self.response.content.readline():
            raw += line
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if line == b"\n" and fields:
                named = fields.get("event", "" if "data" in fields else "hello")
                return StreamEvent(named, json.loads(fields.get("data", "{}")), fields.get("id", ""), raw)
            if name:
                fields[name] = value
        raise EOFError


class Browsers:
    """Opens streams at a console, and closes them all at the end of the block."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._streams: list[Stream] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for stream in self._streams:
            stream.response.close()
        await self._client.close()

    async def open(self, *views: str, session: str = "1", last: str = "", role: str = "supervisor") -> Stream:
        """Open a stream in a session; it is one more where that is another word."""
        response = await self.ask(*views, session=session, last=last, role=role)
        assert response.status == HTTPStatus.OK, response.status
        self._streams.append(Stream(response))
        return self._streams[-1]

    async def ask(
        self, *views: str, session: str = "1", last: str = "", role: str = "supervisor"
    ) -> aiohttp.ClientResponse:
        """Ask for a stream."""
        headers = _cookies(session, role) | ({"Last-Event-ID": last} if last else {})
        asked = [("view", view) for view in views]
        return await self._client.get(self._served.at("/stream"), params=asked, headers=headers)

    async def here(self, tab: str, items: str, *, session: str, role: str) -> int:
        """Say what a tab has open; give the status of the answer."""
        headers = _cookies(session, role) | {"Sec-Fetch-Site": "same-origin"}
        about = {"tab": tab, "items": items}
        async with self._client.post(self._served.at("/stream/here"), data=about, headers=headers) as answer:
            return answer.status


def _cookies(session: str, role: str) -> dict[str, str]:
    return {"Cookie": f"signed-in-as={role}; browser={session}"}
