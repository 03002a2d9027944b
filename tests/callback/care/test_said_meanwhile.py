"""What the customer says while a case waits to be closed on what one of us heard: the customer's own word counts."""

from __future__ import annotations

from callback.decisions import replies
from callback.decisions.care import cases as acts
from callback.decisions.care.acting import AskedCase
from callback.store import tables as t
from scheduler.clock import HOUR
from tests.callback.care.asked import answer, asking, leave, tend
from tests.callback.care.test_follow_up import ANSWERED, case_of, to_confirm
from tests.callback.care.test_repair import low, reach
from tests.callback.decisions.care.centre import ANNA, do, registered
from tests.callback.world import MINUTE, NOON, World

HEARD = ANSWERED + 2 * MINUTE


def heard_solved(world: World) -> AskedCase:
    """The customer was asked by text; then one of us writes down to have heard that it is solved."""
    asked = to_confirm(world)
    leave(world, ANSWERED + MINUTE)
    do(world, acts.confirm, asked, "call", ANNA, now=HEARD)
    return asked


def test_2_takes_back_what_one_of_us_heard(world: World) -> None:
    heard_solved(world)
    said = answer(world, "2", HEARD + MINUTE)
    assert said is not None
    assert said.startswith("We are sorry")
    tend(world, HEARD + HOUR)
    assert (case_of(world).state, case_of(world).due_at) == ("assigned", HEARD + MINUTE)


def test_1_closes_what_one_of_us_heard_at_once(world: World) -> None:
    heard_solved(world)
    assert answer(world, "1", HEARD + MINUTE) is not None
    assert case_of(world).state == "closed"
    assert world.rows(t.answer)[-1].state == "done"


def test_who_complains_again_meanwhile_takes_it_back(world: World) -> None:
    asked = heard_solved(world)
    again = registered(world, now=HEARD + MINUTE, words="It is wrong again.")
    assert again.case == asked.case
    tend(world, HEARD + HOUR)
    assert (case_of(world).state, case_of(world).open) == ("assigned", True)


def test_a_low_score_takes_back_what_one_of_us_heard(world: World) -> None:
    low(asking(world))
    reach(world, NOON + HOUR)
    tend(world, NOON + HOUR + 2 * MINUTE)
    leave(world, NOON + HOUR + 3 * MINUTE)
    do(world, acts.confirm, AskedCase(case_of(world).id), "call", ANNA, now=NOON + HOUR + 4 * MINUTE)
    answer(world, "1", NOON + HOUR + 5 * MINUTE)
    tend(world, NOON + 2 * HOUR)
    assert (case_of(world).state, case_of(world).score_after) == ("assigned", 1)


def test_who_is_not_content_after_all_is_read_by_people(world: World) -> None:
    low(asking(world))
    reach(world, NOON + HOUR)
    tend(world, NOON + HOUR + 2 * MINUTE)
    leave(world, NOON + HOUR + 3 * MINUTE)
    answer(world, "5", NOON + HOUR + 4 * MINUTE)
    answer(world, "1", NOON + HOUR + 5 * MINUTE)
    assert case_of(world).state == "closed"
    assert world.rows(t.answer)[-1].state == "open"


def test_what_people_have_to_read_first_keeps_it_open(world: World) -> None:
    heard_solved(world)
    answer(world, "no, it is as wrong as before", HEARD + MINUTE)
    tend(world, HEARD + HOUR)
    assert (case_of(world).state, case_of(world).open) == ("confirmed", True)
    with world.store.write() as connection:
        assert replies.done(connection, "main", world.rows(t.answer)[-1].id, "anna", HEARD + HOUR)
    tend(world, HEARD + 2 * HOUR)
    assert case_of(world).state == "closed"
