"""A complaint is registered with what the rules know, or refused with what to mend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert

from callback.care.cases import CasesOff, NoSuchCase
from callback.customers import blocks, persons
from callback.decisions.acts.answers import NoSuchAnswer, NotOpen
from callback.decisions.care.registering import (
    NumberBlocked,
    UnknownDepartment,
    UnknownTopic,
    from_text,
    of_reference,
    register,
)
from callback.errors import CallbackError
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import HOUR
from tests.callback.decisions.care.centre import (
    AGENT,
    ANNA,
    CARE,
    NUMBER,
    at_work,
    case_of,
    complaint,
    do,
    registered,
    takes_cases,
)
from tests.callback.world import NOON, World


@pytest.fixture
def care(migrated_url: str) -> World:
    return World(migrated_url, takes_cases())


@pytest.fixture
def one_care(sqlite_world: World) -> World:
    """On SQLite alone."""
    return World(sqlite_world.store.url, takes_cases())


def test_a_complaint_gets_its_clock_its_department_and_a_letter(care: World) -> None:
    asked = registered(care, wish="my money back", product="fibre", department="billing", severity=2)
    case = case_of(care, asked)
    assert (case.kind, case.state, case.due_at, case.opened_by) == ("complaint", "assigned", NOON + 48 * HOUR, "anna")
    assert (case.owner, case.department, case.severity) == ("carl", "billing", 2)
    letter = care.rows(t.care_letter)[0]
    assert (letter.address, letter.state, letter.case_id) == ("billing@example.org", "waiting", case.id)
    assert [row.event for row in care.rows(t.care_step)] == ["registered", "assigned"]
    audited = [(row.action, row.who) for row in care.rows(t.audit)]
    assert audited == [("case-registered", "anna")]


def test_a_letter_names_no_number_and_a_person_in_charge_stays(care: World) -> None:
    registered(care, department="billing", owner="dora", words="call me at 090-1234-5678")
    letter = care.rows(t.care_letter)[0]
    assert "1234" not in letter.body
    assert "dora" in letter.body
    assert care.rows(t.care_case)[0].owner == "dora"


def test_without_owner_and_department_it_waits_for_somebody(care: World) -> None:
    case = case_of(care, registered(care))
    assert (case.state, case.owner, care.rows(t.care_letter)) == ("registered", None, [])


def test_the_same_customer_and_topic_is_one_case_while_it_stands_open(care: World) -> None:
    first = registered(care)
    again = do(care, register, complaint(words="and again"), ANNA)
    assert (again.case, again.made) == (first.case, False)
    assert [row.event for row in care.rows(t.care_step)] == ["registered", "again"]


def test_a_reference_makes_one_case_for_good(care: World) -> None:
    first = do(care, register, complaint(reference="crm-7"), ANNA)
    second = do(care, register, complaint(reference="crm-7", topic="speed"), ANNA)
    assert (second.case, second.made, len(care.rows(t.care_case))) == (first.case, False, 1)
    with at_work(care) as work:
        assert of_reference(work, "crm-8") is None


REFUSED: list[tuple[dict[str, Any], type[CallbackError], str]] = [
    ({"queue": "sales"}, CasesOff, r"set \[rules.queues.sales.care\] cases = true first"),
    ({"topic": "weather"}, UnknownTopic, "there are billing, billing/wrong-amount, speed"),
    ({"department": "legal"}, UnknownDepartment, "there are billing, network, shop"),
    ({"product": "radio"}, CallbackError, "there are fibre"),
    ({"severity": 4}, CallbackError, "severity is 1"),
    ({"words": " \0 "}, CallbackError, "what the customer says is missing"),
    ({"words": "x" * 2001}, CallbackError, "at most 2000 characters"),
    ({"number": "nobody"}, CallbackError, "no telephone number"),
    ({"promised": "money", "promised_by_at": NOON}, CallbackError, "still to come"),
    ({"owner": "x" * 101}, CallbackError, "at most 100 characters"),
    ({"reference": "x" * 101}, CallbackError, "at most 100 characters"),
    ({"person": 77}, CallbackError, "not known any more"),
]


@pytest.mark.parametrize(("changes", "error", "says"), REFUSED)
def test_what_does_not_fit_is_refused_with_what_to_mend(
    one_care: World, changes: dict[str, Any], error: type[CallbackError], says: str
) -> None:
    with pytest.raises(error, match=says):
        registered(one_care, **changes)
    assert one_care.rows(t.care_case) == []


def test_nobody_whom_we_may_neither_call_nor_text_gets_a_case(one_care: World) -> None:
    with at_work(one_care) as work:
        blocks.block(work.connection, "main", NUMBER, By("anna", "asked"), NOON, texts=True)
    registered(one_care)  # a call may still ask
    with at_work(one_care) as work:
        blocks.block(work.connection, "main", NUMBER, By("anna", "asked"), NOON, calls=True)
    with pytest.raises(NumberBlocked):
        registered(one_care, topic="speed")


def test_another_groups_queue_takes_nothing(one_care: World) -> None:
    with pytest.raises(NoSuchCase):
        registered(one_care, actor=replace(ANNA, groups=frozenset({"sales"})))


def test_an_agent_registers_too(one_care: World) -> None:
    case = case_of(one_care, registered(one_care, actor=AGENT, source="agent", call_id="main/1"))
    assert (case.opened_by, case.source, case.call_id) == ("ben", "agent", "main/1")


def _text(world: World, body: str, *, person: bool = True) -> int:
    with at_work(world) as work:
        whose = persons.person_of(work.connection, NUMBER, NOON) if person else None
        row = {"pbx": "main", "account": "main", "sid": "SM1", "received_at": NOON, "wish": "unclear", "body": body}
        made = insert(t.answer).values(**row, state="open", person_id=whose).returning(t.answer.c.id)
        return int(work.connection.execute(made).scalar_one())


def test_a_text_that_a_person_judges_to_be_one(care: World) -> None:
    text = _text(care, "You took my money twice!")
    opened = do(care, from_text, text, complaint(words="", number=""), ANNA)
    case = care.rows(t.care_case)[0]
    assert (case.source, case.answer_id, case.words) == ("text", text, "You took my money twice!")
    assert care.rows(t.answer)[0].state == "done"
    assert ("answer-done", "complaint") in {(row.action, row.facts.get("how")) for row in care.rows(t.audit)}
    assert opened.made
    with pytest.raises(NotOpen):
        do(care, from_text, text, complaint(), ANNA)
    with pytest.raises(NoSuchAnswer):
        do(care, from_text, 99, complaint(), ANNA)


def test_a_text_of_nobody_is_no_complaint(one_care: World) -> None:
    text = _text(one_care, "hello", person=False)
    with pytest.raises(CallbackError, match="no number"):
        do(one_care, from_text, text, complaint(), ANNA)


@pytest.mark.parametrize("act", [register])
def test_an_ended_case_is_named_by_the_next(care: World, act: Callable[..., Any]) -> None:
    first = registered(care)
    with at_work(care) as work:
        work.connection.execute(t.care_case.update().values(state="closed", open=False))
    second = do(care, act, complaint(), ANNA, now=NOON + HOUR)
    case = care.rows(t.care_case)[1]
    assert (second.made, case.repeat_of, case.repeats) == (True, first.case, 1)


@pytest.mark.parametrize("said", ["\udc80", "a\0b", "x" * 100_000])
def test_what_can_not_be_kept_is_refused_in_a_short_sentence(care: World, said: str) -> None:
    care.site = replace(care.site, rules=takes_cases(CARE.model_copy(update={"products": ()})))
    for name in ("queue", "topic", "department", "product", "reference", "call_id", "promised", "owner"):
        with pytest.raises(CallbackError, match=r"is too long: at most|is no text: write it anew") as refused:
            do(care, register, complaint(**{name: said}), ANNA)
        assert len(str(refused.value)) < 100
    assert not care.rows(t.care_case)
