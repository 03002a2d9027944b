"""since when a lease is held

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only."""
    op.add_column("lease", sa.Column("taken_at", sa.BigInteger()))
