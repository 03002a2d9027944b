"""A cable between the service and its PBX that a test can cut and mend."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class Cable:
    """Forwards one TCP port of loopback to another, both ways, until it is cut; mended, it forwards again."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._whole = True
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._open, name="cable", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.cut()
        self._door.close()

    def cut(self) -> None:
        """End what is connected, and let nobody connect."""
        with self._lock:
            self._whole = False
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def mend(self) -> None:
        """Let connect again."""
        with self._lock:
            self._whole = True

    def _open(self) -> None:
        with suppress(OSError):  # the door was closed: the test is over
            while True:
                near, _ = self._door.accept()
                self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        with self._lock:
            far = None
            if self._whole:
                with suppress(OSError):
                    far = socket.create_connection(self._to)
            if far is None:
                near.close()
                return
            self._ends += [near, far]
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=_carry, args=(one, other), name="cable", daemon=True).start()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
