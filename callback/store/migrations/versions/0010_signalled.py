"""signalled: in which forms a trunk's last callers came, and what was signalled where it could not be read

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "signalled",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("trunk", sa.String(length=64), nullable=False),
        sa.Column("lately", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "trunk", name=op.f("pk_signalled")),
    )
    op.create_table(
        "unread_number",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("digits", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "call_id", name=op.f("pk_unread_number")),
    )
