"""advice: who was to help where on the day, and what came of it

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "advice",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("queue", sa.String(length=128), nullable=False),
        sa.Column("from_queue", sa.String(length=128), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("agents", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=400), nullable=False),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.Column("came_of", sa.JSON()),
        sa.PrimaryKeyConstraint("pbx", "begins_at", "queue", "from_queue", name=op.f("pk_advice")),
    )
