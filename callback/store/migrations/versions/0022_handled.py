"""who was left to people and is dealt with leaves their list

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
LEFT = sa.text("state = 'expired' AND handled_at IS NULL")


def upgrade() -> None:
    """Expand only: the index is made anew, with the same name."""
    op.add_column("reservation", sa.Column("handled_at", sa.BigInteger()))
    op.drop_index("ix_reservation_left", "reservation")
    op.create_index(
        "ix_reservation_left", "reservation", ["pbx", "state_since_at"], sqlite_where=LEFT, postgresql_where=LEFT
    )
