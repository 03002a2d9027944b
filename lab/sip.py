"""SIP as far as a phone on loopback needs it: messages and session descriptions, pure.

Rules: RFC 3261 (SIP), RFC 4566 (SDP). One codec, G.711 mu-law, and telephone-event.
"""

import random
import re
from dataclasses import dataclass

Address = tuple[str, int]

_SHORT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}

PHRASES = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    404: "Not Found",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    503: "Service Unavailable",
    603: "Decline",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response. Header names are lower case and long; repeated ones are kept, in order."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        """Read one datagram; raises ValueError if it is no SIP."""
        head, _, body = data.partition(b"\r\n\r\n")
        start, *lines = head.decode("utf-8", "replace").split("\r\n")
        if "SIP/2.0" not in start:
            raise ValueError(f"not SIP: {start[:80]!r}")
        pairs = (line.partition(":") for line in lines)
        headers = tuple((_long(name), value.strip()) for name, _, value in pairs)
        return cls(start, headers, body)

    def encode(self) -> bytes:
        """Write the datagram."""
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        lines.append(f"content-length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body

    @property
    def status(self) -> int | None:
        """Status of a response, None for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else None

    @property
    def method(self) -> str:
        """Say what is asked, or what was asked when this is the answer."""
        return self.get("cseq").split()[-1] if self.status else self.start.split()[0]

    @property
    def dialled(self) -> str:
        """User part of a request's address."""
        return user(self.start.split()[1])

    def get(self, name: str) -> str:
        """First value of this header, or an empty word."""
        return next((value for key, value in self.headers if key == name), "")

    def every(self, name: str) -> list[tuple[str, str]]:
        """All headers of this name, ready to be copied."""
        return [(key, value) for key, value in self.headers if key == name]

    def reply(self, status: int, *, tag: str, contact: str, body: bytes = b"") -> "Message":
        """Answer this request."""
        to = self.get("to")
        if status > 100 and "tag=" not in to:  # noqa: PLR2004 - 100 makes no dialog
            to += f";tag={tag}"
        copied = [*self.every("via"), *self.every("record-route"), *self.every("from"), ("to", to)]
        copied += [*self.every("call-id"), *self.every("cseq"), ("contact", contact)]
        if body:
            copied.append(("content-type", "application/sdp"))
        return Message(f"SIP/2.0 {status} {PHRASES.get(status, 'Other')}", tuple(copied), body)


def _long(name: str) -> str:
    name = name.strip().lower()
    return _SHORT.get(name, name)


def token() -> str:
    """Make up a word for a tag, a branch or a Call-ID."""
    return f"{random.getrandbits(64):016x}"


def uri(header: str) -> str:
    """Address within a From, To or Contact."""
    found = re.search(r"<([^>]+)>", header)
    return found[1] if found else header.partition(";")[0].strip()


def tag(header: str) -> str:
    """Tag of a From or To."""
    found = re.search(r";tag=([^;>\s]+)", header)
    return found[1] if found else ""


def user(header: str) -> str:
    """User part of the address within a From, To, Contact or request line."""
    found = re.match(r"sips?:([^@;>]*)@", uri(header))
    return found[1] if found else ""


def display_name(header: str) -> str:
    """Words that a phone would show before the number."""
    found = re.match(r'\s*"((?:[^"\\]|\\.)*)"\s*<|\s*([^<"]*?)\s*<', header)
    return (found[1] or found[2] or "") if found else ""


def describe(media: Address, *, direction: str = "sendrecv", version: int = 1) -> bytes:
    """Session description: mu-law and digits, received at `media`; a new version for each change of direction."""
    host, port = media
    lines = [
        "v=0",
        f"o=- 1 {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 0 101",
    ]
    lines += [
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        f"a={direction}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def media(body: bytes) -> Address | None:
    """Where the other side wants to receive voice, if the body says so."""
    port = re.search(rb"^m=audio (\d+)", body, re.MULTILINE)
    host = re.search(rb"^c=IN IP4 ([\d.]+)", body, re.MULTILINE)
    return (host[1].decode(), int(port[1])) if port and host else None
