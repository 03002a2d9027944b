"""that a database was restored, and where the audit begins

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "restored",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("backup_at", sa.BigInteger(), nullable=False),
        sa.Column("restored_at", sa.BigInteger(), nullable=False),
        sa.Column("first_free", _KEY, nullable=False),
        sa.Column("to_people", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.BigInteger()),
        sa.Column("compared_at", sa.BigInteger()),
        sa.Column("facts", sa.JSON(none_as_null=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restored")),
    )
    op.create_index("ix_restored_pbx", "restored", ["pbx", "id"])
    op.create_table(
        "audit_cut",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_id", _KEY, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_cut")),
    )
