"""What follows an attempt: try again and when, or give up. A pure policy that returns values.

What is not the customer's side (the trunk, no agent, an agent who hangs up while it rings) does not count as a try: it
is tried again a little later.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from scheduler.clock import SECOND
from scheduler.errors import SchedulerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.hours import Hours

Since = Literal["outcome", "ring-end"]


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again `after_s` seconds after the outcome; `counts`: this attempt is one of the tries.

    Since "ring-end": not before the ring must have ended, too, because nobody knows whether it did.
    """

    after_s: int
    counts: bool
    since: Since = "outcome"


@dataclass(frozen=True, slots=True)
class Settle:
    """The promise is kept."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nobody is called any more: "invalid-number" or "tries-used"."""

    reason: str


Next = Retry | Settle | GiveUp

TABLE: Final[Mapping[str, Next]] = MappingProxyType(
    {
        "reached": Settle("reached"),
        "busy": Retry(5 * 60, counts=True),
        "no-answer": Retry(15 * 60, counts=True),
        "declined": Retry(30 * 60, counts=True),
        "invalid-number": GiveUp("invalid-number"),
        "machine": Retry(15 * 60, counts=True),
        "customer-left": Retry(5 * 60, counts=True),
        "trunk-failure": Retry(60, counts=False),
        "agent-no-answer": Retry(60, counts=False),
        "agent-cancelled": Retry(60, counts=False),
        "refused-late": Retry(60, counts=False, since="ring-end"),
        "refused-used": Retry(15 * 60, counts=True, since="ring-end"),  # somebody rang the customer with this ticket
        "unknown": Retry(15 * 60, counts=True, since="ring-end"),
    }
)
"""The defaults, and their only home: the settings take theirs from here (`default_min`)."""

OUTCOMES: Final = tuple(TABLE)
NO_AGENT: Final = "agent-no-answer"
LONGEST_WITHOUT_AGENT_S: Final = 600


def default_min(outcome: str) -> int:
    """Give how many minutes after this outcome it is tried again, where no setting says otherwise."""
    row = TABLE[outcome]
    if not isinstance(row, Retry):
        raise SchedulerError(f"after {outcome!r} nobody is tried again")
    return row.after_s // 60


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The settings: how many tries a customer is worth, and other waits than the table's, by outcome."""

    max_tries: int = 3
    after_s: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.max_tries < 1:
            raise SchedulerError(f"max_tries={self.max_tries}: let it be 1 or more")
        for outcome, seconds in self.after_s.items():
            if not isinstance(TABLE.get(outcome), Retry) or seconds < 0:
                retried = ", ".join(name for name, row in TABLE.items() if isinstance(row, Retry))
                raise SchedulerError(f"after_s of {outcome!r} is {seconds}: let it be 0 or more, for {retried}")


def after(outcome: str, tries: int, policy: RetryPolicy, in_vain: int = 0, *, chosen_ahead: bool = False) -> Next:
    """Say what follows an attempt that ended with `outcome`.

    `tries` is how many attempts counted before this one; `next.counts` says whether this one adds to them. `in_vain`
    is how many just before this one found no agent either: agents who do not answer are rung less and less often, for
    they are no nearer to it after a minute. With `chosen_ahead` the customer was told a time that is still to come: one
    more try is made then, however many counted before.
    """
    row = TABLE.get(outcome)
    if row is None:
        raise SchedulerError(f"outcome {outcome!r} is none of {', '.join(OUTCOMES)}")
    if not isinstance(row, Retry):
        return row
    if row.counts and tries + 1 >= policy.max_tries and not chosen_ahead:
        return GiveUp("tries-used")
    after_s = policy.after_s.get(outcome, row.after_s)
    if outcome == NO_AGENT:
        after_s = max(after_s, min(after_s * 2**in_vain, LONGEST_WITHOUT_AGENT_S))
    return replace(row, after_s=after_s)


def due_at(retry: Retry, hours: Hours, now: int, ring_until: int, longest_ring_s: int) -> int:
    """Say when to try again, always at a moment when a phone may ring.

    `now` is the time of the outcome, `ring_until` the instant by which the attempt's ring had to end.
    """
    due = now + retry.after_s * SECOND
    if retry.since == "ring-end":
        due = max(due, ring_until + longest_ring_s * SECOND)
    return hours.next_opening(due)
