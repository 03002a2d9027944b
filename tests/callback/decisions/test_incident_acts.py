"""An incident let go, or dropped, by a person: nothing happens for 15 seconds, and until then it can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import pytest

from callback.attempts import snapshot
from callback.decisions.acts import incidents as acts
from callback.decisions.acts.incidents import Chosen
from callback.decisions.batch import NoReason
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.undoing import NoSuchBatch, NotUndone, undo
from callback.losses import incidents
from callback.losses.incidents import NoSuchIncident
from callback.reports import incidents as report
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, ON, US, World, call, picture, rules

ANNA = By("Anna", "the carrier is mended")
T0 = NOON + MINUTE
UNDO = 15 * US
Result = TypeVar("Result")


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    queues = {"support": ON, "far": ON.model_copy(update={"group": "far"})}
    made = World(migrated_url, rules(incident_losses=3, incident_drain_per_min=6, queues=queues))
    for n in range(6):
        made.hear(call(f"0901234560{n}", NOON + n * US), "blocked")
    yield made
    made.close()


def at(world: World, now: int, act: Callable[[Work], Result]) -> Result:
    with world.store.write() as connection:
        return act(world.work(connection, now))


def decide(world: World, wish: incidents.Wish, now: int = T0, groups: frozenset[str] | None = None) -> Chosen:
    return at(world, now, lambda work: acts.decide(work, 1, wish, ANNA, groups))


def tended(world: World, now: int) -> list[str]:
    at(world, now, incidents.tend)
    return [row.state for row in world.reservations()]


def test_released_it_lets_them_go_once_that_cannot_be_undone(world: World) -> None:
    chosen = decide(world, "released")
    assert chosen.undo_until_at == T0 + UNDO
    assert tended(world, T0 + UNDO) == ["held"] * 6
    assert tended(world, T0 + UNDO + 10 * US).count("waiting") == 1
    with pytest.raises(NotUndone, match="15 seconds"):
        at(world, T0 + UNDO, lambda work: acts.undo(work, chosen.batch, ANNA))


def test_dropped_it_cancels_them_once_that_cannot_be_undone(world: World) -> None:
    decide(world, "dropped")
    assert tended(world, T0 + UNDO - 1) == ["held"] * 6
    assert tended(world, T0 + UNDO) == ["cancelled"] * 6


@pytest.mark.parametrize("wish", ["released", "dropped"])
def test_taken_back_it_holds_them_as_before(world: World, wish: incidents.Wish) -> None:
    (before,) = world.rows(t.incident)
    chosen = decide(world, wish)
    at(world, T0 + UNDO - 1, lambda work: acts.undo(work, chosen.batch, ANNA))
    assert world.rows(t.incident) == [before]
    assert tended(world, T0 + 2 * UNDO) == ["held"] * 6
    assert [row.action for row in world.rows(t.audit)][-2:] == [f"incident-{wish}", "incident-undone"]
    with pytest.raises(NotUndone, match="already, by Anna"):
        at(world, T0 + UNDO - 1, lambda work: acts.undo(work, chosen.batch, ANNA))


def test_what_somebody_decided_since_is_not_taken_back(world: World) -> None:
    first = decide(world, "released")
    decide(world, "dropped", T0 + US)
    with pytest.raises(NotUndone, match="since"):
        at(world, T0 + 2 * US, lambda work: acts.undo(work, first.batch, ANNA))


def test_it_is_dropped_for_a_reason_alone(world: World) -> None:
    with pytest.raises(NoReason):
        at(world, T0, lambda work: acts.decide(work, 1, "dropped", By("Anna", NONE_GIVEN)))


def test_one_of_another_group_is_like_none(world: World) -> None:
    far = frozenset({"far"})
    with pytest.raises(NoSuchIncident):
        decide(world, "released", groups=far)
    chosen = decide(world, "released")
    with pytest.raises(NoSuchBatch):
        at(world, T0, lambda work: acts.undo(work, chosen.batch, ANNA, far))
    with pytest.raises(NoSuchBatch):
        at(world, T0, lambda work: undo(work, chosen.batch, ANNA))
    for groups, many in ((far, 0), (frozenset({"site"}), 1), (frozenset[str](), 0), (None, 1)):
        assert len(at(world, T0, partial(report.still_open, groups=groups))) == many


def test_what_letting_go_would_do_is_said_before(world: World) -> None:
    live = picture()
    at(world, T0, lambda work: snapshot.store(work.connection, "main", live, T0))
    (one,) = at(world, T0, report.still_open)
    assert (one.parts, one.held, one.losses) == (("support", "gave-up", "main"), 6, 6)
    told = at(world, T0, lambda work: report.effect(work, one))
    assert (told.calls, told.texts, told.ends_at) == (6, 6, T0 + MINUTE)
    assert tended(world, T0) == ["held"] * 6, "nothing is changed"


def test_those_it_held_are_counted_by_what_became_of_them(world: World) -> None:
    decide(world, "dropped")
    tended(world, T0 + UNDO)
    tended(world, T0 + 20 * MINUTE)
    assert at(world, T0 + 20 * MINUTE, report.still_open) == []
    (one,) = at(world, T0 + 20 * MINUTE, report.over)
    assert (one.state, one.held) == ("over", 0)
    assert at(world, T0 + 20 * MINUTE, lambda work: report.ends(work, one)) == {"cancelled": 6}
