"""People decide about cases, and none of them closes one without the customer's word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from callback.care.cases import NoSuchCase
from callback.decisions.care import cases as acts
from callback.decisions.care.acting import Actor, AskedCase, CaseChanged, NotYourCase
from callback.decisions.care.registering import UnknownDepartment
from callback.errors import CallbackError, IllegalTransition
from callback.store import tables as t
from scheduler.clock import HOUR
from tests.callback.audit_actions import collect
from tests.callback.decisions.care.centre import AGENT, ANNA, BOSS, case_of, do, registered, takes_cases
from tests.callback.world import NOON, World


@pytest.fixture
def care(migrated_url: str) -> World:
    return World(migrated_url, takes_cases())


@pytest.fixture
def one_care(sqlite_world: World) -> World:
    """On SQLite alone."""
    return World(sqlite_world.store.url, takes_cases())


def letters(world: World) -> list[tuple[str, str]]:
    return [(row.department, row.state) for row in world.rows(t.care_letter)]


def steps(world: World) -> list[tuple[str, str]]:
    return [(row.event, row.state) for row in world.rows(t.care_step)]


def test_a_case_goes_its_way(care: World) -> None:
    asked = registered(care)
    do(care, acts.assign, asked, ANNA, owner="ben")
    do(care, acts.answer, asked, "We pay it back.", AGENT, now=NOON + HOUR)
    case = case_of(care, asked)
    assert (case.state, case.repaired_at) == ("answered", NOON + HOUR)
    do(care, acts.confirm, asked, "call", ANNA, words="thank you", now=NOON + 2 * HOUR)
    case = case_of(care, asked)
    assert (case.state, case.open) == ("confirmed", True)
    done = [row.action for row in care.rows(t.audit)]
    assert done == ["case-registered", "case-assigned", "case-answered", "case-confirmed"]
    assert care.rows(t.care_step)[-1].note == "call: thank you"


def test_what_is_not_solved_goes_on_and_is_due_at_once(care: World) -> None:
    asked = registered(care, department="network")
    do(care, acts.answer, asked, "It works again.", ANNA)
    do(care, acts.deny, asked, "call", ANNA, now=NOON + HOUR)
    case = case_of(care, asked)
    assert (case.state, case.due_at, case.next_ask_at, case.asks) == ("assigned", NOON + HOUR, None, 0)
    assert letters(care) == [("network", "waiting")] * 2


def test_a_clock_that_ran_out_moves_no_later(one_care: World) -> None:
    asked = registered(one_care)
    do(one_care, acts.answer, asked, "late", ANNA, now=NOON + 50 * HOUR)
    do(one_care, acts.deny, asked, "call", ANNA, now=NOON + 51 * HOUR)
    assert case_of(one_care, asked).due_at == NOON + 48 * HOUR


def test_another_department_gets_the_letter_and_the_first_one_no_more(care: World) -> None:
    asked = registered(care, department="billing")
    do(care, acts.assign, asked, ANNA, department="network")
    assert letters(care) == [("billing", "withdrawn"), ("network", "waiting")]
    assert case_of(care, asked).owner == "carl"
    do(care, acts.assign, asked, ANNA, owner="")
    assert (case_of(care, asked).owner, case_of(care, asked).department) == (None, "network")
    do(care, acts.assign, asked, ANNA, department="")
    assert case_of(care, asked).department == ""
    with pytest.raises(UnknownDepartment):
        do(care, acts.assign, asked, ANNA, department="legal")


def test_what_was_answered_may_go_back(care: World) -> None:
    asked = registered(care, department="billing")
    do(care, acts.answer, asked, "no", ANNA)
    do(care, acts.assign, asked, ANNA, owner="anna")
    case = case_of(care, asked)
    assert (case.state, case.next_ask_at) == ("assigned", None)
    assert letters(care) == [("billing", "waiting")] * 2


@pytest.mark.parametrize(("name", "actor", "given"), [
    ("sorry", AGENT, True), ("month", AGENT, False), ("month", ANNA, True), ("year", ANNA, False), ("year", BOSS, True),
])  # fmt: skip
def test_each_role_gives_what_it_may(one_care: World, name: str, actor: Actor, *, given: bool) -> None:
    asked = registered(one_care, owner="ben")
    if given:
        do(one_care, acts.compensate, asked, name, actor)
        with pytest.raises(CallbackError, match="has one compensation"):
            do(one_care, acts.compensate, asked, "sorry", BOSS)
    else:
        with pytest.raises(NotYourCase):
            do(one_care, acts.compensate, asked, name, actor)
    assert case_of(one_care, asked).compensation == (name if given else "")
    with pytest.raises(acts.UnknownCompensation, match="there are sorry, month, year"):
        do(one_care, acts.compensate, asked, "gold", actor)


ACTS: list[Callable[[World, AskedCase, Actor], Any]] = [
    lambda world, asked, actor: do(world, acts.answer, asked, "x", actor),
    lambda world, asked, actor: do(world, acts.confirm, asked, "call", actor),
    lambda world, asked, actor: do(world, acts.deny, asked, "call", actor),
    lambda world, asked, actor: do(world, acts.withdraw, asked, "call", actor),
    lambda world, asked, actor: do(world, acts.compensate, asked, "sorry", actor),
    lambda world, asked, actor: do(world, acts.assign, asked, actor, owner="x"),
]


@pytest.mark.parametrize("act", ACTS)
def test_nobody_decides_about_what_is_not_theirs_or_was_changed_or_has_ended(
    one_care: World, act: Callable[[World, AskedCase, Actor], Any]
) -> None:
    asked = registered(one_care)
    before = one_care.rows(t.care_case)
    with pytest.raises(NoSuchCase):
        act(one_care, asked, replace(ANNA, groups=frozenset({"sales"})))
    with pytest.raises(NoSuchCase):
        act(one_care, asked, AGENT)
    with pytest.raises(CaseChanged):
        act(one_care, replace(asked, revision=7), ANNA)
    with pytest.raises(NoSuchCase):
        act(one_care, AskedCase(99), ANNA)
    assert one_care.rows(t.care_case) == before
    do(one_care, acts.withdraw, asked, "mail", ANNA)
    with pytest.raises(IllegalTransition, match="has ended"):
        act(one_care, asked, ANNA)


def test_an_agent_decides_about_own_cases_and_assigns_none(one_care: World) -> None:
    asked = registered(one_care, actor=AGENT)
    with pytest.raises(NotYourCase):
        do(one_care, acts.assign, asked, AGENT, owner="ben")
    do(one_care, acts.answer, asked, "done", AGENT)
    assert case_of(one_care, asked).state == "answered"


@pytest.mark.parametrize("act", [acts.confirm, acts.deny])
def test_nothing_is_confirmed_before_it_was_answered(one_care: World, act: Callable[..., Any]) -> None:
    asked = registered(one_care)
    with pytest.raises(IllegalTransition, match="write down what was answered"):
        do(one_care, act, asked, "call", ANNA)
    with pytest.raises(CallbackError, match="one of call, text, mail, person"):
        do(one_care, act, asked, "smoke", ANNA)


def test_a_note_changes_nothing_and_may_follow_the_end(one_care: World) -> None:
    asked = registered(one_care)
    do(one_care, acts.withdraw, asked, "call", ANNA)
    do(one_care, acts.note, asked.case, "called again to thank us", ANNA)
    assert steps(one_care)[-2:] == [("withdrawn", "withdrawn"), ("noted", "withdrawn")]
    with pytest.raises(CallbackError, match="the note is missing"):
        do(one_care, acts.note, asked.case, " ", ANNA)


def test_every_act_has_words_in_the_audit() -> None:
    assert {name for name in collect().known if name.startswith("case-")} == {
        f"case-{word}"
        for word in ("registered", "assigned", "answered", "confirmed", "denied", "withdrawn", "compensated", "noted")
    }
