"""What is learnt from cases: how they were repaired, what they were about, and how they go with lost calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from callback.errors import CallbackError
from callback.reports.care import report
from callback.reports.care.figures import SPLITS, Split
from callback.reports.care.report import Report, Wish
from callback.site.work import Work
from callback.web.console import gate
from callback.web.console.reports import care as telling
from callback.web.console.reports import days, spreadsheet
from callback.web.console.reports.days import Days
from callback.web.console.reports.shown import percent
from callback.web.console.visit import Visit
from scheduler.clock import local

router = APIRouter()

USUAL_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    days: Days
    split: Split

    def query(self) -> str:
        """The same as an address has it."""
        return urlencode({"since": self.days.first, "until": self.days.last, "split": self.split})


@router.get("/care")
def care(visit: gate.SeeReports) -> Response:
    """Show the report of care for some days."""
    asked, made, titles, now = visit.look(lambda work: _read(work, visit))
    zone = asked.days.zone
    bars = [(f"{local(at, zone):%m-%d}", cases.opened, cases.in_time) for at, cases in made.times]
    return visit.page(
        "planning/care.html",
        asked=asked,
        report=made,
        bars=bars,
        most=max((many for _, many, _ in bars), default=0),
        telling=telling,
        percent=percent,
        splits=SPLITS,
        titles=titles,
        names_agents=visit.viewer.may("name-agents"),
        sees_cases=visit.viewer.may("care"),
        week_day=local(made.week_at, zone).date(),
        now=now,
    )


@router.get("/care.csv")
def as_csv(visit: gate.SeeReports) -> Response:
    """Give every line of it to a spreadsheet."""
    asked, made, _, _ = visit.look(lambda work: _read(work, visit))
    lines = list(report.rows(made, asked.days.zone))
    names = list(lines[0])
    return spreadsheet.file(spreadsheet.as_csv(names, ([line[name] for name in names] for line in lines)), "care.csv")


def _read(work: Work, visit: Visit) -> tuple[Asked, Report, dict[str, str], int]:
    query = visit.request.query_params
    of_days = days.asked_for(query.get("since", ""), query.get("until", ""), work.now, work.site.hours.zone, USUAL_DAYS)
    split: Any = query.get("split") or "topic"
    if split not in SPLITS:
        raise CallbackError("there is no such split")
    if split == "agent" and not visit.viewer.may("name-agents"):
        raise CallbackError("your roles do not show what each agent did")
    made = report.make(work, Wish(of_days.first, of_days.last, split, visit.viewer.groups))
    return Asked(of_days, split), made, dict(work.site.rules.care.topics), work.now
