"""What a scrape asks of SQL is answered by indexes: no table that grows with the years is read through."""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy

from callback.operations.metrics import counting, site
from tests.callback.world import NOON, World, call

GROW: Final = "call|verdict|queue_visit|loss|promise|reservation|attempt|happened|text_outbox|audit|person|answer"

OF_PBX: Final = rf"^SEARCH ({GROW}) USING INDEX (?!\w*(left|open|assigned|list|lane|answer_open))"
"""By an index of all rows of a PBX, which is as good as all."""


def asked(world: World) -> list[tuple[str, Any]]:
    """Every statement of a look, with its parameters, as the driver gets them."""
    found: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        found.append((statement, parameters))

    sqlalchemy.event.listen(world.store.engine, "before_cursor_execute", note)
    with world.store.write() as connection:
        assert list(site.look(world.work(connection, NOON)))
        counting.count(connection, NOON)
    sqlalchemy.event.remove(world.store.engine, "before_cursor_execute", note)
    return [(words, given) for words, given in found if words.lstrip().startswith("SELECT")]


def test_no_table_that_grows_is_read_through(world: World) -> None:
    world.hear(call())
    statements = asked(world)
    assert len(statements) > 10
    with world.store.read() as connection:
        explain, read_through = "EXPLAIN QUERY PLAN", rf"^SCAN ({GROW})(?! USING)"
        if world.store.dialect == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # only where there is no other way
            explain, read_through = "EXPLAIN", rf"Seq Scan on ({GROW})\b"
        for words, given in statements:
            plan = [str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {words}", given)]
            assert [line for line in plan if re.search(read_through, line)] == [], words
            assert [line for line in plan if line.endswith("(pbx=?)") and re.search(OF_PBX, line)] == [], words
