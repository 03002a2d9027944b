"""people and blocks: who is not called or texted, whose a reservation is, the key that hashes and links are made with

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only."""
    op.add_column("reservation", sa.Column("assigned_to", sa.String(length=100)))
    op.create_table(
        "site_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_key")),
    )
    op.create_table(
        "block",
        sa.Column("number_key", sa.String(length=64), nullable=False),
        sa.Column("calls", sa.Boolean(), nullable=False),
        sa.Column("texts", sa.Boolean(), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("why", sa.String(length=400), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number_key", name=op.f("pk_block")),
    )
