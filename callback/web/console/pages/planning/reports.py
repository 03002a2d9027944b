"""Reports: how promises were kept in some days, beside the days before; each figure leads to its rows."""

from __future__ import annotations

import json
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from callback.reports.period import listed
from callback.reports.period.listed import OF_CALLS, Place, Within
from callback.reports.period.report import Report, Row, Span, Wish
from callback.reports.queue.board import Queue
from callback.site.work import Work
from callback.web.console import gate
from callback.web.console.number import number_in
from callback.web.console.queue import cursor
from callback.web.console.reports import asked as asking
from callback.web.console.reports import days, shown, spreadsheet
from callback.web.console.reports.asked import BYS, PERIODS, SPLITS, Asked
from callback.web.console.reports.definitions import DEFINITIONS, RATES
from callback.web.console.reports.shown import Links
from callback.web.console.visit import Visit
from scheduler.clock import DAY, local

router = APIRouter()

_PARTS: Final = ("queue", "group", "kind", "trunk")
USUAL_DAYS: Final = 7


@router.get("/reports")
def reports(visit: gate.SeeReports) -> Response:
    """Show the report of a period."""
    asked, report, now = _read(visit)
    return visit.page(
        "planning/reports.html",
        asked=asked,
        report=report,
        links=Links(asked, _split(asked), report.since_at, report.until_at),
        telling=shown,
        definitions=DEFINITIONS,
        rates=RATES,
        periods=PERIODS,
        splits=SPLITS,
        bys=BYS,
        names_agents=visit.viewer.may("name-agents"),
        today_only=report.until_at - report.since_at < DAY,
        is_behind=report.until_at < min(now, asked.days.until_at),
        now=now,
    )


@router.get("/reports.csv")
def as_csv(visit: gate.SeeReports) -> Response:
    """Give every line of it to a spreadsheet."""
    asked, report, _ = _read(visit)
    lines = [_facts(asked, of, row) for of, row in shown.rows_of(report)]
    names = list(_facts(asked, "whole", _whole(report)))
    return spreadsheet.file(spreadsheet.as_csv(names, ([line[name] for name in names] for line in lines)), "report.csv")


@router.get("/reports.json")
def as_json(visit: gate.SeeReports) -> Response:
    """Give it to a program."""
    asked, report, _ = _read(visit)
    zone = asked.days.zone
    agents = [
        {"agent": one.agent, "tried": one.figures.tried, "reached": one.figures.reached}
        for one in (report.agents if visit.viewer.may("name-agents") else ())
    ]
    told = {
        "since": _instant(report.since_at, zone),
        "until": _instant(report.until_at, zone),
        "split": asked.split,
        "whole": _facts(asked, "whole", _whole(report)),
        "before": None if report.before is None else shown.plain(report.before),
        "lines": [_facts(asked, of, row) for of, row in shown.rows_of(report)],
        "missed_by_cause": dict(report.causes),
        "agents": agents,
    }
    return Response(json.dumps(told, ensure_ascii=False, indent=1), media_type="application/json")


@router.get("/reports/rows/{name}")
def rows(visit: gate.SeeReports, name: str) -> Response:
    """Show the reservations or the calls that a figure counts."""
    if name not in listed.NAMES:
        raise HTTPException(404)
    query = visit.request.query_params
    said = {part: query.get(part, "") for part in _PARTS}
    added_up = {end: query[end] for end in ("from", "to") if number_in(query.get(end, "")) is not None}

    def look(work: Work) -> dict[str, Any]:
        of_days = days.asked_for(
            query.get("since", ""), query.get("until", ""), work.now, work.site.hours.zone, USUAL_DAYS
        )
        since_at = max(of_days.since_at, int(added_up.get("from", 0)))
        until_at = min(of_days.until_at, int(added_up.get("to", of_days.until_at)))
        within = Within(since_at, until_at, visit.viewer.groups, **said)
        of = f"report rows {name} {since_at} {until_at} {sorted(said.items())}"
        after = Place(*cursor.opened_plain(work, query["after"], of)) if query.get("after") else None
        found: dict[str, Any]
        if name in OF_CALLS:
            calls = listed.calls(work, name, within, after=after)
            found, place = {"calls": calls.rows, "rows": ()}, calls.after
        else:
            made = listed.reservations(work, name, within, after=after)
            found, place = {"calls": (), "rows": Queue(work).by_id(made.ids, visit.viewer.groups)}, made.after
        more = "" if place is None else cursor.sealed_plain(work, (place.at, place.id), of)
        address = {"since": of_days.first, "until": of_days.last, **added_up, **said, "after": more}
        return {**found, "days": of_days, "more": more, "query": address, "now": work.now}

    return visit.page(
        "planning/report_rows.html", name=name, said=said, definition=shown.definition(name), **visit.look(look)
    )


def _read(visit: Visit) -> tuple[Asked, Report, int]:
    def look(work: Work) -> tuple[Asked, Report, int]:
        asked = asking.read(visit.request.query_params, work.now, work.site.hours.zone)
        before = Span(asked.before.since_at, asked.before.until_at) if asked.compare else None
        span = Span(asked.days.since_at, asked.days.until_at)
        wish = Wish(span, before, "" if asked.split == "agent" else asked.split, asked.by, visit.viewer.groups)
        return asked, visit.console.keeper.report(work, wish), work.now

    return visit.look(look)


def _split(asked: Asked) -> str:
    return "" if asked.split == "agent" else asked.split


def _whole(report: Report) -> Row:
    return Row(report.since_at, report.until_at, "", report.whole, report.missed)


def _facts(asked: Asked, of: str, row: Row) -> dict[str, Any]:
    zone = asked.days.zone
    part = {"since": _instant(row.since_at, zone), "until": _instant(row.until_at, zone), "of": of, "part": row.of}
    return part | {"missed": row.missed} | shown.plain(row.figures)


def _instant(at: int, zone: ZoneInfo) -> str:
    return local(at, zone).isoformat(timespec="seconds")
