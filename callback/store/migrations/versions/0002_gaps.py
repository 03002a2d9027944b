"""times in which nobody listened

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only: a table is added."""
    op.create_table(
        "listening_gap",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("since_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("why_not", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "since_at", name=op.f("pk_listening_gap")),
    )
