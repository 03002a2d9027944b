"""What Now is held against: its figures by SQL that was written apart from it, and the rows that each leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, String, bindparam, text

from callback.reports.care import cases
from callback.reports.care.cases import Wanted as WantedCases
from callback.reports.now import lists, look
from callback.reports.now.figure import Figure, InCases, InList
from callback.reports.now.look import Now
from callback.reports.now.since import midnight
from callback.reports.queue import lanes
from callback.site.work import Work

_SQL: Final = text((Path(__file__).parent / "sql" / "now.sql").read_text()).bindparams(
    bindparam("of_groups", expanding=True, type_=String())
)
Groups = frozenset[str] | None
MOST: Final = 1000


def by_sql(work: Work, groups: Groups) -> dict[str, int]:
    """Each figure by its name."""
    asked = {
        "now": work.now,
        "midnight": midnight(work.site, work.now),
        "binds_s": round(work.site.rules.pacing.binds_min * 60),
        "all": int(groups is None),
        "of_groups": sorted(groups or ()),
    }
    return dict(_rows(work.connection, asked))


def _rows(connection: Connection, asked: Mapping[str, Any]) -> list[Any]:
    return list(connection.execute(_SQL, asked))


def read(work: Work, groups: Groups) -> Now:
    """Read Now with nothing kept from before."""
    return look.look(work, groups, look.dangers(work, groups), look.rated(work), None)


def by_page(now: Now) -> dict[str, int]:
    """The same names, as the page counts."""
    opened: dict[str, int] = {lane: figure.count for lane, figure in now.open.by_lane.items()}
    rates = {
        name: getattr(now.promises.rates, name)
        for name in (f"{what}_{minutes}" for what in ("due", "dialled", "reached", "closed") for minutes in (30, 60))
    }
    needs = {name: 0 if figure is None else figure.count for name, figure in _needs(now)}
    return {"open": now.open.all.count, "due": now.open.due.count, **opened, **rates, **needs}


def figures(now: Now) -> list[Figure]:
    """Every figure of the page that leads to rows."""
    promises = [now.promises.due(minutes) for minutes in (30, 60)]
    promises += [now.promises.done(what, minutes) for what in ("dialled", "reached", "closed") for minutes in (30, 60)]
    open_ = [now.open.all, now.open.calling, now.open.due, now.open.later, now.open.held, *now.open.by_lane.values()]
    dangers = [figure for one in now.dangers.groups for figure in (one.missed, one.hopeless)]
    needs = [figure for _, figure in _needs(now) if figure is not None]
    return [*promises, *open_, *dangers, now.dangers.missed, *needs]


def _needs(now: Now) -> list[tuple[str, Figure | None]]:
    names = [field.name for field in fields(now.needs) if field.name != "by_whom"]
    return [(name, getattr(now.needs, name)) for name in names]


def rows_behind(work: Work, figure: Figure, groups: Groups) -> int:
    """How many rows there are where a figure leads."""
    if figure.rows is None:
        return 0
    if isinstance(figure.rows, InList):
        return len(lists.rows(work, figure.rows, groups))
    if isinstance(figure.rows, InCases):
        return len(cases.page(work, WantedCases(due=figure.rows.due), groups, most=MOST).cases)
    wanted = replace(figure.rows.wanted, groups=groups)
    names = figure.rows.lanes or lanes.LANES
    return sum(len(lanes.page(work, lane, wanted, MOST)) for lane in names)
