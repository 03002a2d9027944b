"""Many reservations are decided about at once, each by what it is now; what was changed meanwhile is left alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from callback.decisions import actions, batch, changes
from callback.decisions.batch import NoReason, TooMany
from callback.decisions.reasons import NONE_GIVEN, PRESETS, REASONS, said
from callback.decisions.records import ACTIONS, CLOSING, Action, Asked
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.decisions.deciding import ANNA, BO, T0, acts, decide, seen, states
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, fed, picture, rules

REVERSIBLE: dict[Action, dict[str, Any]] = {
    "hold": {},
    "call-now": {},
    "slot": {"at": at("15:00")},
    "postpone": {"at": at("15:00")},
    "assign": {"to": "bert"},
}


def three(world: World) -> None:
    for n in range(1, 4):
        world.hear(call(f"0901234560{n}", NOON + n * US))


@pytest.mark.parametrize("action", REVERSIBLE)
def test_what_can_be_put_back_is_done_at_once_for_all_of_them(world: World, action: Action) -> None:
    three(world)
    done = decide(world, action, **REVERSIBLE[action])
    assert (done.done, done.refused, done.conflict) == ((1, 2, 3), (), False)
    assert T0 + 15 * US <= done.undo_until_at < T0 + 16 * US
    assert {row.revision > 1 for row in world.reservations()} == {True}
    assert len(acts(world)) == 3


@pytest.mark.parametrize("action", [action for action in CLOSING if action != "block"])
def test_what_closes_is_held_and_told_of_until_it_is_done(world: World, action: Action) -> None:
    three(world)
    done = decide(world, action)
    assert (done.done, states(world)) == ((1, 2, 3), ["held"] * 3)
    assert acts(world) == [("anna", f"{CLOSING[action]}-pending")] * 3
    told = [event for event in fed(world.store) if event.name == "decided"]
    assert [event.facts["until_at"] for event in told] == [done.undo_until_at] * 3


def test_resumed_are_those_that_were_held(world: World) -> None:
    three(world)
    decide(world, "hold", seen(world, 1, 3))
    done = decide(world, "resume")
    assert (done.done, [(one.reservation, one.why) for one in done.refused]) == ((1, 3), [(2, "not-held")])
    assert states(world) == ["waiting"] * 3


def test_who_was_changed_since_the_page_was_made_is_left_alone_and_it_is_said_by_whom(world: World) -> None:
    three(world)
    page = seen(world)
    decide(world, "postpone", seen(world, 2), by=BO, at=at("15:00"), now=T0)
    done = decide(world, "hold", page, now=T0 + 4 * US)
    (refused,) = done.refused
    assert (done.done, refused.reservation, refused.why) == ((1, 3), 2, "changed")
    assert refused.change == changes.Change("postpone", "bo", T0)
    assert states(world) == ["held", "waiting", "held"]
    assert done.conflict


def test_what_the_customer_and_the_service_changed_is_said_too(world: World) -> None:
    three(world)
    page = seen(world)
    world.hear(call("09012345601", T0))
    world.claims(T0 + US, picture(numbers={"+819012345601"}), 1)
    world.hear(call("09012345603", T0 + 2 * US, talked_s=30), "served")
    refused = decide(world, "hold", page, now=T0 + 9 * US).refused
    assert [(one.reservation, one.why, one.change) for one in refused] == [
        (1, "changed", changes.Change("merged", "service", T0)),
        (2, "calling", changes.Change("dialling", "service", T0 + US)),
        (3, "closed", changes.Change("returned", "service", T0 + 2 * US)),
    ]


def test_nobody_decides_about_what_is_being_closed(world: World) -> None:
    three(world)
    decide(world, "cancel", seen(world, 1))
    (refused,) = decide(world, "resume", seen(world, 1), by=BO, now=T0 + US).refused
    assert refused.why == "pending"
    assert refused.change == changes.Change("cancelled-pending", "anna", T0)
    assert acts(world, 1) == [("anna", "cancelled-pending")]


def test_one_that_is_being_called_is_not_closed(world: World) -> None:
    world.hear(call())
    assert world.claim(T0) is not None
    (refused,) = decide(world, "cancel", now=T0 + US).refused
    assert refused.why == "calling"
    assert states(world) == ["calling"]


def test_one_that_is_being_called_may_be_given_to_somebody(world: World) -> None:
    world.hear(call())
    assert world.claim(T0) is not None
    assert decide(world, "assign", now=T0 + US, to="bert").done == (1,)


def test_unknown_and_other_groups_are_one(migrated_url: str) -> None:
    world = World(migrated_url, rules(queues={"support": ON, "sales": ON.model_copy(update={"group": "sales"})}))
    world.hear(call("09012345601"))
    world.hear(call("09012345602", queue="sales"))
    done = decide(world, "hold", [*seen(world), Asked(99, 1)], groups=frozenset({"sales"}))
    assert done.done == (2,)
    assert [(one.reservation, one.why, one.change) for one in done.refused] == [
        (1, "unknown", None),
        (99, "unknown", None),
    ]
    assert states(world) == ["waiting", "held"]
    assert decide(world, "hold", groups=frozenset()).done == ()
    world.close()


@pytest.mark.parametrize(
    ("action", "more", "why"),
    [
        ("slot", {"at": at("22:00")}, "outside-hours"),
        ("slot", {"at": NOON - MINUTE}, "outside-hours"),
        ("postpone", {"at": NOON}, "passed"),
        ("assign", {"to": "x" * 101}, "too-long"),
        ("slot", {}, "not-possible"),
    ],
)
def test_one_that_is_refused_is_left_whole(world: World, action: Action, more: dict[str, Any], why: str) -> None:
    world.hear(call())
    decide(world, "hold")
    before = world.reservations(), acts(world)
    done = decide(world, action, now=T0 + US, **more)
    assert (done.id, [one.why for one in done.refused]) == (None, [why])
    assert done.refused[0].sentence
    assert (world.reservations(), acts(world)) == before


def test_a_half_hour_takes_no_more_than_it_has_room_for(migrated_url: str) -> None:
    world = World(migrated_url, rules(slot_room=2))
    three(world)
    done = decide(world, "slot", at=at("15:00"))
    assert (done.done, [(one.reservation, one.why) for one in done.refused]) == ((1, 2), [(3, "full")])
    world.close()


def test_a_closing_act_needs_a_reason_and_others_need_none(world: World) -> None:
    world.hear(call())
    nobody_said = By("anna", NONE_GIVEN)
    for action in ("cancel", "done-elsewhere", "not-lost"):
        with pytest.raises(NoReason):
            decide(world, action, by=nobody_said)
    assert decide(world, "hold", by=nobody_said).done == (1,)


def test_no_more_than_may_wait_for_one_transaction(world: World) -> None:
    with pytest.raises(TooMany, match="501"):
        decide(world, "hold", [Asked(n, 1) for n in range(501)])


def test_each_act_has_presets_of_known_reasons() -> None:
    assert set(PRESETS) == set(ACTIONS)
    assert {word for words in PRESETS.values() for word in words} <= set(REASONS)
    assert all(PRESETS[action] for action in CLOSING)
    assert (said("test"), said("she is on holiday")) == ("it was a test call", "she is on holiday")


def test_the_audit_of_a_batch_is_a_chain(world: World) -> None:
    three(world)
    decide(world, "cancel")
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None


def test_the_change_is_known_by_the_audit_where_the_feed_has_forgotten_it(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.hold(world.work(connection, T0), 1, ANNA)
    with world.store.write() as connection:
        connection.execute(t.happened.delete())
        assert changes.last(connection, [1, 2]) == {1: changes.Change("held", "anna", T0)}
        assert changes.last(connection, []) == {}


def test_two_who_decide_at_once_do_it_once(world: World) -> None:
    """On a server both wait for the row's lock, and the second sees what the first did."""
    for n in range(20):
        world.hear(call(f"090123456{n:02}", NOON + n))
    both = Barrier(2)

    def one(by: By, page: list[Asked]) -> tuple[tuple[int, ...], list[str]]:
        both.wait(10)
        with world.store.write() as connection:
            done = batch.decide(world.work(connection, T0), "hold", page, by)
        return done.done, [refused.why for refused in done.refused]

    with ThreadPoolExecutor(2) as people:
        for asked in seen(world):
            answers = sorted(people.map(one, (ANNA, BO), ([asked], [asked])))
            assert answers == [((), ["changed"]), ((asked.reservation,), [])]
            assert len(acts(world, asked.reservation)) == 1
