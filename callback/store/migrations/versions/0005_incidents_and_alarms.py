"""incidents and alarms: what holds many reservations at once, what was told of promises in danger, broken promises

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "state IN ('holding', 'draining', 'released', 'dropped', 'over')"
HELD = sa.text("open AND incident_id IS NOT NULL")
EXPIRED = sa.text("state = 'expired'")
OPEN = sa.text("open")
TELLING = sa.text(
    "outcome IN ('trunk-failure', 'reached', 'busy', 'no-answer', 'declined', 'invalid-number', 'machine', 'customer-left')"
)


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "incident",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_lost_at", sa.BigInteger(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("let_go", sa.Integer(), nullable=False),
        sa.Column("let_go_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.CheckConstraint(STATES, name=op.f("ck_incident_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index(
        "uq_incident_open", "incident", ["pbx", "cause"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "alarm",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("queue_group", sa.String(length=64), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "queue_group", name=op.f("pk_alarm")),
    )
    with op.batch_alter_table("reservation") as table:
        table.add_column(sa.Column("incident_id", KEY))
        table.add_column(sa.Column("overdue_by_at", sa.BigInteger()))
        table.create_foreign_key(op.f("fk_reservation_incident_id"), "incident", ["incident_id"], ["id"])
    with op.batch_alter_table("loss") as table:
        table.add_column(sa.Column("cause", sa.String(length=255), server_default=sa.text("''"), nullable=False))
        table.add_column(sa.Column("incident_id", KEY))
        table.create_foreign_key(op.f("fk_loss_incident_id"), "incident", ["incident_id"], ["id"])
    op.add_column("attempt", sa.Column("trunk", sa.String(length=64), server_default=sa.text("''"), nullable=False))
    op.create_index("ix_loss_cause", "loss", ["pbx", "cause", "lost_at"])
    op.create_index(
        "ix_reservation_incident",
        "reservation",
        ["incident_id", "deadline_at"],
        sqlite_where=HELD,
        postgresql_where=HELD,
    )
    op.create_index(
        "ix_reservation_left", "reservation", ["pbx", "state_since_at"], sqlite_where=EXPIRED, postgresql_where=EXPIRED
    )
    op.create_index(
        "ix_attempt_trunk", "attempt", ["pbx", "trunk", "claimed_at"], sqlite_where=TELLING, postgresql_where=TELLING
    )
