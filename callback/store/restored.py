"""That a database was made of a backup, and that nobody compared yet what happened since: until then nobody is rung."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from callback.store import tables as t

_S = t.restored.c
_OPEN: Final = select(t.restored).where(_S.pbx == bindparam("of_pbx")).order_by(_S.id.desc()).limit(1)
_ONE: Final = update(t.restored).where(_S.id == bindparam("of_id"))


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore that is still to be compared; `boot` is the start-up stamp of the PBX by the backup."""

    id: int
    backup_at: int
    to_people: bool
    began_at: int | None
    boot: str


def pending(connection: Connection, pbx: str) -> Restored | None:
    """Give the restore of which that PBX's part is not compared yet; mostly None."""
    row = connection.execute(_OPEN, {"of_pbx": pbx}).first()
    if row is None or row.compared_at is not None:
        return None
    return Restored(row.id, row.backup_at, row.to_people, row.began_at, (row.facts or {}).get("boot", ""))


def begin(connection: Connection, pbx: str, boot: str, now: int) -> None:
    """The service listens again: what is lost from now on, nobody can have called back before."""
    one = pending(connection, pbx)
    if one is not None and one.began_at is None:
        connection.execute(_ONE, {"of_id": one.id, "began_at": now, "facts": {"boot": boot}})


def end(connection: Connection, one: Restored, now: int, facts: dict[str, Any]) -> None:
    """It was compared, and came to that."""
    connection.execute(_ONE, {"of_id": one.id, "compared_at": now, "facts": facts | {"boot": one.boot}})
