"""Weeks of cases, questions and lost calls that chance made, as rows."""

from __future__ import annotations

from random import Random
from typing import Any

from sqlalchemy import Connection, insert, update

from callback.care.states import STATES
from callback.customers import persons
from callback.store import tables as t
from scheduler.clock import DAY, HOUR
from telephony.calls.call import Kind
from tests.callback.world import NOON, World, call

TOPICS = ("", "billing", "billing/wrong-amount", "billing/late", "delivery")
WEEKS_BACK = 6


def history(world: World, seed: int, people: int = 12, cases: int = 90, lost: int = 60) -> None:
    """Let it have happened in the six weeks before NOON."""
    chance = Random(seed)  # noqa: S311 - no secret
    known = list[int]()
    with world.store.write() as connection:
        connection.execute(update(t.checkpoint).values(first_started_at=0))  # the service has listened for long
    for number in range(lost):
        caller = f"0901234{chance.randrange(people):04}"
        ended = NOON - chance.randrange(WEEKS_BACK * 7 * DAY)
        kinds: tuple[Kind, ...] = ("abandoned", "silent", "silent", "blocked")
        kind = chance.choice(kinds)
        queue = chance.choice(("support", "sales"))
        world.hear(call(caller, ended_at=ended + number, queue=queue), kind)
    with world.store.write() as connection:
        known = [persons.person_of(connection, f"+81901234{number:04}", NOON) for number in range(people)]
        for number in range(cases):
            _case(connection, chance, number, chance.choice(known))
        for number in range(cases):
            _survey(connection, chance, number, chance.choice(known))


def _case(connection: Connection, chance: Random, number: int, person: int) -> None:
    state = chance.choice(STATES)
    opened = NOON - chance.randrange(WEEKS_BACK * 7 * DAY)
    due = opened + chance.choice((24, 48)) * HOUR
    answered = state not in {"registered", "withdrawn"} and chance.random() < 0.8
    is_open = state in {"registered", "assigned", "answered", "confirmed"}
    row: dict[str, Any] = {
        "pbx": "main",
        "queue": chance.choice(("support", "sales", "unnamed")),
        "person_id": person,
        "kind": chance.choice(t.CASE_KINDS),
        "state": state,
        "open": is_open,
        "opened_at": opened,
        "opened_by": "anna",
        "source": chance.choice(("survey", "agent", "csv")),
        "topic": f"open/{number}" if is_open else chance.choice(TOPICS),
        "product": chance.choice(("", "fibre")),
        "department": chance.choice(("", "billing", "field")),
        "severity": chance.randrange(1, 4),
        "agent": chance.choice((None, "Agent One", "Agent Two")),
        "compensation": chance.choice(("", "", "voucher", "gone")),
        "due_at": due,
        "repaired_at": due + chance.randrange(-20, 20) * HOUR if answered else None,
        "score_after": chance.choice((None, 1, 2, 3, 4, 5)),
        "state_since_at": opened,
        "repeats": chance.choice((0, 0, 0, 1, 2)),
    }
    connection.execute(insert(t.care_case).values(row))


def _survey(connection: Connection, chance: Random, number: int, person: int) -> None:
    asked = NOON - chance.randrange(WEEKS_BACK * 7 * DAY)
    row: dict[str, Any] = {
        "pbx": "main",
        "queue": chance.choice(("support", "sales")),
        "person_id": person,
        "kind": chance.choice(t.SURVEY_KINDS),
        "about": f"x/{number}",
        "asked_at": asked,
        "score": chance.choice((None, 1, 2, 3, 4, 5)),
    }
    connection.execute(insert(t.survey).values(row))
