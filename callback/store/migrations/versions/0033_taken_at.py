"""since when a lease is held

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only."""
    op.add_column("lease", sa.Column("taken_at", sa.BigInteger()))
