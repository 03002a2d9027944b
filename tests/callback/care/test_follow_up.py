"""An answered complaint is asked about by text, then by calls, and closes on the customer's word alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callback.care.cases import NoSuchCase
from callback.customers import blocks
from callback.decisions import wrap_up
from callback.decisions.care import cases as acts
from callback.decisions.care.acting import Actor, AskedCase
from callback.events import CaseAtRisk
from callback.reports.agent import scripts
from callback.site.templates import Texting
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import HOUR
from tests.callback.care.asked import answer, leave, tend, words_stand
from tests.callback.decisions.care.centre import AGENT, ANNA, NUMBER, do, registered, takes_cases
from tests.callback.world import MINUTE, NOON, World, call, fed, picture

ANSWERED = NOON + HOUR


def ready(world: World, *, two_way: bool = True) -> World:
    """A site that takes complaints, whose customer has called before and can answer texts."""
    world.site = replace(world.site, rules=takes_cases(), texting=Texting(two_way=lambda _: two_way))
    world.hear(call(talked_s=60, ended_at=NOON - HOUR), "served")
    return world


def to_confirm(world: World, *, two_way: bool = True) -> AskedCase:
    """A complaint that was answered, and whose customer is to be asked."""
    asked = registered(ready(world, two_way=two_way))
    do(world, acts.answer, asked, "We pay it back.", ANNA, now=ANSWERED)
    assert tend(world, ANSWERED) == 1
    return asked


def case_of(world: World) -> Any:
    (found,) = world.rows(t.care_case)
    return found


def steps(world: World) -> list[str]:
    return [row.event for row in world.rows(t.care_step)]


def tried(world: World, now: int, outcome: str) -> None:
    """Let the callback that asks be made, and end so."""
    order = world.claim(now, picture())
    assert order is not None
    world.end(order.attempt, outcome, now + MINUTE)
    words_stand(world)


def test_asked_by_text_once_solved_and_closed(world: World) -> None:
    to_confirm(world)
    assert tend(world, ANSWERED + MINUTE) == 0
    assert leave(world, ANSWERED + MINUTE) == ["case-confirm"]
    said = answer(world, "1", ANSWERED + 2 * MINUTE)
    assert said == "Thank you: your complaint 1 is closed. If anything is left, call 0312345678."
    assert (case_of(world).state, case_of(world).open) == ("closed", False)
    assert steps(world) == ["registered", "assigned", "answered", "asked", "confirmed", "closed"]
    assert answer(world, "2", ANSWERED + 3 * MINUTE) is not None
    assert case_of(world).state == "closed", "it ends once; what comes after is for people"
    assert world.rows(t.answer)[-1].state == "open"


def test_not_solved_goes_on_and_is_due_at_once(world: World) -> None:
    to_confirm(world)
    leave(world, ANSWERED + MINUTE)
    said = answer(world, "2", ANSWERED + 2 * MINUTE)
    assert said is not None
    assert said.startswith("We are sorry")
    assert (case_of(world).state, case_of(world).due_at) == ("assigned", ANSWERED + 2 * MINUTE)


def test_neither_1_nor_2_is_for_people(world: World) -> None:
    to_confirm(world)
    leave(world, ANSWERED + MINUTE)
    answer(world, "4", ANSWERED + 2 * MINUTE)
    assert case_of(world).state == "answered"
    assert world.rows(t.answer)[0].state == "open"


def test_a_second_answer_asks_nothing_more(world: World) -> None:
    asked = to_confirm(world)
    do(world, acts.answer, asked, "and a month for nothing", ANNA, now=ANSWERED + MINUTE)
    assert tend(world, ANSWERED + 2 * MINUTE) == 0
    assert leave(world, ANSWERED + 3 * MINUTE) == ["case-confirm"]
    assert case_of(world).repaired_at == ANSWERED


def test_not_confirmed_is_called_after_48_hours_and_unreachable_after_three(world: World) -> None:
    to_confirm(world)
    leave(world, ANSWERED + MINUTE)
    assert tend(world, ANSWERED + 48 * HOUR - 1) == 0
    for ask in (1, 2):
        now = ANSWERED + ask * 48 * HOUR + (ask - 1) * HOUR
        assert tend(world, now) == 1
        callback = world.reservations()[-1]
        assert (callback.kind, callback.apart, callback.queue) == ("follow-up", "case/1", "support")
        with world.store.write() as connection:
            connection.execute(t.reservation.update().where(t.OPEN).values(open=False, state="expired"))
        assert tend(world, now + HOUR) == 1
        assert steps(world)[-1] == "not-reached"
    assert tend(world, ANSWERED + 3 * 48 * HOUR + 2 * HOUR) == 1
    assert (case_of(world).state, case_of(world).open, case_of(world).asks) == ("unreachable", False, 3)
    assert len(world.reservations()) == 2


def test_a_call_that_reached_the_customer_waits_for_the_agents_word(world: World) -> None:
    to_confirm(world, two_way=False)
    tried(world, ANSWERED + MINUTE, "reached")
    assert tend(world, ANSWERED + 3 * MINUTE) == 1
    case = case_of(world)
    assert (case.state, case.next_ask_at) == ("answered", ANSWERED + 3 * MINUTE + 48 * HOUR)
    assert steps(world)[-1] == "reached"


PHONES = {"ben": frozenset({"PJSIP/agent1"}), "cas": frozenset({"PJSIP/agent2"})}
BEN = wrap_up.Teller("ben", frozenset({"PJSIP/agent1", "Agent One"}))


def say(world: World, outcome: wrap_up.Outcome, now: int) -> wrap_up.Said:
    """What the agent says of the call."""
    row = world.reservations()[-1]
    return do(world, wrap_up.say, BEN, row.id, 1, wrap_up.Word(outcome), now=now)


def test_an_agent_who_asked_and_says_solved_has_heard_it(world: World) -> None:
    to_confirm(world, two_way=False)
    tried(world, ANSWERED + MINUTE, "reached")
    with world.store.write() as connection:
        connection.execute(t.attempt.update().values(agent="PJSIP/agent1"))
    tend(world, ANSWERED + 3 * MINUTE)
    say(world, "solved", ANSWERED + 4 * MINUTE)
    assert (case_of(world).state, steps(world)[-1]) == ("confirmed", "confirmed")
    with pytest.raises(wrap_up.NotPossible, match="say in the case"):
        say(world, "voicemail", ANSWERED + 5 * MINUTE)
    tend(world, ANSWERED + 14 * MINUTE)
    assert (case_of(world).state, case_of(world).open) == ("closed", False)


def test_who_called_and_heard_not_solved_says_so_in_the_case_and_knew_what_was_done(world: World) -> None:
    """The script says what was done; the case is the caller's own, and no other agent's."""
    asked = to_confirm(world, two_way=False)
    tried(world, ANSWERED + MINUTE, "reached")
    row = world.reservations()[-1]
    with world.store.write() as connection:
        connection.execute(t.attempt.update().values(agent="PJSIP/agent1"))
        told = scripts.of(world.work(connection, ANSWERED + 2 * MINUTE), [row.id])[row.id]
    assert (told.script.kind, told.case) == ("confirm", asked.case)
    assert any("We pay it back." in line for line in told.script.lines)
    tend(world, ANSWERED + 3 * MINUTE)
    caller, other = (Actor(By(who, "heard"), AGENT.roles, names=names) for who, names in PHONES.items())
    for nobody in (other, AGENT):
        with pytest.raises(NoSuchCase):
            do(world, acts.deny, asked, "call", nobody, now=ANSWERED + 4 * MINUTE)
    do(world, acts.deny, asked, "call", caller, "It is not there yet.", now=ANSWERED + 4 * MINUTE)
    assert (case_of(world).state, steps(world)[-1]) == ("assigned", "denied")


def test_the_call_that_is_the_repair_confirms_nothing(world: World) -> None:
    to_confirm(world, two_way=False)
    tried(world, ANSWERED + MINUTE, "reached")
    with world.store.write() as connection:
        connection.execute(t.attempt.update().values(agent="PJSIP/agent1"))
        connection.execute(t.care_case.update().values(asked_at=ANSWERED + 2 * MINUTE))  # asked after that call
    say(world, "solved", ANSWERED + 4 * MINUTE)
    assert case_of(world).state == "answered"


@pytest.mark.parametrize("how", ["no two-way", "opted out"])
def test_who_cannot_be_texted_is_called_at_once(world: World, how: str) -> None:
    asked = registered(ready(world, two_way=how != "no two-way"))
    if how == "opted out":
        with world.store.write() as connection:
            blocks.block(connection, "main", NUMBER, By("customer", "STOP"), NOON, texts=True)
    do(world, acts.answer, asked, "We pay it back.", ANNA, now=ANSWERED)
    assert tend(world, ANSWERED) == 1
    assert leave(world, ANSWERED + MINUTE) == []
    (callback,) = world.reservations()
    assert (callback.kind, callback.open) == ("follow-up", True)
    assert case_of(world).asks == 1


def test_who_may_not_be_called_either_is_unreachable_by_rule(world: World) -> None:
    asked = registered(ready(world))
    with world.store.write() as connection:
        blocks.block(connection, "main", NUMBER, By("customer", "asked"), NOON, texts=True, calls=True)
    do(world, acts.answer, asked, "We pay it back.", ANNA, now=ANSWERED)
    for ask in range(4):
        tend(world, ANSWERED + ask * 48 * HOUR)
    assert (case_of(world).state, world.reservations(), world.texts()) == ("unreachable", [], {})


def test_what_one_of_us_heard_closes_ten_minutes_later_and_the_customer_is_told(world: World) -> None:
    asked = to_confirm(world)
    do(world, acts.confirm, asked, "call", ANNA, now=ANSWERED + MINUTE)
    assert list(world.texts().values()) == ["withdrawn"]
    tend(world, ANSWERED + 10 * MINUTE)
    assert case_of(world).state == "confirmed"
    tend(world, ANSWERED + 11 * MINUTE)
    assert (case_of(world).state, leave(world, ANSWERED + 12 * MINUTE)) == ("closed", ["case-closed"])


def test_what_one_of_us_heard_wrongly_goes_on(world: World) -> None:
    asked = to_confirm(world, two_way=False)
    do(world, acts.confirm, asked, "call", ANNA, now=ANSWERED + MINUTE)
    assert [row.state for row in world.reservations()] == ["withdrawn"]
    do(world, acts.deny, asked, "call", ANNA, now=ANSWERED + 2 * MINUTE)
    tend(world, ANSWERED + HOUR)
    assert (case_of(world).state, case_of(world).open) == ("assigned", True)


def test_at_night_nobody_is_asked_by_text(world: World) -> None:
    asked = registered(ready(world))
    do(world, acts.answer, asked, "We pay it back.", ANNA, now=NOON + 12 * HOUR)  # midnight
    tend(world, NOON + 12 * HOUR)
    assert leave(world, NOON + 19 * HOUR) == []
    assert leave(world, NOON + 20 * HOUR) == ["case-confirm"]  # 08:00


def at_risk(world: World) -> list[int]:
    return [happened.at for happened in fed(world.store) if isinstance(happened.event, CaseAtRisk)]


def test_people_are_told_before_the_clock_runs_out_and_once_it_has(world: World) -> None:
    registered(ready(world))
    due_at = NOON + 48 * HOUR
    for hour in range(60):
        tend(world, NOON + hour * HOUR)
    assert at_risk(world) == [due_at - 8 * HOUR, due_at]
    assert steps(world)[-2:] == ["at-risk", "overdue"]


def test_what_was_answered_in_time_alarms_nobody_until_it_is_denied(world: World) -> None:
    asked = to_confirm(world)
    tend(world, ANSWERED + 47 * HOUR)
    assert at_risk(world) == []
    do(world, acts.deny, asked, "call", ANNA, now=ANSWERED + 47 * HOUR)
    tend(world, ANSWERED + 47 * HOUR)
    tend(world, ANSWERED + 48 * HOUR)
    assert at_risk(world) == [ANSWERED + 47 * HOUR], "it is due at once"
