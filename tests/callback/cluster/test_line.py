"""Who is on the line, in the database: hashes alone, and only what changed is written."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select

from callback.cluster import line
from callback.store import tables as t
from tests.callback.world import World

ANNA, BO = "+819012345600", "+819012345601"


def kept(world: World) -> set[str]:
    with world.store.read() as connection:
        return set(connection.execute(select(t.on_the_line.c.number_key)).scalars())


def test_no_number_stands_there_and_each_site_has_hashes_of_its_own(world: World) -> None:
    with world.store.write() as connection:
        known = line.keep(connection, "main", [ANNA, BO], None)
    assert kept(world) == known
    assert len(known) == 2
    assert not any(number[1:] in key for number in (ANNA, BO) for key in known)


def test_only_what_changed_is_written(world: World) -> None:
    written: list[str] = []
    with world.store.write() as connection:
        known = line.keep(connection, "main", [ANNA], None)
    event.listen(world.store.engine, "before_cursor_execute", lambda *given: written.append(given[2]))
    with world.store.write() as connection:
        known = line.keep(connection, "main", [ANNA], known)
    assert not [one for one in written if "on_the_line" in one]
    with world.store.write() as connection:
        line.keep(connection, "main", [BO], known)
    assert [one.split()[0] for one in written if "on_the_line" in one] == ["DELETE", "INSERT"]


def test_it_is_bounded_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MOST", 1)
    with world.store.write() as connection:
        line.keep(connection, "main", [ANNA, BO], None)
        assert line.unseen(connection, "other") == {"main": "more than 1 numbers are on its line"}
    assert len(kept(world)) == 1


def test_a_picture_is_known_while_it_is_fresh(world: World) -> None:
    with world.store.write() as connection:
        assert line.seen_s_ago(connection, "main") is None
        assert not line.is_fresh(line.seen_s_ago(connection, "main"))
        line.keep(connection, "main", [], None)
        assert line.is_fresh(line.seen_s_ago(connection, "main"))
        connection.execute(t.line.update().values(seen_at=t.line.c.seen_at - 6_000_000))
        assert not line.is_fresh(line.seen_s_ago(connection, "main"))


def test_who_was_on_the_line_of_a_pbx_that_nobody_hears_is_forgotten_and_nobody_else(world: World) -> None:
    with world.store.write() as connection:
        line.keep(connection, "gone", [ANNA], None)
        line.keep(connection, "main", [BO], None)
        since = t.line.c.seen_at - line.LAST_SEEN_COUNTS - 1_000_000
        connection.execute(t.line.update().where(t.line.c.pbx == "gone").values(seen_at=since))
        line.forget(connection)
    assert [row.pbx for row in world.rows(t.on_the_line)] == ["main"]
