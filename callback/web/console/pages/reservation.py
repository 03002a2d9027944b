"""One reservation: all that happened from the first ring on, what comes next, notes, and its verdicts corrected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from callback.decisions import corrections, notes, reasons
from callback.decisions import reveal as revealing
from callback.decisions.actions import NoSuchPerson
from callback.decisions.corrections import Changed, Corrected, Correction, NoSuchCall, NotToday
from callback.errors import IllegalTransition
from callback.reports.care import cases
from callback.reports.rates_by_group import rates_by_group
from callback.reports.timeline import corrected
from callback.site.work import Work
from callback.store import feed
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.number import Number
from callback.web.console.queue import bar, days
from callback.web.console.reservation import neighbours
from callback.web.console.reservation.content import SHOWN, Content, Show, read
from callback.web.console.reservation.neighbours import Neighbours
from callback.web.console.reservation.speech import speech
from callback.web.console.reservation.view import ReservationView, show_of
from callback.web.console.visit import Visit
from scheduler.clock import MINUTE

router = APIRouter()

REVEAL_MIN: Final = 10
"""How long a page shows a number that was asked for."""
_ASKED: Final = "asked for on the page"


class Filled(BaseModel):
    """The form of a correction: the call, `kind/reason`, why, and the reservation's revision as the page showed it."""

    call: str
    kind: str = ""
    why: Annotated[str, Field(max_length=400)] = ""
    revision: int | None = None
    save: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    content: Content
    beside: Neighbours
    version: int
    bar: dict[str, Any]
    complaints: bool  # whether a queue of the person's takes some


@router.get("/r/{number}")
def reservation(visit: gate.Look, number: Number, show: str = "all") -> Response:
    """Show a reservation; one of another group is like one that there is not."""
    return _page(visit, number, show)


@router.post("/r/{number}/note")
def note(visit: gate.Note, number: Number, note: Annotated[str, Form(max_length=400)] = "") -> Response:
    """Write down what a person says about it."""
    by = By(visit.viewer.user, note)
    visit.act(lambda work: notes.note(work, number, by, visit.viewer.groups))
    return RedirectResponse(f"/r/{number}?{_carried(visit)}", 303)


@router.post("/r/{number}/reveal")
def reveal(visit: gate.Reveal, number: Number) -> Response:
    """Show the number in full, to this person alone; that it was shown stands in the audit."""
    by = By(visit.viewer.user, _ASKED)
    try:
        e164 = visit.act(lambda work: revealing.reveal(work, number, by, visit.viewer.groups))
    except NoSuchPerson:
        e164 = ""
    until_at = visit.console.now() + REVEAL_MIN * MINUTE
    return visit.page(
        "reservation/revealed.html" if visit.wants_fragment else "reservation/number.html",
        number=number, e164=e164, until_at=until_at, minutes=REVEAL_MIN, carried=_carried(visit),
    )  # fmt: skip


@router.get("/r/{number}/correct")
def ask(visit: gate.Correct, number: Number, call: str = "") -> Response:
    """Ask what a call was; what would follow is shown before it is kept."""
    seen = visit.look(lambda work: _read(work, visit, number, "all"))
    return _asking(visit, seen, call or next((name for name, _ in seen.calls), ""))


@router.post("/r/{number}/correct")
def correct(visit: gate.Correct, number: Number, filled: Annotated[Filled, Form()]) -> Response:
    """Say what would follow; with `save`, do it. 409 where somebody decided meanwhile."""
    seen = visit.look(lambda work: _read(work, visit, number, "all"))
    call = filled.call
    if call not in {name for name, _ in seen.calls}:
        raise NoSuchCall(call)
    kind, _, reason = filled.kind.partition("/")
    wanted, said = Correction(call, kind, reason or None, filled.revision), filled.why.strip()
    if not said:
        return _asking(visit, seen, call, wanted, problem="no-reason", status=422)
    by = By(visit.viewer.user, reasons.said(said))
    theirs: dict[str, Any] = {"earlier": visit.viewer.may("correct-earlier"), "groups": visit.viewer.groups}
    try:
        if filled.save:
            done = visit.act(lambda work: corrections.correct(work, wanted, by, **theirs))
            return RedirectResponse(f"/r/{done.consequence.reservation or number}?{_carried(visit)}", 303)
        look = partial(_valid, groups=visit.viewer.groups)
        told, valid = corrections.preview(visit.act, wanted, by, look, **theirs)
    except NotToday:
        return _asking(visit, seen, call, wanted, problem="not-today", status=422)
    except (Changed, IllegalTransition) as error:
        return _page(visit, number, "all", 409, problem=str(error))
    return _asking(visit, seen, call, wanted, why=said, lines=_lines(visit, told), valid=(visit.look(look), valid))


def _valid(work: Work, groups: frozenset[str] | None) -> int:
    """How many reservations of today the rates go by, of these groups."""
    of = rates_by_group(work, days.today(work).since_at)
    return sum(one.valid for group, one in of.items() if groups is None or group in groups)


def _lines(visit: Visit, told: Corrected) -> list[str]:
    zone = visit.look(lambda work: work.site.hours.zone)
    return corrected.said(told, speech(visit.language, visit.console.now(), zone))


def _read(work: Work, visit: Visit, number: int, show: Show) -> Content:
    return read(visit.console.keeper.queue(work), number, visit.viewer.groups, show, visit.language)


def _page(visit: Visit, number: int, show: str, status: int = 200, problem: str = "") -> Response:
    wanted, query = show_of(show), neighbours.came_from(visit.request)

    def look(work: Work) -> _Seen:
        queue = visit.console.keeper.queue(work)
        content = read(queue, number, visit.viewer.groups, wanted, visit.language)
        beside = neighbours.of(queue, number, query, visit.viewer.groups)
        acts = bar.shown((), work.now, work.site.hours.zone, visit.language)
        takes = bool(cases.queues(work, visit.viewer.groups))
        return _Seen(content, beside, feed.end(work.connection), dict(acts), takes)

    seen = visit.look(look)
    rendered = ReservationView(visit.console, visit.audience, number, wanted).of(seen.content)
    may = {right: visit.viewer.may(right) for right in ("decide", "note", "reveal", "correct", "block")}
    may["complain"] = visit.viewer.may("care") and seen.complaints
    return visit.page(
        "reservation/page.html", status,
        seen=seen.content, rendered=rendered, beside=seen.beside, version=seen.version, show=wanted, shows=SHOWN,
        carried=_carried(visit), may=may, problem=problem, **seen.bar,
    )  # fmt: skip


def _asking(
    visit: Visit,
    seen: Content,
    call: str,
    wanted: Correction | None = None,
    *,
    status: int = 200,
    **more: Any,  # noqa: ANN401
) -> Response:
    return visit.page(
        "reservation/correct.html", status,
        seen=seen, call=call, wanted=wanted, kinds=corrections.KINDS, reasons_of=corrections.REASONS,
        carried=_carried(visit), presets=reasons.PRESETS["not-lost"],
        **{"problem": "", "why": "", "lines": (), "valid": None, **more},
    )  # fmt: skip


def _carried(visit: Visit) -> str:
    """The list that a person came from, as an address carries it on."""
    query = neighbours.came_from(visit.request)
    return urlencode({"from": query})
