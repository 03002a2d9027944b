"""The queue: what is owed, in the order in which it is called; and the lists beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from callback.accounts import saved_views
from callback.accounts.saved_views import SavedView
from callback.decisions import actions, reasons
from callback.decisions.actions import NoSuchReservation
from callback.reports import refused as refused_report
from callback.reports import unreserved as unreserved_report
from callback.reports.queue import closed, search
from callback.reports.queue.board import Queue
from callback.reports.queue.closed import SETTLED
from callback.reports.queue.lanes import LANES, Sort
from callback.reports.queue.rows import Row
from callback.reports.queue.search import Hits
from callback.reports.queue.wanted import Wanted
from callback.site.work import Work
from callback.store import feed
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.live.views import Rendered
from callback.web.console.parts import SEARCH_EVERY_S
from callback.web.console.queue import bar, choices, cursor, days, export
from callback.web.console.queue.asked import COLUMNS, Asked, read
from callback.web.console.queue.content import Content, QueueView, content
from callback.web.console.reports import spreadsheet
from callback.web.console.visit import Visit
from scheduler.clock import DAY, SECOND

router = APIRouter()

_LONGEST: Final = 40  # of what is searched for
_PAGE: Final = 100
UNRESERVED_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one snapshot shows of the queue."""

    content: Content
    rendered: Rendered
    filters: choices.Filters
    today: Mapping[str, int]
    views: Sequence[SavedView]
    version: int
    more: str
    whose: Sequence[str]
    zone: ZoneInfo


@router.get("/queue")
def queue(visit: gate.Look) -> Response:
    """Show the open reservations, lane by lane."""
    asked = read(visit.request.query_params.multi_items())
    seen = visit.look(lambda work: _read(work, visit, asked))
    taken = {one.number for one in seen.views}
    return visit.page(
        "queue/queue.html",
        tab="open",
        asked=asked,
        view=_view(asked),
        seen=seen.content,
        rendered=seen.rendered,
        whole=all(page.whole for page in seen.content.pages.values()),
        filters=seen.filters,
        chosen=choices.chosen(asked),
        today=seen.today,
        views=seen.views,
        free_key=next((number for number in saved_views.NUMBERS if number not in taken), 1),
        version=seen.version,
        more=seen.more,
        lanes=LANES,
        sorts=list(Sort),
        every_column=COLUMNS,
        may_decide=visit.viewer.may("decide"),
        **bar.shown(seen.whose, visit.console.now(), seen.zone, visit.language),
    )


@router.get("/queue.csv")
def as_csv(visit: gate.Look) -> Response:
    """Give the rows that the page shows to a spreadsheet, in the person's language."""
    rows, zone = _shown(visit)
    return spreadsheet.file(export.as_csv(rows, zone, visit.language), "queue.csv")


@router.get("/queue.json")
def as_json(visit: gate.Look) -> Response:
    """Give the rows that the page shows to a program, as their codes."""
    return Response(export.as_json(*_shown(visit)), media_type="application/json")


def _shown(visit: Visit) -> tuple[list[Row], ZoneInfo]:
    asked = read(visit.request.query_params.multi_items())

    def look(work: Work) -> tuple[list[Row], ZoneInfo]:
        seen = content(Queue(work), replace(asked, all=True), visit.viewer.groups)
        return [row for page in seen.pages.values() for row in page.rows], work.site.hours.zone

    return visit.look(look)


@router.post("/queue/find")
def find(visit: gate.Look, number: Annotated[str, Form(max_length=_LONGEST)] = "") -> Response:
    """Find a caller by the number: it is sent, so that it stands in no address. One hit leads to its page."""
    groups, console = visit.viewer.groups, visit.console
    if search.is_whole(number) and not console.searches.allows(visit.viewer.user, console.now() / SECOND):
        raise HTTPException(429, headers={"Retry-After": f"{SEARCH_EVERY_S:.0f}"})
    hits = visit.look(lambda work: search.find(Queue(work), number, groups))
    if len(hits.rows) == 1:
        return RedirectResponse(f"/r/{hits.rows[0].reservation}", 303)
    return _found(visit, hits, number)


@router.post("/queue/views")
def save(
    visit: gate.Account,
    number: Annotated[int, Form()],
    name: Annotated[str, Form()] = "",
    query: Annotated[str, Form()] = "",
) -> Response:
    """Keep a view of the queue under a key, or forget the one of that key where no name is given."""
    asked = read(parse_qsl(query))
    user = visit.viewer.user

    def keep(work: Work) -> None:
        if name.strip():
            saved_views.keep(work.connection, user, SavedView(number, name.strip(), asked.query(after="")))
        else:
            saved_views.remove(work.connection, user, number)

    visit.act(keep)
    return RedirectResponse(f"/queue?{asked.query(after='')}", 303)


@router.get("/queue/settled")
def settled(visit: gate.Look) -> Response:
    """Show what is closed, day by day, the last closed first."""
    asked = replace(read(visit.request.query_params.multi_items()), lane=None)
    wanted = replace(asked.wanted, groups=visit.viewer.groups)

    def look(work: Work) -> dict[str, Any]:
        day = days.asked_for(visit.request.query_params.get("day", ""), work.now, work.site.hours.zone)
        after = cursor.opened_closed(work, asked.after, SETTLED, asked) if asked.after else None
        page = closed.page(work, SETTLED, wanted, within=day.span, after=after)
        more = cursor.sealed(work, page.after, SETTLED, asked) if page.after is not None else ""
        return {"day": day, "rows": page.rows, "more": more, "counts": closed.counts(work, SETTLED, day.span, wanted)}

    return visit.page("queue/settled.html", tab=SETTLED, asked=asked, **visit.look(look))


@router.get("/queue/unreserved")
def unreserved(visit: gate.Look) -> Response:
    """Show the losses of the last days for which nobody is called back, and why."""
    groups, after = visit.viewer.groups, visit.request.query_params.get("after", "")

    def look(work: Work) -> dict[str, Any]:
        before = cursor.opened_plain(work, after, "unreserved") if after else None
        rows = unreserved_report.unreserved(work, work.now - UNRESERVED_DAYS * DAY, _PAGE + 1, groups, before)
        last = rows[_PAGE - 1] if len(rows) > _PAGE else None
        more = cursor.sealed_plain(work, (last.started_at, last.call_id), "unreserved") if last is not None else ""
        return {"rows": rows[:_PAGE], "more": more, "now": work.now}

    return visit.page(
        "queue/unreserved.html", tab="unreserved", days=UNRESERVED_DAYS, **_may(visit), **visit.look(look)
    )


@router.get("/queue/refused")
def refused(visit: gate.Look) -> Response:
    """Show the numbers that are not called back, and why."""
    groups, after = visit.viewer.groups, visit.request.query_params.get("after", "")

    def look(work: Work) -> dict[str, Any]:
        before = cursor.opened_plain(work, after, "refused") if after else None
        rows = refused_report.refused(work, _PAGE + 1, groups, before)
        last = rows[_PAGE - 1] if len(rows) > _PAGE else None
        more = cursor.sealed_plain(work, (last.last_lost_at, last.reservation), "refused") if last is not None else ""
        return {"rows": rows[:_PAGE], "more": more, "now": work.now}

    return visit.page("queue/refused.html", tab="refused", **_may(visit), **visit.look(look))


@router.post("/queue/release")
def release(
    visit: gate.Decide,
    call: Annotated[str, Form()],
    why: Annotated[str, Form()] = "",
    reading: Annotated[int | None, Form()] = None,
) -> Response:
    """Call back who was lost in a call, though by itself it made no reservation; `reading` says whose number it is."""
    groups = visit.viewer.groups

    def act(work: Work) -> int | None:
        loss = unreserved_report.find(work, call, groups)
        if loss is None:
            raise NoSuchReservation("there is no such call")
        number = loss.readings[reading] if reading is not None and 0 <= reading < len(loss.readings) else None
        actions.release(work, call, By(visit.viewer.user, reasons.said(why)), number)
        made = (happened.facts.get("reservation") for happened in work.told)
        return next((number for number in made if number is not None), None)

    made = visit.act(act)
    return RedirectResponse("/queue" if made is None else f"/r/{made}", 303)


def _may(visit: Visit) -> dict[str, Any]:
    return {"may_decide": visit.viewer.may("decide")}


def _read(work: Work, visit: Visit, asked: Asked) -> _Seen:
    queue = visit.console.keeper.queue(work)
    seen = content(queue, asked, visit.viewer.groups)
    pages = list(seen.pages.items())
    of, page = pages[0]
    more = cursor.sealed(work, page.after, of, asked) if len(pages) == 1 and page.after is not None else ""
    today = days.today(work)
    return _Seen(
        seen,
        QueueView(visit.console, visit.audience, asked).of(seen),
        choices.filters(queue, visit.viewer.groups, visit.language),
        {} if seen.every else closed.counts(work, SETTLED, today, Wanted(groups=visit.viewer.groups)),
        saved_views.listed(work.connection, visit.viewer.user),
        feed.end(work.connection),
        more,
        [name for name in queue.census.choices("whose", visit.viewer.groups) if name],
        work.site.hours.zone,
    )


def _view(asked: Asked) -> str:
    query = asked.query()
    return f"/stream/queue?{query}" if query else "/stream/queue"


def _found(visit: Visit, hits: Hits, number: str) -> HTMLResponse:
    """More than one, or nobody: what was searched for is not said again."""
    return visit.page("queue/found.html", tab="found", hits=hits, asked_something=bool(number.strip()))
