"""How a callback ended, from the facts that the PBX reported. Pure; one table, read from the top down.

Source of the numbers: ITU-T Q.850 causes and how PJSIP maps SIP answers to them, seen on Asterisk 16 and 22. DialEnd
says NOANSWER for 404 and 603 alike, so the cause goes before the status.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NOBODY: Final = "NOBODY"
"""Our dialplan's word instead of ANSWER: the customer, called first, answered and waited, and no agent answered."""
BUSY, DECLINED = {17}, {21}
INVALID = {1, 22, 28}  # unallocated, changed, malformed
AWAY = {18, 19, 20, 27, 31}  # the customer's phone is silent, off or out of reach: no fault of the trunk
TRUNK_ANSWERS = {401, 403, 407}  # SIP answers about us, not about the customer, which also become cause 21
TRUNK = {
    3,
    5,
    6,
    25,
    29,
    34,
    38,
    41,
    42,
    43,
    44,
    47,
    50,
    58,
    65,
    66,
    69,
    88,
    95,
    96,
    97,
    98,
    99,
    101,
    102,
    111,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an attempt when it is over; None and empty: not known, or not reached."""

    refused: str | None = None  # why our dialplan refused to dial: late, used
    agent_connected: bool = False
    queue_status: str | None = None
    dial_status: str | None = None
    cause: int | None = None
    tech_cause: int | None = None
    talked_s: float | None = None  # both legs bridged; None: never answered


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """A row of the table."""

    outcome: str
    holds: Callable[[Facts, float], bool]


def _no_agent(facts: Facts) -> bool:
    """Tell whether no agent answered. AgentConnect may be lost, but then the customer was dialled."""
    return not facts.agent_connected and facts.dial_status is None


def _left_waiting(facts: Facts) -> bool:
    """Tell whether a customer who was called first hung up before an agent answered."""
    return facts.dial_status == "ANSWER" and not facts.agent_connected and facts.queue_status in {None, "ABANDONED"}


TABLE: Final = (
    OutcomeRow("refused-used", lambda f, _: f.refused == "used"),
    OutcomeRow("refused-late", lambda f, _: f.refused == "late"),
    OutcomeRow("reached", lambda f, enough_s: f.talked_s is not None and f.talked_s >= enough_s),
    OutcomeRow("customer-left", lambda f, _: f.talked_s is not None),
    OutcomeRow("agent-no-answer", lambda f, _: f.dial_status == NOBODY),
    OutcomeRow("customer-left", lambda f, _: _left_waiting(f)),
    OutcomeRow("agent-no-answer", lambda f, _: f.queue_status is not None and _no_agent(f)),
    OutcomeRow("agent-cancelled", lambda f, _: f.dial_status == "CANCEL"),
    OutcomeRow("trunk-failure", lambda f, _: f.tech_cause in TRUNK_ANSWERS),
    OutcomeRow("busy", lambda f, _: f.cause in BUSY or f.dial_status == "BUSY"),
    OutcomeRow("declined", lambda f, _: f.cause in DECLINED),
    OutcomeRow("invalid-number", lambda f, _: f.cause in INVALID),
    OutcomeRow("no-answer", lambda f, _: f.cause in AWAY),
    OutcomeRow("trunk-failure", lambda f, _: f.cause in TRUNK),
    OutcomeRow("trunk-failure", lambda f, _: f.dial_status in {"CONGESTION", "CHANUNAVAIL"}),
    OutcomeRow("no-answer", lambda f, _: f.dial_status == "NOANSWER"),
    OutcomeRow("agent-cancelled", lambda f, _: f.agent_connected and f.dial_status == ""),  # hung up before Dial began
)


def outcome_of(facts: Facts, reached_after_s: float) -> str:
    """Name the outcome; `unknown` where no row holds."""
    return next((row.outcome for row in TABLE if row.holds(facts, reached_after_s)), "unknown")


def facts_of_ticket(ticket: str | None, *, ran_through: bool) -> Facts | None:
    """Read a ticket whose channels are gone; None where it proves nothing.

    An absent ticket proves that the phone was never rung only if the PBX ran through: AstDB writes to disk a second
    late, so a crash may have taken a fresh ticket with it.
    """
    if ticket is None:
        return Facts(queue_status="", agent_connected=False) if ran_through else None
    word, *rest = ticket.split(":")
    if word != "ended" or len(rest) != 3:  # noqa: PLR2004 - status, cause, seconds
        return None
    status, cause, seconds = rest
    talked = float(seconds) if seconds.isdigit() and status == "ANSWER" else None
    return Facts(
        agent_connected=True,
        dial_status=status,
        cause=int(cause) if cause.isdigit() else None,
        talked_s=talked,
    )
