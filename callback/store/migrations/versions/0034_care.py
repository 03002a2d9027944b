"""care: questions, cases, letters and notes; campaigns and their samples; reservations that no lost call made

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = (
    "served", "abandoned", "blocked", "dropped", "silent", "requested", "callback", "unfinished", "unknown", "follow-up",
)  # fmt: skip


def upgrade() -> None:
    """Expand only: to an older version a reservation of the new kind is one of a kind that it only shows."""
    _reservations()
    _care()
    _campaigns()


def _reservations() -> None:
    listed = ", ".join(f"'{word}'" for word in KINDS)
    with op.batch_alter_table("reservation") as table:
        table.drop_constraint("ck_reservation_kind", type_="check")
        table.create_check_constraint(op.f("ck_reservation_kind"), f"kind IN ({listed})")
    op.add_column("reservation", sa.Column("agent", sa.String(200)))
    op.add_column("reservation", sa.Column("agent_until_at", sa.BigInteger()))
    op.add_column("attempt", sa.Column("only_agent", sa.String(200)))
    op.add_column("text_outbox", sa.Column("batch", sa.String(64), server_default="", nullable=False))
    for name, columns, where in (
        ("due_first", ["not_before_at", "id"], "state = 'waiting' AND batch = ''"),
        ("due_batch", ["not_before_at", "id"], "state = 'waiting' AND batch <> ''"),
        ("claimed_first", ["claimed_at"], "batch = ''"),
        ("batch", ["batch", "state"], "batch <> ''"),
    ):
        some = sa.text(where)
        op.create_index(f"ix_text_outbox_{name}", "text_outbox", columns, sqlite_where=some, postgresql_where=some)
    op.add_column("person", sa.Column("takes_texts", sa.Boolean()))


def _care() -> None:
    op.create_table(
        "survey",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("queue", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("agent", sa.String(200)),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Integer()),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("case_id", KEY),
        sa.CheckConstraint("kind IN ('call', 'callback', 'repair')", name=op.f("ck_survey_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_survey_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint("pbx", "about", name=op.f("uq_survey_pbx_about")),
    )
    op.create_index("ix_survey_asked", "survey", ["pbx", "asked_at"])
    op.create_index("ix_survey_case", "survey", ["case_id"])
    op.create_index("ix_survey_person", "survey", ["person_id", "asked_at"])

    op.create_table(
        "survey_place",
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("reached_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("pbx", name=op.f("pk_survey_place")),
    )

    op.create_table(
        "care_case",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("queue", sa.String(128), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(100), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("call_id", sa.String(150)),
        sa.Column("survey_id", KEY),
        sa.Column("answer_id", KEY),
        sa.Column("reference", sa.String(100)),
        sa.Column("topic", sa.String(200), server_default=sa.text("''"), nullable=False),
        sa.Column("product", sa.String(100), server_default=sa.text("''"), nullable=False),
        sa.Column("department", sa.String(64), server_default=sa.text("''"), nullable=False),
        sa.Column("severity", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("words", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("wish", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("owner", sa.String(100)),
        sa.Column("agent", sa.String(200)),
        sa.Column("promised", sa.String(400), server_default=sa.text("''"), nullable=False),
        sa.Column("promised_by_at", sa.BigInteger()),
        sa.Column("compensation", sa.String(64), server_default=sa.text("''"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("warned_at", sa.BigInteger()),
        sa.Column("repaired_at", sa.BigInteger()),
        sa.Column("asks", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("asked_at", sa.BigInteger()),
        sa.Column("next_ask_at", sa.BigInteger()),
        sa.Column("score_after", sa.Integer()),
        sa.Column("state_since_at", sa.BigInteger(), nullable=False),
        sa.Column("repeat_of", KEY),
        sa.Column("repeats", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reservation_id", KEY),
        sa.Column("callback", sa.String(20), server_default=sa.text("''"), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("callback IN ('', 'repair', 'confirm')", name=op.f("ck_care_case_callback")),
        sa.CheckConstraint("kind IN ('dissatisfied', 'complaint')", name=op.f("ck_care_case_kind")),
        sa.CheckConstraint(
            "state IN ('registered', 'assigned', 'answered', 'confirmed', 'closed', 'unreachable', 'withdrawn')",
            name=op.f("ck_care_case_state"),
        ),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_care_case_answer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_care_case_person_id")),
        sa.ForeignKeyConstraint(["repeat_of"], ["care_case.id"], name=op.f("fk_care_case_repeat_of")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_care_case_reservation_id")),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_care_case_survey_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_case")),
    )
    op.create_index(
        "ix_care_case_ask",
        "care_case",
        ["pbx", "next_ask_at", "id"],
        sqlite_where=sa.text("next_ask_at IS NOT NULL"),
        postgresql_where=sa.text("next_ask_at IS NOT NULL"),
    )
    op.create_index(
        "ix_care_case_callback",
        "care_case",
        ["pbx", "id"],
        sqlite_where=sa.text("callback <> ''"),
        postgresql_where=sa.text("callback <> ''"),
    )
    op.create_index(
        "ix_care_case_due",
        "care_case",
        ["pbx", "due_at", "id"],
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    )
    op.create_index("ix_care_case_opened", "care_case", ["pbx", "opened_at"])
    op.create_index("ix_care_case_person", "care_case", ["person_id", "opened_at"])
    op.create_index("ix_care_case_reservation", "care_case", ["reservation_id"])
    op.create_index(
        "uq_care_case_open",
        "care_case",
        ["pbx", "person_id", "kind", "topic"],
        unique=True,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    )
    op.create_index(
        "uq_care_case_reference",
        "care_case",
        ["pbx", "reference"],
        unique=True,
        sqlite_where=sa.text("reference IS NOT NULL"),
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.create_index(
        "uq_care_case_survey",
        "care_case",
        ["survey_id"],
        unique=True,
        sqlite_where=sa.text("survey_id IS NOT NULL"),
        postgresql_where=sa.text("survey_id IS NOT NULL"),
    )

    op.create_table(
        "care_step",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("reference", sa.String(100)),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_care_step_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_step")),
    )
    op.create_index("ix_care_step_case", "care_step", ["case_id", "id"])
    op.create_index(
        "uq_care_step_reference",
        "care_step",
        ["pbx", "reference"],
        unique=True,
        sqlite_where=sa.text("reference IS NOT NULL"),
        postgresql_where=sa.text("reference IS NOT NULL"),
    )

    op.create_table(
        "care_letter",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(200), nullable=False),
        sa.Column("case_id", KEY),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger()),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed', 'withdrawn')", name=op.f("ck_care_letter_state")),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_care_letter_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_letter")),
        sa.UniqueConstraint("cause", name=op.f("uq_care_letter_cause")),
    )
    op.create_index("ix_care_letter_case", "care_letter", ["case_id"])
    op.create_index(
        "ix_care_letter_due",
        "care_letter",
        ["pbx", "next_at"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )

    op.create_table(
        "care_note",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("note", sa.String(400), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('meek', 'aggressive', 'demanding', 'seeking-gain', 'chronic')", name=op.f("ck_care_note_kind")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_care_note_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_care_note")),
    )
    op.create_table(
        "contact_flag",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("queue", sa.String(128), nullable=False),
        sa.Column("on_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reservation_id", KEY),
        sa.Column("why_not", sa.String(400), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'reserved', 'cancelled', 'refused')", name=op.f("ck_contact_flag_state")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_contact_flag_person_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_contact_flag_reservation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_flag")),
    )
    op.create_index(
        "ix_contact_flag_due",
        "contact_flag",
        ["pbx", "on_at"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_contact_flag_person", "contact_flag", ["person_id"])


def _campaigns() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pbx", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("queue", sa.String(128), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("per_min", sa.Float(), nullable=False),
        sa.Column("people", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("told", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("told_until_at", sa.BigInteger()),
        sa.Column("incident_id", KEY),
        sa.Column("hook_until_at", sa.BigInteger()),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.Column("built_at", sa.BigInteger()),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'ready', 'running', 'stopped', 'done')", name=op.f("ck_campaign_state")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_campaign_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )
    op.create_index("ix_campaign_made", "campaign", ["pbx", "made_at"])
    op.create_index(
        "ix_campaign_hook",
        "campaign",
        ["pbx", "hook_until_at"],
        sqlite_where=sa.text("hook_until_at IS NOT NULL"),
        postgresql_where=sa.text("hook_until_at IS NOT NULL"),
    )
    op.create_index(
        "ix_campaign_running",
        "campaign",
        ["pbx"],
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )

    op.create_table(
        "campaign_person",
        sa.Column("campaign_id", KEY, autoincrement=False, nullable=False),
        sa.Column("person_id", KEY, autoincrement=False, nullable=False),
        sa.Column("segment", sa.String(128), nullable=False),
        sa.Column("language", sa.String(35), server_default=sa.text("''"), nullable=False),
        sa.Column("of_file", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("why", sa.String(40), server_default=sa.text("''"), nullable=False),
        sa.Column("not_before_at", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("told_at", sa.BigInteger()),
        sa.CheckConstraint("state IN ('waiting', 'told', 'left-out')", name=op.f("ck_campaign_person_state")),
        sa.PrimaryKeyConstraint("campaign_id", "person_id", name=op.f("pk_campaign_person")),
    )
    op.create_index(
        "ix_campaign_person_waiting",
        "campaign_person",
        ["campaign_id", "not_before_at", "person_id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )

    op.create_table(
        "campaign_sample",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.Column("drawn_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_sample_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "round", name=op.f("pk_campaign_sample")),
    )
    op.create_table(
        "campaign_asked",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("segment", sa.String(128), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("call_from_at", sa.BigInteger(), nullable=False),
        sa.Column("reservation_id", KEY),
        sa.Column("score", sa.Integer()),
        sa.Column("score_at", sa.BigInteger()),
        sa.Column("who", sa.String(100)),
        sa.Column("why_not", sa.String(40), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'called', 'scored', 'blank')", name=op.f("ck_campaign_asked_state")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_asked_campaign_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_campaign_asked_person_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_campaign_asked_reservation_id")),
        sa.PrimaryKeyConstraint("campaign_id", "round", "person_id", name=op.f("pk_campaign_asked")),
    )
    op.create_index("ix_campaign_asked_reservation", "campaign_asked", ["reservation_id"])
    op.create_index("ix_campaign_asked_person", "campaign_asked", ["person_id"])
    op.create_index(
        "ix_campaign_asked_due",
        "campaign_asked",
        ["call_from_at"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_campaign_asked_called",
        "campaign_asked",
        ["campaign_id", "round"],
        sqlite_where=sa.text("state = 'called'"),
        postgresql_where=sa.text("state = 'called'"),
    )

    op.create_table(
        "campaign_check",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("line", sa.String(20), nullable=False),
        sa.Column("owner", sa.String(100), server_default=sa.text("''"), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("done_by", sa.String(100)),
        sa.Column("note", sa.String(400), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint(
            "line IN ('shoulder', 'sincerity', 'speed', 'system', 'standard')", name=op.f("ck_campaign_check_line")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_check_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "line", name=op.f("pk_campaign_check")),
    )
