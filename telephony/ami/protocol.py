"""AMI bytes to messages and back, without I/O: feed it what a socket or a file gave, in pieces of any size.

A message is lines ended by CRLF, closed by an empty line. CRLF alone ends a line: a bare CR or LF inside a
value, or one of Unicode's line separators, is part of that value.

What is not known here: Asterisk does not escape CallerIDNum, so that a caller whose SIP user holds `%0d%0a`
writes headers, or whole messages, into our stream. `sieve` tells them from Asterisk's own.
"""

from collections.abc import Iterable
from functools import lru_cache

from telephony.errors import TelephonyError

BANNER = b"Asterisk Call Manager/"
LINE_END = b"\r\n"
MESSAGE_END = b"\r\n\r\n"
EVENT = b"Event: "
"""What an event begins with, before its name."""
MESSAGE_LIMIT = 1 << 20
"""Bytes of one message above which the stream is given up; Asterisk's own largest are some kilobytes."""

ACTION_LINE_LIMIT = 1020
"""Bytes of one line of an action, without its CRLF. Asterisk 16 and 22 refuse longer ones (measured)."""
ACTION_HEADER_LIMIT = 128
"""Lines of one action, `Action:` counted (AST_MAX_MANHEADERS)."""

_LETTERS = b"A"
_FORBIDDEN = {"\r": "a carriage return", "\n": "a line feed", "\0": "a NUL"}


class ProtocolError(TelephonyError):
    """The bytes received are no AMI stream, or a message in them does not end: close the connection."""


class ActionRefused(TelephonyError):
    """A header of an action cannot be sent as it is: nothing was sent. The sentence names the header."""


class Message:
    """One AMI message, kept as its bytes: nothing is split or decoded before it is needed.

    Keys are matched exactly. Each value is decoded by itself: UTF-8, and Latin-1 where that fails, so that
    one caller's broken name spoils nothing else.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __repr__(self) -> str:
        return f"Message({self.raw!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    @property
    def name(self) -> str:
        """The event's name; empty for whatever does not begin with an Event header (as every event does)."""
        raw = self.raw
        if not raw.startswith(EVENT):
            return ""
        end = raw.find(LINE_END)
        return _text(raw[len(EVENT) :] if end < 0 else raw[len(EVENT) : end])

    def get(self, key: str, default: str = "") -> str:
        """Give the value of the first header of that name."""
        # Written out, because it runs several times for each event that anybody reads.
        raw = self.raw
        mark, head = _marks(key)
        if raw.startswith(head):
            start = len(head)
        elif (start := raw.find(mark)) >= 0:
            start += len(mark)
        else:
            return default
        end = raw.find(LINE_END, start)
        value = raw[start:] if end < 0 else raw[start:end]
        return _text(value.removeprefix(b" "))

    def all(self, key: str) -> list[str]:
        """Give the values of every header of that name, in order."""
        return [value for name, value in self.headers if name == key] if self.count(key) else []

    def count(self, key: str) -> int:
        """Tell how often a header occurs: more than once it is forged, where it is single by nature."""
        mark, head = _marks(key)
        return self.raw.count(mark) + self.raw.startswith(head)

    def fields(self) -> dict[str, str] | None:
        """Give every header by its key, where each occurs once; None where one is repeated, or a line is none."""
        try:
            # All at once: that costs half of what line by line does, and nearly all messages are such.
            pairs = [line.split(": ", 1) for line in self.raw.decode().split("\r\n")]
            found = dict(pairs)
        except ValueError:  # a line without a value, or bytes that are no UTF-8
            headers = self.headers
            found = dict(headers)
            return None if "" in found or len(found) != len(headers) else found
        return found if len(found) == len(pairs) else None

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header in order, repeated ones too. A line without a colon has the empty key."""
        return [_header(line) for line in self.raw.split(LINE_END) if line]


def _header(line: bytes) -> tuple[str, str]:
    key, colon, value = line.partition(b":")
    return (_text(key), _text(value.removeprefix(b" "))) if colon else ("", _text(line))


@lru_cache(maxsize=512)
def _marks(key: str) -> tuple[bytes, bytes]:
    """Give what stands before a header's value, in the midst of a message and at its beginning."""
    head = key.encode() + b":"
    return LINE_END + head, head


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class Parser:
    """Turns a stream into messages, whatever the pieces it comes in; holds at most one unfinished message.

    `greeted` says that the beginning was read; `banner` is then the greeting's line, or None where the stream
    begins without one (a part of a recording, the actions of a client) and is read all the same.
    """

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self.banner: str | None = None
        self.greeted = False
        self._limit = limit
        self._rest = bytearray()

    @property
    def unfinished(self) -> bool:
        """Whether a message has begun and not ended: where the stream stops here, it was cut."""
        return len(self._rest) > 0

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes, give the messages that they complete; see `raws`."""
        return [Message(raw) for raw in self.raws(data)]

    def raws(self, data: bytes) -> list[bytes]:
        """Take the next bytes, give those of the messages that they complete: for who wants few of them.

        Raises ProtocolError once a message passes the limit; the connection is then to be closed.
        """
        rest = self._rest
        if not self.greeted:
            rest += data
            if not self._greet():
                self._check(len(rest) - 3)
                return []
            data, self._rest = bytes(rest), bytearray()
        elif rest:
            # The end may straddle two pieces. Looking only there keeps a message in a thousand pieces linear.
            if MESSAGE_END not in rest[-3:] + data:
                rest += data
                self._check(len(rest) - 3)  # what may already be the beginning of its end
                return []
            data, self._rest = bytes(rest) + data, bytearray()
        return self._split(data)

    def _greet(self) -> bool:
        """Take the banner off the beginning; False as long as it cannot be told whether there is one."""
        rest = self._rest
        if rest.startswith(BANNER):
            end = rest.find(LINE_END)
            if end < 0:
                return False
            self.banner = _text(bytes(rest[:end]))
            del rest[: end + 2]
        elif BANNER.startswith(rest):
            return False
        self.greeted = True
        return True

    def _split(self, data: bytes) -> list[bytes]:
        whole = data.split(MESSAGE_END)
        rest = whole.pop()
        if len(data) > self._limit:
            self._check(max(map(len, whole), default=0))
            self._check(len(rest) - 3)
        self._rest += rest
        # An empty line too many belongs to no message: Debian's TestEvent RINGING_INBAND ends with one. A message that
        # begins with it is less than those that begin with a letter. To look for it in the data costs 0.2 µs a message.
        if whole and min(whole) < _LETTERS:
            return [raw.removeprefix(LINE_END) for raw in whole if raw and raw != LINE_END]
        return whole

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise ProtocolError(
                f"A message is longer than {self._limit} bytes: the other side does not speak AMI, or lost "
                "its place. Close the connection and make it anew."
            )


def encode(action: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """Give the bytes of an action, its empty line included.

    Asterisk takes a CR or LF in a value for the end of the line and reads on: who chose that value would
    write our actions. So these raise ActionRefused, as does what Asterisk itself would refuse as too long.
    """
    lines = [_line(key, value) for key, value in (("Action", action), *headers)]
    if len(lines) > ACTION_HEADER_LIMIT:
        raise ActionRefused(
            f"Action {action!r} has {len(lines)} headers and Asterisk takes {ACTION_HEADER_LIMIT}: "
            f"leave some out from {lines[ACTION_HEADER_LIMIT].partition(b':')[0].decode()!r} on."
        )
    return b"".join(lines) + LINE_END


def _line(key: str, value: str) -> bytes:
    """Give one line with its CRLF. An error never shows the value: it may be a secret."""
    if not key or ":" in key or not key.isascii() or not key.isprintable() or " " in key:
        raise ActionRefused(f"{key!r} is no name of a header: use printable ASCII without colon or space.")
    for character, name in _FORBIDDEN.items():
        if character in value:
            raise ActionRefused(f"The value of header {key!r} holds {name}: remove it.")
    try:
        line = f"{key}: {value}".encode()
    except UnicodeEncodeError as error:
        raise ActionRefused(f"The value of header {key!r} is no Unicode text: correct it.") from error
    if len(line) > ACTION_LINE_LIMIT:
        raise ActionRefused(
            f"The line of header {key!r} has {len(line)} bytes of {ACTION_LINE_LIMIT} allowed: shorten it."
        )
    return line + LINE_END
