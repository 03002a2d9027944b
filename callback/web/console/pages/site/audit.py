"""Audit: who did what, when and why, and whether the record of it is whole."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from callback.reports.records import audit_trail
from callback.reports.records.audit_trail import Act, Asked
from callback.site.work import Work
from callback.store import audit_proof
from callback.web.console import gate
from callback.web.console.number import number_in
from callback.web.console.queue import days
from callback.web.console.reports import spreadsheet
from callback.web.console.shown import said
from scheduler.clock import local

router = APIRouter()

EXPORTED: Final = 10_000
COLUMNS: Final = ("id", "at", "who", "action", "reservation", "why", "facts")


@router.get("/audit")
def shown(visit: gate.Audit, day: str = "", who: str = "", action: str = "", before: str = "") -> Response:
    """Show a day's acts, and how far the chain is proved."""

    def look(work: Work) -> dict[str, Any]:
        asked_day = days.asked_for(day, work.now, work.site.hours.zone)
        asked = _asked(asked_day, who, action, before)
        page = audit_trail.page(work, asked, visit.viewer)
        people, actions = audit_trail.choices(work, asked, visit.viewer)
        return {
            "day": asked_day,
            "acts": [(act, _facts(act)) for act in page.acts],
            "next": page.before,
            "people": people,
            "actions": actions,
            "proof": audit_proof.look(work.connection),
            "now": work.now,
        }

    return visit.page("site/audit.html", who=who, action=action, **visit.look(look))


@router.get("/audit.csv")
def as_csv(visit: gate.Audit, day: str = "", who: str = "", action: str = "") -> Response:
    """Give the same as a table: codes, instants with their zone, and no cell that a spreadsheet would reckon with."""

    def look(work: Work) -> str:
        zone = work.site.hours.zone
        asked = _asked(days.asked_for(day, work.now, zone), who, action, "")
        acts = audit_trail.page(work, asked, visit.viewer, EXPORTED).acts
        return spreadsheet.as_csv(COLUMNS, (_cells(act, zone) for act in acts))

    return spreadsheet.file(visit.look(look), "audit.csv")


def _cells(act: Act, zone: ZoneInfo) -> tuple[object, ...]:
    at = local(act.at, zone).isoformat(timespec="seconds")
    facts = "; ".join(f"{name}: {value}" for name, value in _facts(act))
    return (act.id, at, said(act.who), act.action, act.reservation, said(act.why), facts)


def _asked(day: days.Day, who: str, action: str, before: str) -> Asked:
    return Asked(day.span.since_at, day.span.until_at, who, action, number_in(before) if before else None)


def _facts(act: Act) -> list[tuple[str, str]]:
    """The facts of an act, a line each; numbers in them are masked, as everywhere."""
    return [(name, said(_plain(value))) for name, value in act.facts.items()]


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return "" if value is None else str(value)
