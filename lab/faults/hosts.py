"""Hosts of their own for nodes: a network namespace each, behind a link that can go down as a cable that is pulled.

Packets are really lost then, and no side is told; what both still hold when the link is up again goes on. Only root can
have them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress
from typing import Final, Self

_NAME: Final = re.compile(r"lcr([0-9]+)-([0-9])")
_IP: Final = "ip"


class Host:
    """A host as a context manager: `outer` is how it finds this machine, `prefix` what a command there begins with."""

    def __init__(self, number: int) -> None:
        self.name = f"lcr{os.getpid()}-{number}"
        self.outer = f"10.231.{os.getpid() % 250}.{4 * number + 1}"
        self._inner = f"10.231.{os.getpid() % 250}.{4 * number + 2}"
        self.prefix = [shutil.which(_IP) or _IP, "netns", "exec", self.name]

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            _remove(self.name)
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        _remove(self.name)

    def _make(self) -> None:
        inside = [_IP, "-n", self.name]
        for command in (
            [_IP, "netns", "add", self.name],
            [_IP, "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name],
            [_IP, "addr", "add", f"{self.outer}/30", "dev", self.name],
            [_IP, "link", "set", self.name, "up"],
            [*inside, "addr", "add", f"{self._inner}/30", "dev", "eth0"],
            [*inside, "link", "set", "eth0", "up"],
            [*inside, "link", "set", "lo", "up"],
        ):
            subprocess.run(command, check=True, capture_output=True)

    def turn(self, state: str) -> None:
        """Pull the cable (down), or put it back (up)."""
        subprocess.run([_IP, "link", "set", self.name, state], check=True, capture_output=True)


def possible() -> bool:
    """Whether hosts can be had here; what a killed run left is removed."""
    if os.geteuid() != 0 or shutil.which(_IP) is None:
        return False
    listed = subprocess.run([_IP, "netns", "list"], check=False, capture_output=True, text=True).stdout
    for name, pid, _ in ((found[0], found[1], found[2]) for found in _NAME.finditer(listed)):
        if not os.path.exists(f"/proc/{pid}"):  # noqa: PTH110 - of a process, no file
            _remove(name)
    with suppress(OSError, subprocess.CalledProcessError), Host(9):
        return True
    return False


def _remove(name: str) -> None:
    for command in ([_IP, "link", "del", name], [_IP, "netns", "del", name]):
        subprocess.run(command, check=False, capture_output=True)
