"""when a reservation may be called: each reason in a column of its own, what follows from them, and told apologies

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

RESERVATION = sa.table(
    "reservation",
    *(
        sa.column(name, sa.BigInteger())
        for name in (
            "id", "made_at", "last_lost_at", "clock_starts_at", "due_at", "deadline_at", "slot_at", "overdue_by_at",
            "promise_number", "put_off_until_at", "retry_at", "quiet_until_at", "not_before_at",
        )
    ),
    sa.column("open", sa.Boolean()),
)  # fmt: skip
ATTEMPT = sa.table(
    "attempt",
    *(sa.column(name, sa.BigInteger()) for name in ("reservation_id", "claimed_at", "ended_at")),
    sa.column("counted", sa.Boolean()),
)
AUDIT = sa.table(
    "audit",
    sa.column("reservation_id", sa.BigInteger()),
    sa.column("action", sa.String()),
    sa.column("facts", sa.JSON()),
)


def upgrade() -> None:
    """Expand only. `due_at` stays, and is kept alike, for a process of an older version."""
    for name in ("put_off_until_at", "retry_at", "quiet_until_at"):
        op.add_column("reservation", sa.Column(name, sa.BigInteger()))
    op.add_column("reservation", sa.Column("promise_number", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "reservation", sa.Column("not_before_at", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    _number_promises()
    _write_down_apologies()
    _forget_slots_that_were_tried()
    _say_why_nobody_calls_yet()


def _number_promises() -> None:
    """The one in force is the newest: nobody has written an apology down yet."""
    op.execute(
        "UPDATE reservation SET promise_number ="
        " coalesce((SELECT max(number) FROM promise WHERE promise.reservation_id = reservation.id), 0)"
    )


def _write_down_apologies() -> None:
    """Those that hold. They were made when their text was written; without one, at the earliest when they were due."""
    op.execute(
        "INSERT INTO promise"
        " (reservation_id, number, pbx, made_at, clock_starts_at, aim_at, deadline_at, reason, rules_version)"
        " SELECT id, number + 1, pbx, made_at, made_at, by_at, by_at, 'apology', rules_version FROM ("
        "  SELECT reservation.id AS id, promise.number AS number, reservation.pbx AS pbx,"
        "   reservation.overdue_by_at AS by_at, promise.rules_version AS rules_version,"
        "   coalesce((SELECT min(created_at) FROM text_outbox"
        "    WHERE cause = 'overdue/' || reservation.id || '/' || reservation.overdue_by_at),"
        "    reservation.deadline_at) AS made_at"
        "  FROM reservation JOIN promise"
        "   ON promise.reservation_id = reservation.id AND promise.number = reservation.promise_number"
        "  WHERE reservation.overdue_by_at IS NOT NULL) AS told"
    )


def _forget_slots_that_were_tried() -> None:
    r, a = RESERVATION.c, ATTEMPT.c
    tried = sa.select(a.claimed_at).where(a.reservation_id == r.id, a.counted.is_(True), a.claimed_at >= r.slot_at)
    op.execute(sa.update(RESERVATION).where(r.open, tried.exists()).values(slot_at=None))


def _say_why_nobody_calls_yet() -> None:
    """What `due_at` said stands. Which reason it was is told by the decisions and attempts of those who are open."""
    r, a, u = RESERVATION.c, ATTEMPT.c, AUDIT.c
    held_back = sa.and_(r.due_at > r.clock_starts_at, r.due_at > r.made_at)  # else it is when the loss was heard of
    op.execute(sa.update(RESERVATION).values(not_before_at=sa.case((held_back, r.due_at), else_=r.clock_starts_at)))
    connection = op.get_bind()
    waits = sa.and_(r.open, held_back)
    put_off = sa.select(u.reservation_id, u.facts).where(
        u.action == "postpone", u.reservation_id.in_(sa.select(r.id).where(waits))
    )
    by_people = {(row.reservation_id, row.facts.get("due_at")) for row in connection.execute(put_off)}
    ended = sa.select(a.claimed_at).where(a.reservation_id == r.id, a.ended_at.is_not(None)).exists()
    for row in connection.execute(sa.select(r.id, r.due_at, ended.label("tried")).where(waits)).all():
        reason = (
            "put_off_until_at" if (row.id, row.due_at) in by_people else "retry_at" if row.tried else "quiet_until_at"
        )
        connection.execute(sa.update(RESERVATION).where(r.id == row.id).values({reason: row.due_at}))
