"""The losses of the last days, each with the facts by which it was decided: facts that no rule changes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import and_, func, or_, select

from callback.customers import blocks
from callback.losses import wangiri
from callback.losses.decide import Standing
from callback.reports.kept import DIALLED_AT, INVALID
from callback.settings.rules import SiteRules
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import MINUTE, SECOND
from scheduler.promise import APOLOGY, Promise
from telephony.calls.call import LEFT_UNSERVED, LOST

Key = tuple[str, int, str]
"""By what an open reservation is known: its queue, its customer, and what keeps the calls of a shared number apart."""

_C, _V, _P, _L, _R, _U = t.call.c, t.verdict.c, t.person.c, t.loss.c, t.reservation.c, t.unread_number.c
_Q, _M = t.queue_visit.c, t.promise.c
_DOUBTS: Final = ("unconfirmed", "unproved")
_newer, _then = t.verdict.alias().c, t.promise.alias().c
_OF_SERVICE = (
    select(func.max(_newer.version))
    .where(_newer.pbx == _V.pbx, _newer.call_id == _V.call_id, _newer.source != t.PERSON)
    .scalar_subquery()
)
_VISITED = select(_Q.queue).where(_Q.pbx == _C.pbx, _Q.call_id == _C.call_id).exists()
_LOST = and_(
    _V.version == _OF_SERVICE,
    or_(_V.kind.in_((*LOST, "requested")), _V.reason == LEFT_UNSERVED),
)
_JUDGED = t.call.join(t.verdict, and_(_V.pbx == _C.pbx, _V.call_id == _C.call_id))
_COUNT = select(func.count()).select_from(_JUDGED).where(_LOST)
_FACTS = (
    select(
        t.call,
        _V.kind, _V.reason, _V.side, _V.waited_us, _V.judged_at,
        _P.number, _P.shared, _U.digits, _VISITED.label("visited"),
        _L.reservation_id, _L.incident_id,
        _R.made_at, _R.state, _R.open, _R.state_since_at, _R.queue.label("owed_in"), _R.apart,
        DIALLED_AT.label("dialled_at"),
    )
    .select_from(
        _JUDGED.outerjoin(t.person, _P.id == _C.person_id)
        .outerjoin(t.unread_number, and_(_U.pbx == _C.pbx, _U.call_id == _C.call_id))
        .outerjoin(t.loss, and_(_L.pbx == _C.pbx, _L.call_id == _C.call_id))
        .outerjoin(t.reservation, _R.id == _L.reservation_id)
    )
    .where(_LOST)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owed:
    """The reservation that a loss has led to: when it was made, when its customer was first dialled, how it ended."""

    reservation: int
    key: Key
    made_at: int
    dialled_at: int | None
    valid: bool
    ended_at: int | None  # None: it is open, or was listed as refused


@dataclass(frozen=True, slots=True)
class LostCall:
    """One lost call. `number` is the caller's, or what was signalled where that is nobody's; learnt at `learnt_at`."""

    call_id: str
    channel: str
    number: str | None
    did: str | None
    visited: str | None  # the last queue; None: the call came to none
    person: int | None
    shared: bool
    kind: str
    reason: str | None
    side: str | None
    waited_s: float
    started_at: int
    lost_at: int
    learnt_at: int
    doubt: Any
    held: bool  # by an incident
    blocked: blocks.Blocked
    owed: Owed | None


@dataclass(frozen=True, slots=True, order=True)
class OneRing:
    """A call too short for an answer."""

    known_at: int
    call_id: str
    began_at: int
    ended_at: int
    person: int
    number: str


@dataclass(frozen=True, slots=True)
class Lately:
    """The losses since then, in the order learnt: so many `of` all. `open_before` were owed then already."""

    since_at: int
    losses: tuple[LostCall, ...]
    of: int
    erased: int  # callers whose number is not known any more: left out
    open_before: dict[Key, Standing]
    ends: tuple[tuple[int, Key], ...]  # when reservations were over
    first_start_at: int
    one_rings: tuple[OneRing, ...]  # in the order learnt


def lately(work: Work, since_at: int, most: int, one_ring_s: float, one_ring_min: float) -> Lately:
    """Read the losses since then, the newest `most` at most."""
    connection = work.connection
    mine = (_C.pbx == work.pbx, _C.started_at >= since_at)
    rows = connection.execute(
        _FACTS.where(*mine).order_by(_C.started_at.desc(), _C.call_id.desc()).limit(most + 1)
    ).all()
    of = len(rows)
    if of > most:
        rows = rows[:most]
        since_at = rows[-1].started_at
        of = connection.execute(_COUNT.where(*mine)).scalar_one()
    known = [row for row in rows if row.number is None or blocks.is_number(row.number)]
    standing = blocks.standing(connection, {row.number for row in known if row.number is not None})
    losses = sorted((_lost(row, standing) for row in known), key=lambda one: (one.learnt_at, one.call_id))
    before = _open_before(work, since_at, most)
    owed = {one.owed.reservation: one.owed for one in losses if one.owed is not None}
    ends = {(one.ended_at, one.key) for one in owed.values() if one.ended_at is not None}
    ends |= {(end, key) for key, (_, end) in before.items() if end is not None}
    started = select(t.checkpoint.c.first_started_at).where(t.checkpoint.c.pbx == work.pbx)
    return Lately(
        since_at,
        tuple(losses),
        of,
        len(rows) - len(known),
        {key: standing for key, (standing, _) in before.items()},
        tuple(sorted(ends)),
        connection.execute(started).scalar() or 0,
        _one_rings(work, since_at - round(one_ring_min * MINUTE), one_ring_s, most),
    )


def _lost(row: Any, standing: dict[str, tuple[blocks.Blocked, int]]) -> LostCall:  # noqa: ANN401 - a row of a join
    blocked, since_at = standing.get(row.number, (blocks.FREE, 0))
    owed = None
    if row.reservation_id is not None:
        over = not row.open and row.state != "refused"
        owed = Owed(
            row.reservation_id,
            (row.owed_in, row.person_id, row.apart),
            row.made_at,
            row.dialled_at,
            row.state not in INVALID,
            row.state_since_at if over else None,
        )
    return LostCall(
        row.call_id,
        row.channel,
        row.number or row.digits,
        row.did,
        row.queue if row.visited else None,
        row.person_id,
        bool(row.shared),
        row.kind,
        row.reason,
        row.side,
        row.waited_us / SECOND,
        row.started_at,
        row.ended_at or row.started_at,
        row.judged_at,
        row.recovery if row.recovery in _DOUBTS else None,
        row.incident_id is not None,
        blocked if since_at <= row.judged_at else blocks.FREE,
        owed,
    )


def _open_before(work: Work, since_at: int, most: int) -> dict[Key, tuple[Standing, int | None]]:
    """What was owed already when the first of the losses came, by the promise in force then; and when it was over."""
    newest = (
        select(func.max(_then.number))
        .where(_then.reservation_id == _R.id, _then.reason != APOLOGY, _then.made_at < since_at)
        .scalar_subquery()
    )
    rows = work.connection.execute(
        select(
            _R.id, _R.queue, _R.person_id, _R.apart, _R.open, _R.state_since_at, _R.severity, _R.made_at,
            _M.made_at.label("promised_at"), _M.clock_starts_at, _M.aim_at, _M.deadline_at, _M.reason,
        )
        .select_from(t.reservation)
        .join(t.promise, and_(_M.reservation_id == _R.id, _M.number == newest))
        .where(_R.pbx == work.pbx, _R.made_at < since_at, _R.made_at >= since_at - (work.now - since_at))
        .where(or_(_R.open, _R.state_since_at > since_at), _R.state != "refused", t.LOST_ONLY)
        .order_by(_R.made_at.desc())
        .limit(most)
    )  # fmt: skip
    found = {}
    for row in rows:
        kept = Promise(row.promised_at, row.clock_starts_at, row.aim_at, row.deadline_at, row.reason)
        standing = Standing(row.id, 1, row.made_at, row.severity, None, row.deadline_at, None, None, None, kept)
        key = (row.queue, row.person_id, row.apart)
        found[key] = (standing, None if row.open else row.state_since_at)
    return found


def _one_rings(work: Work, since_at: int, one_ring_s: float, most: int) -> tuple[OneRing, ...]:
    rows = work.connection.execute(
        select(_V.judged_at, _C.call_id, _C.started_at, _C.ended_at, _C.person_id, _P.number)
        .select_from(t.call)
        .join(t.person, _P.id == _C.person_id)
        .join(t.verdict, and_(_V.pbx == _C.pbx, _V.call_id == _C.call_id, _V.version == 1))
        .where(_C.started_at >= since_at, _C.ended_at - _C.started_at <= round(one_ring_s * SECOND))
        .order_by(_C.started_at.desc())
        .limit(most)
    )
    return tuple(sorted(OneRing(*row) for row in rows))


class OneRings:
    """Which callers of a block of numbers only rang once, so far: what `wangiri.burst` asks the database."""

    def __init__(self, calls: Iterable[OneRing], rules: SiteRules) -> None:
        longest = round(rules.one_ring_s * SECOND)
        self._calls = deque(call for call in calls if call.ended_at - call.began_at <= longest)
        self._rules = rules
        self._began: defaultdict[str, dict[int, int]] = defaultdict(dict)  # by block, the last such call of each person

    def burst(self, lost: LostCall, kind: str, e164: str, now: int) -> bool:
        """Whether a caller only rang once, like many others of the same block lately, as far as was known by then."""
        while self._calls and (self._calls[0].known_at, self._calls[0].call_id) <= (now, lost.call_id):
            call = self._calls.popleft()
            began = self._began[call.number[: -wangiri.BLOCK_DIGITS]]
            began[call.person] = max(call.began_at, began.get(call.person, 0))
        if not wangiri.one_ring(kind, lost.started_at, lost.lost_at, self._rules):
            return False
        since = wangiri.since(now, self._rules)
        lately = self._began[e164[: -wangiri.BLOCK_DIGITS]].values()
        return sum(began_at > since for began_at in lately) >= self._rules.one_ring_numbers


def joined(standing: Standing, lost_at: int, pledge: Promise) -> Standing:
    """What stands after one more loss."""
    last = max(standing.last_lost_at, lost_at)
    return replace(standing, losses=standing.losses + 1, last_lost_at=last, deadline_at=pledge.deadline_at, kept=pledge)
