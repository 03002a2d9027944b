"""several nodes: the processes of a site, and who is on the line of each PBX

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "node",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("clock_off", sa.BigInteger(), nullable=False),
        sa.Column("duties", sa.JSON(), nullable=False),
        sa.CheckConstraint("role IN ('all', 'pbx', 'text', 'web')", name=op.f("ck_node_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
    )
    op.create_index("ix_node_seen", "node", ["seen_at"])
    op.create_table(
        "line",
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", name=op.f("pk_line")),
    )
    op.create_table(
        "on_the_line",
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("number_key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "number_key", name=op.f("pk_on_the_line")),
    )
