"""How an installation stands: who holds the lease, how much it keeps on disk, and which versions run."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sqlalchemy import Connection, text

from callback.settings.sections import Settings
from callback.site.work import Work
from callback.store import lease, schema

_SIZE_OF_SERVER = text("SELECT pg_database_size(current_database())")
_PAGES, _PAGE = text("PRAGMA page_count"), text("PRAGMA page_size")


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands.

    The lease's holder is None where nobody ever had it; `journal_bytes` where this machine does not have its folder.
    """

    holder: str | None
    host: str
    fence: int
    lease_until_at: int
    database: str  # the kind of database
    database_bytes: int
    schema: str
    journal_bytes: int | None
    journal_most_bytes: int
    version: str
    python: str


def look(work: Work, settings: Settings) -> Standing:
    """Look at the database, and at the journal's folder."""
    row = lease.holder(work.connection, f"pbx:{work.pbx}")
    return Standing(
        row.owner if row else None,
        row.host if row else "",
        row.fence if row else 0,
        row.until_at if row else 0,
        work.connection.dialect.name,
        bytes_of(work.connection),
        schema.revision_of(work.connection) or "",
        _bytes_below(settings.pbx.journal / work.pbx),
        settings.pbx.journal_max_mb * 1_000_000,
        metadata.version("lost-call-recovery"),
        platform.python_version(),
    )


def bytes_of(connection: Connection) -> int:
    """What a database takes on its disk."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(_SIZE_OF_SERVER).scalar_one())
    return int(connection.execute(_PAGES).scalar_one()) * int(connection.execute(_PAGE).scalar_one())


def _bytes_below(folder: Path) -> int | None:
    try:
        return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    except OSError:
        return None
