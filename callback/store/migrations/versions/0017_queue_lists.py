"""the queue page by page: by deadline, by when it comes, by losses; what is settled; a number by its last digits

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only. The ends of numbers that are known already are filled in by the service: they need the site's key."""
    for name, key in (("deadline", "deadline_at"), ("later", "not_before_at"), ("losses", "losses")):
        op.create_index(
            f"ix_reservation_list_{name}",
            "reservation",
            ["pbx", "state", key],
            sqlite_where=sa.text("open"),
            postgresql_where=sa.text("open"),
        )
    op.create_index(
        "ix_reservation_settled",
        "reservation",
        ["pbx", "state_since_at", "id"],
        sqlite_where=sa.text("NOT open"),
        postgresql_where=sa.text("NOT open"),
    )
    op.add_column("person", sa.Column("tail", sa.String(16)))
    op.create_index("ix_person_tail", "person", ["tail"])
