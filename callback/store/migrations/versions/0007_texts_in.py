"""texts in: what customers answered, and why somebody got no text

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFUSED = sa.text("state = 'refused'")
SCORED = sa.text("score IS NOT NULL")
OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    """Expand only."""
    op.add_column("reservation", sa.Column("text_refusal", sa.String(length=40)))
    op.create_index(
        "ix_reservation_refused",
        "reservation",
        ["pbx", "last_lost_at"],
        sqlite_where=REFUSED,
        postgresql_where=REFUSED,
    )
    op.create_table(
        "answer",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("sid", sa.String(length=64), nullable=False),
        sa.Column("person_id", KEY),
        sa.Column("reservation_id", KEY),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("wish", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text()),
        sa.Column("score", sa.Integer()),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("done_by", sa.String(length=100)),
        sa.Column("done_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_answer_person_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_answer_reservation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint("account", "sid", name=op.f("uq_answer_account_sid")),
        sa.CheckConstraint("state IN ('open', 'done')", name=op.f("ck_answer_state")),
    )
    op.create_index("ix_answer_open", "answer", ["pbx", "received_at"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_answer_person", "answer", ["person_id", "received_at"])
    op.create_index("ix_answer_scored", "answer", ["pbx", "received_at"], sqlite_where=SCORED, postgresql_where=SCORED)
    op.create_index(op.f("ix_answer_reservation_id"), "answer", ["reservation_id"])
