"""history: past calls and who was logged in, from imported logs

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KINDS = ("served", "abandoned", "blocked", "dropped", "silent", "requested", "callback", "unfinished", "unknown")


def upgrade() -> None:
    """Expand only."""
    listed = ", ".join(f"'{word}'" for word in KINDS)
    op.create_table(
        "past_call",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("queue", sa.String(length=128), nullable=False),
        sa.Column("caller", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60)),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=False),
        sa.Column("waited_us", sa.BigInteger(), nullable=False),
        sa.Column("talked_us", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.String(length=200)),
        sa.Column("talked_at", sa.BigInteger()),
        sa.CheckConstraint(f"kind IN ({listed})", name=op.f("ck_past_call_kind")),
        sa.PrimaryKeyConstraint("pbx", "call_id", name=op.f("pk_past_call")),
    )
    op.create_index(op.f("ix_past_call_over_at"), "past_call", ["over_at"])
    op.create_table(
        "past_stint",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("queue", sa.String(length=128), nullable=False),
        sa.Column("since_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "agent", "queue", "since_at", name=op.f("pk_past_stint")),
    )
