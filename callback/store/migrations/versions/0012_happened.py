"""the feed: what happened, a row for each event

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OF_A_RESERVATION = sa.text("reservation_id IS NOT NULL")


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "happened",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("reservation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("call_id", sa.String(length=160)),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_happened")),
    )
    op.create_index(
        "ix_happened_reservation",
        "happened",
        ["reservation_id", "id"],
        sqlite_where=OF_A_RESERVATION,
        postgresql_where=OF_A_RESERVATION,
    )
    op.create_index("ix_happened_stored_at", "happened", ["stored_at"])
