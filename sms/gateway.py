"""The port through which texts leave: what a gateway must promise, the two ways it may say no, what it learns later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from sms.errors import SmsError

Progress = Literal["accepted", "sent", "undelivered", "delivered"]
Consequence = Literal["none", "again", "opted-out"]
UNREACHABLE: Final = "unreachable"
"""The code of a gateway with which no connection can be made."""
PAUSE_S: Final = 1.0
"""How long an account rests, at first, that was asked too fast."""
ACCOUNT_LENGTH: Final = 160
"""Of an account's name in the database."""
CODE_LENGTH: Final = 20
"""Of a gateway's own word there."""


class _ReasonedError(SmsError):
    """A no with its reason: one short sentence, without the customer's number in it.

    `code` is the gateway's own word for it, by which `Gateway.trouble` knows what is wrong on our side.
    """

    def __init__(self, reason: str, code: str = "") -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code


class Refused(_ReasonedError):
    """The text is refused for good (not a mobile, opted out, too long): it must never be tried again."""


class OptedOut(Refused):
    """It is refused because its recipient told the carrier to send no more: so must we."""


class Unsent(_ReasonedError):
    """The gateway has certainly not accepted the text (no connection, rate limit): it may be tried again."""


class TooFast(Unsent):
    """It has not accepted the text because it was asked too often: its account is left alone for a moment."""


@dataclass(frozen=True, slots=True)
class Pace:
    """So many texts a second may leave by an account of the gateway, whoever sends them.

    `account` is its name in every process that texts by it; `line` is what texts call it.
    """

    account: str
    texts_per_s: float
    line: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway has accepted the text and will know it by this name."""

    gateway_ref: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway says later of a text it accepted. `code` is its own word for why it went wrong."""

    gateway_ref: str
    progress: Progress
    code: str = ""
    consequence: Consequence = "none"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why texts do not leave or arrive, where it is not the recipients' affair. `ours`: until somebody mends it."""

    why: str
    ours: bool


class Sender(Protocol):
    """Hands one text to a carrier, at most once for a call of `send`; many may be under way at once, in one event loop.

    An adapter raises `Refused` or `Unsent` only for what it knows. Everything else that `send` may raise, a
    time-out above all, means that nobody can tell whether the text was accepted: it is not sent again.
    """

    @property
    def name(self) -> str:
        """One short word by which the outbox remembers who was asked to send."""
        ...

    @property
    def paces(self) -> Sequence[Pace]:
        """How fast its accounts may be asked, the one for every other line first; empty: as fast as texts come."""
        ...

    async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        """Hand over `body` for the number `to` (E.164).

        `ref` is our name of the text, the same in every try; empty: nobody waits for news of it. `line` says which of
        the gateway's senders it goes out by; empty, or one it does not know: its first.
        """
        ...


class Gateway(Sender, Protocol):
    """All that a gateway can do; the outbox needs no more than a sender."""

    def two_way(self, to: str) -> bool:
        """Whether an answer from this number would reach us."""
        ...

    async def look_up(self, gateway_ref: str, line: str = "") -> Report | None:
        """Ask what has become of an accepted text; None where the gateway does not tell."""
        ...

    def trouble(self, code: str) -> Trouble | None:
        """Say what is wrong where texts are refused, or reported, with this code; None where nothing is but theirs."""
        ...

    async def close(self) -> None:
        """Give back its connections, in the event loop that used them."""
        ...
