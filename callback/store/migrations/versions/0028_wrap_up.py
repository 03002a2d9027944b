"""what agents say of a callback; a reservation that goes on as another

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

STATES = (
    *("waiting", "held", "calling", "reached", "returned", "given-up", "expired", "refused", "withdrawn"),
    *("cancelled", "done-elsewhere", "continued"),
)
OUTCOMES = "outcome IN ('solved', 'voicemail', 'wrong-person', 'call-again', 'cut-off')"
ASSIGNED = sa.text("open AND assigned_to IS NOT NULL")
BY_AGENT = sa.text("agent IS NOT NULL")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Expand only: an older version reads on, and knows no reservation in the new state as open."""
    listed = ", ".join(f"'{word}'" for word in STATES)
    with op.batch_alter_table("reservation") as table:
        table.drop_constraint("ck_reservation_state", type_="check")
        table.create_check_constraint(op.f("ck_reservation_state"), f"state IN ({listed})")
    op.create_index(
        "ix_reservation_assigned",
        "reservation",
        ["pbx", "assigned_to"],
        sqlite_where=ASSIGNED,
        postgresql_where=ASSIGNED,
    )
    op.create_index(
        "ix_attempt_agent", "attempt", ["pbx", "agent", "claimed_at"], sqlite_where=BY_AGENT, postgresql_where=BY_AGENT
    )
    op.create_table(
        "wrap_up",
        sa.Column(
            "attempt_id", sa.String(32), sa.ForeignKey("attempt.id", name="fk_wrap_up_attempt_id"), nullable=False
        ),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column(
            "reservation_id", KEY, sa.ForeignKey("reservation.id", name="fk_wrap_up_reservation_id"), nullable=False
        ),
        sa.Column("person_id", KEY, sa.ForeignKey("person.id", name="fk_wrap_up_person_id"), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("note", sa.String(400), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_wrap_up")),
        sa.CheckConstraint(OUTCOMES, name=op.f("ck_wrap_up_outcome")),
        sa.CheckConstraint("cause IN ('', 'line', 'sound', 'transfer')", name=op.f("ck_wrap_up_cause")),
    )
    op.create_index("ix_wrap_up_who", "wrap_up", ["pbx", "who", "at"])
    op.create_index("ix_wrap_up_person", "wrap_up", ["person_id", "at"])
    op.create_index("ix_wrap_up_reservation", "wrap_up", ["reservation_id"])
