"""A database of every earlier revision, with a row in each of its tables, comes to the newest one and loses nothing."""

from __future__ import annotations

from typing import Any, Final

import pytest
from sqlalchemy import JSON, Boolean, Column, Connection, Float, Integer, MetaData, Table, insert, inspect, select

from callback.store import schema
from callback.store.engine import Store
from scheduler.clock import HOUR

REVISIONS: Final = schema.revisions()
NOW: Final = 1_795_402_800_000_000
WORDS: Final[dict[str, dict[str, Any]]] = {
    "*": {"pbx": "main", "queue": "support", "queue_group": "support", "kind": "abandoned", "rules_version": 1},
    "person": {"number": "+819012345678"},
    "shift_rules": {"version": 1},
    "verdict": {"source": "live-complete", "reason": "gave-up", "side": None, "version": 1},
    "queue_visit": {"end": "abandoned"},
    "reservation": {"state": "waiting", "open": True, "deadline_at": NOW + HOUR, "incident_id": None, "severity": 0},
    "promise": {"number": 1, "reason": "window", "deadline_at": NOW + HOUR},
    "attempt": {"in_flight": False, "outcome": "no-answer", "number": 1},
    "incident": {"state": "over", "open": False},
    "text_outbox": {"state": "sent", "lease_until": None, "delivery": "delivered"},
    "answer": {"state": "open", "score": None},
    "live_view": {"body": {}},
    "wrap_up": {"outcome": "solved", "cause": ""},
    "pause": {"what": "call"},
    "webhook_endpoint": {"disabled": ""},
    "webhook_delivery": {"state": "waiting"},
    "node": {"role": "pbx"},
    "survey": {"kind": "call"},
    "care_case": {"kind": "complaint", "state": "registered", "open": True, "repeat_of": None, "callback": ""},
    "care_letter": {"state": "waiting"},
    "care_note": {"kind": "meek"},
    "contact_flag": {"state": "waiting"},
    "campaign": {"state": "draft"},
    "campaign_person": {"state": "waiting"},
    "campaign_check": {"line": "speed"},
    "campaign_asked": {"state": "waiting"},
    "rollup_mark": {"id": 1000},  # beside what the rows of other tables have marked
}


def value(table: Table, column: Column[Any]) -> Any:
    """Something that the column takes; instants are about one time."""
    words = WORDS["*"] | WORDS.get(table.name, {})
    if column.name in words:
        return words[column.name]
    if column.name.endswith("_at"):
        return NOW
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, JSON):
        return {}
    return 1 if isinstance(column.type, (Integer, Float)) else "x"


def fill(connection: Connection) -> dict[str, dict[str, Any]]:
    """A row in each table of the schema as it is."""
    found, rows = MetaData(), {}
    found.reflect(connection)
    for table in found.sorted_tables:
        if table.name != "alembic_version":
            rows[table.name] = {column.name: value(table, column) for column in table.columns}
            connection.execute(insert(table).values(**rows[table.name]))
    return rows


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_row_of_each_table_is_still_there_at_the_newest_revision(database_url: str, revision: str) -> None:
    store = Store(database_url)
    schema.migrate(store, revision)
    with store.write() as connection:
        rows = fill(connection)
    schema.migrate(store)
    with store.read() as connection:
        assert schema.revision_of(connection) == schema.newest()
        tables = set(inspect(connection).get_table_names())
        assert rows.keys() <= tables
        for name, row in rows.items():
            table = Table(name, MetaData(), autoload_with=connection)
            kept = [one._mapping for one in connection.execute(select(table))]  # noqa: SLF001
            assert any(row.items() <= dict(one).items() for one in kept), name
    store.close()


def test_every_revision_is_tried() -> None:
    assert REVISIONS[0] == "0001"
    assert REVISIONS[-1] == schema.newest()
