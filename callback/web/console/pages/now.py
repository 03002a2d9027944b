"""Now: what breaks next and what keeps it; the rows behind its figures; what if; and the display on a wall."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from callback.accounts import wall_tokens
from callback.attempts import snapshot
from callback.decisions.actions import NoSuchReservation
from callback.decisions.acts import help as acts
from callback.decisions.acts.help import Wanted
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.reports import breaking, what_if
from callback.reports.now import lists
from callback.reports.now import look as now_look
from callback.reports.now.figure import InList, ListName
from callback.reports.now.floor import Floor
from callback.reports.now.lists import Listed
from callback.reports.rates import WITHIN_MIN
from callback.reports.what_if import MoreAgents
from callback.site.work import Work
from callback.site.written import next_time
from callback.store import feed
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.now import content, heads
from callback.web.console.visit import Visit
from callback.web.console.vocabulary import Subject
from callback.web.console.words import chosen, say

router = APIRouter()

_MOST: Final = 500  # reservations of one question
_DIGITS: Final = 18
_MORE: Final = 50  # agents
_LATEST: Final = 2**53  # an instant
_SUBJECTS: Final[dict[ListName, Subject]] = {
    "incidents": "reason",
    "left": "kind",
    "texts-failed": "template",
    "not-lost": "action",
    "cancelled": "action",
    "assigned": "state",
}


@router.get("/now")
def now(visit: gate.Look) -> Response:
    """Show what breaks next, how promises were kept today, what is open, who is there, and what needs a person."""

    def read(work: Work) -> dict[str, Any]:
        seen = visit.console.keeper.now(work, visit.viewer.groups)
        view = content.NowView(visit.console.pages, visit.console.keeper, visit.audience)
        return {"now": seen, "rendered": view.of(seen, work.site), "version": feed.end(work.connection)}

    return visit.page("now/now.html", **visit.look(read))


@router.get("/now/rows/{name}")
def rows(visit: gate.Look, name: ListName, within: int | None = None) -> Response:
    """Show the rows that a figure counts."""
    if within is not None and within not in WITHIN_MIN:
        raise HTTPException(404)
    found = visit.look(lambda work: lists.rows(work, InList(name, within), visit.viewer.groups))

    def word(row: Listed) -> str:
        return _word(visit, name, row)

    listed = {"rows": found, "most": lists.MOST, "word": word}
    return visit.page("now/rows.html", name=name, within=within, now=visit.console.now(), listed=listed)


@router.get("/what-if")
def asked_what_if(
    visit: gate.Look,
    group: str = "",
    more: Annotated[int, Query(ge=0, le=_MORE)] = 0,
    until: str = "",
    items: str = "",
) -> Response:
    """Say what more agents of a group would keep, or who would slip if these were called now."""
    return _what_if(visit, group, more, until, items)


@router.post("/what-if")
def sent_what_if(
    visit: gate.Look,
    group: Annotated[str, Form()] = "",
    more: Annotated[int, Form(ge=0, le=_MORE)] = 0,
    until: Annotated[str, Form()] = "",
    items: Annotated[str, Form()] = "",
) -> Response:
    """Say the same to the page's script."""
    return _what_if(visit, group, more, until, items)


@router.post("/what-if/tell")
def tell(
    visit: gate.Decide,
    group: Annotated[str, Form()] = "",
    more: Annotated[int, Form(ge=1, le=_MORE)] = 1,
    until_at: Annotated[int, Form(ge=0, le=_LATEST)] = 0,
) -> Response:
    """Ask for so many agents more: who can help is told, with what they would keep."""
    by = By(visit.viewer.user, NONE_GIVEN)

    def ask(work: Work) -> Wanted:
        found = [one for one in _more(work, visit, group, more, until_at) if one.more == more]
        if not found or found[0].until_at <= work.now:
            raise CallbackError("nothing is owed there that more agents would keep until then")
        wanted = Wanted(group, more, found[0].until_at, found[0].before, found[0].after)
        acts.ask(work, wanted, by)
        return wanted

    wanted = visit.act(ask)
    if not visit.wants_fragment:
        return RedirectResponse("/now", 303)
    return visit.page("now/asked.html", wanted=wanted, now=visit.console.now())


@router.get("/wall/{token}")
def wall(console: gate.Anybody, request: Request, token: str) -> Response:
    """Show Now on a display: its address lets in whoever has it, until it is revoked. 404 for any other."""
    language = chosen(request)

    def read(work: Work) -> dict[str, Any]:
        found = wall_tokens.find(work.connection, token)
        if found is None:
            raise HTTPException(404)
        seen = console.keeper.now(work, found.groups)
        scene = content.Scene(console.pages, language, work.site, found.groups, href=None)
        head = heads.texts(now_look.head_of(seen), work.site.hours.zone, language)
        return {"wall": found, "now": seen, "parts": scene.parts(seen, content.ON_A_WALL), "head": head}

    values = console.look(read)
    floor: Floor = values["now"].floor
    stale = floor.stopped if floor.agents is None else None
    return HTMLResponse(console.pages.render("now/wall.html", language, stale=stale, **values))


def _what_if(visit: Visit, group: str, more: int, until: str, items: str) -> Response:
    told = visit.look(lambda work: _told(work, visit, group, more, until, items))
    template = "now/told.html" if visit.wants_fragment else "now/what_if.html"
    return visit.page(template, **told)


def _told(work: Work, visit: Visit, group: str, more: int, until: str, items: str) -> dict[str, Any]:
    groups = visit.viewer.groups
    called = what_if.call_now(work, _ids(items), groups) if items else []
    found = _more(work, visit, group, more, _until(work, until)) if group else []
    may_tell = visit.viewer.may("decide")
    return {"more": found, "called": called, "now": work.now, "group": group, "may_tell": may_tell}


def _more(work: Work, visit: Visit, group: str, more: int, until_at: int | None) -> list[MoreAgents]:
    """What that many agents of a group would keep; 0: each number of them that is offered."""
    groups = visit.viewer.groups
    if groups is not None and group not in groups:
        raise NoSuchReservation(f"no group {group} is known here")
    picture = snapshot.recall(work.connection, work.pbx)
    seen = breaking.look(work, picture, frozenset({group})).get(group)
    every = what_if.more_agents(seen, work.now, until_at, more or what_if.MORE[-1]) if seen else []
    return [one for one in every if more in {0, one.more}]


def _ids(items: str) -> list[int]:
    """The reservations that are named, as 812:9,813:4: the revision does not matter, for nothing is changed."""
    named = [item.partition(":")[0] for item in items.split(",")]
    if len(named) > _MOST or not all(one.isascii() and one.isdigit() and len(one) <= _DIGITS for one in named):
        raise CallbackError(f"name reservations by their numbers, {_MOST} at most")
    return [int(one) for one in named]


def _until(work: Work, said: str) -> int | None:
    """The next time that the site's clock shows this, 13:30; None where nothing is said."""
    if not said:
        return None
    try:
        wall_time = time.fromisoformat(said).replace(tzinfo=None)
    except ValueError as error:
        raise CallbackError("say until when as 13:30") from error
    return next_time(wall_time, work.now, work.site.hours.zone)


def _word(visit: Visit, name: ListName, row: Listed) -> str:
    """What the row says: of an incident the reason in its cause."""
    if name == "answers":
        return ""
    code = row.word.split("/")[1] if name == "incidents" and row.word.count("/") > 1 else row.word
    return say(visit.language, _SUBJECTS.get(name, "state"), code)
