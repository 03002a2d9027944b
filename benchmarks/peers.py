"""Other readers of the same bytes, which only parse them, or not even that. Each runs in a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

ACCOUNT: Final = ("bench", "bench")
WAIT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader came to: when the stream had ended (ns, monotonic), and how many events (or bytes) it counted."""

    ended_at: int
    counted: int


def asterisk_ami(port: int, ready: Callable[[], None]) -> Read:
    """asterisk-ami with a listener that counts."""
    from asterisk.ami import AMIClient  # noqa: PLC0415 - each process loads what it measures

    warnings.filterwarnings("ignore", "notifyAll", DeprecationWarning)
    count, gone, ended_at = itertools.count(), threading.Event(), []

    def on_disconnect(**_: object) -> None:
        ended_at.append(time.monotonic_ns())
        gone.set()

    client = AMIClient(port=port, timeout=WAIT_S)
    client.add_listener(on_event=lambda **_: next(count), on_disconnect=on_disconnect)
    client.login(*ACCOUNT).get_response()
    ready()
    gone.wait(WAIT_S)
    return Read(ended_at[0], next(count))


def panoramisk(port: int, ready: Callable[[], None]) -> Read:
    """Panoramisk with a handler that counts."""
    return asyncio.run(_panoramisk(port, ready))


async def _panoramisk(port: int, ready: Callable[[], None]) -> Read:
    from panoramisk import Manager  # noqa: PLC0415 - each process loads what it measures

    logging.getLogger("panoramisk.manager").disabled = True  # that the stream ended is no error here
    count = itertools.count()
    logged_in, gone = asyncio.Event(), asyncio.Event()
    manager = Manager(
        port=port,
        username=ACCOUNT[0],
        secret=ACCOUNT[1],
        loop=asyncio.get_running_loop(),
        on_login=lambda _: logged_in.set(),
        on_disconnect=lambda *_: gone.set(),
    )
    manager.register_event("*", lambda *_: next(count))
    manager.connect()
    await logged_in.wait()
    ready()
    await gone.wait()
    ended_at = time.monotonic_ns()
    manager.close()
    return Read(ended_at, next(count))


def bare_socket(port: int, ready: Callable[[], None]) -> Read:
    """A socket that is read, and nothing else: its count is of bytes."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall("Action: Login\r\nUsername: {}\r\nSecret: {}\r\n\r\n".format(*ACCOUNT).encode())
        connection.recv(1 << 16)
        ready()
        counted = 0
        while data := connection.recv(1 << 16):
            counted += len(data)
        return Read(time.monotonic_ns(), counted)


READERS: Final[dict[str, Callable[[int, Callable[[], None]], Read]]] = {
    "asterisk-ami": asterisk_ami,
    "panoramisk": panoramisk,
    "bare socket": bare_socket,
}


def run(line: Connection, name: str, port: int) -> None:
    """Be the process: connect, say so, read to the end, tell."""

    def ready() -> None:
        line.send("ready")

    read: Any = READERS[name](port, ready)
    line.send(read)
