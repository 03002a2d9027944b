"""how often each reservation was changed, so that nobody decides about what it no longer is

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only. A process of an older version does not raise it: what it changes is seen at the next change."""
    op.add_column("reservation", sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False))
