"""The rows behind the figures of a report: reservations and calls of some days, the newest first, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, literal, or_, select, tuple_

from callback.accounts.roles import Groups
from callback.reports.kept import Kept, kept
from callback.reports.rates import WITHIN_MIN, in_time, is_due
from callback.reports.rollups.counting import NUMBERLESS
from callback.site.context import Site
from callback.site.groups import of_groups
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import HOUR
from sms.outbox import text_outbox
from telephony.calls.call import LEFT_UNSERVED, LOST

AT_ONCE: Final = 500
LOOKED_THROUGH: Final = 5000
"""Rows that are looked at for one page: a figure that counts few among many goes on behind "show more"."""
NONE: Final = "-"
"""Stands for a part that has no name: calls that came to no queue, or over no trunk that is known."""
OF_CALLS: Final = ("calls", "served", "lost", "requested", "numberless", "short")
_R, _L, _A, _S, _T, _U = (
    t.reservation.c,
    t.loss.c,
    t.attempt.c,
    t.answer.c,
    text_outbox.c,
    t.audit.c,
)
_C, _V, _P = t.call.c, t.verdict.c, t.past_call.c
_NO_CALLS: Final = ("callback", "unfinished")
_ITS_TEXTS = _T.recipient == literal("reservation/").concat(cast(_R.id, String))
# What a database can say of a reservation; what needs its promises is asked of `Kept`.
_CONDITIONS: Final[Mapping[str, tuple[ColumnElement[bool], ...]]] = {
    "refused": (_R.state == "refused",),
    "withdrawn": (_R.state == "withdrawn",),
    "returned": (_R.state == "returned",),
    "left": (_R.state == "expired",),
    "handled": (_R.state == "expired", _R.handled_at.is_not(None)),
    "by_hand": (exists().where(_U.reservation_id == _R.id, _U.action == "called-by-hand"),),
    "tries": (_R.tries > 0,),
    "texts_sent": (exists().where(_ITS_TEXTS, _T.state == "sent"),),
    "texts_delivered": (exists().where(_ITS_TEXTS, _T.delivery == "delivered"),),
    "texts_failed": (exists().where(_ITS_TEXTS, or_(_T.state == "failed", _T.delivery == "undelivered")),),
    "scored": (exists().where(_S.reservation_id == _R.id, t.SCORED),),
}
_OF_ALL: Final = frozenset({"refused", "withdrawn", "texts_sent", "texts_delivered", "texts_failed", "scored"})
"""Of those too that do not count as valid."""
_AGAIN: Final = ("called_back", "not_called_back")


def _of_kept() -> dict[str, Callable[[Kept, int], bool]]:
    """What the promise that counts says of a valid reservation."""
    said: dict[str, Callable[[Kept, int], bool]] = {
        "carried_over": lambda one, _now: one.carried_over,
        "dialled": lambda one, _now: one.dialled_at is not None,
        "reached": lambda one, _now: one.reached_at is not None,
    }
    for minutes in WITHIN_MIN:
        said[f"due_{minutes}"] = lambda one, now, minutes=minutes: is_due(one, minutes, now)  # type: ignore[misc]
        for what in ("dialled", "reached", "closed"):
            said[f"{what}_{minutes}"] = lambda one, now, what=what, minutes=minutes: (  # type: ignore[misc]
                is_due(one, minutes, now) and in_time(one, what, minutes)
            )
    return said


_KEPT: Final = _of_kept()
OF_RESERVATIONS: Final = ("valid", *_CONDITIONS, *_KEPT, *_AGAIN, *(f"{name}_redialled" for name in _AGAIN))
NAMES: Final = (*OF_CALLS, *OF_RESERVATIONS)


@dataclass(frozen=True, slots=True)
class Within:
    """Of which days, and of which part of the site; "" leaves none out, NONE all that have a name."""

    since_at: int
    until_at: int
    groups: Groups = None
    queue: str = ""
    group: str = ""
    kind: str = ""
    trunk: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the instant, and what tells apart those that share it."""

    at: int
    id: int | str


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of reservations on a page; `after` is where the next one begins, None: it is the last."""

    ids: tuple[int, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class Call:
    """A call; `reservation` is the one that it belongs to, if any."""

    call_id: str
    at: int
    queue: str
    kind: str
    reason: str | None
    trunk: str
    recovery: str | None
    reservation: int | None


@dataclass(frozen=True, slots=True)
class Calls:
    """Some calls, as above."""

    rows: tuple[Call, ...]
    after: Place | None


def reservations(work: Work, name: str, within: Within, most: int = 100, after: Place | None = None) -> Found:
    """Give the next reservations that a figure counts."""
    found: list[Place] = []
    looked = 0
    while len(found) <= most and looked < LOOKED_THROUGH:
        some = _made(work, name, within, after)
        counted = _counted(work, name, [one.id for one in some])
        found += [one for one in some if one.id in counted]
        looked += len(some)
        if len(some) < AT_ONCE:
            after = None
            break
        after = some[-1]
    last = found[most - 1] if len(found) > most else after
    return Found(tuple(int(one.id) for one in found[:most]), last)


def calls(work: Work, name: str, within: Within, most: int = 100, after: Place | None = None) -> Calls:
    """Give the next calls that a figure counts, those of imported logs among them."""
    found: list[Call] = []
    looked = 0
    while len(found) <= most and looked < LOOKED_THROUGH:
        some = _began(work, within, after)
        found += [call for call in some if _is(name, call) and (not within.trunk or call.trunk == _meant(within.trunk))]
        looked += len(some)
        if len(some) < AT_ONCE:
            after = None
            break
        after = Place(some[-1].at, some[-1].call_id)
    if len(found) > most:
        after = Place(found[most - 1].at, found[most - 1].call_id)
    return Calls(tuple(found[:most]), after)


def _made(work: Work, name: str, within: Within, after: Place | None) -> list[Place]:
    wanted = select(_R.made_at, _R.id).where(_R.pbx == work.pbx, t.LOST_ONLY, *_CONDITIONS.get(name, ()))
    wanted = wanted.where(_R.made_at >= within.since_at, _R.made_at < within.until_at)
    for column, value in (
        (_R.queue, within.queue),
        (_R.queue_group, within.group),
        (_R.kind, within.kind),
        (_R.trunk, within.trunk),
    ):
        wanted = wanted.where(column == _meant(value)) if value else wanted
    if within.groups is not None:
        wanted = wanted.where(_R.queue_group.in_(sorted(within.groups)))
    if after is not None:
        wanted = wanted.where(tuple_(_R.made_at, _R.id) < (after.at, after.id))
    rows = work.connection.execute(wanted.order_by(_R.made_at.desc(), _R.id.desc()).limit(AT_ONCE))
    return [Place(*row) for row in rows]


def _counted(work: Work, name: str, ids: Sequence[Any]) -> set[int]:
    """Which of these reservations the figure counts."""
    if not ids or name in _OF_ALL:
        return set(ids)
    valid = [one for one in kept(work.connection, _R.id.in_(ids)) if one.valid]
    if name in _KEPT:
        return {one.reservation for one in valid if _KEPT[name](one, work.now)}
    numbers = {one.reservation for one in valid}
    return _rang_again(work, name, numbers) if name.startswith(_AGAIN) else numbers


def _rang_again(work: Work, name: str, ids: set[int]) -> set[int]:
    """Those with a loss whose hour is over, that was called back in it before the customer rang, or was not."""
    by_hand = exists().where(_U.reservation_id == _R.id, _U.action == "called-by-hand")
    spoken = select(_R.id, _R.state_since_at).where(_R.id.in_(ids), by_hand)
    dialled = select(_A.reservation_id, _A.customer_dialled_at).where(
        _A.reservation_id.in_(ids), _A.customer_dialled_at.is_not(None)
    )
    rang: defaultdict[int, list[int]] = defaultdict(list)
    for query in (dialled, spoken):
        for reservation, at in work.connection.execute(query):
            rang[reservation].append(at)
    losses = select(_L.reservation_id, _L.lost_at, _L.redialled_at).where(
        _L.reservation_id.in_(ids), _L.lost_at <= work.now - HOUR
    )
    found = set[int]()
    for reservation, lost_at, again_at in work.connection.execute(losses):
        redialled = again_at is not None and again_at <= lost_at + HOUR
        before = lost_at + HOUR if again_at is None else min(lost_at + HOUR, again_at - 1)
        called = any(lost_at <= at <= before for at in rang[reservation])
        if called == name.startswith("called") and (redialled or not name.endswith("redialled")):
            found.add(reservation)
    return found


def _began(work: Work, within: Within, after: Place | None) -> list[Call]:
    """The next calls, heard or imported, in one order."""
    newer = t.verdict.alias()
    newest = select(func.max(newer.c.version)).where(newer.c.pbx == _C.pbx, newer.c.call_id == _C.call_id)
    heard = (
        select(_C.call_id, _C.started_at, func.coalesce(_C.queue, ""), _V.kind, _V.reason)
        .add_columns(_C.channel, _C.recovery, _L.reservation_id)
        .select_from(t.call)
        .join(t.verdict, and_(_V.pbx == _C.pbx, _V.call_id == _C.call_id, _V.version == newest.scalar_subquery()))
        .outerjoin(t.loss, and_(_L.pbx == _C.pbx, _L.call_id == _C.call_id))
        .where(_C.pbx.concat("") == work.pbx, *_during(work.site, within, _C.started_at, _C.queue, _V.kind))
        .order_by(_C.started_at.desc(), _C.call_id.desc())
        .limit(AT_ONCE)
    )
    known = exists().where(_C.pbx == _P.pbx, _C.call_id == _P.call_id)
    imported = (
        select(_P.call_id, _P.began_at, _P.queue, _P.kind, _P.reason, literal(None), literal(None), literal(None))
        .where(_P.pbx == work.pbx, ~known, *_during(work.site, within, _P.began_at, _P.queue, _P.kind))
        .order_by(_P.began_at.desc(), _P.call_id.desc())
        .limit(AT_ONCE)
    )
    if after is not None:
        place = (after.at, after.id)
        heard = heard.where(tuple_(_C.started_at, _C.call_id) < place)
        imported = imported.where(tuple_(_P.began_at, _P.call_id) < place)
    rows = [row for query in (heard, imported) for row in work.connection.execute(query)]
    made = [
        Call(row[0], row[1], row[2], row[3], row[4], work.site.trunk_name(row[5]) if row[5] else "", row[6], row[7])
        for row in rows
    ]
    return sorted(made, key=lambda call: (call.at, call.call_id), reverse=True)[:AT_ONCE]


def _during(site: Site, within: Within, at: Any, queue: Any, kind: Any) -> list[ColumnElement[bool]]:  # noqa: ANN401 - columns
    which = [at >= within.since_at, at < within.until_at, kind.not_in(_NO_CALLS)]
    which += [func.coalesce(queue, "") == _meant(within.queue)] if within.queue else []
    which += [kind == within.kind] if within.kind else []
    for groups in (within.groups, frozenset({within.group}) if within.group else None):
        if groups is not None:
            which.append(of_groups(site, queue, groups))
    return which


def _meant(value: str) -> str:
    return "" if value == NONE else value


def _is(name: str, call: Call) -> bool:
    if name == "lost":
        return call.kind in LOST or call.reason == LEFT_UNSERVED
    if name in {"served", "requested"}:
        return call.kind == name
    if name == "numberless":
        return call.recovery in NUMBERLESS
    return name != "short" or call.recovery == "short-abandon"
