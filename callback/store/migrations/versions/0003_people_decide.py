"""people decide: held, cancelled, done elsewhere; severity, slots, redials, the audit chain

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATES = (
    *("waiting", "held", "calling", "reached", "returned", "given-up", "expired", "refused", "withdrawn"),
    *("cancelled", "done-elsewhere"),
)
SEVERE = sa.text("open AND severity > 0")


def upgrade() -> None:
    """Expand only: an older version reads on, and knows no reservation in one of the new states as waiting."""
    listed = ", ".join(f"'{word}'" for word in STATES)
    with op.batch_alter_table("reservation") as table:
        table.add_column(sa.Column("severity", sa.Integer(), server_default=sa.text("0"), nullable=False))
        table.add_column(sa.Column("slot_at", sa.BigInteger()))
        table.drop_constraint("ck_reservation_state", type_="check")
        table.create_check_constraint(op.f("ck_reservation_state"), f"state IN ({listed})")
    op.create_index(
        "ix_reservation_lane_severe",
        "reservation",
        ["pbx", "state", "severity"],
        sqlite_where=SEVERE,
        postgresql_where=SEVERE,
    )
    op.add_column("loss", sa.Column("redialled_at", sa.BigInteger()))
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("reservation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("why", sa.String(length=400), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_audit_reservation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    op.create_index(op.f("ix_audit_reservation_id"), "audit", ["reservation_id"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
