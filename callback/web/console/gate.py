"""Who may ask for what: every route says the right that it needs, or the console does not start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, HTTPException
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount

from callback.accounts.roles import Right
from callback.errors import CallbackError
from callback.web.console.parts import Console
from callback.web.console.visit import Visit
from callback.web.console.words import chosen

STATIC: Final = "/static"
"""Anybody may have what lies below this path."""


class NotSignedIn(CallbackError):
    """Nobody is signed in: the way leads to the sign-in page."""


class Needs:
    """Lets in whoever has this right, and gives the visit."""

    def __init__(self, right: Right) -> None:
        self.right = right

    def __call__(self, request: Request) -> Visit:
        """Give the visit. NotSignedIn, or 403 without the right."""
        console: Console = request.app.state.console
        viewer = console.who(request)
        if viewer is None:
            raise NotSignedIn
        if not viewer.may(self.right):
            raise HTTPException(403)
        return Visit(console, request, viewer, chosen(request))


class Open:
    """Lets everybody in: the sign-in page, and whether the console lives."""

    def __call__(self, request: Request) -> Console:
        """Give the parts of the console, without a viewer."""
        console: Console = request.app.state.console
        return console


Anybody = Annotated[Console, Depends(Open())]
Account = Annotated[Visit, Depends(Needs("account"))]
Look = Annotated[Visit, Depends(Needs("look"))]
Decide = Annotated[Visit, Depends(Needs("decide"))]
Note = Annotated[Visit, Depends(Needs("note"))]
Reveal = Annotated[Visit, Depends(Needs("reveal"))]
Block = Annotated[Visit, Depends(Needs("block"))]
Unblock = Annotated[Visit, Depends(Needs("unblock"))]
Correct = Annotated[Visit, Depends(Needs("correct"))]
Health = Annotated[Visit, Depends(Needs("health"))]


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
    if isinstance(route, APIRoute):
        yield from _of(route.dependant)


def _of(dependant: Dependant) -> Iterator[Needs | Open]:
    call: Any = dependant.call
    if isinstance(call, (Needs, Open)):
        yield call
    for one in dependant.dependencies:
        yield from _of(one)
