"""Triggers that mark what changes under the figures of past half hours, in the transaction that changes it.

Whoever writes, by whatever statement, of whatever version of the program: no writer knows of figures, and none can
forget them (docs/adr/0028). A mark names an instant; the half hour around it is counted anew. Marks are only ever
added, so that writers never wait for each other.

They are made anew with each migration: SQLite rebuilds a table without its triggers, and renames none while a trigger
names a table that is away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Connection

_MADE: Final = ("reservation_id", "SELECT r.pbx, r.made_at FROM reservation r WHERE r.id = {row}.reservation_id")
_OF_TEXT: Final = (
    "SELECT r.pbx, r.made_at FROM reservation r WHERE r.id = CASE"
    " WHEN substr({row}.recipient, 1, 12) = 'reservation/' THEN CAST(substr({row}.recipient, 13) AS BIGINT) END"
)
_OF_VERDICT: Final = "SELECT c.pbx, c.started_at FROM call c WHERE c.pbx = {row}.pbx AND c.call_id = {row}.call_id"
_IMPORTED: Final = "SELECT p.pbx, p.began_at FROM past_call p WHERE p.pbx = {row}.pbx AND p.call_id = {row}.call_id"
MARKED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "call": (("started_at", "SELECT {row}.pbx, {row}.started_at WHERE true"), ("call_id", _IMPORTED)),
    "verdict": (("call_id", _OF_VERDICT),),
    "past_call": (("began_at", "SELECT {row}.pbx, {row}.began_at WHERE true"),),
    "reservation": (("made_at", "SELECT {row}.pbx, {row}.made_at WHERE true"),),
    "promise": (_MADE,),
    "loss": (_MADE,),
    "attempt": (_MADE, ("claimed_at", "SELECT {row}.pbx, {row}.claimed_at WHERE true")),
    "answer": (_MADE,),
    "text_outbox": (("recipient", _OF_TEXT),),
    "audit": ((_MADE[0], _MADE[1] + " AND {row}.action = 'called-by-hand'"),),
}
"""The instants that a row of a table counts for, each with the column that decides which; an imported call counts until
the service's own record of it is there."""
_EVENTS: Final = ("INSERT", "UPDATE", "DELETE")
_DIFFERS: Final = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}


def remove(connection: Connection) -> None:
    """Remove the triggers that are there."""
    for table in MARKED:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS rollup_marks_{table}() CASCADE")
        else:
            for event in _EVENTS:
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {_name(table, event)}")


def make(connection: Connection) -> None:
    """Make the triggers, of which there is none."""
    dialect = connection.dialect.name
    for table in MARKED:
        marks = {event: " ".join(_marks(table, event, _DIFFERS[dialect])) for event in _EVENTS}
        if dialect == "postgresql":
            branches = " ".join(f"IF TG_OP = '{event}' THEN {done} END IF;" for event, done in marks.items())
            connection.exec_driver_sql(
                f"CREATE FUNCTION rollup_marks_{table}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN {branches} RETURN NULL; END $$"
            )
            connection.exec_driver_sql(
                f"CREATE TRIGGER rollup_marks AFTER INSERT OR UPDATE OR DELETE ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION rollup_marks_{table}()"
            )
        else:
            for event, done in marks.items():
                connection.exec_driver_sql(
                    f"CREATE TRIGGER {_name(table, event)} AFTER {event} ON {table} BEGIN {done} END"
                )


def _marks(table: str, event: str, differs: str) -> Iterator[str]:
    for column, instants in MARKED[table]:
        if event != "DELETE":
            yield f"INSERT INTO rollup_mark (pbx, at) {instants.format(row='NEW')};"
        if event == "UPDATE":
            moved = f" AND OLD.{column} {differs} NEW.{column}"
            yield f"INSERT INTO rollup_mark (pbx, at) {instants.format(row='OLD')}{moved};"
        if event == "DELETE":
            yield f"INSERT INTO rollup_mark (pbx, at) {instants.format(row='OLD')};"


def _name(table: str, event: str) -> str:
    return f"rollup_marks_{table}_{event.lower()}"
