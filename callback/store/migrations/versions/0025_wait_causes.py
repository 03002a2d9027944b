"""why promises waited

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MISSABLE = sa.text("open OR state = 'expired' OR state_since_at > deadline_at OR promise_number > 1")


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "wait_cause",
        sa.Column("reservation_id", KEY, sa.ForeignKey("reservation.id"), primary_key=True, autoincrement=False),
        sa.Column("word", sa.String(32), primary_key=True),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "crew",
        sa.Column("pbx", sa.String(32), primary_key=True),
        sa.Column("queue", sa.String(128), primary_key=True),
        sa.Column("half_hour_at", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("agents", sa.JSON(), nullable=False),
    )
    op.create_index(
        "ix_reservation_missable",
        "reservation",
        ["pbx", "made_at", "id"],
        sqlite_where=MISSABLE,
        postgresql_where=MISSABLE,
    )
