"""the spine

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only: columns and tables are added, nothing that a running older version reads is taken away."""
    op.create_table(
        "checkpoint",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("journal_id", sa.String(length=64), nullable=False),
        sa.Column("journal_offset", sa.BigInteger(), nullable=False),
        sa.Column("first_started_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "live_view",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", name=op.f("pk_live_view")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("number", name=op.f("uq_person_number")),
    )
    op.create_table(
        "queue_visit",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("queue", sa.String(length=128), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("connected_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("pbx", "call_id", "queue", "joined_at", name=op.f("pk_queue_visit")),
    )
    op.create_table(
        "shift_rules",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effective_from_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "version", name=op.f("pk_shift_rules")),
    )
    op.create_table(
        "call",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("linkedid", sa.String(length=150), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("did", sa.String(length=80), nullable=True),
        sa.Column("queue", sa.String(length=128), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("recovery", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_call_person_id")),
        sa.PrimaryKeyConstraint("pbx", "call_id", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_started_at"), ["started_at"], unique=False)

    op.create_table(
        "reservation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("queue", sa.String(length=128), nullable=False),
        sa.Column("queue_group", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("apart", sa.String(length=150), nullable=False),
        sa.Column("trunk", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("last_lost_at", sa.BigInteger(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("clock_starts_at", sa.BigInteger(), nullable=False),
        sa.Column("aim_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state_since_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('served', 'abandoned', 'blocked', 'dropped', 'silent', 'requested', 'callback', 'unfinished', 'unknown')",
            name=op.f("ck_reservation_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'calling', 'reached', 'returned', 'given-up', 'expired', 'refused', 'withdrawn')",
            name=op.f("ck_reservation_state"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reservation_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
    )
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reservation_lane_aim",
            ["pbx", "state", "aim_at"],
            unique=False,
            sqlite_where=sa.text("open"),
            postgresql_where=sa.text("open"),
        )
        batch_op.create_index(
            "ix_reservation_lane_newest",
            ["pbx", "state", "made_at"],
            unique=False,
            sqlite_where=sa.text("open"),
            postgresql_where=sa.text("open"),
        )
        batch_op.create_index(
            "ix_reservation_person",
            ["person_id"],
            unique=False,
        )
        batch_op.create_index(
            "uq_reservation_open",
            ["pbx", "queue", "person_id", "apart"],
            unique=True,
            sqlite_where=sa.text("open"),
            postgresql_where=sa.text("open"),
        )

    op.create_table(
        "verdict",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("side", sa.String(length=20), nullable=True),
        sa.Column("waited_us", sa.BigInteger(), nullable=False),
        sa.Column("talked_us", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('served', 'abandoned', 'blocked', 'dropped', 'silent', 'requested', 'callback', 'unfinished', 'unknown')",
            name=op.f("ck_verdict_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["pbx", "rules_version"], ["shift_rules.pbx", "shift_rules.version"], name=op.f("fk_verdict_pbx")
        ),
        sa.PrimaryKeyConstraint("pbx", "call_id", "version", name=op.f("pk_verdict")),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("reservation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("in_flight", sa.Boolean(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("pbx_boot", sa.String(length=60), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("ring_until_at", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=True),
        sa.Column("agent_connected_at", sa.BigInteger(), nullable=True),
        sa.Column("customer_dialled_at", sa.BigInteger(), nullable=True),
        sa.Column("customer_answered_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('reached', 'busy', 'no-answer', 'declined', 'invalid-number', 'machine', 'customer-left', 'trunk-failure', 'agent-no-answer', 'agent-cancelled', 'refused-late', 'refused-used', 'unknown')",
            name=op.f("ck_attempt_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["pbx", "rules_version"], ["shift_rules.pbx", "shift_rules.version"], name=op.f("fk_attempt_pbx")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_attempt_person_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_attempt_reservation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("reservation_id", "number", name=op.f("uq_attempt_reservation_id_number")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index("ix_attempt_person_day", ["person_id", "claimed_at"], unique=False)
        batch_op.create_index(
            "uq_attempt_in_flight",
            ["person_id"],
            unique=True,
            sqlite_where=sa.text("in_flight"),
            postgresql_where=sa.text("in_flight"),
        )

    op.create_table(
        "loss",
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("reservation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lost_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_loss_reservation_id")),
        sa.PrimaryKeyConstraint("pbx", "call_id", name=op.f("pk_loss")),
    )
    with op.batch_alter_table("loss", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loss_reservation_id"), ["reservation_id"], unique=False)

    op.create_table(
        "promise",
        sa.Column("reservation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("clock_starts_at", sa.BigInteger(), nullable=False),
        sa.Column("aim_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pbx", "rules_version"], ["shift_rules.pbx", "shift_rules.version"], name=op.f("fk_promise_pbx")
        ),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_promise_reservation_id")),
        sa.PrimaryKeyConstraint("reservation_id", "number", name=op.f("pk_promise")),
    )
    op.create_table(
        "text_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=True),
        sa.Column("gateway_ref", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name=op.f("ck_text_outbox_lease")),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_text_outbox_sent")),
        sa.CheckConstraint(
            "(state IN ('waiting', 'sending')) = (settled_at IS NULL)", name=op.f("ck_text_outbox_settled")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'failed', 'withdrawn', 'unknown', 'expired')",
            name=op.f("ck_text_outbox_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_outbox")),
        sa.UniqueConstraint("cause", name=op.f("uq_text_outbox_cause")),
    )
    with op.batch_alter_table("text_outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_text_outbox_due",
            ["not_before_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "ix_text_outbox_lease",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
