"""How an attempt ends, and what becomes of its reservation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callback.attempts import settle
from callback.store import tables as t
from scheduler.retry import OUTCOMES
from sms.outbox import text_outbox
from telephony.dialling.dialler import Order
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, picture, rules, told_by

ENDED_AT = NOON + 2 * MINUTE
FREE_OF_CHARGE = {"trunk-failure", "agent-no-answer", "agent-cancelled", "refused-late"}
RING_END = NOON + 80 * US  # claimed at noon: 30 s for an agent, 25 s of ringing; and the longest ring once more
BOTH_QUEUES = picture(free={"support": {"PJSIP/agent1"}, "sales": {"PJSIP/agent2"}})

# outcome: state, tries, minutes until the next try
FIRST_TRY: dict[str, tuple[str, int, int | None]] = {
    "reached": ("reached", 1, None),
    "busy": ("waiting", 1, 5),
    "no-answer": ("waiting", 1, 15),
    "declined": ("waiting", 1, 30),
    "invalid-number": ("given-up", 1, None),
    "machine": ("waiting", 1, 15),
    "customer-left": ("waiting", 1, 5),
    "trunk-failure": ("waiting", 0, 1),
    "agent-no-answer": ("waiting", 0, 1),
    "agent-cancelled": ("waiting", 0, 1),
    "refused-late": ("waiting", 0, 1),
    "refused-used": ("waiting", 1, 15),
    "unknown": ("waiting", 1, 15),
}


def dialled(world: World, now: int = NOON, **lost: Any) -> Order:
    """Lose a caller a minute ago and claim him."""
    world.hear(call(**{"ended_at": now - MINUTE, **lost}))
    order = world.claim(now, BOTH_QUEUES)
    assert order is not None
    return order


def test_the_table_holds_every_outcome() -> None:
    assert set(FIRST_TRY) == set(OUTCOMES)


# What follows an outcome


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_first_try_ends(world: World, outcome: str) -> None:
    order = dialled(world)
    (news,) = world.end(order.attempt, outcome, ENDED_AT, evidence=("LcrEnded", "so it was"))
    (row,), (attempt,) = world.reservations(), world.attempts()
    state, tries, minutes = FIRST_TRY[outcome]
    assert (row.state, row.open, row.tries) == (state, state == "waiting", tries)
    assert minutes is None or row.not_before_at == ENDED_AT + minutes * MINUTE
    assert (attempt.in_flight, attempt.ended_at, attempt.outcome) == (False, ENDED_AT, outcome)
    assert (attempt.counted, attempt.evidence) == (outcome not in FREE_OF_CHARGE, ["LcrEnded", "so it was"])
    again_at = None if minutes is None else row.not_before_at
    assert (news.name, news.facts["state"], news.facts.get("again_at")) == ("outcome", state, again_at)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_third_try_gives_up_unless_it_was_not_the_customers_fault(sqlite_world: World, outcome: str) -> None:
    order = dialled(sqlite_world)
    with sqlite_world.store.write() as connection:
        connection.execute(t.reservation.update().values(tries=2))
    sqlite_world.end(order.attempt, outcome, ENDED_AT)
    (row,) = sqlite_world.reservations()
    if outcome in FREE_OF_CHARGE:
        assert (row.state, row.tries) == ("waiting", 2)
    else:
        assert (row.state, row.tries) == ("reached" if outcome == "reached" else "given-up", 3)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_texts_are_taken_back_and_who_is_given_up_is_told(sqlite_world: World, outcome: str) -> None:
    order = dialled(sqlite_world)
    sqlite_world.end(order.attempt, outcome, ENDED_AT)
    (row,) = sqlite_world.reservations()
    texts = {cause.partition("/")[0]: state for cause, state in sqlite_world.texts().items()}
    explained = "waiting" if row.open else "withdrawn"
    assert texts == {"lost": explained} | ({"given-up": "waiting"} if row.state == "given-up" else {})


def test_the_second_text_names_the_tries_and_the_number_to_call(world: World) -> None:
    dialled(world)
    with world.store.write() as connection:
        connection.execute(t.reservation.update().values(tries=2))
    world.end(world.attempts()[0].id, "no-answer", ENDED_AT)
    (body,) = (row.body for row in world.rows(text_outbox) if row.template == "given-up")
    assert "tries: 3" in body
    assert "0312345678" in body


def test_after_an_unknown_end_nobody_is_rung_before_the_ring_must_be_over(migrated_url: str) -> None:
    world = World(migrated_url, rules(retry_unknown_min=0.1))
    order = dialled(world)
    world.end(order.attempt, "unknown", NOON + US)
    assert [row.not_before_at for row in world.reservations()] == [RING_END]
    world.close()


# Once


@pytest.mark.parametrize("again", OUTCOMES)
def test_an_attempt_ends_once_whoever_says_so_again(sqlite_world: World, again: str) -> None:
    order = dialled(sqlite_world)
    sqlite_world.end(order.attempt, "busy", ENDED_AT)
    before = (sqlite_world.reservations(), sqlite_world.attempts(), sqlite_world.texts())
    assert sqlite_world.end(order.attempt, again, ENDED_AT + MINUTE) == []
    assert (sqlite_world.reservations(), sqlite_world.attempts(), sqlite_world.texts()) == before


def test_an_attempt_nobody_made_is_no_attempt(world: World) -> None:
    order = dialled(world)
    before = (world.reservations(), world.attempts())
    assert world.end("f" * 16, "reached", ENDED_AT) == []
    with world.store.write() as connection:
        assert told_by(settle.progress, world.work(connection, NOON), "f" * 16, "customer_answered_at", ENDED_AT) == []
    assert (world.reservations(), world.attempts()) == before
    assert before[1][0].id == order.attempt


def test_another_pbx_does_not_end_ours(world: World) -> None:
    order = dialled(world)
    with world.store.write() as connection:
        world.know_pbx(connection, "other")
        connection.execute(t.attempt.update().values(pbx="other"))
    assert world.end(order.attempt, "reached", ENDED_AT) == []


def test_steps_are_kept_once_and_only_until_the_end(world: World) -> None:
    order = dialled(world)
    with world.store.write() as connection:
        for moment in (NOON + US, NOON + 2 * US):
            told = told_by(
                settle.progress, world.work(connection, NOON), order.attempt, "agent_connected_at", moment, "Agent One"
            )
            assert [news.name for news in told] == ["agent-connected"]
    world.end(order.attempt, "no-answer", ENDED_AT)
    with world.store.write() as connection:
        assert (
            told_by(settle.progress, world.work(connection, NOON), order.attempt, "customer_answered_at", ENDED_AT)
            == []
        )
    (attempt,) = world.attempts()
    assert (attempt.agent_connected_at, attempt.agent) == (NOON + US, "Agent One")
    assert attempt.customer_answered_at is None


# Who is owed nothing more


def test_who_was_reached_is_owed_nothing_in_the_other_queues_of_the_group(world: World) -> None:
    world.hear(call(queue="support", ended_at=NOON - 2 * MINUTE))
    order = dialled(world, queue="sales")
    told = world.end(order.attempt, "reached", ENDED_AT)
    assert [news.name for news in told] == ["outcome", "returned"]
    assert {row.queue: row.state for row in world.reservations()} == {
        order.queue: "reached",
        "sales" if order.queue == "support" else "support": "returned",
    }
    assert set(world.texts().values()) == {"withdrawn"}


def test_another_group_still_owes_him_its_own_call(migrated_url: str) -> None:
    apart = {"support": ON, "sales": ON.model_copy(update={"group": "another site"})}
    world = World(migrated_url, rules(queues=apart))
    world.hear(call(queue="support", ended_at=NOON - 2 * MINUTE))
    order = dialled(world, queue="sales")
    world.end(order.attempt, "reached", ENDED_AT)
    assert sorted(row.state for row in world.reservations()) == ["reached", "waiting"]
    world.close()


def test_one_person_reached_at_a_shared_number_does_not_answer_for_another(world: World) -> None:
    world.hear(call(queue="support", ended_at=NOON - 2 * MINUTE))
    order = dialled(world, queue="sales")
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    world.end(order.attempt, "reached", ENDED_AT)
    assert sorted(row.state for row in world.reservations()) == ["reached", "waiting"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_ends_after_he_was_served_by_himself_changes_nothing(sqlite_world: World, outcome: str) -> None:
    order = dialled(sqlite_world)
    told = sqlite_world.hear(call(ended_at=NOON + MINUTE, talked_s=30), "served")
    assert told[-1].name == "returned"
    before = (sqlite_world.reservations(), sqlite_world.texts())
    (news,) = sqlite_world.end(order.attempt, outcome, ENDED_AT)
    assert (news.facts["outcome"], news.facts["state"]) == (outcome, "returned")
    assert (sqlite_world.reservations(), sqlite_world.texts()) == before
    assert [attempt.in_flight for attempt in sqlite_world.attempts()] == [False]


def test_a_loss_after_he_was_served_waits_for_the_attempt_that_still_flies(world: World) -> None:
    order = dialled(world)
    world.hear(call(ended_at=NOON + MINUTE, talked_s=30), "served")
    world.hear(call(ended_at=NOON + 2 * MINUTE))
    assert [row.state for row in world.reservations()] == ["returned", "waiting"]
    assert world.claim(NOON + 3 * MINUTE) is None
    world.end(order.attempt, "agent-cancelled", NOON + 3 * MINUTE)
    assert world.claim(NOON + 3 * MINUTE) is not None


def test_who_was_lost_again_before_we_reached_him_is_owed_nothing_either(world: World) -> None:
    """He was served, then lost once more, and then our call reached him after all."""
    order = dialled(world)
    world.hear(call(ended_at=NOON + MINUTE, talked_s=30), "served")
    world.hear(call(ended_at=NOON + 2 * MINUTE))
    told = world.end(order.attempt, "reached", NOON + 3 * MINUTE)
    assert [news.name for news in told] == ["outcome", "returned"]
    assert [row.state for row in world.reservations()] == ["returned", "returned"]


# When he is tried again


@pytest.mark.parametrize(
    ("ended", "outcome", "due"),
    [
        (at("21:24"), "busy", at("21:29")),
        (at("21:26"), "busy", at("08:00", 24)),
        (at("21:15"), "no-answer", at("08:00", 24)),
        (at("21:14"), "no-answer", at("21:29")),
        (at("21:30"), "refused-late", at("08:00", 24)),
    ],
)
def test_the_next_try_is_at_an_hour_when_a_phone_may_ring(
    sqlite_world: World, ended: int, outcome: str, due: int
) -> None:
    order = dialled(sqlite_world, ended - MINUTE, ended_at=ended - 10 * MINUTE)
    sqlite_world.end(order.attempt, outcome, ended)
    assert [row.not_before_at for row in sqlite_world.reservations()] == [due]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    outcome=st.sampled_from([outcome for outcome, (state, *_) in FIRST_TRY.items() if state == "waiting"]),
    minute=st.integers(0, 48 * 60),
)
def test_whenever_an_attempt_ends_the_next_is_due_when_a_phone_may_ring(
    evening: World, outcome: str, minute: int
) -> None:
    ended_at = NOON + minute * MINUTE
    with evening.store.write() as connection:
        attempt, reservation = t.attempt.update(), t.reservation.update()
        connection.execute(attempt.values(in_flight=True, claimed_at=ended_at, ring_until_at=ended_at + 55 * US))
        connection.execute(reservation.values(state="calling", open=True, tries=0))
    (attempt_row,) = evening.attempts()
    evening.end(attempt_row.id, outcome, ended_at)
    (row,) = evening.reservations()
    assert evening.site.hours.may_ring(row.not_before_at)
    assert row.not_before_at > ended_at


@pytest.fixture
def evening(tmp_path: Any) -> Any:
    """A site that also shuts for lunch, with one attempt that has been made."""
    world = World(f"sqlite:///{tmp_path / 'test.db'}", rules(opening={"monday": "09:00-12:30, 13:30-24:00"}))
    dialled(world)
    yield world
    world.close()
