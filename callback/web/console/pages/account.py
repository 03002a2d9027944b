"""Signing in and out, one's own password, and one's other sessions."""

from __future__ import annotations

from typing import Annotated, Final, cast

from anyio import to_thread
from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from callback.accounts import sessions
from callback.store import audit
from callback.store.audit import By
from callback.web.console.back import parts_of
from callback.web.console.gate import Account, Anybody, Needs
from callback.web.console.members import Member, Members
from callback.web.console.pages.preferences import keep
from callback.web.console.parts import Console
from callback.web.console.signing_in import SignedIn, SignIns
from callback.web.console.visit import Visit
from callback.web.console.words import COOKIE, chosen

router = APIRouter()

Anyway = Annotated[Visit, Depends(Needs("account", anyway=True))]
AlsoLocked = Annotated[Visit, Depends(Needs("account", anyway=True, locked=True))]
Text = Annotated[str, Form()]
BEGINNING: Final = "/"
SIGN_IN: Final = "/sign-in"
PASSWORD: Final = "/password"  # noqa: S105 - a path
PROVE: Final = "/prove"
_REFUSED: Final = 401
_FAULTY: Final = 422
_TOO_MANY: Final = 429
_CALM_DOWN: Final = {"Retry-After": "30"}


def inside(path: str) -> str:
    """Give a path of this console to go on to; what leads elsewhere leads to the beginning."""
    parts = parts_of(path)
    foreign = (
        not parts.path or parts.scheme or parts.netloc or not path.startswith("/") or path.startswith(("//", "/\\"))
    )
    return BEGINNING if foreign or not path.isprintable() else path


@router.get(SIGN_IN)
def ask(console: Anybody, request: Request, to: Annotated[str, Query()] = BEGINNING) -> Response:
    """Ask for name and password."""
    if console.who(request) is not None:
        return RedirectResponse(inside(to), 303)
    return _sign_in_page(console, request, inside(to))


@router.post(SIGN_IN)
async def sign_in(
    console: Anybody, request: Request, name: Text = "", password: Text = "", to: Text = BEGINNING
) -> Response:
    """Begin a session, whatever the browser had before."""
    members = members_of(console)
    done = await _sign_ins(request).sign_in(
        name, password, address_of(request), request.cookies.get(members.cookie, "")
    )
    if not isinstance(done, SignedIn):
        status = _TOO_MANY if done == "many" else _REFUSED
        return await to_thread.run_sync(lambda: _sign_in_page(console, request, inside(to), done, status))
    one_time = done.user.one_time_until_at is not None
    answer = RedirectResponse(PASSWORD if one_time else _first_page(done, inside(to)), 303)
    members.begin(answer, done.token)
    kept = {COOKIE: done.user.profile.language, "theme": done.user.theme}
    keep(answer, console, {name: value for name, value in kept.items() if value})
    return answer


@router.post("/sign-out")
def sign_out(visit: AlsoLocked) -> Response:
    """End this session."""
    visit.act(lambda work: sessions.end(work.connection, visit.session))
    return _signed_out(visit)


@router.post("/sign-out-everywhere")
def sign_out_everywhere(visit: AlsoLocked) -> Response:
    """End every session of this person."""
    visit.act(lambda work: sessions.end_others(work.connection, visit.viewer.user))
    return _signed_out(visit)


@router.post("/sign-out-others")
def sign_out_others(visit: Account) -> Response:
    """End every other session of this person."""
    ended = visit.act(lambda work: sessions.end_others(work.connection, visit.viewer.user, visit.session))
    return _account_page(visit, ended=ended)


@router.get("/account")
def account(visit: Account) -> Response:
    """Show who one is here, and in how many sessions."""
    return _account_page(visit)


@router.get("/session")
def session(_visit: Anyway) -> Response:
    """Answer, without a body, whether the session is open: a page asks so before it locks itself."""
    return Response(status_code=204)


@router.post("/session")
def do_something(_visit: Anyway) -> Response:
    """Take it that the person is at work here: a page says so when it is touched, at most once a minute."""
    return Response(status_code=204)


@router.get(PROVE)
def ask_again(visit: Anyway, to: Annotated[str, Query()] = BEGINNING) -> Response:
    """Ask for the password once more, before something that needs it."""
    return visit.page("unlock.html", to=inside(to), refused="", locked=False)


@router.post("/unlock")
async def unlock(visit: AlsoLocked, password: Text = "", to: Text = BEGINNING) -> Response:
    """Go on with a session that was locked, or prove once more who one is."""
    member = cast("Member", visit.viewer)
    proved = await _sign_ins(visit.request).prove(member, password, address_of(visit.request))
    if proved is True:
        return Response(status_code=204) if visit.wants_fragment else RedirectResponse(inside(to), 303)
    refused = "many" if proved == "many" else "wrong"
    status = _TOO_MANY if refused == "many" else _REFUSED
    if visit.wants_fragment:
        return Response(status_code=status, headers=_CALM_DOWN if refused == "many" else None)
    locked = member.session.locked(visit.console.now())
    return await _page(visit, "unlock.html", status, to=inside(to), refused=refused, locked=locked)


@router.get(PASSWORD)
def ask_for_another(visit: Anyway) -> Response:
    """Ask for another password."""
    return visit.page("password.html", refused="", one_time=cast("Member", visit.viewer).must_change)


@router.post(PASSWORD)
async def change_password(visit: Anyway, old: Text = "", new: Text = "", again: Text = "") -> Response:
    """Keep another password; all sessions of the person end but a new one, here."""
    member = cast("Member", visit.viewer)
    refused: str = "differ"
    if new == again:
        done = await _sign_ins(visit.request).change(member, old, new, address_of(visit.request))
        if isinstance(done, SignedIn):
            answer = RedirectResponse(_first_page(done, BEGINNING), 303)
            members_of(visit.console).begin(answer, done.token)
            return answer
        refused = done
    status = {"wrong": _REFUSED, "many": _TOO_MANY}.get(refused, _FAULTY)
    return await _page(visit, "password.html", status, refused=refused, one_time=member.must_change)


def address_of(request: Request) -> str:
    """Where a request comes from; the server has read what a trusted proxy says of it."""
    return request.client.host if request.client else ""


def members_of(console: Console) -> Members:
    """What tells who is signed in."""
    return cast("Members", console.who)


def _sign_ins(request: Request) -> SignIns:
    made: SignIns = request.app.state.sign_ins
    return made


def _first_page(done: SignedIn, to: str) -> str:
    """Give where one goes on: who may not look at the beginning has the own account."""
    return "/account" if to == BEGINNING and not done.user.viewer.may("look") else to


async def _page(visit: Visit, template: str, status: int, **values: object) -> Response:
    """Make a page beside the event loop: it reads the database."""
    return await to_thread.run_sync(lambda: visit.page(template, status, **values))


def _sign_in_page(console: Console, request: Request, to: str, refused: str = "", status: int = 200) -> Response:
    html = console.pages.render("sign-in.html", chosen(request), to=to, refused=refused)
    return HTMLResponse(html, status, headers=_CALM_DOWN if status == _TOO_MANY else None)


def _account_page(visit: Visit, ended: int | None = None) -> Response:
    user = cast("Member", visit.viewer).session.user
    count = visit.look(lambda work: sessions.counted(work.connection, work.now).get(user.name, 1))
    return visit.page("account.html", user=user, others=count - 1, ended=ended)


def _signed_out(visit: Visit) -> Response:
    by = By(visit.viewer.user, "sign-out")
    visit.act(lambda work: audit.add(work.connection, work.pbx, by, "signed-out", None, {}, work.now))
    answer = RedirectResponse(SIGN_IN, 303, headers={"Clear-Site-Data": '"storage"'})
    members_of(visit.console).forget(answer)
    return answer
