"""Cables between the processes of a site: each forwards what connects to its near end, until it is cut or hangs.

A cable that is cut resets what is connected and refuses what comes. One that hangs lets connections stay and carries
nothing more, without a word to either side, as a network does that lost them: who is connected then stays deaf for
ever, and who connects gets no answer until it is whole. This runs as a process of its own, so that no telephone waits
for it: `python -m lab.faults.switchboard FILE` reads its cables from a JSON file, says "ready", and takes commands on
standard input, each answered with "done".
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Condition = Literal["whole", "cut", "hanging"]
_RESET = struct.pack("ii", 1, 0)  # of what is not sent yet nothing goes out, and the other side gets a reset
_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class End:
    """An end of a cable: a port, or the path of a unix socket."""

    port: int = 0
    path: str = ""
    host: str = "127.0.0.1"

    async def listen(self, serve: Serve) -> asyncio.Server:
        """Listen there."""
        if self.path:
            return await asyncio.start_unix_server(serve, self.path)
        return await asyncio.start_server(serve, self.host, self.port)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect there."""
        if self.path:
            return await asyncio.open_unix_connection(self.path)
        return await asyncio.open_connection(self.host, self.port)


@dataclass
class Cable:
    """One cable: its ends, its condition, and what is connected through it now."""

    near: End
    far: End
    condition: Condition = "whole"
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _dead: set[asyncio.StreamWriter] = field(default_factory=set)
    _mended: asyncio.Event = field(default_factory=asyncio.Event)

    async def lay(self) -> None:
        """Begin to forward."""
        await self.near.listen(self._serve)

    def turn(self, condition: Condition) -> None:
        """Cut it, let it hang, or mend it."""
        self.condition = condition
        if condition == "cut":
            for writer in self._writers | self._dead:
                _reset(writer)
        elif condition == "hanging":
            self._dead |= self._writers
            self._writers = set()
            self._mended.clear()
        else:
            self._mended.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the switchboard ends
            await self._connect(reader, writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.condition == "cut":
            _reset(writer)
            return
        if self.condition == "hanging":  # it waits, and finds then that nobody is there
            self._dead.add(writer)
            await self._mended.wait()
            _reset(writer)
            return
        try:
            far_reader, far_writer = await self.far.connect()
        except OSError:
            _reset(writer)
            return
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            self._writers -= pair

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_AT_ONCE):
                if writer in self._dead:
                    continue  # swallowed
                writer.write(data)
                await writer.drain()
        if writer not in self._dead:
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


def _read(file: Path) -> dict[str, Cable]:
    ends: dict[str, tuple[dict[str, Any], dict[str, Any]]] = json.loads(file.read_text(encoding="utf-8"))
    return {name: Cable(End(**near), End(**far)) for name, (near, far) in ends.items()}


async def _run(cables: dict[str, Cable]) -> None:
    for cable in cables.values():
        await cable.lay()
    print("ready", flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := (await commands.readline()).decode().split():
        condition, *names = line
        for name in names:
            cables[name].turn(condition)  # type: ignore[arg-type] # a command is one of these words
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(_run(_read(Path(sys.argv[1]))))
