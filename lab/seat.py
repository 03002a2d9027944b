"""A block of ports for one Asterisk and its phones: several stand side by side and never meet."""

import fcntl
import socket
from contextlib import suppress
from typing import IO, Self

from lab.errors import LabError
from lab.fetch import cache

_FIRST, _WIDTH, _SEATS = 21000, 500, 22  # up to 31999: below the ports that the kernel gives out by itself
_HOST = "127.0.0.1"


class Seat:
    """Ports `first` to `last`, ours for as long as this process lives or until `leave`.

    AMI and SIP of the PBX take the first two on 127.0.0.1, its voice all from the tenth on. Every phone takes
    the third, on an address of its own: carriers from 127.0.0.2 on, agents from 127.0.0.11 on.
    """

    def __init__(self, number: int, lock: IO[str]) -> None:
        self._lock = lock
        self.first = _FIRST + number * _WIDTH
        self.last = self.first + _WIDTH - 1
        self.ami = self.first
        self.sip = self.first + 1
        self.phones = self.first + 2
        self.voice = (self.first + 10, self.last)

    @classmethod
    def take(cls) -> Self:
        """Take a free seat; raises `LabError` if there is none."""
        room = cache() / "seats"
        room.mkdir(parents=True, exist_ok=True)
        for number in range(_SEATS):
            lock = (room / str(number)).open("w")
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                seat = cls(number, lock)
                if seat.free():
                    return seat
            lock.close()
        raise LabError(f"all {_SEATS} blocks of ports from {_FIRST} on are in use. Stop another lab.")

    def free(self) -> bool:
        """Whether nobody else listens on the ports of the PBX."""
        for kind, port in ((socket.SOCK_STREAM, self.ami), (socket.SOCK_DGRAM, self.sip)):
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((_HOST, port))
                except OSError:
                    return False
        return True

    def leave(self) -> None:
        """Let somebody else have it."""
        self._lock.close()
