"""indexes for what the console counts of today: reservations made, decisions taken, texts that failed

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FAILED = sa.text("(state = 'failed' OR delivery = 'undelivered')")


def upgrade() -> None:
    """Expand only."""
    op.create_index("ix_reservation_made", "reservation", ["pbx", "made_at"])
    op.create_index("ix_audit_at", "audit", ["pbx", "at"])
    op.create_index(
        "ix_text_outbox_failed", "text_outbox", ["pbx", "settled_at"], sqlite_where=FAILED, postgresql_where=FAILED
    )
