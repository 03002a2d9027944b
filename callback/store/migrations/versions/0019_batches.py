"""what people decided at once, how each reservation was before, and what waits until that cannot be undone any more

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PENDING = sa.text("pending_until_at IS NOT NULL")


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "batch",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("why", sa.String(400), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("undo_until_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.BigInteger()),
        sa.Column("undone_by", sa.String(100)),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_index("ix_batch_at", "batch", ["at"])
    op.create_table(
        "batch_item",
        sa.Column("batch_id", KEY, nullable=False),
        sa.Column("reservation_id", KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("closes_as", sa.String(20)),
        sa.Column("pending_until_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("batch_id", "reservation_id", name=op.f("pk_batch_item")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_item_batch_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_batch_item_reservation_id")),
    )
    op.create_index(
        "uq_batch_item_pending",
        "batch_item",
        ["reservation_id"],
        unique=True,
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
