"""What people decide: each decision changes what it says, once, and stands in a chain that shows tampering."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, event, update

from callback.attempts import precheck
from callback.decisions import actions
from callback.decisions.actions import BY_NAME, NoSuchReservation
from callback.errors import CallbackError, IllegalTransition
from callback.events import Happened
from callback.reservations.reservation import read_one
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from scheduler.errors import SchedulerError
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, rules, told_by

ANNA = By("anna", "he wrote to us")


def decide(world: World, name: str, reservation: int = 1, now: int = NOON + MINUTE) -> list[Happened]:
    with world.store.write() as connection:
        return told_by(BY_NAME[name], world.work(connection, now), reservation, ANNA)


def slot(world: World, chosen_at: int, now: int = NOON + MINUTE) -> list[Happened]:
    with world.store.write() as connection:
        return told_by(actions.choose_slot, world.work(connection, now), 1, chosen_at, ANNA)


def only(world: World) -> Any:
    (row,) = world.reservations()
    return row


@pytest.mark.parametrize(
    ("name", "state", "text"),
    [
        ("hold", "held", "waiting"),
        ("cancel", "cancelled", "withdrawn"),
        ("done-elsewhere", "done-elsewhere", "withdrawn"),
        ("not-lost", "withdrawn", "withdrawn"),
        ("call-now", "waiting", "waiting"),
    ],
)
def test_a_decision_and_its_audit_are_one_transaction(world: World, name: str, state: str, text: str) -> None:
    world.hear(call())
    (told,) = decide(world, name)
    assert (only(world).state, list(world.texts().values())) == (state, [text])
    (row,) = world.rows(t.audit)
    assert (row.who, row.why, row.reservation_id, row.at) == ("anna", "he wrote to us", 1, NOON + MINUTE)
    assert told.facts["action"] == row.action


def test_who_is_held_is_not_called_and_who_is_resumed_is(world: World) -> None:
    world.hear(call())
    decide(world, "hold")
    assert world.claim(NOON + 2 * MINUTE) is None
    decide(world, "resume")
    assert world.claim(NOON + 3 * MINUTE) is not None


def test_call_now_goes_before_all_others(world: World) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", ended_at=NOON + US))
    decide(world, "call-now", reservation=2)
    order = world.claim(NOON + 2 * MINUTE)
    assert order is not None
    assert order.agent_sees == "+819012345602"


def test_nobody_decides_about_a_call_that_is_being_made(world: World) -> None:
    world.hear(call())
    assert world.claim(NOON + MINUTE) is not None
    with pytest.raises(IllegalTransition):
        decide(world, "cancel")
    assert world.rows(t.audit) == []


def test_what_is_closed_or_unknown_is_said_so(world: World) -> None:
    world.hear(call())
    decide(world, "cancel")
    with pytest.raises(NoSuchReservation, match="closed"):
        decide(world, "hold")
    with pytest.raises(NoSuchReservation, match="no reservation 99"):
        decide(world, "hold", reservation=99)
    assert len(world.rows(t.audit)) == 1


def test_a_slot_replaces_every_other_promise_and_a_later_loss_does_not_move_it(world: World) -> None:
    world.hear(call())
    slot(world, at("18:30"))
    row = only(world)
    assert (row.not_before_at, row.aim_at, row.deadline_at) == (at("18:30"), at("18:40"), at("19:00"))
    assert [promise.reason for promise in world.rows(t.promise)] == ["window", "slot"]
    world.hear(call(ended_at=at("15:00")))
    assert (only(world).not_before_at, only(world).deadline_at) == (at("18:30"), at("19:00"))
    assert world.claim(at("18:29")) is None
    assert world.claim(at("18:30")) is not None


@pytest.mark.parametrize("chosen", [at("22:00"), NOON - MINUTE], ids=["quiet hours", "past"])
def test_a_slot_at_which_nobody_may_be_rung_is_refused(world: World, chosen: int) -> None:
    world.hear(call())
    with pytest.raises(SchedulerError):
        slot(world, chosen)
    assert len(world.rows(t.promise)) == 1


def test_a_redial_is_kept_with_and_without_our_callback(world: World) -> None:
    world.hear(call())
    world.hear(call(ended_at=NOON + 9 * MINUTE, waited_s=60))
    first, second = world.rows(t.loss)
    assert first.redialled_at == NOON + 8 * MINUTE
    assert second.redialled_at is None


def test_who_is_lost_again_and_again_is_raised(world: World) -> None:
    world.hear(call("09012345601"))
    for minute in (1, 2, 3):
        world.hear(call("09012345602", ended_at=NOON + minute * MINUTE))
    order = world.claim(NOON + 4 * MINUTE)
    assert order is not None
    assert order.agent_sees == "+819012345602"


@pytest.mark.parametrize("victim", [1, 2, 3])
@pytest.mark.parametrize("how", ["changed", "taken out", "changed and hashed anew"])
def test_tampering_with_the_audit_shows(world: World, victim: int, how: str) -> None:
    a = t.audit.c
    with world.store.write() as connection:
        for place, name in enumerate(["hold", "resume", "hold"]):
            audit.add(connection, "main", By("anna", name), name, None, {"place": place}, NOON + place)
        assert audit.broken_at(connection) is None
        (row,) = connection.execute(t.audit.select().where(a.id == victim)).mappings()
        if how == "taken out":
            connection.execute(delete(t.audit).where(a.id == victim))
        else:
            forged = {key: value for key, value in row.items() if key not in {"id", "hash"}} | {"who": "bert"}
            anew = audit.hash_of(forged) if how == "changed and hashed anew" else row["hash"]
            connection.execute(update(t.audit).where(a.id == victim).values(who="bert", hash=anew))
        assert audit.broken_at(connection) is not None


def test_a_slot_is_for_whom_was_held_too(world: World) -> None:
    world.hear(call())
    decide(world, "hold")
    slot(world, at("18:30"))
    assert world.claim(at("18:30")) is not None


def test_who_was_tried_before_the_time_that_he_chose_is_called_then(world: World) -> None:
    world.hear(call())
    slot(world, at("18:30"))
    decide(world, "call-now", now=NOON + 2 * MINUTE)
    order = world.claim(NOON + 2 * MINUTE)
    assert order is not None
    world.end(order.attempt, "no-answer", NOON + 3 * MINUTE)
    assert world.claim(at("18:29")) is None
    assert world.claim(at("18:30")) is not None


def test_who_is_put_off_while_he_is_being_called_is_not_called_before(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON + MINUTE)
    assert order is not None
    with world.store.write() as connection:
        actions.postpone(world.work(connection, NOON + MINUTE), 1, at("12:50"), ANNA)
    world.end(order.attempt, "agent-no-answer", NOON + 2 * MINUTE)
    assert world.claim(at("12:49")) is None
    assert world.claim(at("12:50")) is not None


def test_who_was_postponed_since_he_was_looked_at_is_not_claimed(world: World) -> None:
    """Between the look and the lock, another transaction may have committed a person's decision."""
    world.hear(call())
    with world.store.write() as connection:
        row = read_one(connection, 1)
        assert row is not None
        assert precheck.lock(world.work(connection, NOON + MINUTE), row)
    slot(world, at("18:30"))
    with world.store.write() as connection:
        assert not precheck.lock(world.work(connection, NOON + 2 * MINUTE), row)


def test_a_decision_that_comes_too_late_says_when_to_decide(world: World) -> None:
    world.hear(call())
    assert world.claim(NOON + MINUTE) is not None
    with pytest.raises(IllegalTransition, match=r"reservation 1 is 'calling'.*when the call has ended"):
        decide(world, "cancel")


@pytest.mark.parametrize(("who", "why"), [("anna", " "), ("", "x"), ("a" * 101, "x"), ("anna", "x" * 401)])
def test_who_and_why_are_said_and_fit(who: str, why: str) -> None:
    with pytest.raises(CallbackError, match="must say something"):
        By(who, why)


def test_a_decision_made_while_the_audit_is_read_is_no_tampering(world: World) -> None:
    def decided() -> None:
        with world.store.write() as connection:
            audit.add(connection, "main", ANNA, "hold", None, {}, NOON)

    decided()
    with world.store.read() as connection:
        left = [decided]

        def meanwhile(*_: object) -> None:
            if left:
                left.pop()()

        event.listen(connection, "after_cursor_execute", meanwhile)
        assert audit.broken_at(connection) is None
    assert len(world.rows(t.audit)) == 2


def test_who_is_held_is_let_go_by_a_better_verdict(world: World) -> None:
    heard = call(talked_s=20)
    world.hear(heard, "silent", source="live-partial")
    decide(world, "hold")
    world.hear(heard, "served")
    assert only(world).state == "withdrawn"


def test_who_was_reached_for_one_queue_is_owed_nothing_in_another_though_held_there(migrated_url: str) -> None:
    world = World(migrated_url, rules(queues={"support": ON, "sales": ON}))
    world.hear(call(queue="sales"))
    world.hear(call(queue="support"))
    decide(world, "hold")
    order = world.claim(NOON + MINUTE)
    assert order is not None
    world.end(order.attempt, "reached", NOON + 2 * MINUTE)
    assert [row.state for row in world.reservations()] == ["returned", "reached"]
    world.close()


def test_a_slot_that_leaves_no_time_to_call_is_refused(world: World) -> None:
    world.hear(call())
    with pytest.raises(SchedulerError, match="until 21:25"):
        slot(world, at("21:29"))
    slot(world, at("21:25"))
    assert only(world).deadline_at == at("21:30")
