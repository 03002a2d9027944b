"""Limits of connections: a bounded number, each for a bounded time, whatever server is behind them.

A stranger can open connections faster than anybody can be served. So a connection whose request is not whole after a
while is ended; where a new one finds no room, at once, the oldest first. One that is being served stays, for a bounded
time; one that is sent a stream stays as long as its other side takes what it is sent.
"""

from __future__ import annotations

import asyncio
import ipaddress
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from callback.logs.repeated import Repeated

PROXY: Final = frozenset({"127.0.0.1", "::1"})
"""Where a proxy on this machine comes from: all the world has its address, so that only the whole is bounded."""
_Wait = Literal["head", "speak", "live", "stall"]
_WAITS: Final[tuple[_Wait, ...]] = get_args(_Wait)
_OTHERS: Final = 2  # of the files that a process may open, this part stays for everything else


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections at once, altogether and from one address, and how long each may take.

    From when it is connected, or was answered last, each has `head_s` until the head of its request has come, `speak_s`
    until the request is whole, and `live_s` until it is answered. One that is sent a stream may live on where no more
    than `streams` do. Who is sent more than it takes, and takes too little for `stall_s`, is ended.
    """

    altogether: int = 400
    by_address: int = 100
    streams: int = 0
    head_s: float = 10.0
    speak_s: float = 15.0
    live_s: float = 120.0
    stall_s: float = 15.0

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

    def head_has_come(self, transport: asyncio.BaseTransport) -> None:
        """Know that a connection has said the head of its request."""
        if one := self._open.get(transport):
            one.stop("head")

    def request_has_come(self, transport: asyncio.BaseTransport) -> None:
        """Keep a connection until its request is answered: it is whole."""
        if one := self._open.get(transport):
            one.stop("head", "speak")
            one.is_being_served = True

    def stream_begins(self, transport: asyncio.BaseTransport) -> None:
        """Let a connection live on while it is sent a stream; where there are too many, no longer than others."""
        one = self._open.get(transport)
        if one is not None and sum(other.is_stream for other in self._open.values()) < self.limits.streams:
            one.stop("live")
            one.is_stream = True

    def was_answered(self, transport: asyncio.BaseTransport) -> None:
        """Let a connection ask for something else, in the time that a new one has."""
        if one := self._open.get(transport):
            one.begin()

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
        self._timers: dict[_Wait, asyncio.TimerHandle] = {}
        self._is_admitted = False
        self.is_being_served = self.is_stream = False
        self.origin = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # of TCP it always is one
        self.transport, self.origin = transport, origin_of(transport.get_extra_info("peername"))
        self._is_admitted = self._limiter.admit(self)
        if not self._is_admitted:
            transport.abort()
            return
        self.begin()
        self._protocol.connection_made(transport)

    def begin(self) -> None:
        """Wait for a request."""
        self.is_being_served = self.is_stream = False
        limits = self._limiter.limits
        self._end_after("head", limits.head_s, f"it did not say the head of a request within {limits.head_s:g} s")
        self._end_after("speak", limits.speak_s, f"it did not say all of a request within {limits.speak_s:g} s")
        self._end_after("live", limits.live_s, f"it was not answered within {limits.live_s:g} s")

    def stop(self, *waits: _Wait) -> None:
        """Wait no more: that has come."""
        for wait in waits:
            if timer := self._timers.pop(wait, None):
                timer.cancel()

    def _end_after(self, wait: _Wait, after_s: float, why: str) -> None:
        self.stop(wait)
        self._timers[wait] = asyncio.get_running_loop().call_later(after_s, self._limiter.end, self, why)

    def data_received(self, data: bytes) -> None:
        if self._is_admitted:
            self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received() if self._is_admitted else None

    def pause_writing(self) -> None:
        stall_s = self._limiter.limits.stall_s
        self._end_after("stall", stall_s, f"it took too little of what it was sent for {stall_s:g} s")
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self.stop("stall")
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop(*_WAITS)
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
