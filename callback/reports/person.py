"""One customer: every reservation, and all that was lost, promised, texted, tried, decided and answered, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from callback.customers import blocks
from callback.errors import CallbackError
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.store import audit, audit_words
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import SECOND
from scheduler.promise import APOLOGY

LEAST_DIGITS: Final = 3  # of a number, to look for it by its end
_NAMED: Final = 5  # numbers that are named where several end alike

Time = Callable[[int], str]


class NoSuchNumber(CallbackError):
    """Nobody, or more than one, is known by what was said; the message says which."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of what happened to a customer; `reservation` where it belongs to one."""

    at: int
    what: str
    reservation: int | None
    told: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, by the number."""

    id: int
    number: str


def find(connection: Connection, e164: str | None, said: str) -> Person:
    """Find the person by the whole number, or by its last digits where only one number ends so."""
    p = t.person.c
    people = select(p.id, p.number)
    if e164 is not None and (row := connection.execute(people.where(p.number == e164)).first()) is not None:
        return Person(*row)
    digits = re.sub(r"\D", "", said).lstrip("0")
    if len(digits) < LEAST_DIGITS:
        raise NoSuchNumber(f"'{said}' is no number, nor the end of one: give at least {LEAST_DIGITS} of its digits")
    ending = people.where(p.number.like(f"+%{digits}")).order_by(p.number).limit(_NAMED + 1)
    found = [Person(*row) for row in connection.execute(ending)]
    if not found:
        raise NoSuchNumber(f"nobody is known whose number ends in {digits}")
    if len(found) > 1:
        more = " and more" if len(found) > _NAMED else ""
        named = ", ".join(one.number for one in found[:_NAMED])
        raise NoSuchNumber(f"several numbers end in {digits}: {named}{more}; say more of its digits")
    return found[0]


def reservations(connection: Connection, pbx: str, person: int) -> list[Reservation]:
    """Every reservation of a customer, open or settled, the newest first."""
    r = t.reservation.c
    mine = RESERVATIONS.where(r.person_id == person, r.pbx == pbx)
    return read(connection, mine.order_by(r.id.desc()))


def blocked(connection: Connection, e164: str) -> str:
    """Say what the number is blocked for; empty: nothing."""
    stands = blocks.blocked(connection, e164)
    return " and ".join(word for word, barred in (("calls", stands.calls), ("texts", stands.texts)) if barred)


def entries(connection: Connection, pbx: str, person: int, time: Time) -> list[Entry]:
    """Tell everything that happened to a customer, the oldest first."""
    theirs = [row.id for row in reservations(connection, pbx, person)]
    parts = (
        _calls(connection, pbx, person),
        _promises(connection, theirs, time),
        _texts(connection, person, theirs),
        _attempts(connection, theirs),
        _decisions(connection, theirs, time),
        _answers(connection, pbx, person),
    )
    return sorted((entry for part in parts for entry in part), key=lambda entry: entry.at)


def _calls(connection: Connection, pbx: str, person: int) -> Iterator[Entry]:
    c, v, loss = t.call.c, t.verdict.c, t.loss.c
    newer = t.verdict.alias()
    newest = select(func.max(newer.c.version)).where(newer.c.pbx == c.pbx, newer.c.call_id == c.call_id)
    judged = (v.kind, v.reason, v.waited_us, v.talked_us)
    query = (
        select(c.started_at, c.queue, c.recovery, loss.reservation_id, *judged)
        .select_from(t.call)
        .join(t.verdict, (v.pbx == c.pbx) & (v.call_id == c.call_id) & (v.version == newest.scalar_subquery()))
        .outerjoin(t.loss, (loss.pbx == c.pbx) & (loss.call_id == c.call_id))
        .where(c.pbx == pbx, c.person_id == person)
    )
    for row in connection.execute(query):
        why = f" ({row.reason})" if row.reason else ""
        lasted = f"waited {row.waited_us // SECOND} s" + (f", talked {row.talked_us // SECOND} s" * (row.talked_us > 0))
        made = "" if row.recovery in {"none", "reserved", "merged"} else f"; {row.recovery}"
        told = f"{row.kind}{why} in {row.queue or 'no queue'}, {lasted}{made}"
        yield Entry(row.started_at, "call", row.reservation_id, told)


def _promises(connection: Connection, reservations: list[int], time: Time) -> Iterator[Entry]:
    p = t.promise.c
    for row in connection.execute(select(t.promise).where(p.reservation_id.in_(reservations))):
        by = "told" if row.reason == APOLOGY else f"aim {time(row.aim_at)}, deadline"
        yield Entry(row.made_at, "promise", row.reservation_id, f"{by} {time(row.deadline_at)} ({row.reason})")


def _texts(connection: Connection, person: int, reservations: list[int]) -> Iterator[Entry]:
    for reservation, text in compose.texts_of(connection, person, reservations):
        why = f": {text.reason}" if text.reason else ""
        yield Entry(text.at, "text", reservation, f"{text.template}, {text.word}{why}")


def _attempts(connection: Connection, reservations: list[int]) -> Iterator[Entry]:
    a = t.attempt.c
    for row in connection.execute(select(t.attempt).where(a.reservation_id.in_(reservations))):
        agent = f" with {row.agent}" if row.agent else ""
        rang = "" if row.customer_dialled_at else ", the customer's phone did not ring"
        ended = f"{row.outcome}{'' if row.counted else ', costs no try'}" if row.outcome else "under way"
        yield Entry(row.claimed_at, "attempt", row.reservation_id, f"{row.number}{agent}: {ended}{rang}")


def _decisions(connection: Connection, reservations: list[int], time: Time) -> Iterator[Entry]:
    a = t.audit.c
    for row in connection.execute(select(t.audit).where(a.reservation_id.in_(reservations))):
        said = audit_words.words(row.action, row.facts, time)
        yield Entry(row.at, "decision", row.reservation_id, f"{said}  {row.who}: {row.why}")


def _answers(connection: Connection, pbx: str, person: int) -> Iterator[Entry]:
    a = t.answer.c
    for row in connection.execute(select(t.answer).where(a.person_id == person, a.pbx == pbx)):
        done = f"done by {row.done_by or audit.SERVICE}"
        stands = f"answer {row.id} waits for a person" if row.state == "open" else done
        score = f", score {row.score}" if row.score else ""
        yield Entry(row.received_at, "answer", row.reservation_id, f"{row.body or row.wish}  ({stands}{score})")
