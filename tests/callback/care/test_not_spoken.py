"""An agent says that a call reached nobody after all, or was put off: what it was made for goes on with the next one.

How a callback that reached somebody ended is sure ten minutes later; until then its case waits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callback.campaigns import asking as asking_sample
from callback.campaigns.sample import Wish
from callback.care import callbacks, cases, flags
from callback.customers import persons
from callback.decisions import wrap_up
from callback.decisions.campaigns import sampling
from callback.decisions.care import cases as acts
from callback.decisions.care import flags as deciding_flags
from callback.decisions.care.acting import AskedCase
from callback.decisions.care.flags import Contact
from callback.decisions.wrap_up import Word
from callback.reports.campaigns import asked as asked_report
from callback.settings.care import QueueCare
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY, HOUR, local
from tests.callback.campaigns.crowd import CARE, audience
from tests.callback.care.asked import CUSTOMER, answer, asking, leave, tend, words_stand
from tests.callback.care.test_follow_up import ANSWERED, BEN, case_of, steps, to_confirm
from tests.callback.care.test_repair import low
from tests.callback.decisions.care.centre import ANNA, do
from tests.callback.world import MINUTE, NOON, ON, World, call, picture, rules

CALLED = NOON + HOUR
TOLD = CALLED + 2 * MINUTE
VOICEMAIL, WRONG, SOLVED = Word("voicemail"), Word("wrong-person"), Word("solved")
AGAIN = Word("call-again", again_at=NOON + 3 * HOUR)
PUT_OFF = pytest.mark.parametrize("word", [VOICEMAIL, AGAIN], ids=lambda word: word.outcome)
BY = By("mia", "so it is")


@pytest.fixture
def repaired(world: World) -> World:
    """A customer who was not content was called, and the PBX says: reached."""
    low(asking(world))
    return reached(world, CALLED)


@pytest.fixture
def called(world: World) -> World:
    """A customer was called to be asked whether a complaint is solved, and the PBX says: reached."""
    to_confirm(world, two_way=False)
    return reached(world, ANSWERED + MINUTE)


def reached(world: World, now: int) -> World:
    """Let the callback that waits reach the customer, by Ben's phone; he may still say that it did not."""
    with world.store.write() as connection:
        connection.execute(t.reservation.update().where(t.OPEN).values(agent_until_at=None))
    order = world.claim(now, picture(free={"support": {"PJSIP/agent1"}}))
    assert order is not None
    world.end(order.attempt, "reached", now + MINUTE)
    with world.store.write() as connection:
        connection.execute(t.attempt.update().values(agent="PJSIP/agent1"))
    return world


def say(world: World, word: Word, now: int) -> wrap_up.Said:
    """What the agent says of the first call for the case."""
    first = next(row for row in world.reservations() if row.apart)
    return do(world, wrap_up.say, BEN, first.id, 1, word, now=now)


def states(world: World) -> dict[int | None, str]:
    return {row.id: row.state for row in world.reservations()}


def standing(world: World) -> tuple[Any, ...]:
    case = case_of(world)
    return case.state, case.callback, case.reservation_id, case.repaired_at


def test_a_case_waits_for_what_its_agent_says(repaired: World) -> None:
    assert tend(repaired, TOLD + 8 * MINUTE) == 0
    assert standing(repaired) == ("assigned", "repair", 1, None)
    assert tend(repaired, CALLED + 11 * MINUTE) == 1
    assert standing(repaired) == ("answered", "", 1, CALLED + MINUTE), "repaired when the customer was spoken to"


@PUT_OFF
def test_a_repair_that_reached_nobody_is_owed_as_before(repaired: World, word: Word) -> None:
    due_at = case_of(repaired).due_at
    goes_on = say(repaired, word, TOLD).goes_on
    assert standing(repaired) == ("assigned", "repair", goes_on, None)
    words_stand(repaired)
    tend(repaired, TOLD + MINUTE)
    assert standing(repaired) == ("assigned", "repair", goes_on, None)
    assert case_of(repaired).due_at == due_at
    assert leave(repaired, TOLD + 2 * MINUTE) == [], "nobody is asked how a machine was repaired"
    later = max(NOON + 2 * HOUR, word.again_at or 0)
    reached(repaired, later)
    tend(repaired, later + 12 * MINUTE)
    assert standing(repaired) == ("answered", "", goes_on, later + MINUTE)
    tend(repaired, later + 13 * MINUTE)
    assert leave(repaired, later + 14 * MINUTE) == ["survey-repair"]


@pytest.mark.parametrize("first", [VOICEMAIL, AGAIN, WRONG], ids=lambda word: word.outcome)
def test_the_next_word_undoes_it_and_the_customer_is_asked_once(repaired: World, first: Word) -> None:
    say(repaired, first, TOLD + MINUTE)
    tend(repaired, TOLD + MINUTE)
    say(repaired, SOLVED, TOLD + 2 * MINUTE)
    assert standing(repaired) == ("assigned", "repair", 1, None)
    for minute in (20, 21, 22):
        tend(repaired, TOLD + minute * MINUTE)
    assert case_of(repaired).state == "answered"
    assert leave(repaired, TOLD + 23 * MINUTE) == ["survey-repair"]
    answer(repaired, "5", TOLD + 24 * MINUTE)
    assert case_of(repaired).state == "closed"


@PUT_OFF
def test_what_is_said_late_moves_no_case_and_the_next_callback_is_seen(repaired: World, word: Word) -> None:
    tend(repaired, CALLED + HOUR)
    goes_on = say(repaired, word, CALLED + HOUR + MINUTE).goes_on
    assert standing(repaired)[:3] == ("answered", "confirm", goes_on)
    reached(repaired, NOON + 4 * HOUR)
    tend(repaired, NOON + 5 * HOUR)
    assert (case_of(repaired).state, case_of(repaired).callback, steps(repaired)[-1]) == ("answered", "", "reached")


def test_who_had_answered_already_is_called_no_more(repaired: World) -> None:
    tend(repaired, CALLED + HOUR)
    tend(repaired, CALLED + HOUR + MINUTE)
    assert leave(repaired, CALLED + HOUR + 2 * MINUTE) == ["survey-repair"]
    answer(repaired, "5", CALLED + HOUR + 3 * MINUTE)
    assert case_of(repaired).state == "closed"
    goes_on = say(repaired, VOICEMAIL, CALLED + HOUR + 4 * MINUTE).goes_on
    tend(repaired, CALLED + HOUR + 5 * MINUTE)
    assert states(repaired)[goes_on] == "withdrawn"
    assert case_of(repaired).state == "closed"


@PUT_OFF
def test_a_call_that_asked_nobody_asks_with_the_next_one(called: World, word: Word) -> None:
    goes_on = say(called, word, ANSWERED + 4 * MINUTE).goes_on
    case = case_of(called)
    assert (case.state, case.callback, case.reservation_id, case.asks) == ("answered", "confirm", goes_on, 1)
    later = ANSWERED + 5 * HOUR
    reached(called, later)
    tend(called, later + 12 * MINUTE)
    case = case_of(called)
    assert (case.state, case.callback, case.next_ask_at) == ("answered", "", later + 12 * MINUTE + 48 * HOUR)


@pytest.mark.parametrize("first", [VOICEMAIL, WRONG], ids=lambda word: word.outcome)
def test_a_slip_that_is_put_right_confirms_the_case(called: World, first: Word) -> None:
    say(called, first, ANSWERED + 4 * MINUTE)
    tend(called, ANSWERED + 4 * MINUTE)
    say(called, SOLVED, ANSWERED + 5 * MINUTE)
    assert case_of(called).state == "confirmed"
    tend(called, ANSWERED + 20 * MINUTE)
    tend(called, ANSWERED + 20 * MINUTE)
    assert case_of(called).state == "closed"
    assert not [row.state for row in called.reservations() if row.open]


def test_not_solved_and_then_another_time_is_no_answer_of_ours(called: World) -> None:
    """A complaint that the customer denied stays with whoever is to answer it, however the next call ends."""
    with called.store.write() as connection:
        work = called.work(connection, ANSWERED + 3 * MINUTE)
        acts.deny(work, AskedCase(1), "call", ANNA)
    goes_on = say(called, AGAIN, ANSWERED + 4 * MINUTE).goes_on
    reached(called, NOON + 4 * HOUR)
    tend(called, NOON + 5 * HOUR)
    assert (case_of(called).state, states(called)[goes_on]) == ("assigned", "reached")
    assert leave(called, NOON + 5 * HOUR) == []


def test_the_time_that_a_customer_chose_outlives_not_solved(called: World) -> None:
    goes_on = say(called, AGAIN, ANSWERED + 4 * MINUTE).goes_on
    do(called, acts.deny, AskedCase(1), "call", ANNA, now=ANSWERED + 5 * MINUTE)
    assert (case_of(called).state, states(called)[goes_on]) == ("assigned", "waiting")


def test_who_put_the_call_off_still_writes_into_the_case(called: World) -> None:
    say(called, AGAIN, ANSWERED + 4 * MINUTE)
    with called.store.read() as connection:
        work = called.work(connection, ANSWERED + 5 * MINUTE)
        assert callbacks.made_by(work, cases.read_one(work, 1), BEN.phones)


@pytest.mark.parametrize("two_way", [True, False])
def test_nobody_at_a_wrong_number_is_asked_or_called_by_itself(world: World, two_way: bool) -> None:
    """Not even where a department answers meanwhile: who says "1" there would close somebody else's case."""
    low(asking(world))
    asking(world, two_way=two_way)
    reached(world, CALLED)
    tend(world, TOLD)
    say(world, WRONG, TOLD)
    words_stand(world)
    tend(world, TOLD + MINUTE)
    assert (case_of(world).state, steps(world)[-1]) == ("assigned", "not-reached")
    do(world, acts.answer, AskedCase(1), "We pay it back.", ANNA, now=TOLD + HOUR)
    for day in range(9):
        tend(world, TOLD + HOUR + day * DAY)
    assert leave(world, TOLD + 9 * DAY) == []
    assert [row.apart for row in world.reservations()] == ["case/1"]
    assert case_of(world).state == "unreachable"


def test_a_call_about_anything_else_ends_no_callback_of_a_case(repaired: World) -> None:
    repaired.hear(call("09012345678", TOLD + 2 * MINUTE, talked_s=60), "served", now=TOLD + 2 * MINUTE)
    goes_on = say(repaired, VOICEMAIL, TOLD + 4 * MINUTE).goes_on
    assert standing(repaired)[:3] == ("assigned", "repair", goes_on)
    assert states(repaired)[goes_on] == "waiting"


def test_a_lost_callers_callback_is_not_taken_for_the_one_of_a_case(world: World) -> None:
    """Both had been settled by one call that a machine took: the lost caller goes on, the case has no try left."""
    low(asking(world))
    world.site = replace(world.site, rules=world.site.rules.model_copy(update={"max_tries": 1}))
    with world.store.write() as connection:  # a first call is made for the case alone
        connection.execute(t.reservation.update().values(not_before_at=NOON, due_at=NOON))
    world.hear(call("09012345678", NOON + HOUR - MINUTE), now=NOON + HOUR - MINUTE)
    with world.store.write() as connection:
        lost = t.reservation.c.kind != t.FOLLOW_UP
        connection.execute(t.reservation.update().where(lost).values(not_before_at=NOON + 9 * HOUR))
    reached(world, CALLED)
    assert sorted(states(world).values()) == ["reached", "returned"]
    say(world, VOICEMAIL, TOLD)
    (owed,) = (row for row in world.reservations() if row.open)
    assert (owed.apart, owed.losses) == ("", 1)
    assert standing(world)[:3] == ("assigned", "repair", 1)
    words_stand(world)
    tend(world, TOLD + MINUTE)
    assert steps(world)[-1] == "not-reached"


def test_what_people_write_in_these_ten_minutes_stands(repaired: World) -> None:
    """The agent wrote down what was done, and that the customer is not content with it: nobody writes over that."""
    do(repaired, acts.answer, AskedCase(1), "We pay it back.", ANNA, now=TOLD)
    do(repaired, acts.deny, AskedCase(1), "call", ANNA, now=TOLD + MINUTE)
    tend(repaired, TOLD + HOUR)
    assert (case_of(repaired).state, steps(repaired)[-1]) == ("assigned", "reached")
    assert leave(repaired, TOLD + HOUR) == []


def test_a_case_has_one_callback_at_a_time(called: World) -> None:
    """One that a customer chose stays, and is the repair where one is owed by then."""
    goes_on = say(called, AGAIN, ANSWERED + 4 * MINUTE).goes_on
    do(called, acts.deny, AskedCase(1), "call", ANNA, now=ANSWERED + 5 * MINUTE)
    with called.store.write() as connection:
        work = called.work(connection, ANSWERED + 6 * MINUTE)
        assert callbacks.reserve(work, cases.read_one(work, 1), "repair", ANSWERED + 9 * HOUR, queue="sales")
    assert (case_of(called).reservation_id, case_of(called).callback) == (goes_on, "repair")
    with pytest.raises(wrap_up.NotPossible, match="say it in the case"):
        say(called, SOLVED, ANSWERED + 7 * MINUTE)


def test_the_callback_that_waits_asks_about_the_newest_answer(called: World) -> None:
    say(called, AGAIN, ANSWERED + 4 * MINUTE)
    do(called, acts.deny, AskedCase(1), "call", ANNA, now=ANSWERED + 5 * MINUTE)
    do(called, acts.answer, AskedCase(1), "Now it is done.", ANNA, now=ANSWERED + 6 * MINUTE)
    tend(called, ANSWERED + 7 * MINUTE)
    case = case_of(called)
    assert (case.state, case.asks, case.asked_at) == ("answered", 1, ANSWERED + 7 * MINUTE)


def test_who_answers_at_a_wrong_number_closes_nothing(world: World) -> None:
    """The text had left before the call: "1" from there is somebody else's, and people read it."""
    to_confirm(world)
    leave(world, ANSWERED + MINUTE)
    tend(world, ANSWERED + 48 * HOUR)
    reached(world, ANSWERED + 49 * HOUR)
    say(world, WRONG, ANSWERED + 49 * HOUR + 2 * MINUTE)
    answer(world, "1", ANSWERED + 49 * HOUR + 3 * MINUTE)
    assert case_of(world).open
    assert [row.state for row in world.rows(t.answer)] == ["open"]


def test_nobody_is_alarmed_about_a_case_whose_customer_was_spoken_to_in_time(repaired: World) -> None:
    with repaired.store.write() as connection:
        connection.execute(t.care_case.update().values(due_at=CALLED + 5 * MINUTE))
    tend(repaired, CALLED + 6 * MINUTE)
    assert "overdue" not in steps(repaired)


@PUT_OFF
def test_a_flag_looks_after_the_callback_that_follows(world: World, word: Word) -> None:
    takes = ON.model_copy(update={"care": QueueCare(flags=True)})
    world.site = replace(world.site, rules=rules(queues={"support": takes}))
    today = local(NOON, world.site.hours.zone).date()
    with world.store.write() as connection:
        work = world.work(connection, NOON)
        deciding_flags.flag(work, persons.person_of(connection, CUSTOMER, NOON), Contact("support", today), BY)
        flags.reserve_due(work)
    reached(world, NOON + MINUTE)
    goes_on = say(world, word, NOON + 3 * MINUTE).goes_on
    with world.store.write() as connection:
        assert deciding_flags.cancel(world.work(connection, NOON + 4 * MINUTE), 1, BY).state == "cancelled"
    assert states(world)[goes_on] == "cancelled"


@pytest.fixture
def sampled(migrated_url: str) -> World:
    """The one person of a sample was called, and the PBX says: reached."""
    world = World(migrated_url, CARE)
    do(world, sampling.draw, audience(world, {"all": 1}), Wish(seed=7, size=1), BY)
    with world.store.write() as connection:
        connection.execute(t.campaign_asked.update().values(call_from_at=NOON))
        asking_sample.reserve_due(world.work(connection, NOON))
    return reached(world, NOON + MINUTE)


def asked_of(world: World) -> Any:
    (row,) = world.rows(t.campaign_asked)
    return row


def test_a_sample_looks_after_the_time_that_a_customer_chose(sampled: World) -> None:
    goes_on = say(sampled, AGAIN, NOON + 3 * MINUTE).goes_on
    assert asked_of(sampled).reservation_id == goes_on
    with sampled.store.read() as connection:
        found = asked_report.of_callback(sampled.work(connection, NOON), 1)
    assert found is not None, "who put it off may still write the score down"
    assert do(sampled, sampling.call_off, 1, 1, BY, now=NOON + 4 * MINUTE) == 1
    assert states(sampled)[goes_on] == "cancelled"


def test_a_slip_settles_nobody_of_a_sample(sampled: World) -> None:
    say(sampled, WRONG, NOON + 3 * MINUTE)
    do(sampled, asking_sample.settle_unreached, now=NOON + 4 * MINUTE)
    say(sampled, SOLVED, NOON + 5 * MINUTE)
    do(sampled, asking_sample.settle_unreached, now=NOON + HOUR)
    assert (asked_of(sampled).state, asked_of(sampled).why_not) == ("called", "")


def test_who_was_scored_already_is_not_called_once_more(sampled: World) -> None:
    do(sampled, sampling.score, (1, 1, asked_of(sampled).person_id), "other", BY, now=NOON + 3 * MINUTE)
    goes_on = say(sampled, VOICEMAIL, NOON + 4 * MINUTE).goes_on
    assert states(sampled)[goes_on] == "done-elsewhere"
    assert asked_of(sampled).state == "blank"
