"""Voice over RTP: a tone of one's own goes out every 20 ms, and what comes in can be searched for a tone.

Rules: RFC 3550 (RTP), RFC 4733 (digits), ITU-T G.711 mu-law. A packet is 20 ms: 160 samples at 8 kHz.
"""

import functools
import math
import random
import socket
import struct
import zlib
from collections import deque
from contextlib import suppress
from typing import Literal

from lab.loop import Loop
from lab.sip import Address

Sound = Literal["tone", "noise", "silence", "none"]
"""What a phone sends: its tone, the faint noise of an open line, digital silence, or no packet at all."""

PACKET_S = 0.02
SAMPLES = 160
RATE = 8000
SILENCE = b"\xff" * SAMPLES
_REMEMBERED = 500  # packets: the last 10 s of a call
_PURE = 0.8  # share of a packet's energy at one frequency that makes it that tone; speech and music stay below
_LONG_ENOUGH = 5  # packets in a row
_VOICE, _DIGIT = 0, 101
_FAINT = 60  # of 32767: far below what anybody takes for speech


def encode(sample: int) -> int:
    """Write a 16-bit sample as mu-law."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 0x84
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def decode(byte: int) -> int:
    """Read mu-law as a 16-bit sample."""
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + 0x84 << (byte >> 4 & 7)) - 0x84
    return -magnitude if byte & 0x80 else magnitude


_SAMPLE = [decode(byte) for byte in range(256)]


@functools.cache
def tone(hz: int) -> tuple[bytes, ...]:
    """Ten packets that repeat without a seam: `hz` must be a multiple of 5."""
    wave = (int(8000 * math.sin(2 * math.pi * hz * i / RATE)) for i in range(10 * SAMPLES))
    sound = bytes(encode(sample) for sample in wave)
    return tuple(sound[at : at + SAMPLES] for at in range(0, len(sound), SAMPLES))


@functools.cache
def noise() -> tuple[bytes, ...]:
    """Ten packets of the faint noise that a line makes on which nobody speaks."""
    chance = random.Random(1)
    return tuple(bytes(encode(chance.randint(-_FAINT, _FAINT)) for _ in range(SAMPLES)) for _ in range(10))


def purity(payload: bytes, hz: int) -> float:
    """Share of the payload's energy at `hz`, 0 to 1 (Goertzel, 1958)."""
    samples = [_SAMPLE[byte] for byte in payload]
    energy = sum(sample * sample for sample in samples)
    if not energy:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hz / RATE)
    last = before = 0.0
    for sample in samples:
        last, before = sample + turn * last - before, last
    power = last * last + before * before - turn * last * before
    return 2 * power / (len(samples) * energy)


class Received:
    """The voice that came in: the last 10 s of it, and how many packets in all."""

    def __init__(self) -> None:
        self.packets = 0
        self._recent: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._kept = b""

    def hear(self, payload: bytes) -> None:
        """Take the voice of one packet."""
        self.packets += 1
        self._recent.append(payload)

    def close(self) -> None:
        """Nothing more will be heard: keep it small."""
        self._kept = zlib.compress(b"".join(self._recent), 1)
        self._recent.clear()

    def sound(self) -> bytes:
        """Give back what was heard."""
        return zlib.decompress(self._kept) if self._kept else b"".join(self._recent)


def contains(sound: bytes, hz: int) -> bool:
    """Whether a tone of `hz` sounds for 100 ms on end."""
    run = 0
    for at in range(0, len(sound), SAMPLES):
        run = run + 1 if purity(sound[at : at + SAMPLES], hz) > _PURE else 0
        if run == _LONG_ENOUGH:
            return True
    return False


class Stream:
    """The voice of one call at `host`: sends `sound` to `remote` once that is known, and hears."""

    def __init__(self, loop: Loop, host: str, hz: int) -> None:
        self.sound: Sound = "none"
        self.remote: Address | None = None
        self.heard_from: Address | None = None
        self.received = Received()
        self._loop = loop
        self._socket = _even_port(host)
        self._packets = tone(hz)
        self._digits: deque[tuple[int, bytes]] = deque()
        self._sequence = random.getrandbits(15)
        self._time = random.getrandbits(31)
        self._source = random.getrandbits(32)
        self._closed = False
        loop.watch(self._socket.fileno(), self._receive)
        self._due = loop.now()
        self._tick()

    @property
    def address(self) -> Address:
        """Where this stream receives."""
        host, port = self._socket.getsockname()
        return host, port

    def press(self, digits: str) -> None:
        """Send digits as telephone-events of 160 ms with a pause after each."""
        for digit in digits:
            code = "0123456789*#ABCD".index(digit)
            lengths = [(10, SAMPLES * i) for i in range(1, 8)] + [(0x8A, SAMPLES * 8)] * 3
            events = [struct.pack("!BBH", code, volume, length) for volume, length in lengths]
            started = self._time + SAMPLES * (len(self._digits) + 1)
            self._digits.extend((started, event) for event in events)
            self._digits.extend([(0, b"")] * 5)

    def close(self) -> None:
        """Send and hear no more."""
        if not self._closed:
            self._closed = True
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()
            self.received.close()

    def _receive(self) -> None:
        with suppress(OSError):  # an unreachable remote shows up here too
            while True:
                data, self.heard_from = self._socket.recvfrom(2000)
                if len(data) > 12 and data[1] & 0x7F == _VOICE:  # noqa: PLR2004 - the RTP header
                    self.received.hear(data[12:])

    def _tick(self) -> None:
        if self._closed:
            return
        self._due = max(self._due + PACKET_S, self._loop.now() - 5 * PACKET_S)  # late: skip, do not burst
        self._loop.later(self._due - self._loop.now(), self._tick)
        self._time += SAMPLES
        if self.remote is not None:
            self._send(self.remote)

    def _send(self, remote: Address) -> None:
        kind, stamp, payload = _VOICE, self._time, b""
        if self._digits:
            kind, (stamp, payload) = _DIGIT, self._digits.popleft()
        elif self.sound == "tone":
            payload = self._packets[self._time // SAMPLES % 10]
        elif self.sound == "noise":
            payload = noise()[self._time // SAMPLES % 10]
        elif self.sound == "silence":
            payload = SILENCE
        if payload:
            self._sequence = self._sequence + 1 & 0xFFFF
            header = struct.pack("!BBHII", 0x80, kind, self._sequence, stamp & 0xFFFFFFFF, self._source)
            with suppress(OSError):
                self._socket.sendto(header + payload, remote)


def _even_port(host: str) -> socket.socket:
    """Bind a free even port: the odd one above it is where RTCP would go."""
    while True:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setblocking(False)
        bound.bind((host, 0))
        if bound.getsockname()[1] % 2 == 0:
            return bound
        bound.close()
