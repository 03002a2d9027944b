"""Switches: registering, texting and calling are paused here for a while, of one queue or of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import RedirectResponse, Response

from callback.decisions.acts import pausing
from callback.decisions.acts.pausing import NoSuchPause, NoSuchQueue, NotForYou
from callback.decisions.reasons import NONE_GIVEN, REASONS, said
from callback.reports import pauses as report
from callback.site import pauses
from callback.site.pauses import EVERY_QUEUE, WHAT
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.acts.form import WHY_LONGEST
from callback.web.console.number import Number, number_in
from callback.web.console.visit import Visit
from scheduler.clock import MINUTE

router = APIRouter()

Lines = Annotated[list[str], Form()]
Text = Annotated[str, Form()]
Fault = Literal["", "what", "queue", "no-reason", "long-reason", "minutes", "ended"]
PRESETS: Final = ("rush", "works", "mistake")
"""Why somebody pauses, by digit."""
_KEYS: Final = {"register": "o", "text": "y", "call": "c"}


@router.get("/switches")
def switches(visit: gate.SeeRules, done: str = "", ended: str = "") -> Response:
    """Show what is paused, until when, why and by whom, and what piles up meanwhile."""
    return _page(visit, done=number_in(done), ended=number_in(ended))


@router.post("/switches/pause")
def pause(visit: gate.Pause, what: Text = "", queue: Text = "", minutes: Text = "60", why: Lines = []) -> Response:  # noqa: B006 - never changed
    """Stop this in a queue, or in all, for so many minutes."""
    reason = next((said(one.strip()) for one in reversed(why) if one.strip()), "")
    fault = _fault(what, minutes, reason)
    if fault:
        return _page(visit, 422, fault=fault)
    by, groups = By(visit.viewer.user, reason), visit.viewer.groups
    for_us = int(minutes) * MINUTE
    kind = next(one for one in WHAT if one == what)
    try:
        made = visit.act(lambda work: pausing.pause(work, kind, queue, by, groups=groups, for_us=for_us))
    except NotForYou as error:
        raise HTTPException(404) from error
    except NoSuchQueue:
        return _page(visit, 422, fault="queue")
    return RedirectResponse(f"/switches?done={made.id}", 303)


@router.post("/switches/{number}/end")
def end(visit: gate.Pause, number: Number) -> Response:
    """Let it go on before its time; also the undo of a pause."""
    return _decided(visit, pausing.end, number, "ended")


@router.post("/switches/{number}/resume")
def resume(visit: gate.Pause, number: Number) -> Response:
    """Undo that: it is paused again until its time."""
    return _decided(visit, pausing.resume, number, "done")


def _decided(visit: Visit, decide: Callable[..., object], number: int, told: str) -> Response:
    """Decide about a pause that goes on, and say so on the page."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    try:
        visit.act(lambda work: decide(work, number, by, groups))
    except NoSuchPause:
        return _page(visit, 404, fault="ended")
    return RedirectResponse(f"/switches?{told}={number}", 303)


def _fault(what: str, minutes: str, reason: str) -> Fault:
    """What is to be put right in the form, in a word; empty: nothing."""
    if what not in WHAT:
        return "what"
    if not reason:
        return "no-reason"
    if len(reason) > WHY_LONGEST:
        return "long-reason"
    found = number_in(minutes.strip())
    return "" if found is not None and MINUTE <= found * MINUTE <= pausing.LONGEST_US else "minutes"


def _page(
    visit: Visit, status: int = 200, *, fault: Fault = "", done: int | None = None, ended: int | None = None
) -> Response:
    groups = visit.viewer.groups

    def read(work: Work) -> dict[str, Any]:
        rows = report.paused(work, groups)
        known = {row.pause.id for row in rows}
        over = None if ended is None else pauses.find(work.connection, work.pbx, ended)
        theirs = (
            over is not None
            and over.until_at > work.now
            and over.id not in known
            and report.may_see(work, over, groups)
        )
        return {
            "rows": rows,
            "queues": report.queues(work, groups),
            "done": done if done in known else None,
            "over": over if theirs else None,
            "now": work.now,
        }

    return visit.page(
        "planning/switches.html", status, fault=fault, may_pause=visit.viewer.may("pause"), every=groups is None,
        kinds=[(what, _KEYS[what]) for what in WHAT], presets=[(word, REASONS[word]) for word in PRESETS],
        everywhere=EVERY_QUEUE, **visit.look(read),
    )  # fmt: skip
