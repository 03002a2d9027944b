"""Bring a database to the schema of this version: one Alembic tree for the application's tables and the outbox's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from callback.errors import StoreError
from callback.store import marking
from callback.store.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_TREE = Path(__file__).with_name("migrations")
_LOCK = 7_228_301  # any number of ours: one migration at a time


def migrate(store: Store, to: str = "head") -> None:
    """Run what is missing, one process at a time; a database of a later version is refused."""
    _, scripts = _tree()
    with store.migration() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = revision_of(connection)
        if found is not None and found not in _revisions(scripts):
            raise StoreError(
                f"{store.where} was made by a later version of the service (schema {found}); install that version"
            )
        if found == scripts.get_current_head():
            return
        upgrade(connection, to)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the database to a revision, in a transaction that may rebuild tables."""
    from alembic import command  # noqa: PLC0415 - a quarter of a second that only those pay who migrate

    config, scripts = _tree()
    marking.remove(connection)
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    if revision_of(connection) == scripts.get_current_head():
        marking.make(connection)


def revisions() -> list[str]:
    """All revisions, the first one first."""
    return _revisions(_tree()[1])


def newest() -> str | None:
    """The revision that this version of the program needs."""
    return _tree()[1].get_current_head()


def revision_of(connection: Connection) -> str | None:
    """The revision of its schema that a database has; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _tree() -> tuple[Config, ScriptDirectory]:
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_TREE))
    return config, ScriptDirectory.from_config(config)


def _revisions(scripts: ScriptDirectory) -> list[str]:
    return sorted(script.revision for script in scripts.walk_revisions())
