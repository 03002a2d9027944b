"""How a callback ended, from the ticket alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.dialling.outcome import TABLE, Facts, facts_of_ticket, outcome_of


@pytest.mark.parametrize(
    ("ticket", "outcome"),
    [
        ("ended:ANSWER:16:12", "reached"),
        ("ended:ANSWER:16:3", "customer-left"),
        ("ended:ANSWER:16:", "unknown"),
        ("ended:BUSY:17:", "busy"),
        ("ended:CHANUNAVAIL:1:", "invalid-number"),
        ("ended:CHANUNAVAIL:21:", "declined"),
        ("ended:CONGESTION:34:", "trunk-failure"),
        ("ended:CHANUNAVAIL:18:", "no-answer"),
        ("ended:CHANUNAVAIL:20:", "no-answer"),
        ("ended:CHANUNAVAIL:27:", "no-answer"),
        ("ended:CONGESTION:31:", "no-answer"),
        ("ended:CHANUNAVAIL:38:", "trunk-failure"),
        ("ended:CHANUNAVAIL:0:", "trunk-failure"),
        ("ended:NOANSWER:16:", "no-answer"),
        ("ended:CANCEL:16:", "agent-cancelled"),
        ("ended::16:", "agent-cancelled"),
        ("ended:NOBODY:16:", "agent-no-answer"),
    ],
)
def test_a_ticket_that_was_closed_says_how_it_ended(ticket: str, outcome: str) -> None:
    facts = facts_of_ticket(ticket, ran_through=False)
    assert facts is not None
    assert outcome_of(facts, reached_after_s=10) == outcome


@pytest.mark.parametrize(
    "ticket", ["ringing", "answered", "talking:1795313900", "nobody", "", "ended", "ended:ANSWER", "who:knows:16:12"]
)
def test_a_ticket_that_was_not_closed_proves_nothing(ticket: str) -> None:
    assert facts_of_ticket(ticket, ran_through=True) is None


def test_no_ticket_proves_that_nobody_was_rung_only_where_the_pbx_ran_through() -> None:
    never_rung = facts_of_ticket(None, ran_through=True)
    assert never_rung is not None
    assert outcome_of(never_rung, 10) == "agent-no-answer"
    assert facts_of_ticket(None, ran_through=False) is None


def test_who_was_dialled_had_an_agent_even_where_nobody_heard_of_him() -> None:
    """The manager user may not read the class `agent`."""
    assert outcome_of(Facts(queue_status="", dial_status="BUSY", cause=17), 10) == "busy"
    assert outcome_of(Facts(queue_status="TIMEOUT"), 10) == "agent-no-answer"


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (Facts(dial_status="ANSWER", queue_status="ABANDONED"), "customer-left"),
        (Facts(dial_status="ANSWER"), "customer-left"),  # before he had even joined the queue
        (Facts(dial_status="ANSWER", queue_status=""), "unknown"),  # class `agent` not read: he may have been served
        (Facts(dial_status="ANSWER", queue_status="", agent_connected=True, talked_s=12.0), "reached"),
        (Facts(dial_status="NOBODY", queue_status="TIMEOUT"), "agent-no-answer"),
        (Facts(dial_status="NOANSWER", cause=16), "no-answer"),
        (Facts(dial_status="CANCEL", cause=16), "agent-cancelled"),
    ],
)
def test_a_customer_who_was_called_first(facts: Facts, outcome: str) -> None:
    assert outcome_of(facts, reached_after_s=10) == outcome


@given(st.builds(Facts, cause=st.none() | st.integers(0, 127), dial_status=st.none() | st.sampled_from(["", "ANSWER"])))
def test_nobody_is_reached_who_never_answered(facts: Facts) -> None:
    assert outcome_of(facts, reached_after_s=0) != "reached"


def test_every_line_of_the_table_can_hold() -> None:
    assert len({row.outcome for row in TABLE}) == 11  # all but machine and unknown
