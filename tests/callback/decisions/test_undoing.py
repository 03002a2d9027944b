"""Undo puts everything back as it was, row by row, within its time; and nothing that was changed since."""

from __future__ import annotations

from typing import Any

import pytest

from callback.decisions import actions, changes
from callback.decisions.records import Action
from callback.decisions.undoing import NoSuchBatch, NotUndone
from callback.losses import incidents
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import CUSTOMER, By
from sms.outbox import text_outbox
from tests.callback.decisions.deciding import (
    ANNA,
    BO,
    T0,
    acts,
    block,
    decide,
    seen,
    send_texts,
    settle,
    stands,
    states,
    undo,
)
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, picture, rules

LATE = T0 + 16 * US
REVERSIBLE: dict[Action, dict[str, Any]] = {
    "hold": {},
    "resume": {},
    "call-now": {},
    "slot": {"at": at("15:00")},
    "postpone": {"at": at("15:00")},
    "assign": {"to": "bert"},
}
CLOSING: tuple[Action, ...] = ("cancel", "done-elsewhere", "not-lost")
EVENING = at("21:40")


def some(world: World) -> None:
    """One who waits, one whom a person holds, one with a chosen time and an owner, one whose time a text promised."""
    for n in range(1, 5):
        world.hear(call(f"0901234560{n}", NOON + n * US))
    decide(world, "hold", seen(world, 2), now=NOON + 10 * US)
    decide(world, "slot", seen(world, 3), now=NOON + 11 * US, at=at("16:00"))
    decide(world, "assign", seen(world, 3), now=NOON + 12 * US, to="carl")
    decide(world, "postpone", seen(world, 4), now=NOON + 13 * US, at=at("12:30"))


@pytest.mark.parametrize("action", [*REVERSIBLE, *CLOSING])
def test_an_act_that_is_undone_leaves_everything_as_it_was(world: World, action: Action) -> None:
    some(world)
    before = stands(world)
    done = decide(world, action, **REVERSIBLE.get(action, {}))
    assert done.done
    assert stands(world) != before
    undone = undo(world, done, BO)
    assert (undone.undone, undone.refused, undone.action) == (done.done, (), action)
    assert stands(world) == before
    for one in done.done:
        assert acts(world, one)[-1] == ("bo", "undone")
    assert settle(world) == 0
    assert stands(world) == before


@pytest.mark.parametrize("action", ["call-now", "resume"])
def test_what_was_promised_anew_by_it_is_promised_no_more(world: World, action: Action) -> None:
    """In the evening a callback that is let go is carried over to the next day, with a text."""
    world.hear(call())
    decide(world, "hold")
    before = stands(world)
    done = decide(world, action, now=EVENING)
    assert len(world.rows(t.promise)) > 1
    undo(world, done, now=EVENING + 14 * US)
    assert stands(world) == before


def test_the_broken_promise_of_whom_somebody_put_off_is_told_again_after_that_was_undone(world: World) -> None:
    world.hear(call())
    world.carry_over(at("13:01"))
    before = stands(world)
    done = decide(world, "postpone", now=at("13:02"), at=at("19:00"))
    assert stands(world)["texts"] != before["texts"]
    undo(world, done, now=at("13:02") + US)
    assert stands(world) == before


def test_a_text_of_it_waits_until_it_can_be_undone_no_more(world: World) -> None:
    world.hear(call())
    done = decide(world, "slot", at=at("15:00"))
    texts = {row.template: row for row in world.rows(text_outbox)}
    assert (texts["lost"].state, texts["slot"].state) == ("withdrawn", "waiting")
    assert texts["slot"].not_before_at >= done.undo_until_at
    undo(world, done)
    assert {row.template: row.state for row in world.rows(text_outbox)} == {"lost": "waiting"}
    again = decide(world, "slot", now=T0 + 15 * US, at=at("15:00"))
    assert again.done == (1,)
    assert [row.template for row in world.rows(text_outbox) if row.state == "waiting"] == ["slot"]


def test_a_text_that_has_left_is_not_taken_back(world: World) -> None:
    """Another service's clock may be ahead."""
    world.hear(call())
    done = decide(world, "slot", at=at("15:00"))
    assert len(send_texts(world, T0 + 40 * US)) == 1
    assert [row.state for row in world.rows(text_outbox) if row.template == "slot"] == ["sent"]
    before = stands(world)
    undone = undo(world, done)
    assert [(one.reservation, one.why) for one in undone.refused] == [(1, "text-left")]
    assert stands(world) == before


@pytest.mark.parametrize("action", [*REVERSIBLE, *CLOSING])
def test_it_is_undone_within_its_time_and_once(world: World, action: Action) -> None:
    some(world)
    done = decide(world, action, **REVERSIBLE.get(action, {}))
    before = stands(world)
    with pytest.raises(NotUndone, match="no more") as late:
        undo(world, done, now=LATE)
    assert late.value.why == "too-late"
    assert stands(world) == before
    undo(world, done)
    with pytest.raises(NotUndone, match="already, by anna") as twice:
        undo(world, done)
    assert twice.value.why == "undone"


def test_what_does_not_exist_is_not_undone(world: World) -> None:
    with pytest.raises(NoSuchBatch):
        undo(world, 7)


def test_the_batch_of_another_group_is_none(migrated_url: str) -> None:
    world = World(migrated_url, rules(queues={"support": ON, "sales": ON.model_copy(update={"group": "sales"})}))
    world.hear(call())
    done = decide(world, "hold")
    with pytest.raises(NoSuchBatch):
        undo(world, done, groups=frozenset({"sales"}))
    assert states(world) == ["held"]
    undo(world, done, groups=frozenset({"site"}))
    assert states(world) == ["waiting"]
    world.close()


def test_a_block_is_undone_for_every_group_that_owes_something_to_the_number(migrated_url: str) -> None:
    """What it held for another group would be cancelled else, though nobody blocks the number any more."""
    world = World(migrated_url, rules(queues={"support": ON, "sales": ON.model_copy(update={"group": "sales"})}))
    world.hear(call())
    world.hear(call(ended_at=NOON + US, queue="sales"))
    done = block(world, 1, groups=frozenset({"site"}))
    assert states(world) == ["held", "held"]
    undone = undo(world, done, groups=frozenset({"site"}))
    assert (undone.undone, undone.refused) == ((1,), ())
    settle(world)
    assert states(world) == ["waiting", "waiting"]
    with pytest.raises(NotUndone, match="already"):
        undo(world, done)
    world.close()


@pytest.mark.parametrize("action", ["slot", "call-now", "postpone", "resume"])
def test_no_text_waits_again_for_who_wants_none_by_now(world: World, action: Action) -> None:
    world.hear(call())
    if action == "resume":
        decide(world, "hold", now=T0 - US)
    done = decide(world, action, **REVERSIBLE[action])
    with world.store.write() as connection:
        work = world.work(connection, T0 + US)
        actions.block(work, "+819012345678", calls=False, texts=True, by=By(CUSTOMER, "by text"))
    assert undo(world, done).undone == (1,)
    assert {row.state for row in world.rows(text_outbox)} == {"withdrawn"}


@pytest.mark.parametrize("action", ["hold", "call-now", "slot", "postpone", "assign"])
def test_what_somebody_changed_since_is_left_as_it_is_and_the_rest_is_put_back(world: World, action: Action) -> None:
    for n in range(1, 3):
        world.hear(call(f"0901234560{n}", NOON + n * US))
    before = stands(world)
    done = decide(world, action, **REVERSIBLE[action])
    decide(world, "assign", seen(world, 1), BO, now=T0 + US, to="dora")
    undone = undo(world, done)
    assert undone.undone == (2,)
    assert [(one.reservation, one.why, one.change) for one in undone.refused] == [
        (1, "changed", changes.Change("assign", "bo", T0 + US))
    ]
    assert stands(world)["rows"][1] == before["rows"][1]
    assert stands(world)["rows"][0] != before["rows"][0]


def test_call_now_is_undone_no_more_once_a_phone_rings(world: World) -> None:
    world.hear(call())
    done = decide(world, "call-now")
    assert world.claim(T0 + US) is not None
    (refused,) = undo(world, done).refused
    assert (refused.why, states(world)) == ("calling", ["calling"])


def test_a_customer_who_was_served_meanwhile_is_owed_nothing(world: World) -> None:
    world.hear(call())
    done = decide(world, "cancel")
    world.hear(call(ended_at=T0 + 5 * US, talked_s=60), "served")
    (refused,) = undo(world, done).refused
    assert (refused.why, states(world)) == ("closed", ["returned"])
    settle(world)
    assert states(world) == ["returned"]


def test_what_changed_beside_a_pending_end_stays_when_that_is_undone(world: World) -> None:
    world.hear(call())
    done = decide(world, "cancel")
    with world.store.write() as connection:
        actions.assign(world.work(connection, T0 + US), 1, "bert", BO)
    undo(world, done)
    (row,) = world.reservations()
    assert (row.state, row.assigned_to, row.state_since_at) == ("waiting", "bert", NOON)


def test_a_block_is_undone_with_all_that_it_held_and_took_back(world: World) -> None:
    world.hear(call())
    world.hear(call(queue="sales", ended_at=NOON + US))
    decide(world, "hold", seen(world, 2), now=NOON + 2 * US)
    before = stands(world)
    done = block(world)
    assert (states(world), stands(world)["blocks"] != [], world.claim(T0 + US)) == (["held"] * 2, True, None)
    assert {row.state for row in world.rows(text_outbox)} == {"withdrawn"}
    undo(world, done)
    assert stands(world) == before
    settle(world)
    assert stands(world) == before


def test_a_block_that_somebody_changed_since_is_not_undone(world: World) -> None:
    world.hear(call())
    done = block(world)
    with world.store.write() as connection:
        actions.unblock(world.work(connection, T0 + US), "+819012345678", calls=False, texts=True, by=BO)
    with pytest.raises(NotUndone, match="since") as changed:
        undo(world, done)
    assert changed.value.why == "changed"
    assert states(world) == ["held"]


# Who was held by an incident


@pytest.fixture
def many(migrated_url: str) -> Any:
    """An incident that holds four."""
    made = World(migrated_url, rules(incident_losses=3, incident_min=10, incident_drain_per_min=600))
    for n in range(1, 5):
        made.hear(call(f"0901234560{n}", NOON + n * US), "blocked")
    yield made
    made.close()


def tend(world: World, now: int) -> None:
    with world.store.write() as connection:
        incidents.tend(world.work(connection, now))


@pytest.mark.parametrize("action", ["hold", "resume", "cancel", "call-now"])
def test_whom_an_incident_held_is_held_by_it_again(many: World, action: Action) -> None:
    before = stands(many)
    undo(many, decide(many, action))
    assert stands(many) == before


@pytest.mark.parametrize("action", ["hold", "cancel"])
def test_whom_an_incident_held_that_is_over_waits_for_the_callback(many: World, action: Action) -> None:
    """Nobody would let go of it any more."""
    done = decide(many, action)
    with many.store.write() as connection:
        incidents.decide(many.work(connection, T0 + US), 1, "released", ANNA)
    tend(many, T0 + 20 * MINUTE)
    (incident,) = many.rows(t.incident)
    assert incident.state == "over"
    with many.store.write() as connection:
        connection.execute(t.batch.update().values(undo_until_at=T0 + 30 * MINUTE))
    undo(many, done, now=T0 + 21 * MINUTE)
    assert states(many) == ["waiting"] * 4


def test_the_audit_is_whole_after_all_that(many: World) -> None:
    undo(many, decide(many, "cancel"))
    decide(many, "call-now", by=By("anna", "again"), now=T0 + 20 * US)
    with many.store.read() as connection:
        assert audit.broken_at(connection) is None
    assert CUSTOMER not in {who for who, _ in acts(many)}
    assert many.claims(T0 + 30 * US, picture(free={"support": {"a", "b"}})) != []
