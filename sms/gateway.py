"""The port through which texts leave: what a gateway must promise, and the two ways it may say no."""

from dataclasses import dataclass
from typing import Protocol

from sms.errors import SmsError


class _ReasonedError(SmsError):
    """A no with its reason: one short sentence, without the customer's number in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(_ReasonedError):
    """The text is refused for good (not a mobile, opted out, too long): it must never be tried again."""


class Unsent(_ReasonedError):
    """The gateway has certainly not accepted the text (no connection, rate limit): it may be tried again."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway has accepted the text and will know it by this name."""

    gateway_ref: str


class Gateway(Protocol):
    """Hands one text to a carrier, at most once for a call of `send`.

    An adapter raises `Refused` or `Unsent` only for what it knows. Everything else that `send` may raise, a
    time-out above all, means that nobody can tell whether the text was accepted: it is not sent again.
    """

    @property
    def name(self) -> str:
        """One short word by which the outbox remembers who was asked to send."""
        ...

    def send(self, to: str, body: str, ref: str) -> Receipt:
        """Hand over `body` for the number `to` (E.164); `ref` is our name of the text, in every try."""
        ...
