"""attempts that found no agent are found by an index: their queue may rest

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NO_AGENT = sa.text("outcome = 'agent-no-answer'")


def upgrade() -> None:
    """Expand only."""
    op.create_index(
        "ix_attempt_no_agent", "attempt", ["pbx", "claimed_at"], sqlite_where=NO_AGENT, postgresql_where=NO_AGENT
    )
