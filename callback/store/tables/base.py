"""What all tables share: one metadata, the types of keys and instants, and two kinds of constraint."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Integer,
    MetaData,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in an INTEGER key

Instant = BigInteger


def one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """A constraint of the table, not of the column: Alembic writes no migration for those."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def of_rules() -> ForeignKeyConstraint:
    """The version of the site's rules that a row was made under."""
    return ForeignKeyConstraint(["pbx", "rules_version"], ["shift_rules.pbx", "shift_rules.version"])


WHO_ROOM, WHY_ROOM = 100, 400
