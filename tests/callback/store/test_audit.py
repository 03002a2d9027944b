"""The chain of decisions: what was changed shows by itself, and by anchors kept outside also what was made anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from callback.cli.operations.audit import check
from callback.errors import CallbackError
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import GENESIS, By, Head
from tests.callback.world import NOON, World, call

ANNA, MALLORY = By("anna", "in a meeting"), By("mallory", "nothing to see")


def decide(world: World, many: int, by: By = ANNA, reservation: int | None = None) -> list[Head]:
    """Add rows, and give the head after each."""
    heads = []
    for number in range(many):
        with world.store.write() as connection:
            audit.add(connection, "main", by, "hold", reservation, {"number": number}, NOON + number)
            heads.append(audit.head(connection))
    return heads


def broken(world: World, *anchors: Head) -> str | None:
    with world.store.read() as connection:
        return audit.broken_at(connection, anchors)


def emptied(world: World) -> None:
    with world.store.write() as connection:
        connection.execute(delete(t.audit))
        connection.execute(update(t.audit_head).values(hash=GENESIS, rows=0))


def test_every_earlier_head_proves_a_chain_that_only_grew(world: World) -> None:
    heads = [Head(0, GENESIS), *decide(world, 4)]
    assert broken(world, *heads) is None
    with world.store.read() as connection:
        assert audit.head(connection) == heads[-1]


def test_a_chain_made_anew_as_a_whole_is_found_by_an_anchor_alone(world: World) -> None:
    heads = decide(world, 3)
    emptied(world)
    decide(world, 5, MALLORY)
    assert broken(world) is None
    for head in heads:
        assert f"the anchor {head.rows}:{head.hash}" in str(broken(world, head))


def test_a_chain_emptied_with_its_head_is_found_by_an_anchor_alone(world: World) -> None:
    heads = decide(world, 3)
    emptied(world)
    assert broken(world) is None
    assert broken(world, heads[1]) == "the end: 0 rows are left of the 2 that the anchor tells of"


def test_a_chain_whose_last_rows_were_taken_out_with_the_head_set_back_is_found(world: World) -> None:
    heads = decide(world, 3)
    with world.store.write() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.hash == heads[2].hash))
        connection.execute(update(t.audit_head).values(hash=heads[1].hash, rows=2))
    assert (broken(world), broken(world, heads[1])) == (None, None)
    assert broken(world, heads[2]) == "the end: 2 rows are left of the 3 that the anchor tells of"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(rows=st.integers(1, 6), changed=st.data())
def test_no_row_is_changed_without_its_showing(sqlite_world: World, rows: int, changed: st.DataObject) -> None:
    with sqlite_world.store.write() as connection:
        connection.execute(delete(t.audit))
        connection.execute(delete(t.audit_head))
    heads = decide(sqlite_world, rows)
    victim = changed.draw(st.integers(0, rows - 1))
    with sqlite_world.store.write() as connection:
        connection.execute(update(t.audit).where(t.audit.c.hash == heads[victim].hash).values(why="another"))
    assert str(broken(sqlite_world)).startswith("row ")


def test_of_one_reservation_only_its_own_rows_are_looked_at(world: World) -> None:
    world.hear(call())
    decide(world, 2)
    decide(world, 2, reservation=1)
    decide(world, 1)
    of_it = t.audit.select().where(t.audit.c.reservation_id == 1).order_by(t.audit.c.id)
    with world.store.write() as connection:
        assert audit.broken_among(connection, connection.execute(of_it).all()) is None
        connection.execute(update(t.audit).where(t.audit.c.id == 1).values(why="far away"))
        assert audit.broken_among(connection, connection.execute(of_it).all()) is None
        connection.execute(update(t.audit).where(t.audit.c.id == 4).values(who="mallory"))
        assert audit.broken_among(connection, connection.execute(of_it).all()) == "row 4"
        connection.execute(delete(t.audit).where(t.audit.c.id == 2))
        assert audit.broken_among(connection, connection.execute(of_it).all()) == "row 3"


@pytest.mark.parametrize("anchor", ["", "3", "3:abc", "x:" + "0" * 64, "3:" + "0" * 63, "-1:" + "0" * 64])
def test_an_anchor_that_is_none_is_told(anchor: str, tmp_path: Path) -> None:
    (tmp_path / "callback.toml").write_text("")
    with pytest.raises(CallbackError, match="write ROWS:HASH"):
        check(tmp_path / "callback.toml", anchor=[anchor])
