"""The service's own books, read once at the end, and looked at while a fault lasts."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Final, Self

import psycopg
from sqlalchemy import func, select

from callback.store import schema
from callback.store import tables as t
from callback.store.engine import Store
from lab.faults.records import Booked, Books, Tried
from lab.postgres import Server
from sms.tables import text_outbox

DATABASE: Final = "faults"
_LOOK_S: Final = 0.25
_HOLDER: Final = (
    "SELECT owner FROM lease WHERE name = %s AND until_at > extract(epoch FROM clock_timestamp()) * 1000000"
)
_JUDGED: Final = (
    "SELECT 1 FROM call c JOIN verdict v ON v.pbx = c.pbx AND v.call_id = c.call_id WHERE c.ended_at > %s LIMIT 1"
)
_SEEN: Final = "SELECT name FROM node WHERE seen_at > (extract(epoch FROM clock_timestamp()) - 8) * 1000000"
_CLAIMED: Final = "SELECT a.id, p.number, a.in_flight FROM attempt a JOIN person p ON p.id = a.person_id"


def open_books(server: Server) -> None:
    """Make the database, once for all nodes: they would wait for each other."""
    store = Store(server.create(DATABASE))
    try:
        schema.migrate(store)
    finally:
        store.close()


def read(server: Server) -> Books:
    """All that was written down."""
    store = Store(server.url(DATABASE))
    try:
        with store.read() as connection:
            newest = (
                select(t.verdict.c.pbx, t.verdict.c.call_id, func.max(t.verdict.c.version).label("version"))
                .group_by(t.verdict.c.pbx, t.verdict.c.call_id)
                .subquery()
            )
            of_call = (t.call.c.pbx == newest.c.pbx) & (t.call.c.call_id == newest.c.call_id)
            of_verdict = (
                (t.verdict.c.pbx == newest.c.pbx)
                & (t.verdict.c.call_id == newest.c.call_id)
                & (t.verdict.c.version == newest.c.version)
            )
            of_loss = (t.loss.c.pbx == t.call.c.pbx) & (t.loss.c.call_id == t.call.c.call_id)
            owed = t.person.alias("owed")  # the reservation's customer, should the call itself have lost the number
            calls = connection.execute(
                select(
                    func.coalesce(owed.c.number, t.person.c.number),
                    t.call.c.call_id,
                    t.call.c.started_at,
                    t.verdict.c.kind,
                    t.call.c.recovery,
                    t.loss.c.reservation_id,
                    t.reservation.c.state,
                )
                .select_from(t.call)
                .join(newest, of_call)
                .join(t.verdict, of_verdict)
                .outerjoin(t.person, t.person.c.id == t.call.c.person_id)
                .outerjoin(t.loss, of_loss)
                .outerjoin(t.reservation, t.reservation.c.id == t.loss.c.reservation_id)
                .outerjoin(owed, owed.c.id == t.reservation.c.person_id)
                .where(func.coalesce(owed.c.number, t.person.c.number).is_not(None))
            ).all()
            attempts = connection.execute(
                select(t.person.c.number, t.attempt.c.claimed_at, t.attempt.c.ring_until_at).join(t.person)
            ).all()
            texts = connection.execute(select(text_outbox.c.id, text_outbox.c.template)).all()
            gap = t.listening_gap.c
            gaps = connection.execute(select(gap.since_at, gap.until_at)).all()
    finally:
        store.close()
    return Books(
        tuple(Booked(*row[:6], state=row.state or "") for row in calls),
        tuple(Tried(*row) for row in attempts),
        {str(row.id): row.template for row in texts},
        tuple((row.since_at, row.until_at) for row in gaps),
    )


class Watch:
    """Looks into the database in a thread of its own, which may stand still while that does."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._over = threading.Event()
        self._since: int | None = None
        self._thread = threading.Thread(target=self._look, name="lab-watch", daemon=True)
        self.first_verdict: float | None = None
        self.claims: dict[str, tuple[str, float]] = {}  # by attempt: whose phone, and when it was seen first
        self.in_flight = 0
        self.holders: dict[str, str] = {}
        self.present: set[str] = set()  # the nodes that gave a sign of life a moment ago

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)

    def since(self, struck_at: int) -> None:
        """Look for the first verdict on a call that ended after this instant."""
        self.first_verdict, self._since = None, struck_at

    def _look(self) -> None:
        while not self._over.wait(_LOOK_S):
            with (
                suppress(psycopg.Error),
                psycopg.connect(
                    f"host={self._server.folder} user=postgres dbname={DATABASE} connect_timeout=5", autocommit=True
                ) as connection,
            ):
                while not self._over.wait(_LOOK_S):
                    self._once(connection)

    def _once(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.holders = {name: _one(connection, _HOLDER, name) for name in ("pbx:lab", "text:lab")}
        self.present = {str(row[0]) for row in connection.execute(_SEEN).fetchall()}
        attempts = connection.execute(_CLAIMED).fetchall()
        self.in_flight = sum(bool(row[2]) for row in attempts)
        fresh = {str(row[0]): (str(row[1]), time.time()) for row in attempts if row[0] not in self.claims}
        self.claims = self.claims | fresh
        if self._since is not None and self.first_verdict is None and _one(connection, _JUDGED, self._since):
            self.first_verdict = time.time()


def _one(connection: psycopg.Connection[tuple[object, ...]], statement: str, *values: object) -> str:
    row = connection.execute(statement.encode(), values).fetchone()
    return "" if row is None else str(row[0])
