"""What closes a callback is done when it can be undone no more, and not if the customer comes back meanwhile."""

from __future__ import annotations

import pytest

from callback.decisions import actions, pending, records
from callback.decisions.records import Action
from callback.store import audit
from callback.store import tables as t
from callback.texts import compose
from sms.outbox import text_outbox
from tests.callback.decisions.deciding import ANNA, BO, T0, acts, block, decide, seen, send_texts, settle, states, undo
from tests.callback.world import MINUTE, NOON, US, World, at, call, picture

ENDS: dict[Action, str] = {"cancel": "cancelled", "done-elsewhere": "done-elsewhere", "not-lost": "withdrawn"}


@pytest.mark.parametrize("action", ENDS)
def test_it_is_done_after_its_time_and_not_before(world: World, action: Action) -> None:
    world.hear(call())
    done = decide(world, action)
    assert settle(world, done.undo_until_at - 1) == 0
    assert states(world) == ["held"]
    assert settle(world, done.undo_until_at) == 1
    assert states(world) == [ENDS[action]]
    assert acts(world) == [("anna", f"{ENDS[action]}-pending"), ("anna", ENDS[action])]
    assert [row.state for row in world.rows(text_outbox)] == ["withdrawn"]
    assert settle(world, T0 + MINUTE) == 0


def test_it_is_done_by_the_next_service_whenever_that_is(world: World) -> None:
    world.hear(call())
    decide(world, "cancel")
    settle(world, T0 + 3 * 24 * 60 * MINUTE)
    assert states(world) == ["cancelled"]


def test_nobody_is_dialled_or_texted_meanwhile(world: World) -> None:
    world.hear(call())
    decide(world, "cancel", now=NOON + US)
    assert world.claims(NOON + 2 * US, picture()) == []
    with world.store.write() as connection:
        compose.hold_back(world.work(connection, NOON + 2 * US), ())
    assert send_texts(world, NOON + 14 * US) == []
    world.carry_over(at("13:30"))
    assert states(world) == ["held"]


@pytest.mark.parametrize("kind", ["abandoned", "requested"])
def test_a_customer_who_is_lost_again_meanwhile_is_called_back(world: World, kind: str) -> None:
    world.hear(call())
    decide(world, "cancel")
    world.hear(call(ended_at=T0 + 5 * US), "requested" if kind == "requested" else "abandoned")
    assert settle(world, T0 + 6 * US) == 1
    (row,) = world.reservations()
    assert (row.state, row.losses) == ("waiting", 2)
    assert acts(world)[-1] == (audit.SERVICE, "called-off")
    assert settle(world, T0 + MINUTE) == 0
    assert world.claim(T0 + MINUTE) is not None


def test_a_customer_who_came_back_is_held_still_where_a_person_held_before(world: World) -> None:
    world.hear(call())
    decide(world, "hold", now=NOON + US)
    decide(world, "cancel")
    world.hear(call(ended_at=T0 + 5 * US))
    settle(world, T0 + MINUTE)
    assert states(world) == ["held"]


@pytest.mark.parametrize("what", ["resume", "call-now"])
def test_what_somebody_decided_meanwhile_by_a_command_stands(world: World, what: str) -> None:
    world.hear(call())
    decide(world, "cancel")
    with world.store.write() as connection:
        actions.BY_NAME[what](world.work(connection, T0 + US), 1, BO)
    settle(world, T0 + 2 * US)
    settle(world, T0 + MINUTE)
    assert states(world) == ["waiting"]
    assert acts(world)[-1] == (audit.SERVICE, "called-off")


def test_who_was_served_meanwhile_is_not_closed_twice(world: World) -> None:
    world.hear(call())
    decide(world, "cancel")
    world.hear(call(ended_at=T0 + 5 * US, talked_s=60), "served")
    settle(world, T0 + 6 * US)
    assert states(world) == ["returned"]
    assert acts(world) == [("anna", "cancelled-pending")]
    assert settle(world, T0 + MINUTE) == 0


def test_a_pending_end_is_told_of_and_no_other(world: World) -> None:
    for n in range(1, 4):
        world.hear(call(f"0901234560{n}", NOON + n * US))
    done = decide(world, "cancel", seen(world, 2))
    decide(world, "hold", seen(world, 3))
    assert done.id is not None
    with world.store.read() as connection:
        told = records.pending(connection, [1, 2, 3])
        assert records.pending(connection, []) == {}
    assert told == {2: records.Pending(done.id, "cancel", "anna", T0, done.undo_until_at)}
    undo(world, done)
    with world.store.read() as connection:
        assert records.pending(connection, [2]) == {}


def test_old_batches_are_forgotten_but_not_what_is_still_to_be_done(world: World) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", NOON + US))
    decide(world, "hold", seen(world, 1))
    decide(world, "cancel", seen(world, 2))
    for now, forgotten, left in (
        (T0 + pending.KEPT_US, 0, 2),
        (T0 + pending.KEPT_US + 1, 1, 1),
    ):
        with world.store.write() as connection:
            assert pending.forget(world.work(connection, now)) == forgotten
        assert len(world.rows(t.batch)) == len(world.rows(t.batch_item)) == left
    settle(world)
    assert states(world) == ["held", "cancelled"]


# Blocks


def test_a_block_holds_at_once_and_cancels_after_its_time(world: World) -> None:
    world.hear(call())
    world.hear(call(queue="sales", ended_at=NOON + US))
    done = block(world)
    (row,) = world.rows(t.block)
    assert (row.calls, row.texts, states(world)) == (True, True, ["held", "held"])
    assert {row.state for row in world.rows(text_outbox)} == {"withdrawn"}
    assert (done.done, done.stays) == ((1,), ())
    settle(world)
    assert states(world) == ["cancelled", "cancelled"]
    assert acts(world, 1) == [("anna", "cancelled-pending"), ("anna", "cancelled")]


def test_a_call_that_is_being_made_to_a_blocked_number_is_called_off_for_good(world: World) -> None:
    world.hear(call())
    assert world.claim(NOON + US) is not None
    done = block(world)
    assert (done.stays, states(world)) == ((1,), ["cancelled"])
    undo(world, done)
    assert states(world) == ["cancelled"]
    assert [(row.calls, row.texts) for row in world.rows(t.block)] == [(False, False)]


def test_a_block_of_texts_alone_cancels_nothing(world: World) -> None:
    world.hear(call())
    block(world, calls=False)
    settle(world)
    assert states(world) == ["waiting"]
    assert [row.state for row in world.rows(text_outbox)] == ["withdrawn"]


def test_a_block_leaves_to_its_time_what_somebody_cancels_anyway(world: World) -> None:
    world.hear(call())
    decide(world, "cancel", by=BO)
    undo(world, block(world, now=T0 + US), now=T0 + 2 * US)
    assert states(world) == ["held"]
    settle(world)
    assert states(world) == ["cancelled"]
    assert acts(world, 1)[-1] == ("bo", "cancelled")


def test_who_was_erased_is_not_blocked_and_other_groups_customers_are_unknown(world: World) -> None:
    world.hear(call())
    assert [one.why for one in block(world, groups=frozenset({"sales"})).refused] == ["unknown"]
    assert [one.why for one in block(world, 99).refused] == ["unknown"]
    with world.store.write() as connection:
        actions.erase(world.work(connection, T0), "+819012345678", ANNA)
    assert [one.why for one in block(world).refused] == ["not-possible"]
    assert world.rows(t.block) == []
