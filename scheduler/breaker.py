"""The circuit breaker of a trunk: after several failures in a row the trunk rests. Pure.

    closed --IN_A_ROW failures--> resting --time--> on trial --failure--> resting, twice as long
      ^                                                 |
      +------------- any outcome that proves it --------+

Each attempt over a trunk that is down costs an agent a ring for nothing. What stands is derived from the last
attempts alone: there is no state to keep, to lose, or to be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scheduler.clock import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

FAILURE: Final = "trunk-failure"
PROOFS: Final = ("reached", "busy", "no-answer", "declined", "invalid-number", "machine", "customer-left")
"""Outcomes that prove that the trunk works."""
TELLING: Final = (FAILURE, *PROOFS)
"""All others say nothing of the trunk: no agent was found, or nobody knows how it ended."""

IN_A_ROW: Final = 3
REST_S: Final = 30
LONGEST_REST_S: Final = 600


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt over the trunk whose outcome tells of it."""

    claimed_at: int
    ended_at: int
    failed: bool


def rests_until(tried: Iterable[Tried], first_rest_s: float = REST_S) -> int | None:
    """Say until when a trunk rests, by its last attempts in the order claimed; None: its breaker is closed.

    From that instant on it is on trial: one attempt at a time. A failure of an attempt that was under way when the
    rest began is no failed trial, and proves no more than those before it.
    """
    until: int | None = None
    failures, rest_s = 0, first_rest_s
    for one in tried:
        if not one.failed:
            until, failures, rest_s = None, 0, first_rest_s
        elif until is None:
            failures += 1
            if failures == IN_A_ROW:
                until = one.ended_at + round(rest_s * SECOND)
        elif one.claimed_at >= until:
            rest_s = min(2 * rest_s, LONGEST_REST_S)
            until = one.ended_at + round(rest_s * SECOND)
    return until
