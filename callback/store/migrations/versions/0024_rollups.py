"""figures of past half hours

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COUNTS = (
    "calls", "served", "lost", "requested", "numberless", "short",
    "valid", "refused", "withdrawn", "carried_over", "returned", "left", "handled", "by_hand",
    "due_30", "due_60", "dialled_30", "dialled_60", "reached_30", "reached_60", "closed_30", "closed_60",
    "dialled", "reached", "tries", "texts_sent", "texts_delivered", "texts_failed", "scored", "score_sum",
    "called_back", "called_back_redialled", "not_called_back", "not_called_back_redialled",
)  # fmt: skip
BINS = [f"{what}_{number:02}" for what in ("first_try", "reach") for number in range(1, 25)]
HEAT = (
    "calls", "served", "lost", "valid", "due_30", "due_60", "dialled_30", "dialled_60",
    "reached_30", "reached_60", "closed_30", "closed_60",
)  # fmt: skip
OF_CALLS = {"queue_group": 64, "queue": 128, "kind": 20, "trunk": 64}
OF_ATTEMPTS = {"queue_group": 64, "queue": 128, "agent": 200}


def upgrade() -> None:
    """Expand only."""
    for name, keys, counted in (
        ("rollup_half_hour", OF_CALLS, [*COUNTS, *BINS]),
        ("rollup_day", OF_CALLS, [*COUNTS, *BINS]),
        ("rollup_heat", {"queue_group": 64}, HEAT),
        ("rollup_agent_half_hour", OF_ATTEMPTS, ["tried", "reached", "talked_us"]),
        ("rollup_agent_day", OF_ATTEMPTS, ["tried", "reached", "talked_us"]),
    ):
        op.create_table(
            name,
            sa.Column("pbx", sa.String(length=32), nullable=False),
            sa.Column("begins_at", sa.BigInteger(), autoincrement=False, nullable=False),
            *(sa.Column(key, sa.String(length=room), nullable=False) for key, room in keys.items()),
            *(sa.Column(one, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for one in counted),
            sa.PrimaryKeyConstraint("pbx", "begins_at", *keys, name=op.f(f"pk_{name}")),
        )
    op.create_table(
        "rollup_state",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", name=op.f("pk_rollup_state")),
    )
    op.create_table(
        "rollup_mark",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_mark")),
    )
    op.create_table(
        "rollup_again",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "begins_at", name=op.f("pk_rollup_again")),
    )
    op.create_index("ix_rollup_again_due", "rollup_again", ["pbx", "due_at"])
    op.create_index("ix_past_call_began", "past_call", ["pbx", "began_at"])
    op.create_index("ix_attempt_claimed", "attempt", ["pbx", "claimed_at"])
