"""Tokens that stand in the address of a page without a login: they cannot be guessed or changed, and reveal no number.

A token is a number, the hour at which it expires, and ten bytes of an HMAC-SHA256 over both, and over what else it is
about, by a key of this site; 24 characters that need no escape in a URL.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Final

from callback.errors import CallbackError
from scheduler.clock import HOUR

LENGTH: Final = 24
_ID, _HOURS, _MAC = 5, 3, 10  # bytes


class NoSuchLink(CallbackError):
    """The link was not made here, or was changed on its way: ask for a new text."""


class LinkExpired(CallbackError):
    """The link was good, and its time is over: call the number in the text."""


@dataclass(frozen=True, slots=True)
class Token:
    """What an address says, which nobody has proved yet."""

    content: bytes
    mac: bytes

    @property
    def number(self) -> int:
        """What it opens."""
        return int.from_bytes(self.content[:_ID])

    def is_by(self, key: bytes, about: bytes = b"") -> bool:
        """Whether it was made by this key, about this."""
        return hmac.compare_digest(self.mac, _mac(key, self.content, about))

    def must_last(self, now: int) -> None:
        """Raise LinkExpired where its time is over."""
        if now >= int.from_bytes(self.content[_ID:]) * HOUR:
            raise LinkExpired("this link has expired")


def made(key: bytes, number: int, until_at: int, about: bytes = b"") -> str:
    """Make the token of a number, good until then (to the hour, rounded up)."""
    content = number.to_bytes(_ID) + (-(-until_at // HOUR)).to_bytes(_HOURS)
    return base64.urlsafe_b64encode(content + _mac(key, content, about)).decode()


def read(token: str) -> Token:
    """Read a token, whatever it is. Raises NoSuchLink where it can be none."""
    if len(token) != LENGTH or not token.isascii():
        raise NoSuchLink("this is no link of ours")
    try:
        found = base64.b64decode(token, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise NoSuchLink("this is no link of ours") from error
    return Token(found[: _ID + _HOURS], found[_ID + _HOURS :])


def _mac(key: bytes, content: bytes, about: bytes) -> bytes:
    return hmac.digest(key, content + about, "sha256")[:_MAC]
