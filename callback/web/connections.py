"""Limits of connections: a bounded number, each for a bounded time, whatever server is behind them.

A stranger can open connections faster than anybody can be served. So a connection whose request is not whole after a
while is ended; where a new one finds no room, at once, the oldest first. One that is being served stays.
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

    `speak_s`: from when it is connected until its request is whole; `live_s`: until it is answered.
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


class ConnectionLimiter:
    """Admits connections within their limits, and ends those that exceed them. It belongs to one event loop."""

    def __init__(self, limits: Limits, tally: Repeated) -> None:
        self.limits, self._tally = limits, tally
        self._open: dict[asyncio.BaseTransport, _LimitedConnection] = {}  # in the order in which they came

    def limited(self, protocol: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Make protocols that behave like these, for connections that this limiter admits."""
        return lambda: _LimitedConnection(self, protocol())

    def request_has_come(self, transport: asyncio.BaseTransport | None) -> None:
        """Keep a connection until its request is answered: it is whole."""
        if transport is not None and (one := self._open.get(transport)):
            one.is_being_served = True

    def admit(self, new: _LimitedConnection) -> bool:
        """Find room for a new connection; False where all those that are open are being served."""
        every = self._open.values()
        same_origin = [one for one in every if one.origin == new.origin]
        full: Iterable[_LimitedConnection] = ()
        if new.origin not in PROXY and len(same_origin) >= self.limits.by_address:
            full = same_origin
        elif len(every) >= self.limits.room:
            full = every
        if full and not self._make_room(full):
            self._tally.note("a connection was refused: all those that may be open are being served")
            return False
        self._open[new.transport] = new
        return True

    def forget(self, one: _LimitedConnection) -> None:
        """Forget a connection that has ended."""
        self._open.pop(one.transport, None)

    def end(self, one: _LimitedConnection, why: str) -> None:
        """End a connection at once, without an answer."""
        self._tally.note(f"a connection was ended: {why}")
        self.forget(one)
        one.transport.abort()

    def _make_room(self, full: Iterable[_LimitedConnection]) -> bool:
        silent = next((one for one in full if not one.is_being_served), None)
        if silent is None:
            return False
        self.end(silent, "too many are open, and it had waited longest without saying all of its request")
        return True


class _LimitedConnection(asyncio.Protocol):
    """A connection: hands everything on to the protocol of the server behind the limiter."""

    transport: asyncio.Transport

    def __init__(self, limiter: ConnectionLimiter, protocol: asyncio.Protocol) -> None:
        self._limiter, self._protocol = limiter, protocol
        self._timers: list[asyncio.TimerHandle] = []
        self._is_admitted = False
        self.is_being_served = False
        self.origin = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # of TCP it always is one
        self.transport, self.origin = transport, origin_of(transport.get_extra_info("peername"))
        self._is_admitted = self._limiter.admit(self)
        if not self._is_admitted:
            transport.abort()
            return
        loop, limits = asyncio.get_running_loop(), self._limiter.limits
        self._timers = [loop.call_later(limits.speak_s, self._end_if_silent)]
        too_long = partial(self._limiter.end, self, f"it was not answered within {limits.live_s:g} s")
        self._timers.append(loop.call_later(limits.live_s, too_long))
        self._protocol.connection_made(transport)

    def _end_if_silent(self) -> None:
        if not self.is_being_served:
            self._limiter.end(self, f"it did not say all of a request within {self._limiter.limits.speak_s:g} s")

    def data_received(self, data: bytes) -> None:
        if self._is_admitted:
            self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received() if self._is_admitted else None

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._is_admitted:
            self._limiter.forget(self)
            self._protocol.connection_lost(exc)


def origin_of(peer: tuple[str, int] | None) -> str:
    """Where a connection comes from: its address, or of IPv6 the network that one customer of a provider has."""
    if not peer:
        return ""
    address = ipaddress.ip_address(peer[0].partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv4Address) or str(address) in PROXY:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
