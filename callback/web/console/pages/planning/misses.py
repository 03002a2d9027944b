"""The ledger: every broken promise by name, with its cause, and what people did meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from callback.errors import CallbackError
from callback.reports import misses as ledger
from callback.reports.misses import CAUSES, Asked, Miss, Place
from callback.site.work import Work
from callback.web.console import gate
from callback.web.console.queue import cursor
from callback.web.console.reports import days, spreadsheet
from callback.web.console.reports.days import Days
from callback.web.console.shown import masked, said
from callback.web.console.visit import Visit
from callback.web.console.words import say
from scheduler.clock import local

router = APIRouter()

USUAL_DAYS: Final = 7
IN_A_FILE: Final = 10_000
COLUMNS: Final = (
    "id", "queue", "customer", "kind", "promise", "made", "aim", "by", "dialled", "reached", "late_s", "cause",
    "first_cause", "waited_for", "at_work", "moved_by", "state",
)  # fmt: skip
_FILTERS: Final = ("queue", "cause")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for."""

    days: Days
    asked: Asked
    said: dict[str, str]

    def query(self, **changes: str) -> str:
        """The same as an address has it, with other filters."""
        of_days = {"since": str(self.days.first), "until": str(self.days.last)}
        told = of_days | self.said | changes
        return urlencode({name: value for name, value in told.items() if value})


@router.get("/reports/misses")
def misses(visit: gate.SeeReports) -> Response:
    """Show the promises of some days that were broken, the newest first."""

    def look(work: Work) -> dict[str, Any]:
        wanted = _wanted(work, visit)
        of = f"misses {wanted.query()}"
        said_after = visit.request.query_params.get("after", "")
        after = Place(*cursor.opened_plain(work, said_after, of)) if said_after else None
        page = ledger.page(work, wanted.asked, after=after)
        more = "" if page.after is None else cursor.sealed_plain(work, (page.after.made_at, page.after.reservation), of)
        cells = ledger.counts(work, replace(wanted.asked, cause="", queue=""))
        by_cause, by_queue = Counter[str](), Counter[str]()
        for cell in cells:
            if wanted.asked.queue in {"", cell.queue}:
                by_cause[cell.cause] += cell.many
            if wanted.asked.cause in {"", cell.cause}:
                by_queue[cell.queue] += cell.many
        return {
            "wanted": wanted,
            "rows": page.rows,
            "more": more,
            "every": by_cause.total(),
            "by_cause": by_cause.most_common(),
            "by_queue": sorted(by_queue.items()),
            "levers": ledger.levers(work, wanted.asked),
            "last": None if page.rows else ledger.last_before(work, wanted.asked),
            "now": work.now,
        }

    return visit.page("planning/misses.html", names_agents=visit.viewer.may("name-agents"), **visit.look(look))


@router.get("/reports/misses.csv")
def as_csv(visit: gate.SeeReports) -> Response:
    """Give the same to a spreadsheet, in the person's language."""

    def look(work: Work) -> tuple[Wanted, list[Miss]]:
        wanted = _wanted(work, visit)
        return wanted, list(ledger.page(work, wanted.asked, IN_A_FILE).rows)

    wanted, rows = visit.look(look)
    cells = [_cells(visit, wanted, row) for row in rows]
    return spreadsheet.file(spreadsheet.as_csv(COLUMNS, cells), "misses.csv")


def _wanted(work: Work, visit: Visit) -> Wanted:
    query = visit.request.query_params
    of_days = days.asked_for(query.get("since", ""), query.get("until", ""), work.now, work.site.hours.zone, USUAL_DAYS)
    filters = {name: query.get(name, "") for name in _FILTERS}
    if filters["cause"] not in {"", *CAUSES}:
        raise CallbackError("there is no such cause")
    return Wanted(of_days, Asked(of_days.since_at, of_days.until_at, visit.viewer.groups, **filters), filters)


def _cells(visit: Visit, wanted: Wanted, row: Miss) -> list[object]:
    zone, language = wanted.days.zone, visit.language

    def instant(at: int | None) -> str | None:
        return None if at is None else local(at, zone).isoformat(timespec="seconds")

    waited = ", ".join(f"{say(language, 'cause', wait.word)} {wait.seconds} s" for wait in row.waits)
    moved = ", ".join(f"{said(move.who)} {say(language, 'action', move.action)}" for move in row.moves)
    crew = ", ".join(map(said, row.agents)) if visit.viewer.may("name-agents") else len(row.agents)
    return [
        row.reservation,
        row.queue,
        masked(row.number),
        say(language, "kind", row.kind),
        say(language, "promise", row.reason),
        *map(instant, (row.made_at, row.aim_at, row.deadline_at, row.dialled_at, row.reached_at)),
        row.late_s,
        say(language, "cause", row.cause),
        say(language, "cause", row.first_cause),
        waited,
        crew,
        moved,
        say(language, "state", row.state),
    ]
