"""texts out: senders, caps, and what gateways report

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only: texts of an older version go by the gateway's first sender and count on no cap."""
    with op.batch_alter_table("text_outbox") as table:
        for name, room in (("line", 64), ("person", 64), ("prefix", 32)):
            table.add_column(sa.Column(name, sa.String(length=room), server_default="", nullable=False))
        table.add_column(sa.Column("claimed_at", sa.BigInteger()))
        table.add_column(sa.Column("delivery", sa.String(length=20)))
        table.add_column(sa.Column("delivery_code", sa.String(length=20)))
        table.add_column(sa.Column("delivery_at", sa.BigInteger()))
        table.create_check_constraint(
            op.f("ck_text_outbox_delivery"), "delivery IN ('accepted', 'sent', 'undelivered', 'delivered')"
        )
    op.create_index("ix_text_outbox_recipient", "text_outbox", ["recipient"])
    op.create_index("ix_text_outbox_person", "text_outbox", ["person", "claimed_at"])
    op.create_index("ix_text_outbox_prefix", "text_outbox", ["prefix", "claimed_at"])
    op.create_index("ix_text_outbox_claimed", "text_outbox", ["claimed_at"])
