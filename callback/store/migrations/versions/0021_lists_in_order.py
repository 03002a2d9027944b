"""lists of open reservations come out of their index in order, those of one instant too

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KEYS = {
    "lane_aim": "aim_at",
    "lane_newest": "made_at",
    "list_deadline": "deadline_at",
    "list_later": "not_before_at",
    "list_losses": "losses",
}


def upgrade() -> None:
    """Replace indexes by longer ones of the same name; without the number PostgreSQL sorts thousands for each page."""
    for name, key in KEYS.items():
        op.drop_index(f"ix_reservation_{name}", "reservation")
        op.create_index(
            f"ix_reservation_{name}",
            "reservation",
            ["pbx", "state", key, "id"],
            sqlite_where=sa.text("open"),
            postgresql_where=sa.text("open"),
        )
