"""Users: who may sign in, and what each may do; made, changed and locked as by `callback user`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from callback.accounts import sessions, users
from callback.accounts.change import Change
from callback.accounts.roles import ROLES, Role
from callback.accounts.users import Profile
from callback.errors import CallbackError
from callback.logs.masking import masked_text
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.visit import Visit
from callback.web.console.words import LANGUAGES

router = APIRouter()

Lines = Annotated[list[str], Form()]
Text = Annotated[str, Form()]
PAGE: Final = "/users"
BY_HAND: Final = "on the console's page"
_NONE: Final[list[str]] = []


@router.get(PAGE)
def shown(visit: gate.Administer) -> Response:
    """Show everybody."""
    return _page(visit)


@router.post("/users/add")
def add(
    visit: gate.Administer,
    name: Text = "",
    called: Text = "",
    roles: Lines = _NONE,
    groups: Lines = _NONE,
    phone: Text = "",
    language: Text = "",
) -> Response:
    """Make somebody, and show the one-time password once."""

    def made(change: Change) -> str:
        profile = Profile(_roles(roles), called.strip(), _some(groups), phone.strip(), _known_language(language))
        return users.add(change, name.strip(), profile)

    return _once(visit, name.strip(), made)


@router.post("/users/reset")
def reset(visit: gate.Administer, name: Text = "") -> Response:
    """Give somebody a new one-time password, and show it once."""
    return _once(visit, name, lambda change: users.reset(change, name))


@router.post("/users/change")
def change(
    visit: gate.Administer,
    name: Text = "",
    roles: Lines = _NONE,
    groups: Lines = _NONE,
    phone: Text = "",
    language: Text = "",
) -> Response:
    """Give somebody other roles, groups, another phone or language; what is the same stays."""

    def changed(change: Change) -> None:
        wanted = Profile(_roles(roles), "", _some(groups), phone.strip(), _known_language(language))
        users.alter(change, name, wanted)

    return _done(visit, changed)


@router.post("/users/lock")
def lock(visit: gate.Administer, name: Text = "") -> Response:
    """Let somebody sign in no more."""
    return _done(visit, lambda change: users.lock(change, name))


@router.post("/users/unlock")
def unlock(visit: gate.Administer, name: Text = "") -> Response:
    """Let somebody sign in again."""
    return _done(visit, lambda change: users.unlock(change, name))


@router.post("/users/sign-out")
def sign_out(visit: gate.Administer, name: Text = "") -> Response:
    """End all sessions of somebody."""
    return _done(visit, lambda change: users.sign_out(change, name))


def _roles(said: list[str]) -> frozenset[Role]:
    return cast("frozenset[Role]", frozenset(said))


def _some(groups: list[str]) -> frozenset[str] | None:
    """The groups that were chosen; none is all."""
    return frozenset(groups) or None


def _known_language(said: str) -> str:
    return said if said in LANGUAGES else ""


def _once(visit: Visit, name: str, act: Callable[[Change], str]) -> Response:
    """Do something that makes a password, and show that on the page: it is kept nowhere."""
    try:
        password = _act(visit, act)
    except CallbackError as error:
        return _page(visit, 422, told=masked_text(str(error)))
    return _page(visit, secret=(name, password))


def _done(visit: Visit, act: Callable[[Change], str | None]) -> Response:
    try:
        _act(visit, act)
    except CallbackError as error:
        return _page(visit, 422, told=masked_text(str(error)))
    return RedirectResponse(PAGE, 303)


def _act(visit: Visit, act: Callable[[Change], Any]) -> Any:  # noqa: ANN401 - what that act gives
    by = By(visit.viewer.user, BY_HAND)
    return visit.act(lambda work: act(Change(work.connection, work.pbx, by, work.now)))


def _page(visit: Visit, status: int = 200, *, secret: tuple[str, str] | None = None, told: str = "") -> Response:
    def look(work: Work) -> dict[str, Any]:
        return {
            "now": work.now,
            "everybody": users.listed(work.connection),
            "sessions": sessions.counted(work.connection, work.now),
            "groups": sorted({queue.group for queue in work.site.rules.queues.values()} | {"site"}),
        }

    return visit.page("site/users.html", status, secret=secret, told=told, roles=ROLES, **visit.look(look))
