"""Who may ask for what: every route names a scope or is open, or the process does not start. Cookies say nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import BaseRoute

from callback.accounts import tokens
from callback.accounts.tokens import Scope, Token
from callback.errors import StoreError
from callback.store.audit import By
from callback.web import gates
from callback.web.api.parts import EVERY_S, Api, api_of
from callback.web.api.problems import Misused, Problem

_BEARER: Final = "bearer "
SAID: Final = "asked for by the program"
"""The reason of an act that needs none."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The program that asks, and the parts of the API."""

    api: Api
    token: Token

    @property
    def groups(self) -> frozenset[str] | None:
        """Groups of queues that it may see; None: all."""
        return self.token.groups

    @property
    def sees_numbers(self) -> bool:
        """Whether numbers are shown to it in full."""
        return self.token.may("numbers:read")

    def by(self, why: str = SAID) -> By:
        """In whose name it decides, and why."""
        return By(self.token.user, why)


class Needs(HTTPBearer):
    """Lets in a token with this scope, and gives the caller. 401, 403 or 429 else."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scheme_name="token", bearerFormat="lcr_<id>_<secret>", auto_error=False)
        self.scope: Scope = scope

    async def __call__(self, request: Request) -> Any:  # type: ignore[override]  # noqa: ANN401 - it gives a caller
        """Give the caller."""
        api = api_of(request)
        token, may_go_on = await run_in_threadpool(_admitted, api, request.headers.get("authorization", ""))
        if token is None:
            raise Problem(
                401, "not-authenticated", "a token that is in use is needed, as Authorization: Bearer lcr_…",
                "`callback token add` makes one", {"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
        request.state.who = token.user
        if not may_go_on:
            raise Problem(
                429, "too-fast", "this token asks too often", "wait as long as Retry-After says",
                {"Retry-After": str(math.ceil(EVERY_S))},
            )  # fmt: skip
        if not token.may(self.scope):
            raise Problem(
                403, "not-allowed", f"this token has not the scope {self.scope}", "`callback token add --scope …`"
            )
        return Caller(api, token)


def _admitted(api: Api, header: str) -> tuple[Token | None, bool]:
    """Give the token of a request, and whether it asks no more often than it may."""
    token = _token(api, header)
    return token, token is not None and api.pace.allows(token.id, api.now() / 1_000_000)


def _token(api: Api, header: str) -> Token | None:
    if header[: len(_BEARER)].lower() != _BEARER:
        return None
    now = api.now()
    with api.store.read() as connection:
        token = tokens.find(connection, header[len(_BEARER) :].strip(), now)
    if token is not None and tokens.is_due(token, now):
        with suppress(StoreError):  # the answer matters more
            api.store.transact(lambda connection: tokens.seen(connection, token, now))
    return token


class Open:
    """Lets everybody in: what the API is, and whether it lives."""

    def __call__(self, request: Request) -> Api:
        """Give the parts of the API."""
        return api_of(request)


Anybody = Annotated[Api, Depends(Open())]
Reading = Annotated[Caller, Depends(Needs("reservations:read"))]
Deciding = Annotated[Caller, Depends(Needs("reservations:write"))]
LookingUp = Annotated[Caller, Depends(Needs("numbers:read"))]
Blocking = Annotated[Caller, Depends(Needs("numbers:block"))]
Hearing = Annotated[Caller, Depends(Needs("events:read"))]
Reporting = Annotated[Caller, Depends(Needs("reports:read"))]
SeeingRules = Annotated[Caller, Depends(Needs("rules:read"))]
Switching = Annotated[Caller, Depends(Needs("switches:write"))]
SeeingCases = Annotated[Caller, Depends(Needs("cases:read"))]
WorkingOnCases = Annotated[Caller, Depends(Needs("cases:write"))]
SeeingHealth = Annotated[Caller, Depends(Needs("health:read"))]


def check(app: FastAPI) -> None:
    """Raise Misused where a route does not say what it needs, once and no more."""
    for route in app.routes:
        if len(list(_gates(route))) != 1:
            raise Misused(f"the route {getattr(route, 'path', route)} must say which scope it needs")


def scope_of(route: BaseRoute) -> Scope | None:
    """The scope that a route needs; None: it is open to everybody."""
    gate = next(_gates(route), None)
    return gate.scope if isinstance(gate, Needs) else None


def _gates(route: BaseRoute) -> Iterator[Needs | Open]:
    yield from gates.of_route(route, Needs)
    yield from gates.of_route(route, Open)
