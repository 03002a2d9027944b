"""Reservations that are closed: those left to people, and all that are settled, the newest first, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, TextClause, bindparam, func, select, tuple_

from callback.reports.queue.lanes import Found
from callback.reports.queue.rows import Row, rows
from callback.reports.queue.wanted import EVERYBODY, Wanted, conditions
from callback.reports.queue.why import Plan, Why
from callback.reservations.reservation import RESERVATIONS, Reservation
from callback.site.work import Work
from callback.store import tables as t

LEFT, SETTLED = "left", "settled"
TABS: Final = (LEFT, SETTLED)
_R = t.reservation.c
_WHICH: Final[Mapping[str, TextClause]] = {LEFT: t.LEFT_TO_PEOPLE, SETTLED: t.SETTLED}
_SHOWN = RESERVATIONS.add_columns(t.person.c.shared)


@dataclass(frozen=True, slots=True)
class Ended:
    """Where a page of closed reservations ends."""

    closed_at: int
    reservation: int


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant until before another, in microseconds UTC: a day on the site's clock, as a rule."""

    since_at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class ClosedPage:
    """Some closed reservations, the last closed first. `after` is where the next page begins; None: it is the last."""

    rows: tuple[Row, ...]
    after: Ended | None


@cache
def _statement(tab: str, asked: tuple[str, ...], *, within: bool, on: bool) -> Select[Any]:
    """Made once: to build a statement costs several times what it costs to run it."""
    wanted = _SHOWN.where(_R.pbx == bindparam("of_pbx"), _WHICH[tab], *conditions(asked))
    if within:
        wanted = wanted.where(_R.state_since_at >= bindparam("since_at"), _R.state_since_at < bindparam("until_at"))
    if on:
        wanted = wanted.where(tuple_(_R.state_since_at, _R.id) < tuple_(bindparam("closed_at"), bindparam("after_id")))
    return wanted.order_by(_R.state_since_at.desc(), _R.id.desc()).limit(bindparam("most"))


@cache
def _counted(tab: str, asked: tuple[str, ...]) -> Select[Any]:
    wanted = select(_R.state, func.count()).where(_R.pbx == bindparam("of_pbx"), _WHICH[tab], *conditions(asked))
    return wanted.where(_R.state_since_at >= bindparam("since_at"), _R.state_since_at < bindparam("until_at")).group_by(
        _R.state
    )


def page(
    work: Work,
    tab: str,
    wanted: Wanted = EVERYBODY,
    most: int = 100,
    within: Span | None = None,
    after: Ended | None = None,
) -> ClosedPage:
    """Give the next rows of a tab, of those wanted that were closed within that time."""
    asked: dict[str, Any] = {"of_pbx": work.pbx, "now": work.now, "most": most + 1, **wanted.parameters()}
    if within is not None:
        asked |= {"since_at": within.since_at, "until_at": within.until_at}
    if after is not None:
        asked |= {"closed_at": after.closed_at, "after_id": after.reservation}
    statement = _statement(tab, wanted.asked, within=within is not None, on=after is not None)
    found = [
        Found(Reservation(*row[:-1]), "", row.shared, row.state_since_at)
        for row in work.connection.execute(statement, asked)
    ]
    shown = found[:most]
    last = shown[-1].row if len(found) > most else None
    made = rows(work, shown, {one.row.id: _why(one.row) for one in shown}, {})
    return ClosedPage(tuple(made), None if last is None else Ended(last.state_since_at, last.id))


def counts(work: Work, tab: str, within: Span, wanted: Wanted = EVERYBODY) -> dict[str, int]:
    """Count by state those that were closed within that time."""
    span = {"since_at": within.since_at, "until_at": within.until_at}
    asked = {"of_pbx": work.pbx, "now": work.now, **span, **wanted.parameters()}
    return {row[0]: row[1] for row in work.connection.execute(_counted(tab, wanted.asked), asked)}


def _why(row: Reservation) -> Why:
    return Why("left-to-people") if row.state == "expired" else Why(row.state, help=Plan.UNDER_WAY)
