"""After a restore: what became meanwhile of those who were owed a callback, by the PBX's log and its tickets.

The service called people after the backup was made, and nothing in the database tells of it. Each of its callbacks
asked the queue for an agent, under a channel of its form and with the customer's number: that stands in the queue_log.
The attempt's ticket on the PBX says how it ended. Whoever was reached is owed nothing; whoever was rung, or may have
been, and whoever the log cannot clear, is left to people. Only for whom the log proves that nothing was begun, the
service goes on. Texts of that time were written by the service that died, or may have been: none of them is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import select

from callback.events import Compared
from callback.reservations import deadlines, moves
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import audit, restored
from callback.store import tables as t
from callback.store.audit import By
from callback.store.restored import Restored
from callback.texts import withheld
from scheduler.clock import SECOND
from telephony.dialling.commands import Ticket
from telephony.dialling.outcome import facts_of_ticket, outcome_of
from telephony.ids import attempt_of
from telephony.queue_log.between import Log
from telephony.queue_log.entries import Faults
from telephony.queue_log.files import LogUnreadable

How = Literal["reached", "perhaps", "nobody"]
"""How a callback ended: with the customer reached; with nobody's phone rung at the customer's; or else."""
BY: Final = By(audit.SERVICE, "what happened since the backup was compared with the PBX")
SLACK_US: Final = 120 * SECOND
"""So much earlier than the backup the log is read: its times are whole seconds of another clock."""
_R = t.reservation.c
_WHY: Final = "the database was restored: this text may have left before"


@dataclass(frozen=True, slots=True)
class Placed:
    """A callback that the log tells of: its attempt, the number that it was for, and when the queue was asked."""

    attempt: str
    digits: str
    at: int


@dataclass(frozen=True, slots=True)
class Told:
    """The callbacks that a log tells of; `why_not` says why it may lack some, empty where it is whole."""

    placed: tuple[Placed, ...]
    why_not: str


@dataclass(frozen=True, slots=True)
class Past:
    """What became of callbacks since the backup, by the number's digits: when each began, and how it ended."""

    rung: Mapping[str, tuple[tuple[int, How], ...]]
    why_not: str


def told_by(log: Log | None, since: int, until: int, known: Collection[str] = ()) -> Told:
    """Read which callbacks were placed, but for attempts that are known. Reads files, or a table: may be slow."""
    if log is None:
        return Told((), "[pbx] queue_log is not set")
    faults, placed = Faults(), dict[str, Placed]()
    try:
        begins_at = log.begins_at()
        for entry in log.between(since - SLACK_US, until, faults):
            attempt = attempt_of(entry.call_id)
            if attempt is not None and attempt not in known and entry.event == "ENTERQUEUE":
                digits = digits_of(entry.data[1]) if len(entry.data) > 1 else ""
                placed.setdefault(attempt, Placed(attempt, digits, entry.at))
    except LogUnreadable as error:
        return Told((), str(error))
    found = tuple(placed.values())
    if begins_at is None or begins_at > since:
        return Told(found, f"{log} does not reach back to the backup")
    if any(not one.digits for one in found):
        return Told(found, f"{log} tells of a callback without a number")
    return Told(found, f"{log}: lines of it cannot be read" if faults.counts else "")


def ended(ticket: Ticket | None, one: Restored, reached_after_s: float) -> How:
    """How a callback ended, by its ticket; one that cannot be read proves nothing.

    That there is none proves that the customer's phone was never rung, if that Asterisk ran through.
    """
    if ticket is None:
        return "perhaps"
    facts = facts_of_ticket(ticket.value, ran_through=bool(one.boot) and ticket.boot == one.boot)
    if ticket.value is None:
        return "perhaps" if facts is None else "nobody"
    return "reached" if facts is not None and outcome_of(facts, reached_after_s) == "reached" else "perhaps"


def still_seeks(ends: Mapping[str, How], live: Collection[str]) -> bool:
    """Whether a callback that has rung no customer so far may still do so: it lives, and seeks an agent."""
    return any(how == "nobody" and attempt in live for attempt, how in ends.items())


def past_of(told: Told, ends: Mapping[str, How]) -> Past:
    """Put together what the log and the tickets tell."""
    rung: dict[str, tuple[tuple[int, How], ...]] = {}
    for placed in told.placed:
        rung[placed.digits] = (*rung.get(placed.digits, ()), (placed.at, ends.get(placed.attempt, "perhaps")))
    return Past(rung, told.why_not)


def compare(work: Work, one: Restored, past: Past) -> None:
    """Settle what was done, leave to people what nobody can prove, and let the rest go on; withdraw its texts."""
    cut = one.began_at or work.now
    owed = RESERVATIONS.where(t.OPEN, _R.pbx == work.pbx, _R.last_lost_at < cut).order_by(_R.id)
    counts = {"go_on": 0, "done": 0, "left": 0}
    for row in read(work.connection, owed.with_for_update(of=t.reservation)):
        counts[_settle(work, row, one, past)] += 1
    texts = withheld.withdraw_all(work, cut, _WHY)
    facts = {**counts, "texts": texts, "why": past.why_not}
    restored.end(work.connection, one, work.now, facts)
    work.tell(Compared(**counts, texts=texts, why=past.why_not))


def _settle(work: Work, row: Reservation, one: Restored, past: Past) -> Literal["go_on", "done", "left"]:
    since = row.last_lost_at - row.last_lost_at % SECOND
    ends = [how for at, how in past.rung.get(digits_of(row.e164), ()) if at >= since]
    if "reached" in ends:
        moves.move(work, row.id, "done-elsewhere")
        audit.add(work.connection, work.pbx, BY, "done-elsewhere", row.id, {}, work.now)
        return "done"
    if row.state == "held" and row.incident_id is None:
        return "left"  # people have it
    unproved = past.why_not or one.to_people or work.site.rules.queue(row.queue).first != "agent"
    if not unproved and "perhaps" not in ends and row.deadline_at > work.now:
        return "go_on"
    if row.state == "held":  # by an incident, which would let it go
        moves.move(work, row.id, "resumed")
    deadlines.expire(work, row, "called-since-the-backup" if "perhaps" in ends else "unknown-since-the-backup")
    return "left"


def digits_of(number: str) -> str:
    """Give the digits of a number, however it is written."""
    return "".join(character for character in number if character in "0123456789")


def known_attempts(work: Work, among: Iterable[str]) -> frozenset[str]:
    """Give those attempts of which the database knows."""
    asked = select(t.attempt.c.id).where(t.attempt.c.id.in_(list(among)))
    return frozenset(work.connection.execute(asked).scalars())
