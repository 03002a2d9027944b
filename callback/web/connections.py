"""Limits of connections: a bounded number, each for a bounded time, whatever server is behind them.

A stranger can open connections faster than anybody can be served. So who has not yet said all of a request is shut out
after a while, and where a newcomer finds no room, at once, the longest waiting first. Who is being served stays.
"""

from __future__ import annotations

import asyncio
import ipaddress
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from callback.logs.repeated import Repeated

PROXY: Final = frozenset({"127.0.0.1", "::1"})
"""Where a proxy on this machine comes from: all the world has its address, so that only the whole is bounded."""
_OTHERS: Final = 2  # of the files that a process may open, this part stays for everything else


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections at once, altogether and from one address, and how long each may take.

    `speak_s`: to say all of a request, from the moment it is connected; `live_s`: until it is answered.
    """

    altogether: int = 400
    by_address: int = 100
    speak_s: float = 15.0
    live_s: float = 120.0

    @property
    def room(self) -> int:
        """How many there can be: never so many that the process runs out of files to open."""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return self.altogether if files == resource.RLIM_INFINITY else min(self.altogether, files // _OTHERS)


class Gate:
    """Lets connections in, and shuts them out again. It belongs to one event loop."""

    def __init__(self, limits: Limits, tally: Repeated) -> None:
        self.limits, self._tally = limits, tally
        self._inside: dict[asyncio.BaseTransport, _Guest] = {}  # in the order in which they came

    def watched(self, protocol: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Make protocols that behave like these, for connections that this gate watches."""
        return lambda: _Guest(self, protocol())

    def has_spoken(self, transport: asyncio.BaseTransport | None) -> None:
        """Say that a whole request came over this connection: it stays until it is answered."""
        if transport is not None and (guest := self._inside.get(transport)):
            guest.waits_for_us = True

    def enter(self, guest: _Guest) -> bool:
        """Find room for a newcomer; False where all those inside are being served."""
        inside = self._inside.values()
        neighbours = [one for one in inside if one.place == guest.place]
        full: Iterable[_Guest] = ()
        if guest.place not in PROXY and len(neighbours) >= self.limits.by_address:
            full = neighbours
        elif len(inside) >= self.limits.room:
            full = inside
        if full and not self._make_room(full):
            self._tally.note("a connection was refused: all those that may be open are being served")
            return False
        self._inside[guest.transport] = guest
        return True

    def leave(self, guest: _Guest) -> None:
        """Forget a connection that has ended."""
        self._inside.pop(guest.transport, None)

    def shut_out(self, guest: _Guest, why: str) -> None:
        """End a connection, now and without a word to whoever holds it."""
        self._tally.note(f"a connection was ended: {why}")
        self.leave(guest)
        guest.transport.abort()

    def _make_room(self, full: Iterable[_Guest]) -> bool:
        silent = next((guest for guest in full if not guest.waits_for_us), None)
        if silent is None:
            return False
        self.shut_out(silent, "too many are open, and it had waited longest without saying all of its request")
        return True


class _Guest(asyncio.Protocol):
    """A connection: hands everything on to the protocol of the server behind the gate."""

    transport: asyncio.Transport

    def __init__(self, gate: Gate, protocol: asyncio.Protocol) -> None:
        self._gate, self._protocol = gate, protocol
        self._timers: list[asyncio.TimerHandle] = []
        self._is_inside = False
        self.waits_for_us = False
        self.place = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # of TCP it always is one
        self.transport, self.place = transport, place_of(transport.get_extra_info("peername"))
        self._is_inside = self._gate.enter(self)
        if not self._is_inside:
            transport.abort()
            return
        loop, limits = asyncio.get_running_loop(), self._gate.limits
        self._timers = [loop.call_later(limits.speak_s, self._be_silent_no_longer)]
        too_long = partial(self._gate.shut_out, self, f"it was not answered within {limits.live_s:g} s")
        self._timers.append(loop.call_later(limits.live_s, too_long))
        self._protocol.connection_made(transport)

    def _be_silent_no_longer(self) -> None:
        if not self.waits_for_us:
            self._gate.shut_out(self, f"it did not say all of a request within {self._gate.limits.speak_s:g} s")

    def data_received(self, data: bytes) -> None:
        if self._is_inside:
            self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received() if self._is_inside else None

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._is_inside:
            self._gate.leave(self)
            self._protocol.connection_lost(exc)


def place_of(peer: tuple[str, int] | None) -> str:
    """Where a connection comes from: its address, or of IPv6 the network that one customer of a provider has."""
    if not peer:
        return ""
    address = ipaddress.ip_address(peer[0].partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv4Address) or str(address) in PROXY:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
