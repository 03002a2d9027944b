"""handovers, and how far the audit was proved

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "audit_proof",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("whole_at", sa.BigInteger()),
        sa.Column("broken", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_proof")),
    )
    op.create_index("ix_audit_who", "audit", ["pbx", "who", "at"])
    op.create_index("ix_audit_action", "audit", ["pbx", "action", "at"])
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("given_by", sa.String(100), nullable=False),
        sa.Column("taken_by", sa.String(100)),
        sa.Column("taken_at", sa.BigInteger()),
        sa.Column("groups", sa.JSON(none_as_null=True)),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index("ix_handover_until_at", "handover", ["pbx", "until_at"])
