"""The same calls for a peer that only parses them: a manager that sends so many of a centre's calls, and hangs up."""

from __future__ import annotations

import asyncio
import time
from multiprocessing.connection import Connection
from typing import Final

from benchmarks import peers
from benchmarks.day.centre import LOST, SERVED
from benchmarks.streams import Serials, Template
from telephony.simulator.eventfilter import EventFilter

LOST_EVERY: Final = 15
_GREETING: Final = b"Asterisk Call Manager/11.0.0\r\n"
_ACCEPTED: Final = b"Response: Success\r\nActionID: %s\r\nMessage: Authentication accepted\r\n\r\n"


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, calls: int) -> None:
    writer.write(_GREETING)
    asked = await reader.readuntil(b"\r\n\r\n")
    action = next((line for line in asked.split(b"\r\n") if line.lower().startswith(b"actionid:")), b":")
    writer.write(_ACCEPTED % action.partition(b":")[2].strip())
    served, lost, serials, passes = Template(SERVED), Template(LOST), Serials(), EventFilter.load().passes
    for number in range(calls):
        play = (lost if number % LOST_EVERY == LOST_EVERY - 1 else served).play(serials, time.time())
        writer.write(b"".join([raw for raw in play.events if passes(raw)]))
        await writer.drain()
    writer.close()


async def _serve(line: Connection, calls: int) -> None:
    server = await asyncio.start_server(lambda reader, writer: _send(reader, writer, calls), "127.0.0.1", 0)
    line.send(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


def run(line: Connection, calls: int) -> None:
    """Be the process that sends."""
    asyncio.run(_serve(line, calls))


def peer(line: Connection, port: int) -> None:
    """Be the process that reads: tell how many CPU seconds that took, from the login to the end."""
    began: list[float] = []
    peers.asterisk_ami(port, lambda: began.append(time.process_time()))
    line.send(time.process_time() - began[0])
