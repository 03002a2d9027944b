"""Who may ask for what: every route says the right that it needs, or the console does not start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from fastapi import Depends, FastAPI, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount

from callback.accounts.roles import Right, Viewer
from callback.errors import CallbackError
from callback.store import audit
from callback.store.audit import By
from callback.web import gates
from callback.web.console.forgery import FIELD, HEADER, SAFE, is_genuine
from callback.web.console.members import Member
from callback.web.console.parts import Console
from callback.web.console.visit import Visit
from callback.web.console.words import chosen

STATIC: Final = "/static"
"""Anybody may have what lies below this path."""


class NotSignedIn(CallbackError):
    """Nobody is signed in: the way leads to the sign-in page."""


class Locked(CallbackError):
    """Nobody did anything in this session for an hour: its person gives the password, and goes on."""


class ProveAgain(CallbackError):
    """What is asked for needs the password once more."""


class MustChange(CallbackError):
    """The one-time password opens nothing but the choice of another."""


class Forged(CallbackError):
    """The form does not hold the session's token: it is from before the session, or from elsewhere."""


class Needs:
    """Lets in whoever has this right, and gives the visit.

    `proved`: only within minutes of the password. `anyway`: also with a one-time password, to choose another one.
    `locked`: also in a session that is locked, to open or to end it.
    """

    def __init__(self, right: Right, *, proved: bool = False, anyway: bool = False, locked: bool = False) -> None:
        self.right = right
        self._proved, self._anyway, self._locked = proved, anyway, locked

    async def __call__(self, request: Request) -> Visit:
        """Give the visit.

        NotSignedIn, Locked, ProveAgain or MustChange; Forged where the form is not of this session; 403 without the
        right, which the audit keeps.
        """
        console: Console = request.app.state.console
        viewer = await run_in_threadpool(console.who, request)
        if viewer is None:
            raise NotSignedIn
        request.state.who = viewer.user
        if isinstance(viewer, Member):
            await self._admit(request, viewer, console.now())
        if not viewer.may(self.right):
            await run_in_threadpool(_deny, console, viewer, self.right)
            raise HTTPException(403)
        return Visit(console, request, viewer, chosen(request))

    async def _admit(self, request: Request, member: Member, now: int) -> None:
        if member.session.locked(now) and not self._locked:
            raise Locked
        if request.method not in SAFE and not await _is_of_session(request, member):
            raise Forged
        if member.must_change and not self._anyway:
            raise MustChange
        if self._proved and not member.session.fresh(now):
            raise ProveAgain


async def _is_of_session(request: Request, member: Member) -> bool:
    """Whether the session's token is in a header, or in the form."""
    given = request.headers.get(HEADER)
    if given is None:
        form = await request.form()
        field = form.get(FIELD)
        if not isinstance(field, str):
            await form.close()
            return False
        given = field
    return is_genuine(given, member.token)


def _deny(console: Console, viewer: Viewer, right: Right) -> None:
    """Keep in the audit that somebody asked for what the person may not do."""
    by = By(viewer.user, "the person's roles do not have this right")
    console.act(lambda work: audit.add(work.connection, work.pbx, by, "denied", None, {"right": right}, work.now))


class Open:
    """Lets everybody in: the sign-in page, and whether the console lives."""

    def __call__(self, request: Request) -> Console:
        """Give the parts of the console, without a viewer."""
        console: Console = request.app.state.console
        return console


Anybody = Annotated[Console, Depends(Open())]
Account = Annotated[Visit, Depends(Needs("account"))]
Look = Annotated[Visit, Depends(Needs("look"))]
Live = Annotated[Visit, Depends(Needs("live"))]
Decide = Annotated[Visit, Depends(Needs("decide"))]
Note = Annotated[Visit, Depends(Needs("note"))]
Reveal = Annotated[Visit, Depends(Needs("reveal"))]
Block = Annotated[Visit, Depends(Needs("block"))]
Correct = Annotated[Visit, Depends(Needs("correct"))]
Health = Annotated[Visit, Depends(Needs("health"))]
Own = Annotated[Visit, Depends(Needs("own"))]
Person = Annotated[Visit, Depends(Needs("person"))]
Pause = Annotated[Visit, Depends(Needs("pause"))]
Propose = Annotated[Visit, Depends(Needs("publish-rules"))]
Publish = Annotated[Visit, Depends(Needs("publish-rules", proved=True))]
SeeRules = Annotated[Visit, Depends(Needs("see-rules"))]
SeeReports = Annotated[Visit, Depends(Needs("see-reports"))]
Handover = Annotated[Visit, Depends(Needs("handover"))]
Care = Annotated[Visit, Depends(Needs("care"))]
RegisterCase = Annotated[Visit, Depends(Needs("register-case"))]
NoteCustomer = Annotated[Visit, Depends(Needs("note-customer"))]
Administer = Annotated[Visit, Depends(Needs("administer", proved=True))]
Audit = Annotated[Visit, Depends(Needs("audit"))]
CampaignLook = Annotated[Visit, Depends(Needs("campaign-look"))]
Campaign = Annotated[Visit, Depends(Needs("campaign"))]


def check(app: FastAPI) -> None:
    """Raise CallbackError where a route does not say what it needs, once and no more."""
    for route in app.routes:
        if isinstance(route, Mount) and route.path.startswith(f"{STATIC}/"):
            continue
        if len(list(_gates(route))) != 1:
            raise CallbackError(f"the route {getattr(route, 'path', route)} must say which right it needs")


def right_of(route: BaseRoute) -> Right | None:
    """The right that a route needs; None: it is open to everybody."""
    gate = next(_gates(route), None)
    return gate.right if isinstance(gate, Needs) else None


def _gates(route: BaseRoute) -> Iterator[Needs | Open]:
    yield from gates.of_route(route, Needs)
    yield from gates.of_route(route, Open)
