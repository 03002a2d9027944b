"""Attempts whose end nobody heard: resolved by evidence, never dialled again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from callback.attempts.lanes import Flight
from telephony.dialling.commands import Ticket
from telephony.dialling.dialler import StepName
from telephony.dialling.outcome import NOBODY, facts_of_ticket, outcome_of

MARGIN_US = 3_000_000  # a clock two seconds off, and a second for the PBX to stop ringing


@dataclass(frozen=True, slots=True)
class Resolution:
    """What an attempt turned out to be."""

    outcome: str
    evidence: list[str]
    steps: tuple[StepName, ...] = ()  # that it is known to have taken, besides


def resolve(flight: Flight, ticket: Ticket | None, reached_after_s: float, now: int) -> Resolution | None:
    """Judge an attempt without live channels by its ticket; None while its phone might still be rung.

    A closed ticket says how it ended. An open one, or none, means nothing before `ring_until_at`: our Originate may
    still be on its way through the PBX. After that nobody can be rung on its account any more. No ticket then proves
    that the customer's phone never rang, if that Asterisk ran through; whatever else is left is unknown, and so is
    everything where the ticket (None) cannot be read at all.
    """
    if ticket is None:
        late = now >= flight.ring_until_at + MARGIN_US
        return Resolution("unknown", ["the ticket could not be read"]) if late else None
    evidence = [
        f"ticket {ticket.value or 'absent'}",
        f"PBX started {ticket.boot}, at the claim {flight.pbx_boot}",
    ]
    closed = ticket.value is not None and ticket.value.startswith("ended:")
    if not closed and now < flight.ring_until_at + MARGIN_US:
        return None
    facts = facts_of_ticket(ticket.value, ran_through=ticket.boot == flight.pbx_boot)
    outcome = outcome_of(facts, reached_after_s) if facts is not None else "unknown"
    waited_in_vain = facts is not None and facts.dial_status == NOBODY
    return Resolution(outcome, evidence, ("customer_dialled_at", "customer_answered_at") if waited_in_vain else ())


def came_back(in_flight: Iterable[Flight], on_the_line: Collection[str]) -> list[Flight]:
    """Attempts not answered yet whose customer is on the line without us, or is owed nothing any more."""
    unanswered = [flight for flight in in_flight if flight.customer_answered_at is None]
    return [flight for flight in unanswered if flight.e164 in on_the_line or flight.state != "calling"]


def unattended(in_flight: Iterable[Flight], live: Collection[str], now: int) -> list[Flight]:
    """Attempts in flight that have no live channel and are old enough to have had one."""
    return [flight for flight in in_flight if flight.id not in live and now - flight.claimed_at > MARGIN_US]
