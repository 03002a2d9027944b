"""An old node works on while a new one has brought the schema forward: its rows, with its columns alone, are taken."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, insert, update

from callback.store import schema
from callback.store.engine import Store
from tests.callback.store.test_schema_upgrades import REVISIONS, value

VERSIONS = Path(schema.__file__).parent / "migrations" / "versions"
SINCE = "0016"
REMOVES = {"drop_column", "drop_table", "rename_table"}
OF_SQL = ("DROP TABLE", "DROP COLUMN", "RENAME")


def later() -> list[Path]:
    """The migrations to which this holds."""
    return [path for path in sorted(VERSIONS.glob("*.py")) if path.name[:4] >= SINCE]


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a method that a migration's `upgrade` and its helpers make, by its name."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


def keywords(call: ast.Call) -> dict[str, object]:
    return {word.arg or "": ast.unparse(word.value) for word in call.keywords}


@pytest.mark.parametrize("path", later(), ids=lambda path: path.stem)
def test_a_migration_removes_renames_and_tightens_nothing(path: Path) -> None:
    for name, call in calls(path):
        told = f"{path.name}:{call.lineno}"
        assert name not in REMOVES, told
        if name == "alter_column":
            assert not {"new_column_name", "type_"} & keywords(call).keys(), told
            assert keywords(call).get("nullable") != "False", told
        if name == "add_column":
            column = next(one for one in call.args if isinstance(one, ast.Call))
            words = keywords(column)
            assert words.get("nullable") != "False" or "server_default" in words, told
        if name == "execute":
            said = ast.unparse(call).upper()
            assert not any(word in said for word in OF_SQL), told


def test_rows_of_every_earlier_version_are_taken_by_the_newest_schema(database_url: str) -> None:
    """What it inserts and what it updates: all columns that its tables had, and none that came later."""
    store = Store(database_url)
    known: dict[str, MetaData] = {}
    every = REVISIONS[REVISIONS.index(SINCE) :]
    for revision in every if database_url.startswith("sqlite") else (every[0], every[len(every) // 2], every[-1]):
        schema.migrate(store, revision)
        known[revision] = MetaData()
        with store.migration() as connection:
            known[revision].reflect(connection)
    for revision, as_it_was in known.items():
        with store.read() as connection:  # undone: each version writes into an empty database
            assert _written(connection, as_it_was) > 20, revision
    store.close()


def _written(connection: Connection, as_it_was: MetaData) -> int:
    tables = [table for table in as_it_was.sorted_tables if table.name != "alembic_version"]
    for table in tables:
        row = {column.name: value(table, column) for column in table.columns}
        connection.execute(insert(table).values(**row))
        changed = {name: told for name, told in row.items() if name not in table.primary_key.columns}
        if changed:
            assert connection.execute(update(table).values(**changed)).rowcount >= 1, table.name
    return len(tables)
