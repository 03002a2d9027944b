"""A customer of whom every table of care and campaigns tells something, in whose words a mark stands."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert

from callback.customers import persons
from callback.store import tables as t
from scheduler.clock import DAY
from sms import outbox
from tests.callback.world import NOON, World

OLD_CASE, OPEN_CASE, CONFIRMED_CASE = 1, 2, 3


def all_about(world: World, e164: str, mark: str, at: int = NOON) -> int:
    """Let every table tell something of a customer, and give the person."""
    with world.store.write() as connection:
        person = persons.person_of(connection, e164, at)
        _cases(connection, person, mark, at)
        flags = {"pbx": "main", "person_id": person, "queue": "support", "owner": "anna", "who": "anna", "reason": mark}
        for state in ("waiting", "reserved", "refused"):
            row = {"on_at": at, "made_at": at, "state": state, "why_not": mark}
            connection.execute(insert(t.contact_flag).values(**flags, **row))
        note = {"pbx": "main", "person_id": person, "kind": "meek", "note": mark, "who": "anna", "at": at}
        connection.execute(insert(t.care_note).values(**note))
        _campaign(connection, person, at)
        for word in ("case/2", "campaign/1/1", f"survey/{person}"):
            _text(connection, person, word, mark, at)
    return person


def _cases(connection: Connection, person: int, mark: str, at: int) -> None:
    asked = {
        "pbx": "main",
        "person_id": person,
        "queue": "support",
        "kind": "call",
        "about": "call/1.1",
        "asked_at": at,
    }
    survey = connection.execute(insert(t.survey).values(**asked, score=1, answered_at=at).returning(t.survey.c.id))
    number = survey.scalar_one()
    rows: dict[int, dict[str, Any]] = {
        OLD_CASE: {"state": "closed", "open": False, "survey_id": number},
        OPEN_CASE: {"state": "assigned", "open": True, "topic": "billing"},
        CONFIRMED_CASE: {"state": "confirmed", "open": True, "topic": "delivery"},
    }
    for case, row in rows.items():
        said = {"words": mark, "wish": mark, "promised": mark, "reference": f"{mark}/{case}"}
        when = {"opened_at": at, "opened_by": "anna", "due_at": at, "state_since_at": at, "source": "supervisor"}
        whose = {"pbx": "main", "queue": "support", "person_id": person, "kind": "complaint"}
        connection.execute(insert(t.care_case).values(id=case, **whose, **said, **when, **row))
        step = {"case_id": case, "pbx": "main", "at": at, "who": "anna", "event": "registered", "state": "registered"}
        connection.execute(insert(t.care_step).values(**step, note=mark, reference=f"{mark}/again/{case}"))
        state = "waiting" if row["open"] else "sent"
        letter = {
            "pbx": "main",
            "cause": f"case/{case}",
            "case_id": case,
            "department": "billing",
            "address": "b@x.org",
        }
        when = {"created_at": at, "next_at": at, "settled_at": at if state == "sent" else None}
        connection.execute(insert(t.care_letter).values(**letter, subject=mark, body=mark, state=state, **when))


def _campaign(connection: Connection, person: int, at: int) -> None:
    made = {"pbx": "main", "name": "cable cut", "queue": "support", "criteria": {}, "words": {}, "per_min": 60}
    campaign = connection.execute(
        insert(t.campaign).values(**made, state="running", made_at=at, made_by="anna").returning(t.campaign.c.id)
    ).scalar_one()
    row = {"campaign_id": campaign, "person_id": person, "segment": "support"}
    connection.execute(insert(t.campaign_person).values(**row, state="waiting"))
    connection.execute(insert(t.campaign_asked).values(**row, round=1, state="waiting", call_from_at=at))


def _text(connection: Connection, person: int, word: str, mark: str, at: int) -> None:
    new = outbox.NewText(
        cause=f"of {word}",
        pbx="main",
        recipient=word,
        template="x",
        language="en",
        body=mark,
        not_before_at=at,
        expires_at=at + DAY,
        person=f"person/{person}",
    )
    assert outbox.put(connection, new, at)
