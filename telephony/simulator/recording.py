"""A recorded stream, ready to be played again: its events, their times, and new ids for its calls.

A recording is the raw bytes of one manager connection, plain or gzip. Only what the PBX sent by itself is
kept: events, without the answers to the client that recorded it. Event by event it is what Asterisk sent, but
- the ids of calls, channels and bridges are made new, so that playing twice gives two calls;
- a recorded callback gets ids of the form of our own, `lcr-<attempt>-1` and `-2`;
- `Timestamp` and the epoch in Uniqueids are moved to the present. Other times (in CDRs, in text) stay.
Where a recording has no Timestamps (`timestampevents=no`), its spacing is unknown: it happens without pauses.
"""

import gzip
import re
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from telephony.ami.protocol import MESSAGE_END, Message, Parser
from telephony.errors import TelephonyError

NOT_PLAYED = frozenset({"FullyBooted", "SuccessfulAuth"})
"""Events about the recording's own login, which every login gets anew."""

_CALL = re.compile(r"(.+-)?(\d{9,11})\.\d+")  # with the PBX's systemname before it, where that is set
_OWN = re.compile(r"(.+)-[12]")
_BRIDGE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHANNEL = re.compile(r"(.+-)[0-9a-f]{8}(?=(;[12])?$)")
_KEY = re.compile(r"\w*(uniqueid|linkedid|channel)", re.IGNORECASE)
_STAMP = re.compile(rb"(?<=\r\nTimestamp: )\d+\.\d+")
_ATTEMPT_NAMES = ("CALLBACK_ID", "LCR_ID")


class RecordingError(TelephonyError):
    """A recorded stream cannot be read; the sentence names the file."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Events in order, each with its seconds since the first, which happened at `began_s` (epoch)."""

    events: tuple[tuple[float, Message], ...]
    began_s: float

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a capture. Raises RecordingError."""
        try:
            data = path.read_bytes()
            messages = Parser().feed(gzip.decompress(data) if path.suffix == ".gz" else data)
        except (OSError, EOFError, zlib.error, TelephonyError) as error:
            raise RecordingError(f"{path} cannot be read as a recorded stream: {error}") from error
        events = [message for message in messages if _is_played(message)]
        if not events:
            raise RecordingError(f"{path} holds no event to play: is it a capture of a manager connection?")
        return cls(*_spaced(events))

    @property
    def lasts_s(self) -> float:
        """Seconds from the first event to the last."""
        return self.events[-1][0]

    @property
    def own_base(self) -> str | None:
        """The `X` of a callback recorded here, with channels `X-1` and `X-2`; None where there is none."""
        ids = (_OWN.fullmatch(event.get("Uniqueid")) for _, event in self.events)
        return next((found[1] for found in ids if found), None)

    def names(self) -> Iterator[str]:
        """Give every name of a call, channel or bridge as often as it occurs, in order."""
        for _, event in self.events:
            yield from (value for key, value in event.headers if _KEY.fullmatch(key))

    def shift_s(self, now_s: float, speed: float) -> float:
        """Give the seconds by which times move.

        Played fast, its last event is the present one; played slowly, its first. So no event ever
        tells of the future, and a call keeps its length at any speed.
        """
        ahead_s = self.lasts_s - self.lasts_s / speed if speed > 1 else 0.0
        return now_s - self.began_s - ahead_s


class Playback:
    """One playing of a recording: its new ids, and its times moved to the present.

    `serial` gives a number never given before. `own` says for a recorded callback which attempt it is to be
    now, with the ActionID of its Originate; without it, that is made new like the rest.
    """

    def __init__(
        self, recording: Recording, serial: Iterator[int], shift_s: float, own: tuple[str, str] | None = None
    ) -> None:
        self._began_s = recording.began_s + shift_s
        self._base = recording.own_base or ""
        self.attempt, self._action_id = own or (f"{_attempt(self._base)}{next(serial):04d}", "")
        self.names: dict[str, str] = {}
        for name in recording.names():
            if (found := _CHANNEL.match(name)) and found[0] not in self.names:
                self.names[found[0]] = f"{found[1]}{next(serial):08x}"
            elif name not in self.names and (new := self._new(name, serial, shift_s)):
                self.names[name] = new
        longest_first = sorted(self.names, key=len, reverse=True)
        known = "|".join(map(re.escape, longest_first)) or "(?!)"
        self._known = re.compile(f"(?<![0-9A-Za-z])(?:{known})(?![0-9A-Za-z])".encode())

    def tell(self, event: Message, after_s: float) -> bytes:
        """Give the event's bytes, with its empty line, as if it happened now."""
        raw = self._known.sub(lambda found: self.names[found[0].decode()].encode(), event.raw)
        if event.get("Variable").lstrip("_") in _ATTEMPT_NAMES:
            raw = _swap(raw, "Value", _attempt(self._base), self.attempt)
        if self._base:
            raw = _swap(raw, "CallbackId", _attempt(self._base), self.attempt)
        if self._action_id:
            raw = _swap(raw, "ActionID", event.get("ActionID"), self._action_id)
        return _STAMP.sub(f"{self._began_s + after_s:.6f}".encode(), raw) + MESSAGE_END

    def _new(self, name: str, serial: Iterator[int], shift_s: float) -> str | None:
        if found := _CALL.fullmatch(name):
            return f"{found[1] or ''}{int(int(found[2]) + shift_s)}.{next(serial)}"
        if _BRIDGE.fullmatch(name):
            return str(uuid.uuid4())
        if self._base and name in {f"{self._base}-1", f"{self._base}-2"}:
            return f"lcr-{self.attempt}-{name[-1]}"
        return None


def _is_played(message: Message) -> bool:
    """Tell whether the PBX sent this event by itself; items of a list that a client asked for are not played."""
    name = message.name
    asked = message.get("ActionID") != "" and name != "OriginateResponse"
    return name != "" and name not in NOT_PLAYED and not asked


def _spaced(events: list[Message]) -> tuple[tuple[tuple[float, Message], ...], float]:
    """Put each event's seconds since the first to it; the order stays, even where Timestamps go back."""
    stamps = [_seconds(event.get("Timestamp")) for event in events]
    calls = (_CALL.fullmatch(event.get("Uniqueid")) for event in events)
    began_s = next((stamp for stamp in stamps if stamp), 0.0) or min((int(c[2]) for c in calls if c), default=0)
    spaced, latest = [], began_s
    for stamp, event in zip(stamps, events, strict=True):
        latest = max(latest, stamp)
        spaced.append((latest - began_s, event))
    return tuple(spaced), began_s


def _seconds(value: str) -> float:
    return float(value) if value.replace(".", "", 1).isdigit() else 0.0


def _attempt(base: str) -> str:
    return base.removeprefix("lcr-")


def _swap(raw: bytes, key: str, old: str, new: str) -> bytes:
    """Put another value into the lines `key: old`."""
    line = f"\r\n{key}: {old}\r\n".encode()
    return (raw + b"\r\n").replace(line, f"\r\n{key}: {new}\r\n".encode())[:-2]
