"""how fast each account of a gateway is asked, for all who text by it

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "text_pace",
        sa.Column("account", sa.String(length=160), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("next_at", "paused_until_at", "pause_us")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_text_pace")),
    )
