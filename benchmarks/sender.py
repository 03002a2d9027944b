"""The other side of the measured sockets, in a process of its own: a manager that sends prepared traffic.

It is no Asterisk, and less than `telephony.simulator.server`: it answers a login and the questions that the service
asks after connecting, and then sends what it was told to, as fast as it is taken (`Flood`) or at a rate (`SendRate`).
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections import Counter
from collections.abc import MutableSequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from benchmarks.streams import Due, Serials, load, share_skipped, traffic
from telephony.ami.protocol import Message, Parser
from telephony.simulator.eventfilter import EventFilter

GREETING: Final = b"Asterisk Call Manager/11.0.0\r\n"
TICK_S: Final = 0.001
PIECE: Final = 1 << 16
ABREAST: Final = 50
"""Calls at a time in a flood."""
RING: Final = 1 << 16
"""Instants at which the latest calls were ended that are remembered."""


@dataclass(frozen=True, slots=True)
class Flood:
    """Send what was prepared to the one client, as fast as it reads; `close`: hang up then.

    `filtered`: only what the eventfilter that we ship leaves of it, as a PBX that filters does.
    """

    close: bool
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class SendRate:
    """Send so many events a second, spread over all clients. For `lasts_s` calls begin, each lasts `call_s`."""

    rate: int
    lasts_s: float
    call_s: float


@dataclass(frozen=True, slots=True)
class Ready:
    """The sender serves on `port`; which recordings it leaves out, and the share of messages that we skip."""

    port: int
    left_out: tuple[str, ...]
    share_skipped: float


@dataclass(frozen=True, slots=True)
class SentTraffic:
    """What was sent. Instants are ns of the monotonic clock, which all processes share."""

    began_at: int
    ended_at: int
    events: int
    bytes: int
    calls: int
    late_ms: float = 0.0
    """By how much the sender itself was late at most."""


class Manager(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, clients: set[Manager]) -> None:
        self._clients = clients
        self._parser = Parser()
        self._listed: Counter[str] = (
            Counter()
        )  # what was asked for: nothing lived then, which is true while stock is taken
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self.transport = transport
        transport.write(GREETING)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        del exc
        self._clients.discard(self)
        self.writable.set()

    def pause_writing(self) -> None:
        """Wait: the client does not keep up."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        """Answer."""
        for action in self._parser.feed(data):
            self._answer(action)

    def _answer(self, action: Message) -> None:
        name = action.get("Action").lower()
        head = f"Response: Success\r\nActionID: {action.get('ActionID')}\r\n"
        if self._listed[name] >= LISTED:
            self._say(head.replace("Success", "Error") + "Message: who lives now is not known here\r\n\r\n")
        elif name in _LISTS:
            self._listed[name] += 1
            end = f"Event: {_LISTS[name]}\r\nActionID: {action.get('ActionID')}\r\nEventList: Complete\r\n\r\n"
            self._say(f"{head}EventList: start\r\n\r\n{end}")
        else:
            self._say(head + _ANSWERS.get(name, "Message: done\r\n") + "\r\n")
        if name == "login":
            self._say("Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n")
            self._clients.add(self)

    def _say(self, text: str) -> None:
        self.transport.write(text.encode())


LISTED = 2
"""Stock is taken twice after a connection came up; a roll call comes later, when nobody here knows who lives."""
_LISTS: Final = {"coreshowchannels": "CoreShowChannelsComplete", "queuestatus": "QueueStatusComplete"}
_ANSWERS: Final = {
    "corestatus": "CoreStartupDate: 2026-01-01\r\nCoreStartupTime: 00:00:00\r\n",
    "getvar": "Variable: CALLERID(num)\r\nValue: 0901\r\n",
}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A flood in pieces, and how many events and customers' calls it is."""

    pieces: list[bytes]
    events: int
    calls: int


def _prepared(raws: list[bytes], calls: int) -> _Prepared:
    """Cut a flood into pieces between its events: what is answered is written between two pieces."""
    together = max(1, PIECE * len(raws) // max(1, sum(map(len, raws))))
    return _Prepared([b"".join(raws[at : at + together]) for at in range(0, len(raws), together)], len(raws), calls)


class TrafficSender:
    """Serves on loopback, and sends what the measuring process asks for."""

    def __init__(self, ended_at: MutableSequence[int], every: int) -> None:
        self._ended_at = ended_at  # by a call's serial number, modulo its length
        self._clients: set[Manager] = set()
        self._templates, self._left_out = load(every)
        self._prepared: dict[bool, _Prepared] = {}  # by whether it is filtered

    async def serve(self) -> Ready:
        """Listen."""
        self._server = await asyncio.get_running_loop().create_server(lambda: Manager(self._clients), "127.0.0.1", 0)
        port = int(self._server.sockets[0].getsockname()[1])
        return Ready(port, tuple(self._left_out), share_skipped(self._templates))

    def prepare(self, events: int) -> None:
        """Render a flood."""
        mean = sum(map(len, self._templates)) / len(self._templates)
        serials, now_s = Serials(), time.time()
        spread = ABREAST * mean
        dues = traffic(
            self._templates,
            serials,
            connections=1,
            spread=spread,
            events_wanted=events,
            ends_at_s=lambda _: now_s,
        )
        told = [raw for _, _, raw, _ in dues]
        left, calls = list(filter(EventFilter.load().passes, told)), next(serials.calls)
        self._prepared = {filtered: _prepared(raws, calls) for filtered, raws in ((False, told), (True, left))}
        del told, left
        gc.collect()
        gc.freeze()

    async def flood(self, order: Flood) -> SentTraffic:
        """Send what is prepared to the client who is there."""
        (client,) = self._clients
        prepared, began_at = self._prepared[order.filtered], time.monotonic_ns()
        for piece in prepared.pieces:
            await client.writable.wait()
            client.transport.write(piece)
            await asyncio.sleep(0)
        if order.close:
            client.transport.close()
        return SentTraffic(
            began_at, time.monotonic_ns(), prepared.events, sum(map(len, prepared.pieces)), prepared.calls
        )

    async def pace(self, order: SendRate) -> SentTraffic:
        """Send to all clients, each event at its time; what is due at once on a connection leaves together."""
        clients = list(self._clients)
        serials, began_s = Serials(), time.time()
        dues = traffic(
            self._templates,
            serials,
            connections=len(clients),
            spread=order.call_s * order.rate,
            events_wanted=order.rate * order.lasts_s,
            ends_at_s=lambda unit: began_s + unit / order.rate,
        )
        began_at = time.monotonic_ns()
        events = sent = 0
        late_ms = 0.0
        due = next(dues, None)
        while due is not None:
            now = (time.monotonic_ns() - began_at) / 1e9 * order.rate
            late_ms = max(late_ms, (now - due[0]) / order.rate * 1e3)
            held: dict[int, list[Due]] = {}
            while due is not None and due[0] <= now:
                held.setdefault(due[1], []).append(due)
                due = next(dues, None)
            for which, those in held.items():
                sent += self._send(clients[which], those)
                events += len(those)
            await asyncio.sleep(TICK_S)
        return SentTraffic(began_at, time.monotonic_ns(), events, sent, next(serials.calls), late_ms)

    def _send(self, client: Manager, dues: list[Due]) -> int:
        now = time.monotonic_ns()
        for serial in itertools.chain.from_iterable(ends for _, _, _, ends in dues):
            self._ended_at[serial % RING] = now
        data = b"".join([raw for _, _, raw, _ in dues])
        client.transport.write(data)
        return len(data)


async def _work(orders: Connection, ended_at: MutableSequence[int], flood: int, every: int) -> None:
    sender = TrafficSender(ended_at, every)
    sender.prepare(flood)
    orders.send(await sender.serve())
    while (order := await asyncio.to_thread(orders.recv)) is not None:
        orders.send(await (sender.flood(order) if isinstance(order, Flood) else sender.pace(order)))


def run(orders: Connection, ended_at: MutableSequence[int], flood: int, every: int) -> None:
    """Be the process: prepare a flood of so many events from each so-manieth recording, then take orders."""
    asyncio.run(_work(orders, ended_at, flood, every))
