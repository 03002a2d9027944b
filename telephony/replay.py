"""The calls in a recorded AMI stream, by the tracker, message by message, in bounded memory.

A capture is the raw bytes of one manager connection, plain or gzip; it may begin late, and stop in the middle
of a message. Every file is a capture of its own.
"""

import gzip
import io
import re
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from telephony.ami.protocol import BANNER, MESSAGE_END, Message, Parser, ProtocolError
from telephony.ami.sieve import RefusedMessages, vouched
from telephony.calls.call import Call, Verdict, moment
from telephony.calls.tracker import Tracker
from telephony.calls.verdict import judge
from telephony.errors import TelephonyError
from telephony.events import (
    AgentComplete,
    AgentConnect,
    ChannelEvent,
    Event,
    Newchannel,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueMember,
    RTCPSent,
)
from telephony.ids import SECOND, epoch_of
from telephony.parsing import read

_CHUNK: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_MESSAGE: Final = re.compile(rb"(?:\A|\n)(?:Event|Response): ")
_STAMP: Final = re.compile(rb"\r\nTimestamp: ([0-9]{9,10})\.([0-9]{1,6})\r\n")
_LOGIN: Final = re.compile(rb"\r\nEventTV: ([^\r]+)\r\n")
_CLOCKED_CALLS: Final = 10_000
_VERSION: Final = re.compile(r"/([0-9]{1,3})(?:\.|$)")
_READ_FROM: Final = 2
"""The protocol's version since when events tell whole channels: Asterisk 12."""


class CaptureError(TelephonyError):
    """A capture cannot be read: it names the file, the line, what is wrong there, and the remedy."""

    def __init__(self, name: str, line: int, what: str, remedy: str) -> None:
        super().__init__(f"{name}, line {line}: {what}. {remedy}")
        self.name = name
        self.line = line
        self.what = what
        self.remedy = remedy


@dataclass(slots=True)
class CaptureSummary:
    """Counts of a capture: its greeting, the events read, and the messages refused, by reason."""

    greeting: str | None = None
    read: int = 0
    refused: RefusedMessages = field(default_factory=RefusedMessages)

    @property
    def old(self) -> bool:
        """Tell whether its Asterisk is older than those that are read: 12 speaks version 2 of the protocol."""
        version = _VERSION.search(self.greeting or "")
        return version is not None and int(version[1]) < _READ_FROM

    def why_not(self) -> str:
        """Say why nothing of it could be read."""
        if self.old:
            return f"it greets as {self.greeting!r}: Asterisk 11 and older are not read, and none of its events was"
        return f"all of its {self.refused.total()} events on calls were refused: no Asterisk from 12 on writes them so"

    def doubts(self) -> str | None:
        """Say how many messages were refused, and show the newest; None where none were."""
        if not self.refused:
            return None
        why = ", ".join(f"{count} {word}" for word, count in sorted(self.refused.items()))
        old = f" It greets as {self.greeting!r}: Asterisk 11 and older are not read." if self.old else ""
        return f"{self.refused.total()} messages were refused ({why}), the last of them: {self.refused.excerpt}.{old}"


def calls_of(
    capture: Path | str | bytes,
    *,
    pbx: str = "capture",
    trunks: tuple[str, ...] = (),
    summary: CaptureSummary | None = None,
) -> Iterator[tuple[Call, Verdict]]:
    """Give each call of a capture when it is over, with its verdict; those that were not over come last.

    `capture` is a path or the bytes themselves. `trunks` are what the names of customers' channels begin with: with
    them come calls that were lost before any queue. `summary` learns what was read of it, and what was refused. Raises
    CaptureError on what is no capture, a broken one, or one of which no event can be read; calls before the fault have
    come out by then.
    """
    summary = CaptureSummary() if summary is None else summary
    tracker, clock = Tracker(pbx, trunks=trunks), Clock()
    for message in messages_of(capture, summary):
        stamped = clock.read(message)
        event = read(message, clock.now, summary.refused)
        if event is not None:
            summary.read += 1
            event = event if stamped else replace(event, at=clock.move(event))
            for call in tracker.feed(event, clock.now):
                yield call, judge(call)
    for call in tracker.finish(clock.now):
        yield call, judge(call)
    if not summary.read and (summary.old or summary.refused):
        raise CaptureError(_name_of(capture), 1, summary.why_not(), "Capture a connection to Asterisk 12 or newer.")


def as_json(call: Call, verdict: Verdict) -> dict[str, object]:
    """Give a call and its verdict as the stable JSON shape, in the order of its keys."""
    return {
        "call_id": call.call_id,
        "number": call.number,
        "queue": call.queue,
        "kind": verdict.kind,
        "reason": verdict.reason,
        "side": verdict.side,
        "waited_s": verdict.waited_s,
        "talked_s": verdict.talked_s,
        "started_at": moment(call.started_at),
        "evidence": list(verdict.evidence),
    }


def messages_of(capture: Path | str | bytes, summary: CaptureSummary | None = None) -> Iterator[Message]:
    """Give the messages of a capture, one after the other. `summary` learns how it greets."""
    name = _name_of(capture)
    line, begun, parser = 1, 1, Parser()
    try:
        with _opened(capture) as stream:
            for chunk in iter(lambda: stream.read(_CHUNK), b""):
                if not parser.greeted:
                    _check_beginning(name, chunk)
                _check_text(name, line, chunk)
                messages = parser.feed(chunk)
                if summary is not None:
                    summary.greeting = parser.banner
                yield from messages
                end = chunk.rfind(MESSAGE_END) + len(MESSAGE_END)
                begun = line + chunk.count(b"\n", 0, end) if end >= len(MESSAGE_END) else begun
                line += chunk.count(b"\n")
    except ProtocolError as error:
        remedy = "Capture the connection anew, or cut the file before that line."
        raise CaptureError(name, begun, "a message that begins about here does not end", remedy) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        remedy = "Copy the file anew, or replay what `zcat` still gives of it."
        raise CaptureError(name, line, f"the compressed data is damaged ({error})", remedy) from error
    except OSError as error:
        remedy = "Give the path of a readable capture."
        raise CaptureError(name, line, f"cannot be read ({error.strerror or error})", remedy) from error
    if not (parser.greeted or parser.unfinished):
        _check_beginning(name, b"")


def _name_of(capture: Path | str | bytes) -> str:
    return "<bytes>" if isinstance(capture, bytes) else str(capture)


@contextmanager
def _opened(capture: Path | str | bytes) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Open a capture by what it begins with, whatever its name says."""
    with io.BytesIO(capture) if isinstance(capture, bytes) else Path(capture).open("rb") as stream:
        packed = stream.read(len(_GZIP)) == _GZIP
        stream.seek(0)
        if not packed:
            yield stream
            return
        with gzip.open(stream) as unpacked:
            yield unpacked


def _check_beginning(name: str, chunk: bytes) -> None:
    """Refuse what is not AMI. A capture may begin inside a message, or end within its first line."""
    if not chunk:
        raise CaptureError(name, 1, "it holds nothing", "Capture the connection anew.")
    if not (chunk.startswith(BANNER) or BANNER.startswith(chunk) or _MESSAGE.search(chunk)):
        remedy = "Give the raw bytes of a manager connection, plain or gzip."
        raise CaptureError(name, 1, "this is not AMI", remedy)
    if b"\n" in chunk and b"\r\n" not in chunk:
        remedy = "Keep the bytes as they were read, or give back the line ends with `unix2dos`."
        raise CaptureError(name, 1, "its lines end in LF alone, AMI's end in CRLF", remedy)


def _check_text(name: str, line: int, chunk: bytes) -> None:
    """Refuse what no manager sends: its strings end at a NUL. All else may be some caller's doing."""
    found = chunk.find(b"\0")
    if found >= 0:
        remedy = "Cut the file before that line, or capture the connection anew (the TCP payload alone)."
        raise CaptureError(name, line + chunk.count(b"\n", 0, found), "garbage: a NUL byte", remedy)


def _second_of(text: bytes) -> int:
    """Give the instant in the login's own event (`2026-11-22T00:25:33.065+0000`), 0 where it tells none."""
    try:
        return max(0, int(datetime.fromisoformat(text.decode()).timestamp())) * SECOND
    except (ValueError, OverflowError):
        return 0


class Clock:
    """Tells when a message arrived: the last Timestamp, and where there is none, what events say of time.

    Asterisk 16 stamps nothing unless asked to. A new channel's id then tells the second, and app_queue how
    many seconds a wait or a talk had lasted.
    """

    def __init__(self) -> None:
        self.now = 0
        self._since: OrderedDict[tuple[str, str], int] = OrderedDict()

    def read(self, message: Message) -> bool:
        """Take a message's Timestamp; False if it has none, or may be forged."""
        stamp = _STAMP.search(message.raw) if vouched(message.raw) else None
        if stamp is not None:
            self.now = max(self.now, int(stamp[1]) * SECOND + int(stamp[2].ljust(6, b"0")))
        elif self.now == 0 and (login := _LOGIN.search(message.raw)):
            self.now = _second_of(login[1])
        return stamp is not None

    def move(self, event: Event) -> int:
        """Move to what an event without Timestamp tells, and give that instant.

        A report of packets tells its own to the millisecond, the others whole seconds: they would not go together.
        """
        if isinstance(event, RTCPSent):
            return max(self.now, event.sent_at)
        self.now = max(self.now, self._instant_of(event))
        if isinstance(event, QueueCallerJoin):
            self._note("wait", event)
        elif isinstance(event, AgentConnect):
            self._note("talk", event)
        return self.now

    def _instant_of(self, event: Event) -> int:
        match event:
            case Newchannel(uniqueid=uniqueid):
                return epoch_of(uniqueid) or 0
            case QueueCallerAbandon(hold_s=lasted) | AgentConnect(hold_s=lasted):
                return self._after("wait", event, lasted)
            case AgentComplete(talk_s=lasted):
                return self._after("talk", event, lasted)
            case QueueMember(last_call_s=ended):
                return ended * SECOND
        return 0

    def _note(self, what: str, event: ChannelEvent) -> None:
        self._since[what, event.uniqueid] = self.now
        if len(self._since) > _CLOCKED_CALLS:
            self._since.popitem(last=False)

    def _after(self, what: str, event: ChannelEvent, lasted: int | None) -> int:
        since = self._since.pop((what, event.uniqueid), None)
        return since + (lasted or 0) * SECOND if since is not None else 0
