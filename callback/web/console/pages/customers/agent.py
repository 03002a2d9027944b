"""My callbacks: an agent's own page, who is on the line, how it went, and who comes next."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import RedirectResponse, Response

from callback.decisions import notes, wrap_up
from callback.decisions.wrap_up import CAUSES, OUTCOMES, NotPossible, Said, Teller, TooLate, Word
from callback.reports.agent import desk
from callback.reports.agent.desk import Desk
from callback.site.work import Work
from callback.store import feed
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.agent.view import AgentView
from callback.web.console.visit import Visit

router = APIRouter()

_LONGEST: Final = 400
_WORD: Final = re.compile(r"(?P<talk>(\d{1,12}):(\d{1,4})):([a-z-]{1,20})(?::([a-z0-9]{1,20}))?", re.ASCII)
"""Reservation, number of the attempt and outcome; behind them the cause, or the instant that was chosen."""
Line = Annotated[str, Form(max_length=_LONGEST)]


@dataclass(frozen=True, slots=True)
class _Filled:
    talk: str
    reservation: int
    number: int
    word: Word


@router.get("/me")
def agent(visit: gate.Own) -> Response:
    """Show the page."""
    return _page(visit)


@router.post("/me/said")
def said(visit: gate.Own, word: Line = "", note: Line = "", about: Line = "") -> Response:
    """Keep how a callback went; `note` belongs to the one that it is `about`. 409 where the former word stands."""
    if not word:
        return _page(visit, 422, problem="unsaid")
    filled = _filled(word, note, about)

    def write(work: Work) -> Said:
        teller = Teller(visit.viewer.user, desk.phone_of(work, visit.viewer.user).names)
        return wrap_up.say(work, teller, filled.reservation, filled.number, filled.word)

    try:
        done = visit.act(write)
    except (NotPossible, TooLate) as error:
        return _page(visit, 409, problem="refused", why=str(error))
    return _page(visit, done=done)


@router.post("/me/note")
def note(visit: gate.Own, note: Line = "") -> Response:
    """Write down something about the callback that the agent's phone is in. 404 where it is in none."""
    if not note.strip():
        return _page(visit, 422, problem="empty")
    by = By(visit.viewer.user, note)

    def write(work: Work) -> bool:
        seen = desk.look(visit.console.keeper.queue(work), visit.viewer.user, visit.viewer.groups)
        if seen.line is not None:
            notes.note(work, seen.line.row.reservation, by, visit.viewer.groups)
        return seen.line is not None

    if not visit.act(write):
        raise HTTPException(404)
    return _page(visit, noted=True)


def _filled(word: str, note: str, about: str) -> _Filled:
    """What the form says. 422 where it makes no sense."""
    parts = _WORD.fullmatch(word)
    if parts is None:
        raise HTTPException(422)
    talk, reservation, number, outcome, more = parts.groups()
    known = next((one for one in OUTCOMES if one == outcome), None)
    cause = next((one for one in CAUSES if one == more), None)
    if known is None:
        raise HTTPException(422)
    again_at = int(more) if known == "call-again" and more and more.isdecimal() else None
    own = note if about == talk else ""
    return _Filled(talk, int(reservation), int(number), Word(known, cause, again_at, own))


def _page(
    visit: Visit, status: int = 200, *, problem: str = "", why: str = "", done: Said | None = None, noted: bool = False
) -> Response:
    """The page as it is now; for its script the parts of it, and what came of the act."""
    if (done or noted) and not visit.wants_fragment:
        return RedirectResponse("/me", 303)

    def look(work: Work) -> tuple[Desk, int]:
        queue = visit.console.keeper.queue(work)
        return desk.look(queue, visit.viewer.user, visit.viewer.groups), feed.end(work.connection)

    seen, version = visit.look(look)
    rendered = AgentView(visit.console, replace(visit.audience, user=visit.viewer.user)).of(seen)
    template = "customers/agent_answer.html" if visit.wants_fragment else "customers/agent.html"
    told = {"problem": problem, "why": why, "done": done, "noted": noted}
    return visit.page(template, status, seen=seen, parts=rendered.parts, version=version, **told)
