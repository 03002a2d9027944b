"""Cases: the list, those whose clock runs first; and one case with all that stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from callback.reports.care import cases
from callback.reports.care.cases import Place
from callback.site.work import Work
from callback.web.console import gate
from callback.web.console.care import asked as asking
from callback.web.console.care.choices import choices, topic
from callback.web.console.queue import cursor

router = APIRouter()


@router.get("/cases")
def listed(visit: gate.Care) -> Response:
    """Show the cases that are open, or that have ended."""
    asked = asking.read(visit.request.query_params)
    user, groups = visit.viewer.user, visit.viewer.groups
    of = f"cases?{asked.query(after='')}"

    def look(work: Work) -> dict[str, Any]:
        after = Place(*cursor.opened_plain(work, asked.after, of)) if asked.after else None
        page, care = cases.page(work, asked.wanted(user), groups, after), work.site.rules.care
        place = page.after
        return {
            "rows": [(one, cases.clock_of(one, care, work.now), topic(care, one.topic)) for one in page.cases],
            "more": "" if place is None else cursor.sealed_plain(work, (place.part, place.key, place.case), of),
            "counts": cases.counts(work, groups),
            "choices": choices(work, visit.viewer),
            "now": work.now,
        }

    states: Sequence[str] = asking.ENDED_STATES if asked.ended else asking.OPEN_STATES
    return visit.page("care/cases.html", asked=asked, states=states, kinds=asking.KINDS, **visit.look(look))
