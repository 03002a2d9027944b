"""programs are told: webhooks

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Expand only."""
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("with_number", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("old_seed", sa.String(64), nullable=False),
        sa.Column("old_until_at", INSTANT, nullable=False),
        sa.Column("since_place", INSTANT, nullable=False),
        sa.Column("disabled", sa.String(10), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since_at", INSTANT),
        sa.Column("rests_until_at", INSTANT, nullable=False),
        sa.Column("delivered_at", INSTANT),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.CheckConstraint(
            "disabled IN ('', 'person', 'gone', 'failing', 'full')", name=op.f("ck_webhook_endpoint_disabled")
        ),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column(
            "endpoint_id",
            KEY,
            sa.ForeignKey("webhook_endpoint.id", name=op.f("fk_webhook_delivery_endpoint_id")),
            nullable=False,
        ),
        sa.Column("message", sa.String(40), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column("about", sa.String(80), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", INSTANT),
        sa.Column("status", sa.Integer()),
        sa.Column("fault", sa.String(20), nullable=False),
        sa.UniqueConstraint("endpoint_id", "message", name=op.f("uq_webhook_delivery_endpoint_id_message")),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'given-up')", name=op.f("ck_webhook_delivery_state")),
    )
    for name, columns in (
        ("due", ["pbx", "endpoint_id", "next_at", "id"]),
        ("about", ["endpoint_id", "about", "id"]),
    ):
        index = f"ix_webhook_delivery_{name}"
        op.create_index(index, "webhook_delivery", columns, sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_index("ix_webhook_delivery_endpoint", "webhook_delivery", ["endpoint_id", "id"])
    op.create_index("ix_webhook_delivery_made", "webhook_delivery", ["made_at"])
    op.create_table(
        "webhook_place",
        sa.Column("pbx", sa.String(32), primary_key=True),
        sa.Column("place", INSTANT, nullable=False),
    )
