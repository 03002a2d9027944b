"""Proving the audit bit by bit finds what reading all of it finds, and goes on where it stopped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from callback.store import audit, audit_proof
from callback.store import tables as t
from callback.store.audit import By
from callback.store.audit_proof import ANEW_US, Proof
from tests.callback.world import NOON, US, World, emptied, kept

BY = By("Anna", "asked for it")


def add(world: World, many: int) -> None:
    with world.store.write() as connection:
        audit.add_all(connection, world.settings.pbx.name, BY, "note", [(None, {"n": n}) for n in range(many)], NOON)


def go_on(world: World, now: int = NOON, most: int = 3) -> Proof:
    with world.store.write() as connection:
        return audit_proof.go_on(connection, now, most)


def test_it_goes_on_piece_by_piece_to_the_end_and_with_what_is_added(world: World) -> None:
    add(world, 7)
    begun = [go_on(world).rows for _ in range(3)]
    assert begun == [3, 6, 7]
    proof = go_on(world, NOON + US)
    assert (proof.rows, proof.every, proof.whole_at, proof.broken) == (7, 7, NOON + US, None)
    add(world, 2)
    assert go_on(world).rows == 9


def test_a_row_that_was_proved_and_is_changed_then_is_found_the_next_day(world: World) -> None:
    add(world, 4)
    assert go_on(world, most=10).whole_at == NOON
    with world.store.write() as connection:
        connection.execute(update(t.audit).where(t.audit.c.id == 2).values(why="because"))
    assert go_on(world, NOON + ANEW_US - 1, most=10).broken is None
    proof = go_on(world, NOON + ANEW_US, most=10)
    assert (proof.rows, proof.broken) == (1, "row 2")
    assert go_on(world, NOON + ANEW_US + US, most=10).broken == "row 2"


def test_the_row_at_which_it_stopped_is_looked_at_again(world: World) -> None:
    add(world, 5)
    go_on(world)
    with world.store.write() as connection:
        connection.execute(update(t.audit).where(t.audit.c.id == 3).values(hash="0" * 64))
    assert go_on(world).broken == "row 3"


def test_rows_that_were_cut_off_are_missed(world: World) -> None:
    add(world, 5)
    with world.store.write() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.id > 3))
    assert go_on(world, most=10).broken == "the end: rows are missing"


def test_nothing_is_proved_before_the_first_reading_and_an_empty_chain_is_whole(world: World) -> None:
    with world.store.read() as connection:
        assert audit_proof.look(connection) is None
    assert go_on(world).whole_at == NOON


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('audit') / 'test.db'}"


@given(changed=st.integers(1, 9), column=st.sampled_from(["who", "why", "action", "previous"]), most=st.integers(1, 12))
def test_whatever_row_is_changed_is_found_whatever_the_pieces(url: str, changed: int, column: str, most: int) -> None:
    emptied(kept(url))
    world = World(url)
    add(world, 9)
    with world.store.write() as connection:
        connection.execute(update(t.audit).where(t.audit.c.id == changed).values(**{column: "x"}))
    proof = go_on(world, most=most)
    while proof.broken is None and proof.whole_at is None:
        proof = go_on(world, most=most)
    with world.store.read() as connection:
        assert proof.broken == audit.broken_at(connection) == f"row {changed}"
