"""Adds up for what each reservation waits, and keeps who was at work: a ledger of promises says both afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import MINUTE

HALF_HOUR = 30 * MINUTE
_C = t.crew.c
_CREWS = select(_C.queue, _C.agents).where(_C.pbx == bindparam("of_pbx"), _C.half_hour_at == bindparam("begun_at"))


def add(work: Work, words: Mapping[int, str], seconds: int) -> None:
    """Each of these reservations has waited so many seconds more for what its word says."""
    if not words:
        return
    insert = _insert(work.connection, "wait_cause")
    more = insert.on_conflict_do_update(
        index_elements=["reservation_id", "word"],
        set_={"seconds": t.wait_cause.c.seconds + insert.excluded.seconds},
    )
    rows = [
        {"reservation_id": reservation, "word": word, "seconds": seconds, "first_at": work.now}
        for reservation, word in sorted(words.items())  # in one order: two writers never wait for each other both ways
    ]
    work.connection.execute(more, rows)


def keep_crews(work: Work, crews: Mapping[str, frozenset[str]]) -> None:
    """These were seen at work in this half hour, beside those who were seen earlier in it."""
    begun_at = work.now // HALF_HOUR * HALF_HOUR
    asked = {"of_pbx": work.pbx, "begun_at": begun_at}
    known = {row.queue: frozenset(row.agents) for row in work.connection.execute(_CREWS, asked)}
    rows = [
        {"pbx": work.pbx, "queue": queue, "half_hour_at": begun_at, "agents": sorted(agents | known.get(queue, set()))}
        for queue, agents in sorted(crews.items())
        if not agents <= known.get(queue, frozenset())
    ]
    if rows:
        insert = _insert(work.connection, "crew")
        newer = {"agents": insert.excluded.agents}
        more = insert.on_conflict_do_update(index_elements=["pbx", "queue", "half_hour_at"], set_=newer)
        work.connection.execute(more, rows)


def _insert(connection: Connection, table: str) -> sqlite.Insert | postgresql.Insert:
    into = t.metadata.tables[table]
    return postgresql.insert(into) if connection.dialect.name == "postgresql" else sqlite.insert(into)
