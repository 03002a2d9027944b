"""rules that people publish, as versions with who and why; pauses

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only; a version that is there already was written when it came into force, by no person."""
    op.add_column("shift_rules", sa.Column("made_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("shift_rules", sa.Column("who", sa.String(100), nullable=False, server_default=""))
    op.add_column("shift_rules", sa.Column("why", sa.String(400), nullable=False, server_default=""))
    op.add_column("shift_rules", sa.Column("based_on", sa.Integer()))
    op.add_column("shift_rules", sa.Column("withdrawn_at", sa.BigInteger()))
    op.execute("UPDATE shift_rules SET made_at = effective_from_at")
    op.create_index("ix_shift_rules_effective", "shift_rules", ["pbx", "effective_from_at", "version"])
    op.create_table(
        "rules_file",
        sa.Column("pbx", sa.String(32), primary_key=True),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
    )
    op.create_table(
        "pause",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("queue", sa.String(128), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("why", sa.String(400), nullable=False),
        sa.CheckConstraint("what IN ('register', 'text', 'call')", name=op.f("ck_pause_what")),
    )
    op.create_index("ix_pause_until", "pause", ["pbx", "until_at"])
