"""A manager interface that does as a test says: enough of one for a conversation, and what may go wrong in it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Headers = dict[str, str]
Play = Callable[[Headers], str]
"""Gives what is sent back, for an action; an empty text is silence."""

BANNER = "Asterisk Call Manager/11.0.0\r\n"


def said(response: str, action: Headers, message: str = "", **more: str) -> str:
    lines = {"Response": response, "ActionID": action["ActionID"], "Message": message, **more}
    return "".join(f"{key}: {value}\r\n" for key, value in lines.items()) + "\r\n"


def value(action: Headers, stored: str, action_id: str | None = None) -> str:
    """The event that answers DBGet."""
    lines = {
        "Event": "DBGetResponse",
        "Family": "lcr-probe",
        "Key": "run",
        "Val": stored,
        "ActionID": action_id or action["ActionID"],
    }
    return "".join(f"{key}: {value}\r\n" for key, value in lines.items()) + "\r\n"


@contextmanager
def manager(play: Play, banner: str = BANNER) -> Iterator[int]:
    """Listen on a port of loopback for one conversation after the other."""
    door = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(door, play, banner), daemon=True).start()
    try:
        yield door.getsockname()[1]
    finally:
        door.close()


def _serve(door: socket.socket, play: Play, banner: str) -> None:
    with suppress(OSError):
        while True:
            line, _ = door.accept()
            with suppress(OSError), line:
                line.sendall(banner.encode())
                _converse(line, play)


def _converse(line: socket.socket, play: Play) -> None:
    held = b""
    while read := line.recv(4096):
        held += read
        while b"\r\n\r\n" in held:
            action, _, held = held.partition(b"\r\n\r\n")
            headers = dict(each.split(": ", 1) for each in action.decode().split("\r\n"))
            line.sendall(play(headers).encode())
