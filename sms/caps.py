"""Caps on texts: how many may leave for one person, for one block of numbers, and altogether.

They bound what a forged caller id can make us spend, and what a person has to bear. What left counts, and what may have
left; a text that certainly was not accepted does not. A text of a batch counts for its person alone: how many leave is
what people have decided, and lost callers' texts are not to be given up for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Select, bindparam, func, select, text

from sms.tables import NO_BATCH, text_outbox

_HOUR, _DAY = 3_600_000_000, 86_400_000_000  # µs
_LOCK = 7_228_302  # any number of ours: one counts at a time
_columns = text_outbox.c
_LEFT = (_columns.claimed_at > bindparam("since"), text("state IN ('sending', 'sent', 'unknown')"))


def _by(column: Column[Any]) -> Select[Any]:
    named = column.in_(bindparam("words", expanding=True))
    return select(column, func.count()).where(named, *_LEFT).group_by(column)


_BY_PERSON, _BY_PREFIX = _by(_columns.person), _by(_columns.prefix)
_TOTAL = select(func.count()).select_from(
    select(_columns.id).where(NO_BATCH, *_LEFT).limit(bindparam("enough")).subquery()
)


@dataclass(frozen=True, slots=True)
class Caps:
    """At most so many texts: to one person in 24 hours; to one prefix, and to everybody, in one hour."""

    person_a_day: int
    prefix_an_hour: int
    an_hour: int


def one_counts(conn: Connection) -> None:
    """Let counting transactions follow one another: two that count at once would both find room. SQLite does so."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


class DueText(NamedTuple):
    """A text that is due: its id, and on whose caps it counts (empty: none); one of a batch on its person's alone."""

    id: int
    person: str
    prefix: str
    batch: bool = False


def judge(
    conn: Connection, due: Sequence[DueText], room: int, caps: Caps, now: int
) -> tuple[list[int], dict[str, list[int]]]:
    """Go through due texts, in order, until `room` of them may leave.

    Give the ids of those, and by the reason the ids of the texts before the last of them that may not.
    """
    by_person = _counted(conn, _BY_PERSON, {one.person for one in due} - {""}, now - _DAY)
    by_prefix = _counted(conn, _BY_PREFIX, {one.prefix for one in due} - {""}, now - _HOUR)
    total = int(conn.execute(_TOTAL, {"since": now - _HOUR, "enough": caps.an_hour}).scalar_one())
    within: list[int] = []
    over: dict[str, list[int]] = {}
    for one in due:
        if len(within) == room:
            break
        reason = _of_person(by_person[one.person], caps)
        if not (reason or one.batch):
            reason = _reason(by_prefix[one.prefix], total, caps)
        if reason:
            over.setdefault(reason, []).append(one.id)
            continue
        within.append(one.id)
        by_person.update({one.person} - {""})
        by_prefix.update({one.prefix} - {""} if not one.batch else ())
        total += not one.batch
    return within, over


def _of_person(person: int, caps: Caps) -> str:
    return f"{caps.person_a_day} texts in 24 hours are enough for one person" if person >= caps.person_a_day else ""


def _reason(prefix: int, total: int, caps: Caps) -> str:
    if prefix >= caps.prefix_an_hour:
        return f"more than {caps.prefix_an_hour} texts in an hour to one block of numbers"
    if total >= caps.an_hour:
        return f"more than {caps.an_hour} texts in an hour"
    return ""


def _counted(conn: Connection, statement: Select[Any], words: Collection[str], since: int) -> Counter[str]:
    """Count by person or prefix what left since then."""
    rows = conn.execute(statement, {"words": sorted(words), "since": since}) if words else ()
    return Counter({row[0]: row[1] for row in rows})
