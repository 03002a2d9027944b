"""Attempts whose end nobody heard: what the ticket proves, and when it proves nothing yet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.attempts import resolve as resolving
from callback.attempts.lanes import Flight
from callback.attempts.resolve import MARGIN_US, Resolution
from scheduler.retry import OUTCOMES
from telephony.dialling.commands import Ticket
from tests.callback.world import NOON, US

RING_UNTIL = NOON + 55 * US
OVER = RING_UNTIL + MARGIN_US  # from then on nobody can be rung any more
ENOUGH_S = 10.0


FLIGHT = Flight(
    id="a1",
    pbx="main",
    reservation_id=1,
    person_id=1,
    pbx_boot="boot 1",
    trunk="main",
    claimed_at=NOON,
    ring_until_at=RING_UNTIL,
    agent_connected_at=None,
    customer_answered_at=None,
    queue="support",
    state="calling",
    e164="+819012345678",
)


def resolve(ticket: str | None, now: int, boot: str = "boot 1") -> Resolution | None:
    return resolving.resolve(FLIGHT, Ticket(ticket, boot), ENOUGH_S, now)


def outcome(ticket: str | None, now: int, boot: str = "boot 1") -> str | None:
    found = resolve(ticket, now, boot)
    return found.outcome if found else None


# ticket: outcome before ring_until and after it where the PBX ran through, and where it was restarted
TICKETS: dict[str | None, tuple[str | None, str, str | None, str]] = {
    "ended:ANSWER:16:60": ("reached", "reached", "reached", "reached"),
    "ended:ANSWER:16:9": ("customer-left", "customer-left", "customer-left", "customer-left"),
    "ended:BUSY:17:": ("busy", "busy", "busy", "busy"),
    "ended:NOANSWER:19:": ("no-answer", "no-answer", "no-answer", "no-answer"),
    "ended:CHANUNAVAIL:1:": ("invalid-number", "invalid-number", "invalid-number", "invalid-number"),
    "ended:CONGESTION:34:": ("trunk-failure", "trunk-failure", "trunk-failure", "trunk-failure"),
    "ended:NOBODY:16:": ("agent-no-answer", "agent-no-answer", "agent-no-answer", "agent-no-answer"),
    "ended:CANCEL:16:": ("agent-cancelled", "agent-cancelled", "agent-cancelled", "agent-cancelled"),
    "ended:": ("unknown", "unknown", "unknown", "unknown"),  # closed, but nobody can read how
    "ringing": (None, "unknown", None, "unknown"),
    "answered": (None, "unknown", None, "unknown"),
    "": (None, "unknown", None, "unknown"),
    None: (None, "agent-no-answer", None, "unknown"),  # AstDB reaches the disk late: a crash may have taken it
}


@pytest.mark.parametrize(("ticket", "outcomes"), TICKETS.items())
def test_what_a_ticket_proves(ticket: str | None, outcomes: tuple[str | None, ...]) -> None:
    found = [outcome(ticket, now, boot) for boot in ("boot 1", "boot 2") for now in (OVER - 1, OVER)]
    assert found == list(outcomes)


@pytest.mark.parametrize(("ticket", "said"), [("ringing", "ticket ringing"), (None, "ticket absent")])
def test_the_evidence_names_the_ticket_and_both_starts_of_the_pbx(ticket: str | None, said: str) -> None:
    found = resolve(ticket, OVER, "boot 2")
    assert found is not None
    assert found.evidence == [said, "PBX started boot 2, at the claim boot 1"]
    assert found.steps == ()


def test_a_ticket_of_who_waited_in_vain_proves_that_he_was_rung_and_answered() -> None:
    found = resolve("ended:NOBODY:16:", NOON)
    assert found is not None
    assert found.steps == ("customer_dialled_at", "customer_answered_at")


def test_a_ticket_that_cannot_be_read_leaves_it_unknown_but_not_before_the_ring_is_over() -> None:
    assert resolving.resolve(FLIGHT, None, ENOUGH_S, OVER - 1) is None
    found = resolving.resolve(FLIGHT, None, ENOUGH_S, OVER)
    assert found == Resolution("unknown", ["the ticket could not be read"])


tickets = st.none() | st.sampled_from(sorted(filter(None, TICKETS))) | st.text(max_size=30)


@given(tickets, st.integers(NOON, OVER - 1), st.sampled_from(["boot 1", "boot 2"]))
def test_an_open_ticket_ends_nothing_while_the_phone_might_ring(ticket: str | None, now: int, boot: str) -> None:
    closed = ticket is not None and ticket.startswith("ended:")
    assert (outcome(ticket, now, boot) is None) == (not closed)


@given(tickets, st.integers(OVER, OVER + 10**12), st.sampled_from(["boot 1", "boot 2"]))
def test_later_every_attempt_has_an_outcome(ticket: str | None, now: int, boot: str) -> None:
    assert outcome(ticket, now, boot) in OUTCOMES


@given(tickets.filter(lambda ticket: ticket is not None and not ticket.startswith("ended:ANSWER:")))
def test_nobody_counts_as_reached_on_a_ticket_that_does_not_say_so(ticket: str) -> None:
    assert outcome(ticket, OVER) not in {"reached", "customer-left"}


def test_only_old_attempts_without_a_live_channel_are_resolved() -> None:
    in_flight = [replace(FLIGHT, id=id_) for id_ in ("live", "gone")] + [
        replace(FLIGHT, id="fresh", claimed_at=NOON + US)
    ]
    found = resolving.unattended(in_flight, {"live"}, NOON + MARGIN_US + US)
    assert [flight.id for flight in found] == ["gone"]


@pytest.mark.parametrize(
    ("flight", "on_the_line", "called_off"),
    [
        (FLIGHT, set(), False),
        (FLIGHT, {"+819087654321"}, False),
        (FLIGHT, {"+819012345678"}, True),
        (replace(FLIGHT, state="returned"), set(), True),
        (replace(FLIGHT, state="returned", customer_answered_at=NOON), set(), False),  # they talk
        (replace(FLIGHT, customer_answered_at=NOON), {"+819012345678"}, False),
    ],
)
def test_an_attempt_is_called_off_while_its_customer_comes_back(
    flight: Flight, on_the_line: set[str], called_off: bool
) -> None:
    assert bool(resolving.came_back([flight], on_the_line)) == called_off
