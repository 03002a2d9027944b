"""The rates of a day by group of queues, counted by the database: thousands of reservations, every few seconds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, select

from callback.reports.kept import CLOSED_AT, DIALLED_AT, INVALID, REACHED_AT, Kept, kept
from callback.reports.rates import WITHIN_MIN, Rates, measure, numberless_by_queue
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import MINUTE
from scheduler.promise import CARRIED_OVER

_R, _P = t.reservation.c, t.promise.c
_LATER = t.promise.alias()
_MORE_THAN_ONE = select(_LATER.c.number).where(_LATER.c.reservation_id == _R.id, _LATER.c.number > 1).exists()
# Of nearly all there is one promise, and it counts. What is looked up for each stands apart, so that it is done once.
_ONE_PROMISE = (
    select(
        _R.queue_group.label("queue_group"),
        _R.state.label("state"),
        _P.clock_starts_at.label("clock_starts_at"),
        _P.reason.label("reason"),
        DIALLED_AT.label("dialled_at"),
        REACHED_AT.label("reached_at"),
        CLOSED_AT.label("closed_at"),
    )
    .join(t.promise, and_(_P.reservation_id == _R.id, _P.number == 1))
    .where(_R.pbx == bindparam("of_pbx"), _R.made_at >= bindparam("since"), ~_MORE_THAN_ONE, t.LOST_ONLY)
    .cte("one_promise")
    .prefix_with("MATERIALIZED")
)


def _counted() -> Select[Any]:
    """Count them by group, in the order in which Rates names what is counted."""
    one = _ONE_PROMISE.c
    valid = one.state.not_in(sorted(INVALID))
    until = {minutes: one.clock_starts_at + minutes * MINUTE for minutes in WITHIN_MIN}
    due = {minutes: and_(valid, until[minutes] <= bindparam("now")) for minutes in WITHIN_MIN}
    times = {"dialled": one.dialled_at, "reached": one.reached_at, "closed": one.closed_at}
    counted: dict[str, ColumnElement[bool]] = {
        "valid": valid,
        **{f"due_{minutes}": due[minutes] for minutes in WITHIN_MIN},
        **{
            f"{what}_{minutes}": and_(due[minutes], at <= until[minutes])
            for what, at in times.items()
            for minutes in WITHIN_MIN
        },
        "carried_over": and_(valid, one.reason == CARRIED_OVER),
        "returned": and_(valid, one.state == "returned"),
        "refused": one.state == "refused",
    }
    sums = (func.sum(case((which, 1), else_=0)).label(name) for name, which in counted.items())
    return select(one.queue_group, *sums).group_by(one.queue_group)


_COUNTED: Final = _counted()


def rates_by_group(work: Work, since: int) -> dict[str, Rates]:
    """Measure the reservations of one PBX made from `since` on, as `rates` does, by group of queues.

    Of each Rates `queue` is the name of the group. Whoever may see some groups alone gets those, added up (`together`).
    """
    asked = {"of_pbx": work.pbx, "since": since, "now": work.now}
    parts: defaultdict[str, list[Rates]] = defaultdict(list)
    for row in work.connection.execute(_COUNTED, asked).mappings():
        counts = {name: int(many) for name, many in row.items() if name != "queue_group"}
        parts[row["queue_group"]].append(Rates(row["queue_group"], numberless=0, **counts))
    many: defaultdict[str, list[Kept]] = defaultdict(list)
    for one in kept(work.connection, _R.made_at >= since, _R.pbx == work.pbx, _MORE_THAN_ONE):
        many[one.group].append(one)
    for group, ones in many.items():
        parts[group].append(measure(group, ones, 0, work.now))
    numberless = Counter[str]()
    for queue, lost in numberless_by_queue(work.connection, work.pbx, since).items():
        numberless[work.site.rules.queue(queue).group] += lost
    for group, lost in numberless.items():
        parts[group].append(measure(group, (), lost, work.now))
    return {group: together(ones, group) for group, ones in sorted(parts.items())}


def together(parts: Iterable[Rates], name: str = "") -> Rates:
    """Add up rates of reservations of which none is in two parts."""
    counts = Counter[str]()
    for part in parts:
        counts.update({what: many for what, many in asdict(part).items() if what != "queue"})
    return Rates(queue=name, **{field.name: counts[field.name] for field in fields(Rates) if field.name != "queue"})
