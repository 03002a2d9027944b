"""verdicts that people correct; alarms, and decisions about no reservation, are found by an index

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SOURCES = "source IN ('live-complete', 'live-partial', 'log', 'person')"
OF_NONE = sa.text("reservation_id IS NULL")
ALARMS = sa.text("name IN ('alarm', 'alarm-over')")


def upgrade() -> None:
    """Expand only: an older version writes the first three sources, and asks a verdict's rank alone."""
    with op.batch_alter_table("verdict") as table:
        table.create_check_constraint(op.f("ck_verdict_source"), SOURCES)
    op.create_index(
        "ix_audit_of_no_reservation", "audit", ["action", "id"], sqlite_where=OF_NONE, postgresql_where=OF_NONE
    )
    op.create_index("ix_happened_alarm", "happened", ["pbx", "at"], sqlite_where=ALARMS, postgresql_where=ALARMS)
