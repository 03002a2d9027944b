"""What a row of the queue shows, with its number in full: who shows it to people masks it where they may not see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from sqlalchemy import bindparam, func, select

from callback.reports.queue.lanes import Found
from callback.reports.queue.why import Hold, Why
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import SECOND
from sms.status import TextStatus

Step = Literal["agent-rings", "agent-answered", "customer-rings", "customer-answered", "talking"]
"""How far a call back is."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The loss that counts most: of the kind that the reservation has, the last one; times in seconds."""

    call_id: str
    lost_at: int
    kind: str
    reason: str | None
    side: str | None
    waited_s: float
    talked_s: float
    source: str  # of the verdict


@dataclass(frozen=True, slots=True)
class Stage:
    """How far the attempt is that is under way, and since when."""

    attempt: str
    step: Step
    since_at: int
    agent: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last attempt ended."""

    outcome: str
    ended_at: int
    agent: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One reservation as the queue shows it; instants in microseconds UTC.

    `lane` is a code of `lanes.LANES`, "" once it is closed. `due_at`: not called before. `overdue_by_at` is the new
    time that the customer was told. `max_tries` is by the rules of now. `answer` is a text of the customer that a
    person has still to read. `ended_by` is who closed it, where that was a person, or the agent who reached the
    customer. `handled`: it was left to people, and one of them has dealt with it.
    """

    reservation: int
    revision: int
    lane: str
    number: str
    shared: bool
    queue: str
    group: str
    kind: str
    state: str
    state_since_at: int
    losses: int
    redialled: bool
    tries: int
    max_tries: int
    made_at: int
    first_lost_at: int
    last_lost_at: int
    aim_at: int
    deadline_at: int
    due_at: int
    slot_at: int | None
    overdue_by_at: int | None
    severity: int
    why: Why
    lost: Lost | None
    stage: Stage | None
    last: Outcome | None
    text: TextStatus | None
    text_refusal: str | None
    answer: int | None
    assigned_to: str | None
    reference: str | None
    trunk: str
    language: str
    incident: int | None
    held_by: str | None
    held_why: str | None
    ended_by: str | None
    handled: bool
    now: int

    @property
    def overdue(self) -> bool:
        """Whether the deadline of the promise in force has passed."""
        return self.now > self.deadline_at

    @property
    def left_s(self) -> int:
        """How long it is until the deadline; negative: it has passed."""
        return (self.deadline_at - self.now) // SECOND

    @property
    def why_not(self) -> str:
        """The word that says why nobody has called yet."""
        return self.why.word

    @property
    def until_at(self) -> int | None:
        """When time alone ends that; None: it does not."""
        return self.why.until_at

    def as_json(self) -> dict[str, Any]:
        """Plain values; what is reckoned from others beside them."""
        reckoned = {"overdue": self.overdue, "left_s": self.left_s, "why_not": self.why_not, "until_at": self.until_at}
        return asdict(self) | reckoned


_NEWER = t.verdict.alias()
_L, _V, _A, _N = t.loss.c, t.verdict.c, t.attempt.c, t.answer.c
_THESE: Final[Any] = bindparam("ids", expanding=True)
_NEWEST = select(func.max(_NEWER.c.version)).where(_NEWER.c.pbx == _V.pbx, _NEWER.c.call_id == _V.call_id)
# Made once: each runs for every page that is shown.
_LOSSES = (
    select(
        _L.reservation_id,
        _L.call_id,
        _L.lost_at,
        _L.redialled_at,
        _V.kind,
        _V.reason,
        _V.side,
        _V.waited_us,
        _V.talked_us,
        _V.source,
    )
    .select_from(t.loss)
    .join(t.verdict, (_V.pbx == _L.pbx) & (_V.call_id == _L.call_id) & (_V.version == _NEWEST.scalar_subquery()))
    .where(_L.reservation_id.in_(_THESE))
    .order_by(_L.lost_at)
)
_ATTEMPTS = (
    select(
        _A.reservation_id,
        _A.id,
        _A.in_flight,
        _A.claimed_at,
        _A.agent,
        _A.agent_connected_at,
        _A.customer_dialled_at,
        _A.customer_answered_at,
        _A.ended_at,
        _A.outcome,
    )
    .where(_A.reservation_id.in_(_THESE))
    .order_by(_A.number)
)
_ANSWERS = (
    select(_N.reservation_id, func.min(_N.id)).where(_N.reservation_id.in_(_THESE), t.FOR_PEOPLE)
    .group_by(_N.reservation_id)
)  # fmt: skip
_CLOSING: Final = ("withdrawn", "cancelled", "done-elsewhere")
_AUDIT = t.audit.c
_CLOSED_BY = (
    select(_AUDIT.reservation_id, _AUDIT.who)
    .where(_AUDIT.reservation_id.in_(_THESE), _AUDIT.action.in_(_CLOSING))
    .order_by(_AUDIT.id)
)


_PENDING = (
    select(t.batch_item.c.reservation_id, t.batch.c.who, t.batch.c.why)
    .select_from(t.batch_item)
    .join(t.batch, t.batch.c.id == t.batch_item.c.batch_id)
    .where(t.batch_item.c.reservation_id.in_(_THESE), t.PENDING)
)


def holds(work: Work, rows: Collection[Reservation]) -> dict[int, Hold]:
    """Who holds those of the rows that are held by a person or by the service, and why."""
    ids = [row.id for row in rows if row.state == "held"]
    if not ids:
        return {}
    held = {number: Hold(row.who, row.why) for number, row in audit.last(work.connection, "held", ids).items()}
    pending = work.connection.execute(_PENDING, {"ids": ids})
    return held | {row.reservation_id: Hold(row.who, row.why, pending=True) for row in pending}


def rows(work: Work, found: Sequence[Found], why: Mapping[int, Why], held: Mapping[int, Hold]) -> list[Row]:
    """Make the rows of what was found: all that belongs to them is read in one go."""
    ids = [one.row.id for one in found]
    if not ids:
        return []
    beside = _Beside(work, ids, [one.row for one in found])
    return [_row(work, one, why[one.row.id], held.get(one.row.id), beside) for one in found]


class _Beside:
    """What stands in other tables about some reservations."""

    def __init__(self, work: Work, ids: list[int], of: Sequence[Reservation]) -> None:
        asked, connection = {"ids": ids}, work.connection
        self.losses: dict[int, list[Any]] = {}
        for row in connection.execute(_LOSSES, asked):
            self.losses.setdefault(row.reservation_id, []).append(row)
        self.attempts: dict[int, list[Any]] = {}
        for row in connection.execute(_ATTEMPTS, asked):
            self.attempts.setdefault(row.reservation_id, []).append(row)
        self.answers: dict[int, int] = {row[0]: row[1] for row in connection.execute(_ANSWERS, asked)}
        self.texts = compose.newest_texts(connection, ids)
        closed = [row.id for row in of if row.state in _CLOSING]
        by = connection.execute(_CLOSED_BY, {"ids": closed}) if closed else ()
        self.closed_by: dict[int, str] = {row.reservation_id: row.who for row in by}


def _row(work: Work, found: Found, why: Why, hold: Hold | None, beside: _Beside) -> Row:
    row = found.row
    losses, attempts = beside.losses.get(row.id, []), beside.attempts.get(row.id, [])
    last = next((_outcome(one) for one in reversed(attempts) if one.ended_at is not None), None)
    stops = work.site.paused("call", row.queue) if why.word == "paused" else hold
    reached_by = last.agent if last is not None and row.state == "reached" else None
    return Row(
        reservation=row.id,
        revision=row.revision,
        lane=found.lane if row.open else "",
        number=row.e164,
        shared=found.shared,
        queue=row.queue,
        group=row.queue_group,
        kind=row.kind,
        state=row.state,
        state_since_at=row.state_since_at,
        losses=row.losses,
        redialled=any(loss.redialled_at is not None for loss in losses),
        tries=row.tries,
        max_tries=work.site.rules.max_tries,
        made_at=row.made_at,
        first_lost_at=losses[0].lost_at if losses else row.made_at,
        last_lost_at=row.last_lost_at,
        aim_at=row.aim_at,
        deadline_at=row.deadline_at,
        due_at=row.not_before_at,
        slot_at=row.slot_at,
        overdue_by_at=row.overdue_by_at,
        severity=row.severity,
        why=why,
        lost=_lost(row, losses),
        stage=next((_stage(one) for one in attempts if one.in_flight), None),
        last=last,
        text=beside.texts.get(row.id),
        text_refusal=row.text_refusal,
        answer=beside.answers.get(row.id),
        assigned_to=row.assigned_to,
        reference=row.reference,
        trunk=work.site.dials_over(row.trunk),
        language=work.site.rules.queue(row.queue).language,
        incident=row.incident_id,
        held_by=stops.who if stops else None,
        held_why=stops.why if stops else None,
        ended_by=reached_by or beside.closed_by.get(row.id),
        handled=row.handled_at is not None,
        now=work.now,
    )


def _lost(row: Reservation, losses: Sequence[Any]) -> Lost | None:
    """The last loss of the reservation's own kind; where a better verdict left none, the last one."""
    alike = [loss for loss in losses if loss.kind == row.kind] or losses
    if not alike:
        return None
    loss = alike[-1]
    waited_s, talked_s = loss.waited_us / SECOND, loss.talked_us / SECOND
    return Lost(loss.call_id, loss.lost_at, loss.kind, loss.reason, loss.side, waited_s, talked_s, loss.source)


def _outcome(attempt: Any) -> Outcome:  # noqa: ANN401 - a row of a join
    return Outcome(attempt.outcome, attempt.ended_at, attempt.agent)


def _stage(attempt: Any) -> Stage:  # noqa: ANN401 - as above
    agent_at, customer_at = attempt.agent_connected_at, attempt.customer_answered_at
    step: Step
    if agent_at is not None and customer_at is not None:
        step, since_at = "talking", max(agent_at, customer_at)
    elif customer_at is not None:
        step, since_at = "customer-answered", customer_at
    elif attempt.customer_dialled_at is not None:
        step, since_at = "customer-rings", attempt.customer_dialled_at
    elif agent_at is not None:
        step, since_at = "agent-answered", agent_at
    else:
        step, since_at = "agent-rings", attempt.claimed_at
    return Stage(attempt.id, step, since_at, attempt.agent)
