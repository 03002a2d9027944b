"""An agent says that the call for a case reached nobody after all, or was put off: the case goes on as before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callback.campaigns import asking as asking_sample
from callback.campaigns.sample import Wish
from callback.care import flags
from callback.customers import persons
from callback.decisions import wrap_up
from callback.decisions.campaigns import sampling
from callback.decisions.care import flags as deciding_flags
from callback.decisions.care.flags import Contact
from callback.decisions.wrap_up import Word
from callback.settings.care import QueueCare
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY, HOUR, local
from tests.callback.campaigns.crowd import CARE, audience
from tests.callback.care.asked import CUSTOMER, answer, asking, leave, tend
from tests.callback.care.test_follow_up import ANSWERED, BEN, case_of, steps, to_confirm, tried
from tests.callback.care.test_repair import low, reach
from tests.callback.decisions.care.centre import do
from tests.callback.world import MINUTE, NOON, ON, World, rules

CALLED = NOON + HOUR
TOLD = CALLED + 2 * MINUTE
VOICEMAIL, WRONG, SOLVED = Word("voicemail"), Word("wrong-person"), Word("solved")
AGAIN = Word("call-again", again_at=NOON + 3 * HOUR)
BY = By("mia", "so it is")


@pytest.fixture
def repaired(world: World) -> World:
    """A customer who was not content was called, and the PBX says: reached."""
    low(asking(world))
    reach(world, CALLED)
    return by_ben(world)


@pytest.fixture
def called(world: World) -> World:
    """A customer was called to be asked whether a complaint is solved, and the PBX says: reached."""
    to_confirm(world, two_way=False)
    tried(world, ANSWERED + MINUTE, "reached")
    return by_ben(world)


def by_ben(world: World) -> World:
    with world.store.write() as connection:
        connection.execute(t.attempt.update().values(agent="PJSIP/agent1"))
    return world


def say(world: World, word: Word, now: int) -> wrap_up.Said:
    """What the agent says of the first call for the case."""
    first = next(row for row in world.reservations() if row.apart)
    return do(world, wrap_up.say, BEN, first.id, 1, word, now=now)


def state_of(world: World) -> tuple[Any, ...]:
    case = case_of(world)
    return case.state, case.callback, case.reservation_id, case.repaired_at


@pytest.mark.parametrize("seen", [True, False], ids=["seen by the case", "not yet seen"])
@pytest.mark.parametrize("word", [VOICEMAIL, AGAIN], ids=lambda word: word.outcome)
def test_a_repair_that_reached_nobody_is_owed_as_before(repaired: World, word: Word, seen: bool) -> None:
    due_at = case_of(repaired).due_at
    if seen:
        tend(repaired, TOLD)
        tend(repaired, TOLD)
        assert case_of(repaired).state == "answered"
    goes_on = say(repaired, word, TOLD + MINUTE).goes_on
    assert state_of(repaired) == ("assigned", "repair", goes_on, None)
    tend(repaired, TOLD + 2 * MINUTE)
    assert state_of(repaired) == ("assigned", "repair", goes_on, None)
    assert case_of(repaired).due_at == due_at
    assert leave(repaired, TOLD + 2 * MINUTE) == [], "nobody is asked how a machine was repaired"
    later = max(NOON + 2 * HOUR, word.again_at or 0)
    reach(repaired, later)
    tend(repaired, later + 2 * MINUTE)
    assert state_of(repaired) == ("answered", "", goes_on, later + 2 * MINUTE)
    tend(repaired, later + 3 * MINUTE)
    assert leave(repaired, later + 4 * MINUTE) == ["survey-repair"]


def test_the_next_word_undoes_it_and_the_customer_is_asked_once(repaired: World) -> None:
    tend(repaired, TOLD)
    tend(repaired, TOLD)
    say(repaired, VOICEMAIL, TOLD + MINUTE)
    say(repaired, SOLVED, TOLD + 2 * MINUTE)
    for minute in (3, 4, 5):
        tend(repaired, TOLD + minute * MINUTE)
    assert case_of(repaired).state == "answered"
    assert leave(repaired, TOLD + 6 * MINUTE) == ["survey-repair"]
    answer(repaired, "5", TOLD + 7 * MINUTE)
    assert case_of(repaired).state == "closed"


def test_who_had_answered_already_is_called_no_more(repaired: World) -> None:
    tend(repaired, TOLD)
    tend(repaired, TOLD)
    assert leave(repaired, TOLD + MINUTE) == ["survey-repair"]
    answer(repaired, "5", TOLD + 2 * MINUTE)
    assert case_of(repaired).state == "closed"
    goes_on = say(repaired, VOICEMAIL, TOLD + 3 * MINUTE).goes_on
    tend(repaired, TOLD + 4 * MINUTE)
    assert {row.id: row.state for row in repaired.reservations()}[goes_on] == "withdrawn"
    assert case_of(repaired).state == "closed"


@pytest.mark.parametrize("word", [VOICEMAIL, AGAIN], ids=lambda word: word.outcome)
def test_a_call_that_asked_nobody_asks_with_the_next_one(called: World, word: Word) -> None:
    tend(called, ANSWERED + 3 * MINUTE)
    goes_on = say(called, word, ANSWERED + 4 * MINUTE).goes_on
    case = case_of(called)
    assert (case.state, case.callback, case.reservation_id, case.asks) == ("answered", "confirm", goes_on, 1)
    later = ANSWERED + 5 * HOUR
    by_then = called.claim(later)
    assert by_then is not None
    called.end(by_then.attempt, "reached", later + MINUTE)
    tend(called, later + 2 * MINUTE)
    case = case_of(called)
    assert (case.state, case.callback, case.next_ask_at) == ("answered", "", later + 2 * MINUTE + 48 * HOUR)


def test_a_call_that_was_no_machine_after_all_confirms_the_case(called: World) -> None:
    tend(called, ANSWERED + 3 * MINUTE)
    say(called, VOICEMAIL, ANSWERED + 4 * MINUTE)
    say(called, SOLVED, ANSWERED + 5 * MINUTE)
    assert case_of(called).state == "confirmed"
    tend(called, ANSWERED + 20 * MINUTE)
    tend(called, ANSWERED + 20 * MINUTE)
    assert case_of(called).state == "closed"
    assert not [row.state for row in called.reservations() if row.open]


def test_nobody_at_a_wrong_number_is_asked_or_called_by_itself(called: World) -> None:
    tend(called, ANSWERED + 3 * MINUTE)
    say(called, WRONG, ANSWERED + 4 * MINUTE)
    tend(called, ANSWERED + 5 * MINUTE)
    assert (case_of(called).state, steps(called)[-2:]) == ("assigned", ["assigned", "not-reached"])
    for day in range(1, 9):
        tend(called, ANSWERED + day * DAY)
    assert leave(called, ANSWERED + 9 * DAY) == []
    assert not [row for row in called.reservations() if row.open]


def reached(world: World, now: int) -> None:
    """Let the callback that waits reach the customer, by Ben's phone."""
    order = world.claim(now)
    assert order is not None
    world.end(order.attempt, "reached", now + MINUTE)
    by_ben(world)


@pytest.mark.parametrize("word", [VOICEMAIL, AGAIN], ids=lambda word: word.outcome)
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
    assert {row.id: row.state for row in world.reservations()}[goes_on] == "cancelled"


def test_a_sample_looks_after_the_time_that_a_customer_chose(migrated_url: str) -> None:
    world = World(migrated_url, CARE)
    number = audience(world, {"all": 1})
    do(world, sampling.draw, number, Wish(seed=7, size=1), BY)
    with world.store.write() as connection:
        connection.execute(t.campaign_asked.update().values(call_from_at=NOON))
        asking_sample.reserve_due(world.work(connection, NOON))
    reached(world, NOON + MINUTE)
    goes_on = say(world, AGAIN, NOON + 3 * MINUTE).goes_on
    assert [row.reservation_id for row in world.rows(t.campaign_asked)] == [goes_on]
    assert do(world, sampling.call_off, number, 1, BY, now=NOON + 4 * MINUTE) == 1
    assert {row.id: row.state for row in world.reservations()}[goes_on] == "cancelled"
