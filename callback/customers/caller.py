"""Who calls: what is known of the customer behind a call, resolved once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scheduler.hours import Hours

Reason = Literal[
    "no-number", "not-a-number", "ambiguous-number", "other-form", "own-number", "satellite", "no-such-number",
    "premium-rate", "shared-cost", "pager", "personal-number", "foreign-country",
]  # fmt: skip
"""What is wrong with a number as it was signalled."""
NotCalled = Reason | Literal["never-in-hours"]
"""Why a number is not called back unasked: for what it is, or because its phone may never ring while we are open."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who can be called back."""

    person: int
    e164: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The customer behind a call, as far as the signalled number tells. What was not asked for stands as no hindrance.

    `refused` says why this number is not called back unasked; where it is None, `e164` is a number.
    """

    e164: str | None
    refused: NotCalled | None
    trunk: str  # over which the call came
    hours: Hours  # at which the customer's phone may ring
    person: int | None = None  # None also where the number was written into the stream by somebody
    shared: bool = False  # the number is many people's: a company's switchboard
    calls_blocked: bool = False
    texts_blocked: bool = False

    @property
    def customer(self) -> Customer | None:
        """The customer, where the number tells who it is."""
        return None if self.person is None or self.e164 is None else Customer(self.person, self.e164)
