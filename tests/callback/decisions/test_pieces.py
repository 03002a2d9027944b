"""Very many at once are decided about some at a time, and are one batch all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from callback.decisions import pieces
from callback.decisions.batch import MORE_US, NoReason, TooMany, Wish
from callback.decisions.pieces import PIECE
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.records import UNDO_US, Action, Asked
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from sms.outbox import text_outbox
from tests.callback.decisions.deciding import ANNA, BO, T0, decide, seen, settle, stands, states, undo
from tests.callback.world import NOON, US, World, at, call, rules

MANY = 2 * PIECE + 7
T = TypeVar("T")


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules(incident_losses=MANY, slot_room=MANY))
    with made.store.write() as connection:
        for n in range(MANY):
            made.hear_in(connection, call(f"0901234{n:04}", NOON + n))
    yield made
    made.close()


class Transactions:
    """Each a second later than the last; one may never come."""

    def __init__(self, world: World, dies_at: int | None = None) -> None:
        self.world, self.made, self.dies_at = world, 0, dies_at

    def __call__(self, do: Callable[[Work], T], /) -> T:
        self.made += 1
        if self.made == self.dies_at:
            raise KeyboardInterrupt
        with self.world.store.write() as connection:
            return do(self.world.work(connection, T0 + self.made * US))


@pytest.mark.parametrize(("action", "more"), [("cancel", {}), ("slot", {"at": at("16:00")})])
def test_they_are_one_batch_that_can_be_undone_from_its_end_on(
    world: World, action: Action, more: dict[str, Any]
) -> None:
    before, transact = stands(world), Transactions(world)
    done = pieces.decide(transact, Wish(action, ANNA, **more), seen(world))
    assert (len(done.done), done.refused, transact.made) == (MANY, (), 4)
    assert done.undo_until_at == T0 + 4 * US + UNDO_US
    (batch,) = world.rows(t.batch)
    assert batch.undo_until_at == done.undo_until_at
    waits = {row.pending_until_at for row in world.rows(t.batch_item)} - {None}
    texts = [row.not_before_at for row in world.rows(text_outbox) if row.template == "slot"]
    assert waits <= {done.undo_until_at}
    assert min([*waits, *texts]) >= done.undo_until_at
    assert settle(world, done.undo_until_at - 1) == 0
    assert len(undo(world, done, now=done.undo_until_at - 1).undone) == MANY
    assert stands(world) == before


def test_what_is_refused_is_told_of_all_of_them(world: World) -> None:
    page = seen(world)
    decide(world, "hold", [page[0], page[-1]], BO)
    done = pieces.decide(Transactions(world), Wish("hold", ANNA), [*page, page[5]])
    assert len(done.done) == MANY - 2
    assert [(one.reservation, one.why) for one in done.refused] == [(1, "changed"), (MANY, "changed")]


@pytest.mark.parametrize("action", ["cancel", "hold"])
def test_what_was_done_before_an_end_in_between_can_be_undone_and_is_done_in_the_end(
    world: World, action: Action
) -> None:
    before = stands(world)
    with pytest.raises(KeyboardInterrupt):
        pieces.decide(Transactions(world, dies_at=3), Wish(action, ANNA), seen(world))
    assert states(world).count("held") == 2 * PIECE
    (batch,) = world.rows(t.batch)
    assert batch.undo_until_at >= T0 + UNDO_US + MORE_US
    assert settle(world, T0 + UNDO_US + 10 * US) == 0
    if action == "hold":
        assert len(undo(world, batch.id, now=T0 + MORE_US).undone) == 2 * PIECE
        assert stands(world) == before
        return
    while settle(world, T0 + UNDO_US + MORE_US + 10 * US):
        pass
    assert states(world).count("cancelled") == 2 * PIECE


def test_few_are_one_transaction_and_none_are_no_batch(world: World) -> None:
    transact = Transactions(world)
    done = pieces.decide(transact, Wish("hold", ANNA), seen(world)[:PIECE])
    assert (len(done.done), transact.made) == (PIECE, 1)
    none = pieces.decide(transact, Wish("hold", ANNA), [Asked(one, 99) for one in range(900, 999)])
    assert (none.id, none.done, len(none.refused), transact.made) == (None, (), 99, 3)
    assert len(world.rows(t.batch)) == 1


def test_nothing_is_done_where_not_all_of_it_may_be(world: World) -> None:
    transact = Transactions(world)
    with pytest.raises(TooMany):
        pieces.decide(transact, Wish("hold", ANNA), [Asked(n, 1) for n in range(501)])
    with pytest.raises(NoReason):
        pieces.decide(transact, Wish("cancel", By("anna", NONE_GIVEN)), seen(world))
    assert transact.made == 0
