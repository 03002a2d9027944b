"""Flags: customers to be contacted on a later day, by day; flagging one, and taking that back."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any, Final

from babel.dates import format_date
from fastapi import APIRouter, Form, HTTPException
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from callback.care.flags import AlreadyFlagged, BadDay, Flag, FlagsOff, NoSuchFlag
from callback.customers import persons
from callback.decisions import reasons
from callback.decisions.care import flags as deciding
from callback.decisions.care.flags import Contact, NotYourQueue
from callback.errors import CallbackError, IllegalTransition, StoreError
from callback.logs.masking import masked_text
from callback.reports.care import about, flags
from callback.reports.care.about import About
from callback.reservations.follow_up import NotToBeCalled
from callback.site import written
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.care import choices
from callback.web.console.care.forms import Fault, Wrong
from callback.web.console.number import Number, number_in
from callback.web.console.queue import cursor
from callback.web.console.visit import Visit
from scheduler.clock import local

router = APIRouter()

WHY_LONGEST: Final = 400
_FAULTS: Final[dict[type[CallbackError], Fault]] = {
    FlagsOff: "flags-off",
    BadDay: "bad-day",
    AlreadyFlagged: "flagged",
    NotToBeCalled: "number-blocked",
    NotYourQueue: "no-queue",
}
"""What is to be put right, by what a decision refuses."""


class Filled(BaseModel):
    """The form of a flag, as it is shown again. `r` names the customer by a callback; else `number` does."""

    r: str = ""
    number: str = ""
    queue: str = ""
    day: str = ""
    why: str = ""
    owner: str = ""


@router.get("/flags")
def listed(visit: gate.Care, r: str = "") -> Response:
    """Show the flags, and the form for one more; `r` is a callback of whom it is about."""
    return _page(visit, Filled(r=r))


@router.post("/flags")
def flag(visit: gate.Care, filled: Annotated[Filled, Form()]) -> Response:
    """Flag a customer."""
    try:
        visit.act(lambda work: _flag(work, visit, filled))
    except Wrong as error:
        return _page(visit, filled, 422, fault=error.fault)
    except StoreError:
        raise
    except CallbackError as error:
        fault = _FAULTS.get(type(error))
        return _page(visit, filled, 422, fault=fault, told="" if fault else masked_text(str(error)))
    return RedirectResponse("/flags", 303)


@router.post("/flags/{number}/cancel")
def cancel(visit: gate.Care, number: Number, why: Annotated[str, Form()] = "") -> Response:
    """Contact that customer no more."""
    reason = reasons.said(" ".join(why.split())) or reasons.NONE_GIVEN
    if len(reason) > WHY_LONGEST:
        return _page(visit, Filled(), 422, fault="long-reason")
    by = By(visit.viewer.user, reason)
    try:
        visit.act(lambda work: deciding.cancel(work, number, by, visit.viewer.groups))
    except NoSuchFlag as error:
        raise HTTPException(404) from error
    except IllegalTransition:
        return _page(visit, Filled(), 409, fault="flag-over")
    return RedirectResponse("/flags", 303)


def _flag(work: Work, visit: Visit, filled: Filled) -> Flag:
    seen = _about(work, visit, filled)
    e164 = written.number_of(visit.console.settings, filled.number) if seen is None else seen.e164
    if e164 is None:
        raise Wrong("no-number")
    reason = " ".join(filled.why.split())
    if not reason:
        raise Wrong("no-reason")
    if len(reason) > WHY_LONGEST:
        raise Wrong("long-reason")
    try:
        day = date.fromisoformat(filled.day.strip())
    except ValueError as error:
        raise Wrong("no-day") from error
    person = persons.person_of(work.connection, e164, work.now) if seen is None else seen.person
    contact = Contact(filled.queue, day, filled.owner)
    return deciding.flag(work, person, contact, By(visit.viewer.user, reason), visit.viewer.groups)


def _about(work: Work, visit: Visit, filled: Filled) -> About | None:
    """The customer whom the form names by a callback; 404 where there is none that this person may see."""
    if not filled.r:
        return None
    number = number_in(filled.r)
    found = None if number is None else about.of_reservation(work, number, visit.viewer.groups)
    if found is None:
        raise HTTPException(404)
    return found


def _page(visit: Visit, filled: Filled, status: int = 200, *, fault: Fault | None = None, told: str = "") -> Response:
    over, said_after = visit.request.query_params.get("over") == "1", visit.request.query_params.get("after", "")
    of = "flags/over" if over else "flags"

    def look(work: Work) -> dict[str, Any]:
        after = cursor.opened_plain(work, said_after, of) if said_after else None
        found, place = (flags.over if over else flags.to_come)(work, visit.viewer.groups, after)
        today = local(work.now, work.site.hours.zone).date()
        seen, offered = _about(work, visit, filled), flags.queues(work, visit.viewer.groups)
        queue = filled.queue or ("" if seen is None else seen.queue)
        return {
            "days": list(_by_day(work, visit, found)),
            "more": "" if place is None else cursor.sealed_plain(work, place, of),
            "seen": seen,
            "queues": offered,
            "queue": queue if queue in offered else next(iter(offered), ""),
            "people": choices.people(work, visit.viewer.groups),
            "least": today.isoformat(),
            "day": filled.day or (today + timedelta(days=1)).isoformat(),
            "now": work.now,
        }

    told_of = {"filled": filled, "fault": fault, "told": told, "over": over}
    return visit.page("care/flags.html", status, **told_of, **visit.look(look))


def _by_day(work: Work, visit: Visit, found: list[Flag]) -> list[tuple[str, list[Flag]]]:
    """The flags of each day, under the day's name."""
    zone = work.site.hours.zone
    days = groupby(found, lambda one: local(one.on_at, zone).date())
    return [(str(format_date(day, "EEE d MMM y", locale=visit.language)), list(ones)) for day, ones in days]
