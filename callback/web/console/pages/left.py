"""Those left to people: nobody was reached in time, and whoever deals with one says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from callback.decisions import handled
from callback.decisions.handled import Handled
from callback.decisions.reasons import NONE_GIVEN
from callback.reports.queue import closed
from callback.reports.queue.board import Queue
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.acts import form as acts_form
from callback.web.console.acts.form import Faulty
from callback.web.console.queue import bar, cursor
from callback.web.console.queue.asked import read
from callback.web.console.visit import Visit

router = APIRouter()

Lines = Annotated[list[str], Form()]


@router.get("/queue/left")
def left(visit: gate.Look) -> Response:
    """Show those who were not reached in time, and whom people are to call."""
    asked = replace(read(visit.request.query_params.multi_items()), lane=None)
    wanted = replace(asked.wanted, groups=visit.viewer.groups)

    def look(work: Work) -> dict[str, Any]:
        after = cursor.opened_closed(work, asked.after, closed.LEFT, asked) if asked.after else None
        page = closed.page(work, closed.LEFT, wanted, after=after)
        more = cursor.sealed(work, page.after, closed.LEFT, asked) if page.after is not None else ""
        return {"rows": page.rows, "more": more, **bar.shown([], work.now, work.site.hours.zone, visit.language)}

    may_decide = visit.viewer.may("decide")
    return visit.page("queue/left.html", tab=closed.LEFT, asked=asked, may_decide=may_decide, **visit.look(look))


@router.post("/queue/left/done")
def done(visit: gate.Decide, items: Lines, why: Lines) -> Response:
    """Say that some of them are dealt with; the reason says how."""
    filled = acts_form.form_of("done-elsewhere", items, why, (), ())
    try:
        filled = acts_form.checked(filled)
    except Faulty:
        return _told(visit, None, [])
    by, groups = By(visit.viewer.user, filled.reason), visit.viewer.groups
    said = visit.act(lambda work: handled.handle(work, filled.asked, by, groups))
    return _told(visit, said, [one.reservation for one in filled.asked])


@router.post("/queue/left/undo")
def undo(visit: gate.Decide, items: Lines) -> Response:
    """Take back that they are dealt with."""
    filled = acts_form.form_of("done-elsewhere", items, ("-",), (), ())
    try:
        ids = [one.reservation for one in acts_form.rows_of(filled)]
    except Faulty:
        return _told(visit, None, [])
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    return _told(visit, visit.act(lambda work: handled.take_back(work, ids, by, groups)), ids)


def _told(visit: Visit, said: Handled | None, ids: list[int]) -> Response:
    """Say what came of it, with the rows as they are now."""
    if not visit.wants_fragment:
        return RedirectResponse("/queue/left", 303)
    rows = visit.look(lambda work: Queue(work).by_id(ids, visit.viewer.groups)) if ids else []
    status = 422 if said is None else 409 if not said.done else 200
    return visit.page("queue/left_told.html", status, said=said, rows=rows)
