"""Past calls in the database: an import writes them, as often as wanted; reports read them with those heard since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Any, Final

from sqlalchemy import Connection, Insert, Select, and_, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite

from callback.store import tables as t
from callback.store.engine import Store
from callback.store.keys import site_key
from telephony.queue_log.briefs import Brief
from telephony.queue_log.logins import Stint

_ROWS: Final = 2000
_P, _S, _C, _V, _Q = t.past_call.c, t.past_stint.c, t.call.c, t.verdict.c, t.queue_visit.c


class PastCallWriter:
    """Writes calls and stints, some thousand rows in a transaction. One that is there is updated, never doubled.

    Of a caller only a keyed hash is kept. A call that had not ended is left for the import that tells how it did.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._rows = store, list[dict[str, Any]]()
        with store.write() as connection:
            self._key = site_key(connection, "history")
            self._before = _count(connection)

    def add(self, call: Brief) -> None:
        """Keep a call."""
        if call.kind in {"unfinished", "callback"}:
            return
        row = call._asdict()
        row["caller"] = self._caller(row.pop("number"))
        row["waited_us"], row["talked_us"] = row.pop("waited"), row.pop("talked")
        self._rows.append(row)
        if len(self._rows) >= _ROWS:
            self._flush()

    def finish(self, stints: dict[str, list[Stint]]) -> int:
        """Keep what is left, and who was logged in; give how many calls are new."""
        self._flush()
        rows = [
            {"pbx": pbx, "agent": one.agent, "queue": one.queue, "since_at": one.since, "until_at": one.until}
            for pbx, several in stints.items()
            for one in several
        ]
        with self._store.write() as connection:
            for begin in range(0, len(rows), _ROWS):
                connection.execute(_upsert(connection, "past_stint"), rows[begin : begin + _ROWS])
            return _count(connection) - self._before

    def _flush(self) -> None:
        if self._rows:
            with self._store.write() as connection:
                connection.execute(_upsert(connection, "past_call"), self._rows)
            self._rows.clear()

    def _caller(self, number: str | None) -> int:
        if number is None:
            return 0
        digest = hashlib.blake2b(number.encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest) >> 1 or 1


def past_calls(connection: Connection, pbx: str | None = None, since: int = 0) -> Iterator[Brief]:
    """Give imported calls and those that the service heard, each once, in the order in which they ended.

    Only those of one PBX, if one is named, that began at `since` or later.
    """
    imported, heard = _imported().where(_P.began_at >= since), _heard().where(_C.started_at >= since)
    if pbx is not None:
        imported, heard = imported.where(_P.pbx == pbx), heard.where(_C.pbx == pbx)
    streams = [_stream(connection, query) for query in (imported, heard)]
    return merge(*streams, key=lambda call: call.over_at)


def calls_between(connection: Connection, pbx: str, since: int, until: int) -> Iterator[Brief]:
    """Give the calls of one PBX between two instants, by an index: heard ones that began then, imported that ended."""
    imported = _imported().where(_P.pbx == pbx, _P.over_at >= since, _P.over_at < until)
    heard = _heard().where(_C.pbx == pbx, _C.started_at >= since, _C.started_at < until)
    return merge(*(_stream(connection, query) for query in (imported, heard)), key=lambda call: call.over_at)


def stints(connection: Connection) -> Iterable[Stint]:
    """Give the times that agents were logged in, as the imported logs tell."""
    rows = connection.execute(select(_S.agent, _S.queue, _S.since_at, _S.until_at))
    return (Stint(*row) for row in rows)


def _stream(connection: Connection, query: Select[Any]) -> Iterator[Brief]:
    for row in connection.execution_options(yield_per=_ROWS).execute(query):
        pbx, call_id, caller, queue, *rest = row
        yield Brief(pbx, call_id, str(caller) if caller else None, queue or "", *rest)


def _imported() -> Select[Any]:
    heard = exists().where(and_(_V.pbx == _P.pbx, _V.call_id == _P.call_id))
    columns = (_P.pbx, _P.call_id, _P.caller, _P.queue, _P.kind, _P.reason, _P.began_at, _P.over_at)
    more = (_P.waited_us, _P.talked_us, _P.agent, _P.talked_at)
    return select(*columns, *more).where(~heard).order_by(_P.over_at)


def _heard() -> Select[Any]:
    """Select the calls that the service judged, by the latest verdict on each; a caller is known by the person."""
    # Asked for each call by its key: a table of all verdicts, or of all visits, grows with the years
    newer = t.verdict.alias()
    latest = select(func.max(newer.c.version)).where(newer.c.pbx == _C.pbx, newer.c.call_id == _C.call_id)
    talked = and_(_Q.pbx == _C.pbx, _Q.call_id == _C.call_id, _Q.connected_at.is_not(None))
    talked_at, agent = (select(func.max(c)).where(talked).correlate(t.call) for c in (_Q.connected_at, _Q.agent))
    over_at = func.coalesce(_C.ended_at, _C.started_at).label("over_at")
    columns = (_C.pbx, _C.call_id, -_C.person_id, _C.queue, _V.kind, _V.reason, _C.started_at, over_at)
    return (
        select(*columns, _V.waited_us, _V.talked_us, agent.scalar_subquery(), talked_at.scalar_subquery())
        .join(t.verdict, and_(_V.pbx == _C.pbx, _V.call_id == _C.call_id))
        .where(_V.version == latest.correlate(t.call).scalar_subquery())
        .order_by(over_at)
    )


def _upsert(connection: Connection, name: str) -> Insert:
    """Insert rows; of one that is there the telling that goes further stays, and of those that go as far the last."""
    table = t.metadata.tables[name]
    insert = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    further = "over_at" if name == "past_call" else "until_at"
    told = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_=told, where=insert.excluded[further] >= table.c[further]
    )


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(t.past_call)).scalar_one())
