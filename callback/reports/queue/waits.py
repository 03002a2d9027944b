"""What those wait for whose promise runs and whom nobody has called yet: each word is the dispatcher's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from callback.attempts import snapshot
from callback.reports.queue.board import Queue
from callback.reports.queue.rows import holds
from callback.reports.queue.why import WORDS
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import tables as t
from scheduler.candidate import LANES as NEXT
from scheduler.clock import SECOND

MOST: Final = 2000
"""Reservations that are looked at in one go, those whose promise ends first."""
IS_NEXT: Final = "is-next"
"""Stands for the lanes of those who are called next: which of them it was says nothing about the wait."""
CAUSES: Final = (*(word for word in WORDS if word not in NEXT), IS_NEXT)
_R = t.reservation.c
_DIALLED = select(t.attempt.c.id).where(
    t.attempt.c.reservation_id == _R.id, t.attempt.c.customer_dialled_at.is_not(None)
)
# One state at a time: each is read in the order of an index.
_WAITING = (
    RESERVATIONS.where(t.OPEN, t.LOST_ONLY, _R.pbx == bindparam("of_pbx"), _R.state == bindparam("of_state"))
    .where(_R.clock_starts_at <= bindparam("now"), ~_DIALLED.exists())
    .order_by(_R.deadline_at, _R.id)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Waits:
    """By reservation the word that says why nobody has called yet, and by queue the names of those at work."""

    words: Mapping[int, str]
    crews: Mapping[str, frozenset[str]]


def look(work: Work) -> Waits:
    """Look at those whose promise runs, and at who is at work, in one snapshot."""
    rows = _rows(work)
    words = Queue(work).judge.words(rows, holds(work, rows)) if rows else {}
    return Waits({row: IS_NEXT if word in NEXT else word for row, word in words.items()}, _crews(work))


def _rows(work: Work) -> list[Reservation]:
    rows: list[Reservation] = []
    for state in ("calling", "waiting", "held"):
        asked = {"of_pbx": work.pbx, "of_state": state, "now": work.now, "most": MOST - len(rows)}
        rows += read(work.connection, _WAITING, asked) if len(rows) < MOST else []
    return rows


def _crews(work: Work) -> dict[str, frozenset[str]]:
    """Those on a break are not at work."""
    picture = snapshot.recall(work.connection, work.pbx)
    agents = picture[0].agents or () if picture is not None and _is_fresh(picture[1], work.now) else ()
    at_work = [agent for agent in agents if agent.state != "paused"]
    queues = {queue for agent in at_work for queue in agent.queues}
    return {queue: frozenset(agent.name for agent in at_work if queue in agent.queues) for queue in queues}


def _is_fresh(seen_at: int, now: int) -> bool:
    return now - seen_at <= snapshot.STALE_S * SECOND
