"""The schema: the migrations make exactly the tables that the code knows, on both databases."""

from __future__ import annotations

from typing import Any, cast

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.exc import IntegrityError

from callback.errors import StoreError
from callback.store import schema
from callback.store.engine import Store
from callback.store.tables import metadata, person
from scheduler.promise import Facts, not_before
from sms.outbox import metadata as sms_metadata
from tests.callback.world import World


def test_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store)
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, cast("MetaData", [metadata, sms_metadata])) == []
        assert schema.revision_of(connection) == schema.newest()
    store.close()


def test_migrations_make_the_checks_and_conditions_that_the_code_knows(database_url: str) -> None:
    """Alembic compares neither: a CHECK, or the condition of a partial index, would be missed in silence."""
    store = Store(database_url)
    schema.migrate(store)
    migrated = _checks_and_conditions(store)
    store.close()
    made = Store(database_url)
    with made.write() as connection:
        for known in (metadata, sms_metadata):
            known.drop_all(connection)
            known.create_all(connection)
    assert migrated == _checks_and_conditions(made)
    assert {"ck_reservation_state", "ck_attempt_outcome"} <= set(migrated)
    assert migrated["uq_reservation_open"] == "['pbx', 'queue', 'person_id', 'apart'] where open"
    made.close()


def _checks_and_conditions(store: Store) -> dict[str, str]:
    with store.read() as connection:
        found, tables = inspect(connection), [*metadata.tables, *sms_metadata.tables]
        checks = {str(c["name"]): str(c["sqltext"]) for table in tables for c in found.get_check_constraints(table)}
        indexes = {str(index["name"]): index for table in tables for index in found.get_indexes(table)}
    return checks | {name: f"{index['column_names']} where {_where(index)}" for name, index in indexes.items()}


def _where(index: Any) -> str:
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where")))


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store)
    schema.migrate(store)
    store.close()


def test_a_database_of_a_later_version_is_refused(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="later version"):
        schema.migrate(store)
    store.close()


def test_what_an_older_version_kept_is_kept(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store, "0001")
    with store.write() as connection:
        connection.execute(text("INSERT INTO person (id, number, created_at) VALUES (1, '+819012345678', 1)"))
        connection.execute(
            text(
                "INSERT INTO reservation (id, pbx, queue, queue_group, person_id, apart, trunk, kind, state, open,"
                " made_at, last_lost_at, losses, tries, clock_starts_at, aim_at, deadline_at, due_at, state_since_at)"
                " VALUES (1, 'main', 'support', 'site', 1, '', 'main', 'abandoned', 'waiting', true,"
                " 1, 1, 1, 0, 1, 2, 3, 1, 1)"
            )
        )
        connection.execute(
            text("INSERT INTO loss (pbx, call_id, reservation_id, lost_at) VALUES ('main', '1.1', 1, 1)")
        )
    schema.migrate(store)
    with store.read() as connection:
        kept = connection.execute(text("SELECT state, severity, losses FROM reservation")).one()
        losses = connection.execute(text("SELECT count(*) FROM loss WHERE reservation_id = 1")).scalar_one()
    assert (tuple(kept), losses) == (("waiting", 0, 1), 1)
    store.close()


def test_an_error_does_not_tell_what_it_was_about(world: World) -> None:
    """It is logged, and what it is about may be a number or somebody's words."""
    with pytest.raises(IntegrityError) as told, world.store.write() as connection:
        connection.execute(person.insert().values(number="+819012345678", created_at=None))
    assert "9012345678" not in str(told.value).split("DETAIL")[0]


# Revision 0013: when a reservation may be called, each reason by itself

CLOCK, DUE, MADE = 100, 900, 100
WAITED_FOR: dict[str, tuple[dict[str, Any], dict[str, int], dict[str, int]]] = {
    "nothing": ({"due_at": CLOCK + 2, "made_at": CLOCK + 2}, {}, {}),
    "a person put it off": ({}, {"postponed_to": DUE}, {"put_off_until_at": DUE}),
    "put off, and then an outcome": ({}, {"postponed_to": 500, "tried_at": 600}, {"retry_at": DUE}),
    "an outcome": ({}, {"tried_at": 600}, {"retry_at": DUE}),
    "the customer's hours": ({}, {}, {"quiet_until_at": DUE}),
    "a chosen time": ({"slot_at": DUE, "clock_starts_at": DUE}, {}, {"slot_at": DUE}),
    "a chosen time that was tried": ({"slot_at": 500}, {"tried_at": 600}, {"retry_at": DUE}),
    "a chosen time that a person tried sooner": (
        {"slot_at": DUE},
        {"tried_at": 600},
        {"slot_at": DUE, "retry_at": DUE},
    ),
    "the next opening": ({"due_at": 50, "clock_starts_at": 800}, {}, {}),
    "nobody: it is closed": ({"state": "reached", "open": False, "slot_at": 500}, {"tried_at": 600}, {"slot_at": 500}),
}


@pytest.mark.parametrize("case", WAITED_FOR)
def test_why_nobody_called_yet_is_carried_over(database_url: str, case: str) -> None:
    stood, happened, facts = WAITED_FOR[case]
    store = Store(database_url)
    schema.migrate(store, "0012")
    with store.write() as connection:
        _insert_reservation(connection, stood)
        if "postponed_to" in happened:
            said = {"due_at": happened["postponed_to"], "deadline_at": 300}
            row = {"at": 400, "pbx": "main", "who": "anna", "action": "postpone", "reservation_id": 1, "why": "so"}
            _insert(connection, "audit", row | {"facts": said, "previous": "0", "hash": "1"})
        if "tried_at" in happened:
            times = {"claimed_at": happened["tried_at"], "ring_until_at": 650, "ended_at": 650}
            row = {"id": "a", "pbx": "main", "reservation_id": 1, "person_id": 1, "number": 1, "in_flight": False}
            rest = {"fence": 1, "rules_version": 1, "pbx_boot": "b", "decision": {}, "trunk": "main", "outcome": "busy"}
            _insert(connection, "attempt", row | times | rest | {"counted": True})
    schema.migrate(store)
    (row,) = _rows(store, "reservation")
    kept = {name: getattr(row, name) for name in ("slot_at", "put_off_until_at", "retry_at", "quiet_until_at")}
    assert {name: at for name, at in kept.items() if at is not None} == facts
    waits = (row.put_off_until_at, row.retry_at, row.quiet_until_at)
    assert row.not_before_at == (CLOCK if case == "nothing" else max(row.due_at, row.clock_starts_at))
    if row.open:
        assert row.not_before_at == not_before(Facts(row.clock_starts_at, *waits))
    store.close()


@pytest.mark.parametrize("text_at", [250, None])
def test_a_told_apology_becomes_a_promise_and_the_one_in_force_is_numbered(
    database_url: str, text_at: int | None
) -> None:
    """When it was told its text says; where none was written, it was not before the promise had passed."""
    store = Store(database_url)
    schema.migrate(store, "0012")
    with store.write() as connection:
        _insert_reservation(connection, {"overdue_by_at": 700, "deadline_at": 200, "due_at": CLOCK})
        later = {"made_at": 150, "clock_starts_at": 100, "aim_at": 120, "deadline_at": 200, "reason": "window"}
        whose = {"reservation_id": 1, "number": 2, "pbx": "main", "rules_version": 1}
        _insert(connection, "promise", whose | later)
        if text_at is not None:
            words = {"cause": "overdue/1/700", "pbx": "main", "recipient": "reservation/1", "template": "overdue"}
            times = {"created_at": text_at, "not_before_at": text_at, "expires_at": 700}
            rest = {"language": "en", "body": "sorry", "state": "waiting", "tries": 0, "fence": 0}
            _insert(connection, "text_outbox", words | times | rest)
    schema.migrate(store)
    (row,) = _rows(store, "reservation")
    promises = [(one.number, one.reason, one.made_at, one.deadline_at) for one in _rows(store, "promise")]
    assert row.promise_number == 2
    assert sorted(promises)[1:] == [(2, "window", 150, 200), (3, "apology", text_at or 200, 700)]
    store.close()


def _insert_reservation(connection: Connection, stood: dict[str, Any]) -> None:
    _insert(
        connection,
        "shift_rules",
        {"version": 1, "pbx": "main", "body": {}, "digest": "d", "effective_from_at": 1, "source": "file"},
    )
    _insert(connection, "person", {"id": 1, "number": "+819012345678", "created_at": 1, "shared": False})
    words = {"pbx": "main", "queue": "support", "queue_group": "site", "apart": "", "trunk": "main"}
    made = {"kind": "abandoned", "state": "waiting", "open": True, "losses": 1, "tries": 0, "severity": 0}
    times = {"made_at": MADE, "last_lost_at": MADE, "clock_starts_at": CLOCK, "aim_at": 200, "deadline_at": 300}
    row = {"id": 1, "person_id": 1, "due_at": DUE, "state_since_at": MADE} | words | made | times | stood
    _insert(connection, "reservation", row)
    promise = {name: row[name] for name in ("pbx", "made_at", "clock_starts_at", "aim_at", "deadline_at")}
    _insert(connection, "promise", promise | {"reservation_id": 1, "number": 1, "reason": "window", "rules_version": 1})


def _insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """Into a table as it was at that revision."""
    as_it_was = Table(table, MetaData(), autoload_with=connection)
    connection.execute(as_it_was.insert().values(**{name: row[name] for name in row if name in as_it_was.c}))


def _rows(store: Store, table: str) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(metadata.tables[table].select()))
