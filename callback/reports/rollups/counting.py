"""Counts figures from what stands in the database: of half hours that are over once, and of what is not rolled up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, String, and_, bindparam, cast, exists, func, literal, select

from callback.reports.kept import Kept, kept
from callback.reports.rates import WITHIN_MIN, in_time, is_due
from callback.reports.rollups.figures import BINS_MIN
from callback.reports.rollups.spans import half_hour_begins
from callback.site.work import Work
from callback.store import tables as t
from callback.store.engine import write_now
from callback.store.tables.rollups import FIRST_TRY, REACH
from scheduler.clock import HOUR, MINUTE
from sms.outbox import text_outbox
from telephony.calls.call import LEFT_UNSERVED, LOST

NUMBERLESS: Final = frozenset({"no-number", "not-a-number"})
_NO_CALLS: Final = ("callback", "unfinished")
_C, _V, _P, _R, _L, _A, _S, _U = (
    t.call.c,
    t.verdict.c,
    t.past_call.c,
    t.reservation.c,
    t.loss.c,
    t.attempt.c,
    t.answer.c,
    t.audit.c,
)
_T = text_outbox.c
_SINCE: Final[BindParameter[int]] = bindparam("since")
_UNTIL: Final[BindParameter[int]] = bindparam("until")
_PBX: Final[BindParameter[str]] = bindparam("of_pbx")
CALLS_PBX: Final = _C.pbx.concat("")
"""A call's PBX, not by its index: SQLite would look at every call of the PBX before it looked at when they began."""
# Made once: to build a statement costs several times what it costs to run it.
_newer = t.verdict.alias().c
_NEWEST = select(func.max(_newer.version)).where(_newer.pbx == _C.pbx, _newer.call_id == _C.call_id).scalar_subquery()
_HEARD = (
    select(_C.started_at.label("at"), func.coalesce(_C.queue, "").label("queue"), _C.channel, _C.recovery)
    .add_columns(_V.kind, _V.reason)
    .select_from(t.call)
    .join(t.verdict, and_(_V.pbx == _C.pbx, _V.call_id == _C.call_id, _V.version == _NEWEST))
    .where(CALLS_PBX == _PBX, _C.started_at >= _SINCE, _C.started_at < _UNTIL, _V.kind.not_in(_NO_CALLS))
)
_IMPORTED = select(_P.began_at.label("at"), _P.queue, _P.kind, _P.reason).where(
    _P.pbx == _PBX,
    _P.began_at >= _SINCE,
    _P.began_at < _UNTIL,
    _P.kind.not_in(_NO_CALLS),
    ~exists().where(_C.pbx == _P.pbx, _C.call_id == _P.call_id),
)
_MADE = (_R.pbx == _PBX, _R.made_at >= _SINCE, _R.made_at < _UNTIL, t.LOST_ONLY)
_BY_HAND = exists().where(_U.reservation_id == _R.id, _U.action == "called-by-hand")
_RESERVATIONS = select(
    _R.id, _R.made_at, _R.kind, _R.trunk, _R.tries, _R.handled_at, _R.state_since_at, _BY_HAND.label("by_hand")
).where(*_MADE)
_LOSSES = select(_L.reservation_id, _L.lost_at, _L.redialled_at).join(t.reservation, _L.reservation_id == _R.id)
_LOSSES = _LOSSES.where(*_MADE)
_DIALLED = select(_A.reservation_id, _A.customer_dialled_at).join(t.reservation, _A.reservation_id == _R.id)
_DIALLED = _DIALLED.where(*_MADE, _A.customer_dialled_at.is_not(None))
_TEXTS = (
    select(_R.id, _T.state, _T.delivery)
    .select_from(t.reservation)
    .join(text_outbox, _T.recipient == literal("reservation/").concat(cast(_R.id, String)))
    .where(*_MADE)
)
_SCORES = select(_S.reservation_id, _S.score).join(t.reservation, _S.reservation_id == _R.id)
_SCORES = _SCORES.where(*_MADE, t.SCORED).order_by(_S.received_at, _S.id)
_TRIED = (
    select(_A.claimed_at.label("at"), _R.queue_group, _R.queue, _A.agent, _A.outcome)
    .add_columns((_A.ended_at - _A.customer_answered_at).label("talked_us"))
    .select_from(t.attempt)
    .join(t.reservation, _A.reservation_id == _R.id)
    .where(_A.pbx == _PBX, _A.claimed_at >= _SINCE, _A.claimed_at < _UNTIL, _A.agent.is_not(None))
)


class Of(NamedTuple):
    """Of which half hour, group, queue, kind of call and trunk."""

    begins_at: int
    queue_group: str
    queue: str
    kind: str
    trunk: str


class OfAgent(NamedTuple):
    """Of which half hour, group, queue and agent."""

    begins_at: int
    queue_group: str
    queue: str
    agent: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, by the names of columns; of the half hours in `again` more counts from that instant on."""

    figures: dict[Of, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    agents: dict[OfAgent, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    again: dict[int, int] = field(default_factory=dict)

    def look_again(self, begins_at: int, at: int) -> None:
        """Keep the earliest instant from which more of this half hour counts."""
        self.again[begins_at] = min(at, self.again.get(begins_at, at))


class _Made(NamedTuple):
    """A reservation, beside what `Kept` says of it."""

    id: int
    made_at: int
    kind: str
    trunk: str
    tries: int
    handled_at: int | None
    state_since_at: int
    by_hand: bool


class _Loss(NamedTuple):
    lost_at: int
    redialled_at: int | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What was read of the reservations of the time, each by its number."""

    dialled: dict[int, list[int]]
    losses: dict[int, list[_Loss]]
    texts: dict[int, list[tuple[str, str | None]]]
    scores: dict[int, int]


def count(work: Work, since: int, until: int) -> Counted:
    """Count what began, was reserved or was claimed between two instants, by half hour, as it stands now."""
    write_now(work.connection)
    counted = Counted()
    _count_calls(work, since, until, counted)
    _count_reservations(work, since, until, counted)
    for row in work.connection.execute(_TRIED, _asked(work, since, until)):
        at = half_hour_begins(row.at, work.site.hours.zone)
        of = counted.agents[OfAgent(at, row.queue_group, row.queue, row.agent)]
        reached = row.outcome == "reached"
        of.update(tried=1, reached=int(reached), talked_us=(row.talked_us or 0) if reached else 0)
    return counted


def _asked(work: Work, since: int, until: int) -> dict[str, Any]:
    return {"of_pbx": work.pbx, "since": since, "until": until}


def _count_calls(work: Work, since: int, until: int, counted: Counted) -> None:
    """Count calls, by the group that their queue has now."""
    site, asked = work.site, _asked(work, since, until)

    def of(at: int, queue: str, kind: str, reason: str | None, trunk: str) -> Counter[str]:
        half_hour = half_hour_begins(at, site.hours.zone)
        figures = counted.figures[Of(half_hour, site.rules.queue(queue).group, queue, kind, trunk)]
        figures["calls"] += 1
        figures["lost"] += kind in LOST or reason == LEFT_UNSERVED
        figures["served"] += kind == "served"
        figures["requested"] += kind == "requested"
        return figures

    for at, queue, channel, recovery, kind, reason in work.connection.execute(_HEARD, asked):
        figures = of(at, queue, kind, reason, site.trunk_name(channel))
        figures["numberless"] += recovery in NUMBERLESS
        figures["short"] += recovery == "short-abandon"
    for at, queue, kind, reason in work.connection.execute(_IMPORTED, asked):
        of(at, queue, kind, reason, "")


def _count_reservations(work: Work, since: int, until: int, counted: Counted) -> None:
    rows = {row.id: _Made(*row) for row in work.connection.execute(_RESERVATIONS, _asked(work, since, until))}
    if not rows:
        return
    facts = _facts(work, since, until)
    for one in kept(work.connection, _R.pbx == work.pbx, _R.made_at >= since, _R.made_at < until):
        row = rows[one.reservation]
        at = half_hour_begins(row.made_at, work.site.hours.zone)
        figures = counted.figures[Of(at, one.group, one.queue, row.kind, row.trunk)]
        _count_one(one, row, figures)
        _count_facts(one.reservation, facts, figures)
        if not one.valid:
            continue
        figures.update(_promised(one, work.now))
        figures.update(_rang_again(row, facts, work.now))
        for then in _to_come(one, facts):
            if then > work.now:
                counted.look_again(at, then)


def _facts(work: Work, since: int, until: int) -> _Facts:
    read, asked = work.connection.execute, _asked(work, since, until)
    facts = _Facts(defaultdict(list), defaultdict(list), defaultdict(list), {})
    for reservation, dialled_at in read(_DIALLED, asked):
        facts.dialled[reservation].append(dialled_at)
    for reservation, lost_at, redialled_at in read(_LOSSES, asked):
        facts.losses[reservation].append(_Loss(lost_at, redialled_at))
    for reservation, state, delivery in read(_TEXTS, asked):
        facts.texts[reservation].append((state, delivery))
    facts.scores.update((reservation, score) for reservation, score in read(_SCORES, asked))
    return facts


def _count_one(one: Kept, row: _Made, figures: Counter[str]) -> None:
    """Count what its state and its tries say."""
    figures["valid"] += one.valid
    figures["refused"] += one.state == "refused"
    figures["withdrawn"] += one.state == "withdrawn"
    if not one.valid:
        return
    figures["carried_over"] += one.carried_over
    figures["returned"] += one.state == "returned"
    figures["left"] += one.state == "expired"
    figures["handled"] += one.state == "expired" and row.handled_at is not None
    figures["by_hand"] += row.by_hand
    figures["tries"] += row.tries


def _count_facts(reservation: int, facts: _Facts, figures: Counter[str]) -> None:
    """Count its texts and what its customer said last."""
    for state, delivery in facts.texts.get(reservation, ()):
        figures["texts_sent"] += state == "sent"
        figures["texts_delivered"] += delivery == "delivered"
        figures["texts_failed"] += state == "failed" or delivery == "undelivered"
    score = facts.scores.get(reservation)
    if score is not None:
        figures["scored"] += 1
        figures["score_sum"] += score


def _promised(one: Kept, now: int) -> Iterator[str]:
    """Name what counts of the promise by which a valid reservation counts."""
    for minutes in WITHIN_MIN:
        if is_due(one, minutes, now):
            yield f"due_{minutes}"
            yield from (f"{what}_{minutes}" for what in ("dialled", "reached", "closed") if in_time(one, what, minutes))
    begins_at = one.promise.clock_starts_at
    for what, at, bins in (("dialled", one.dialled_at, FIRST_TRY), ("reached", one.reached_at, REACH)):
        if at is not None:
            yield what
            yield bins[_bin(at - begins_at)]


def _rang_again(row: _Made, facts: _Facts, now: int) -> Iterator[str]:
    """Name what counts of each of its losses whose hour is over: whether we called, and whether the caller rang."""
    dialled = [*facts.dialled.get(row.id, ()), *([row.state_since_at] if row.by_hand else [])]
    for loss in facts.losses.get(row.id, ()):
        over_at = loss.lost_at + HOUR
        if over_at > now:
            continue
        again_at = loss.redialled_at
        redialled = again_at is not None and again_at <= over_at
        before = min(over_at, again_at - 1) if again_at is not None else over_at
        which = "called_back" if any(loss.lost_at <= at <= before for at in dialled) else "not_called_back"
        yield which
        if redialled:
            yield f"{which}_redialled"


def _to_come(one: Kept, facts: _Facts) -> Iterator[int]:
    """Give when more of it counts, or counted, by the clock alone."""
    yield from (one.promise.clock_starts_at + minutes * MINUTE for minutes in WITHIN_MIN)
    yield from (loss.lost_at + HOUR for loss in facts.losses.get(one.reservation, ()))


def _bin(took_us: int) -> int:
    return next(number for number, up_to_min in enumerate(BINS_MIN) if took_us <= up_to_min * MINUTE)
