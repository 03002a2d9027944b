"""The outbox: a text is a row, written in the transaction that made it necessary and sent at most once.

    waiting --claim--> sending --> sent                accepted by the gateway
       |  ^               |  ----> failed              refused for good, or unsent too many times
       |  |               |  ----> unknown             nobody can tell whether it was accepted
       |  +----unsent-----+
       +--> withdrawn                                  its cause went away
       +--> expired                                    too late to be of use

A row is claimed for a while (the lease), and the claim has a number (the fence) that every later write must
show. A lease that ran out makes a row unknown, never waiting: whoever held it may have sent it. Only a sender
who knows that his text was not accepted gives it back. So at most one text is accepted for a cause, whenever
a process dies; the price is that a text may be lost, and then the row says so. What the holder of the last
claim learns late still settles an unknown row as sent or failed, since that row is never claimed again.

Every function works in the caller's transaction and never commits; `now` is the database's clock in
microseconds UTC. On SQLite that transaction must have begun IMMEDIATE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    TextClause,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy import Text as LongText
from sqlalchemy import text as literal
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sms.gateway import Receipt

SECOND = 1_000_000  # µs
LEASE_S = 120.0  # longer than any gateway's time-out
BACKOFF_S = (30.0, 120.0, 600.0)  # after each unsent try; given up when they are used up

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Instant = BigInteger
# The indexes serve a query only if it says the same words, not a parameter.
_WAITING = literal("state = 'waiting'")
_SENDING = literal("state = 'sending'")

text_outbox = Table(
    "text_outbox",
    metadata,
    # SQLite numbers rows only in an INTEGER key
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("cause", String(200), nullable=False),  # the writer's own word for why; one text for each
    Column("recipient", String(64), nullable=False),  # opaque: whoever sends asks for the number
    Column("template", String(40), nullable=False),
    Column("language", String(35), nullable=False),
    Column("body", LongText, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created_at", _Instant, nullable=False),
    Column("not_before_at", _Instant, nullable=False),
    Column("expires_at", _Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("lease_until", _Instant),
    Column("fence", BigInteger, nullable=False),
    Column("gateway", String(40)),  # who was asked last; known before it is asked
    Column("gateway_ref", LongText),
    Column("reason", LongText),
    Column("sent_at", _Instant),
    Column("settled_at", _Instant),
    UniqueConstraint("cause"),
    CheckConstraint(
        "state IN ('waiting', 'sending', 'sent', 'failed', 'withdrawn', 'unknown', 'expired')", name="state"
    ),
    CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="lease"),
    CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
    CheckConstraint("(state IN ('waiting', 'sending')) = (settled_at IS NULL)", name="settled"),
    Index("ix_text_outbox_due", "not_before_at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_text_outbox_lease", "lease_until", sqlite_where=_SENDING, postgresql_where=_SENDING),
)
_columns = text_outbox.c


@dataclass(frozen=True, slots=True)
class Text:
    """A claimed text. Whoever holds it may send it until `lease_until`, and settles it with its `fence`."""

    id: int
    pbx: str
    cause: str
    recipient: str
    template: str
    language: str
    body: str
    tries: int
    fence: int
    lease_until: int


@dataclass(frozen=True, slots=True)
class Lapsed:
    """How many rows time alone has settled."""

    unknown: int
    expired: int


def put(
    conn: Connection,
    *,
    cause: str,
    pbx: str,
    recipient: str,
    template: str,
    language: str,
    body: str,
    not_before_at: int,
    expires_at: int,
    now: int,
) -> bool:
    """Write a text that waits to be sent; False if its cause has one already, whatever became of it."""
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = (
        insert(text_outbox)
        .values(
            cause=cause,
            pbx=pbx,
            recipient=recipient,
            template=template,
            language=language,
            body=body,
            state="waiting",
            created_at=now,
            not_before_at=not_before_at,
            expires_at=expires_at,
            tries=0,
            fence=0,
        )
        .on_conflict_do_nothing(index_elements=["cause"])
        .returning(_columns.id)
    )
    return conn.execute(statement).first() is not None


def withdraw(conn: Connection, cause: str, why: str, now: int) -> bool:
    """Take back a text that nobody has begun to send; False if there is none or it is too late."""
    statement = (
        update(text_outbox)
        .where(_columns.cause == cause, _WAITING)
        .values(state="withdrawn", reason=why, settled_at=now)
    )
    return conn.execute(statement).rowcount == 1


def hold_back(conn: Connection, recipients: Collection[str], not_before_at: int) -> int:
    """Let the waiting texts of these recipients wait until then at least; return how many were put off."""
    statement = (
        update(text_outbox)
        .where(_WAITING, _columns.recipient.in_(recipients), _columns.not_before_at < not_before_at)
        .values(not_before_at=not_before_at)
    )
    return conn.execute(statement).rowcount


def claim(conn: Connection, now: int, limit: int, lease_s: float, gateway: str, pbx: str | None = None) -> list[Text]:
    """Take up to `limit` due texts for sending, the longest due first; no other claim gets them.

    Texts that another transaction is claiming are passed over, not waited for. With `pbx`, only that PBX's.
    """
    whose = [] if pbx is None else [_columns.pbx == pbx]
    due = _locked([_WAITING, _columns.not_before_at <= now, _columns.expires_at > now, *whose], limit)
    statement = (
        update(text_outbox)
        .where(_columns.id.in_(due))
        .values(
            state="sending",
            tries=_columns.tries + 1,
            fence=_columns.fence + 1,
            lease_until=now + round(lease_s * SECOND),
            gateway=gateway,
        )
        .returning(_columns.not_before_at, *(_columns[name] for name in Text.__slots__))
    )
    rows = sorted(conn.execute(statement), key=lambda row: (row.not_before_at, row.id))
    return [Text(*row[1:]) for row in rows]


def settle_sent(conn: Connection, text: Text, receipt: Receipt, now: int) -> bool:
    """Record that the gateway accepted the text; False if the claim is not the last one."""
    return _settle(
        conn,
        text,
        ("sending", "unknown"),
        state="sent",
        sent_at=now,
        gateway_ref=receipt.gateway_ref,
        settled_at=now,
    )


def settle_refused(conn: Connection, text: Text, reason: str, now: int) -> bool:
    """Record that the text is never to be sent; False if the claim is not the last one."""
    return _settle(conn, text, ("sending", "unknown"), state="failed", reason=reason, settled_at=now)


def settle_unsent(conn: Connection, text: Text, reason: str, now: int, backoff_s: Sequence[float] = BACKOFF_S) -> bool:
    """Give back a text that was certainly not accepted, for later; after the last backoff it has failed.

    False if the lease has lapsed: the row stays unknown.
    """
    if text.tries > len(backoff_s):
        return _settle(conn, text, ("sending",), state="failed", reason=f"given up: {reason}", settled_at=now)
    again_at = now + round(backoff_s[text.tries - 1] * SECOND)
    return _settle(conn, text, ("sending",), state="waiting", reason=reason, not_before_at=again_at)


def settle_unknown(conn: Connection, text: Text, reason: str, now: int) -> bool:
    """Record that nobody can tell whether the text was accepted; False if the claim is not the last one."""
    return _settle(conn, text, ("sending",), state="unknown", reason=reason, settled_at=now)


def lapse(conn: Connection, now: int) -> Lapsed:
    """Settle what time has settled: a lease that ran out is unknown, a text past its time has expired."""
    unknown = _locked([_SENDING, _columns.lease_until <= now])
    expired = _locked([_WAITING, _columns.expires_at <= now])
    return Lapsed(
        unknown=_end(conn, unknown, now, "unknown", "the sender stopped before it could say what happened"),
        expired=_end(conn, expired, now, "expired", "could not be sent in time"),
    )


def _locked(conditions: Sequence[ColumnElement[bool] | TextClause], limit: int | None = None) -> Select[Any]:
    """Name the rows to change and lock them: those locked by others are passed over, so that nobody waits.

    SQLite has one writer and needs no lock. A common table expression, since PostgreSQL may run a subquery
    with a limit more than once.
    """
    rows = (
        select(_columns.id)
        .where(*conditions)
        .order_by(_columns.not_before_at, _columns.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("taken")
    )
    return select(rows.c.id)


def _settle(conn: Connection, text: Text, states: Sequence[str], **values: object) -> bool:
    statement = (
        update(text_outbox)
        .where(_columns.id == text.id, _columns.fence == text.fence, _columns.state.in_(states))
        .values(lease_until=None, **values)
    )
    return conn.execute(statement).rowcount == 1


def _end(conn: Connection, rows: Select[Any], now: int, state: str, reason: str) -> int:
    """Settle the rows and count them (sqlite3 counts no rows for a statement that begins with WITH)."""
    statement = (
        update(text_outbox)
        .where(_columns.id.in_(rows))
        .values(state=state, reason=reason, lease_until=None, settled_at=now)
        .returning(_columns.id)
    )
    return len(conn.execute(statement).all())
