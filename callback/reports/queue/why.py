"""Why nobody has called yet, until when, and what would help: by the dispatcher's own function.

The first rows of each lane are judged together, as the dispatcher has them before it; a row behind them is judged by
itself, and is never said to be next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from callback.attempts import claim, elsewhere, lanes, snapshot
from callback.attempts.snapshot import Live
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import audit
from scheduler.candidate import LANES as NEXT
from scheduler.clock import SECOND
from scheduler.order import NextCall

Words = Mapping[int, tuple[str, int | None]]


class Lever(StrEnum):
    """What a person can do about it now."""

    RESUME = "resume"
    DECIDE_INCIDENT = "decide-incident"
    CALL_NOW = "call-now"
    END_PAUSE = "end-pause"
    SWITCH_ON = "switch-on"  # calls, in the rules
    OTHER_RESERVATION = "other-reservation"
    CHANGE_RULE = "change-rule"  # its price is in callers who hang up
    LEND_AGENT = "lend-agent"  # from a queue that has one free
    ADD_AGENT = "add-agent"
    SLOT = "slot"
    DONE_ELSEWHERE = "done-elsewhere"
    DOCTOR = "doctor"  # says the remedy
    UNDO = "undo"  # in the seconds that are left for it


class Plan(StrEnum):
    """What happens by itself, where nothing is to be done."""

    IS_NEXT = "is-next"
    GOES_FIRST = "goes-first"  # the customer is on the line: whoever calls again goes before all others
    RETURNS = "returns"  # the trunk, the agents, or another agent than the one who is away, are tried then
    IN_TURN = "in-turn"
    UNDER_WAY = "under-way"


LEVERS: Final[Mapping[str, Lever | Plan]] = {
    "held": Lever.RESUME,
    "held-by-service": Lever.RESUME,
    "in-incident": Lever.DECIDE_INCIDENT,
    "pending": Lever.UNDO,
    "in-aim": Plan.IS_NEXT,
    "in-window": Plan.IS_NEXT,
    "overdue": Plan.IS_NEXT,
    "not-due": Lever.CALL_NOW,
    "watch": Lever.SWITCH_ON,
    "paused": Lever.END_PAUSE,
    "not-in-only-numbers": Lever.SWITCH_ON,
    "in-flight": Lever.OTHER_RESERVATION,
    "number-live": Plan.GOES_FIRST,
    "trunk-rests": Plan.RETURNS,
    "agents-rest": Plan.RETURNS,
    "agent-away": Plan.RETURNS,
    "lane-not-called": Lever.CHANGE_RULE,
    "no-free-agent": Lever.ADD_AGENT,
    "callers-waiting": Lever.ADD_AGENT,
    "pacing": Plan.IN_TURN,
    "kept-free": Lever.CHANGE_RULE,
    "too-dear": Lever.CHANGE_RULE,
    "quiet-hours": Lever.SLOT,
    "being-called": Plan.UNDER_WAY,
    "left-to-people": Lever.DONE_ELSEWHERE,
    "service-not-running": Lever.DOCTOR,
    "pbx-not-connected": Lever.DOCTOR,
    "pbx-clock-off": Lever.DOCTOR,
    "database-clock-off": Lever.DOCTOR,
}
"""Every word that says why nobody has called yet, with what can be done about it, or what is waited for."""
WORDS: Final = tuple(LEVERS)
BLIND: Final = ("service-not-running", "pbx-not-connected")
"""Of the words that say why nobody is called at all: those with which nobody knows who is there either."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why nobody has called yet: a word of WORDS, until when time alone ends it, and what would help.

    `turn` is the place among the `of` who may be called now, 1 for the first; None where it is not known. What the
    lever needs: the `other` reservation of the customer that is being called, how many callers are `waiting` in the
    queue, and from which queue (`lend_from`) how many free agents could be lent (`lend`). `free_at` is about when the
    next agent of the queue is free, where agents are what is missing; None: nobody can tell.
    """

    word: str
    until_at: int | None = None
    help: Lever | Plan = Plan.IN_TURN
    turn: int | None = None
    of: int | None = None
    other: int | None = None
    waiting: int = 0
    lend_from: str | None = None
    lend: int = 0
    free_at: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Who holds a reservation, and why; `pending`: who decided to close it, which is done in a moment."""

    who: str
    why: str
    pending: bool = False


def stopped_by(picture: tuple[Live, int] | None, now: int) -> str | None:
    """Say why nobody is called at all, by the last picture of the PBX and when it was taken."""
    if picture is None or now - picture[1] > snapshot.STALE_S * SECOND:
        return "service-not-running"
    return picture[0].closed


class Judge:
    """Says of any row why nobody has called yet, on one picture of the PBX.

    `first` are the rows that the dispatcher would look at, in its order; `turns` are their places in turn, by
    reservation; `of` is how many may be called now.
    """

    def __init__(self, work: Work, first: Sequence[Reservation], turns: Mapping[int, int], of: int) -> None:
        self._work, self._turns, self._of = work, dict(turns), of
        picture = snapshot.recall(work.connection, work.pbx)
        self.stopped = stopped_by(picture, work.now)
        self._live = picture[0] if picture is not None and self.stopped is None else None
        self._seen = claim.look(work, self._live) if self._live is not None else None
        self._words: dict[int, tuple[str, int | None]] = {}
        self._next: set[int] = set()
        self._others: dict[int, int] | None = None
        if self._live is not None and self._seen is not None:
            live = elsewhere.seen(work, first, self._live)
            self._words |= claim.why_not(first, self._seen, work.site, live, work.now)
            self._next |= self._chosen(first, live, self._seen)

    def why(
        self, rows: Iterable[Reservation], holds: Mapping[int, Hold], turns: Mapping[int, int] | None = None
    ) -> dict[int, Why]:
        """Say of each row why; `turns` are the places in turn of rows that lie behind the first."""
        if turns:
            self._turns |= turns
        rows = list(rows)
        self._look_at(rows)
        return {row.id: self._why(row, holds.get(row.id)) for row in rows}

    def words(self, rows: Sequence[Reservation], holds: Mapping[int, Hold]) -> dict[int, str]:
        """Say of each row why in a word alone."""
        self._look_at(rows)
        return {row.id: self._word(row, holds.get(row.id))[0] for row in rows}

    def _look_at(self, rows: Iterable[Reservation]) -> None:
        if self._live is not None and self._seen is not None:
            unknown = [row for row in rows if row.state == "waiting" and row.id not in self._words]
            live = elsewhere.seen(self._work, unknown, self._live)
            self._words |= claim.why_not(unknown, self._seen, self._work.site, live, self._work.now)

    def _why(self, row: Reservation, hold: Hold | None) -> Why:
        word, until_at = self._word(row, hold)
        lend_from, lend = self._lender(row.queue) if word in _NO_AGENT else (None, 0)
        helps = Lever.LEND_AGENT if lend_from is not None else LEVERS[word]
        in_turn = row.state == "waiting" and word not in _NOT_IN_TURN
        return Why(
            word,
            until_at,
            helps,
            turn=self._turns.get(row.id) if in_turn else None,
            of=self._of if in_turn and row.id in self._turns else None,
            other=self._other(row) if word == "in-flight" else None,
            waiting=self._live.waiting.get(row.queue, 0) if self._live is not None else 0,
            lend_from=lend_from,
            lend=lend,
            free_at=self._free_at(row.queue) if word in _NO_AGENT else None,
        )

    def _word(self, row: Reservation, hold: Hold | None) -> tuple[str, int | None]:
        if row.state != "waiting":
            return _held(row, hold) if row.state == "held" else _BY_STATE.get(row.state, "left-to-people"), None
        if self.stopped is not None:
            return self.stopped, None
        word, until_at = self._words[row.id]
        if word == "watch" and self._work.site.rules.queue(row.queue).calls == "on":
            return "not-in-only-numbers", until_at  # it leaves out some numbers of a queue whose calls are on
        if word in NEXT and row.id not in self._next:
            return "pacing", until_at
        return word, until_at

    def _chosen(self, first: Sequence[Reservation], live: Live, seen: claim.Seen) -> set[int]:
        """Those whom the dispatcher would claim in one go on this picture: the others wait their turn."""
        left = {row.id: row for row in first if self._words[row.id][0] in NEXT}
        chosen: set[int] = set()
        while left and len(chosen) < claim.MOST:
            decision = claim.decide(list(left.values()), seen, self._work.site, live, self._work.now)
            if not isinstance(decision, NextCall):
                break
            row = left.pop(decision.candidate.reservation)
            chosen.add(row.id)
            seen = seen.beside(row, decision.candidate.agent)
            if seen.on_trial:
                break
        return chosen

    def _other(self, row: Reservation) -> int | None:
        """The reservation of the same customer that is being called."""
        if self._others is None:
            flights = lanes.in_flight(self._work.connection)
            self._others = {flight.person_id: flight.reservation_id for flight in flights}
        return self._others.get(row.person_id)

    def _free_at(self, queue: str) -> int | None:
        """About when the next agent of a queue is free: when the talk began, and what a call of that queue takes."""
        takes_s = self._live.handle_s.get(queue) if self._live is not None else None
        if self._live is None or takes_s is None:
            return None
        begun = [
            agent.since_at
            for agent in self._live.agents or ()
            if queue in agent.queues and agent.state in _TALKS and agent.since_at is not None
        ]
        ends = (since_at + round(takes_s * SECOND) for since_at in begun)
        return max(min(ends, default=0), self._work.now) if begun else None

    def _lender(self, queue: str) -> tuple[str | None, int]:
        """The queue with the most free agents who do not serve this one, and how many; no caller waits there."""
        if self._live is None:
            return None, 0
        ours = self._live.at_work.get(queue, frozenset()) | self._live.free.get(queue, frozenset())
        free = {
            other: len(agents - ours)
            for other, agents in self._live.free.items()
            if other != queue and not self._live.waiting.get(other)
        }
        lender = max(sorted(free), key=free.__getitem__, default=None)
        return (lender, free[lender]) if lender is not None and free[lender] else (None, 0)


_BY_STATE: Final = {"calling": "being-called"}
_NO_AGENT: Final = ("no-free-agent", "callers-waiting")
_TALKS: Final = ("callback", "talking")
_NOT_IN_TURN: Final = ("not-due", "watch", "not-in-only-numbers", "paused", "quiet-hours", "lane-not-called")


def _held(row: Reservation, hold: Hold | None) -> str:
    """Say what holds a reservation: what is about to close it, an incident, the service, or a person."""
    if hold is not None and hold.pending:
        return "pending"
    if row.incident_id is not None:
        return "in-incident"
    return "held-by-service" if hold is not None and hold.who == audit.SERVICE else "held"
