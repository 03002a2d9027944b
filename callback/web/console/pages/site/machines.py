"""Programs: the tokens by which they ask, and the endpoints at which they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar, cast

from fastapi import APIRouter, Form, HTTPException, Query
from starlette.responses import RedirectResponse, Response

from callback.accounts import tokens
from callback.accounts.change import Change
from callback.accounts.tokens import SCOPES, Scope, Terms
from callback.accounts.webhooks import deliveries, endpoints
from callback.accounts.webhooks.endpoints import TYPES, Endpoint, Wanted
from callback.errors import CallbackError
from callback.logs.masking import masked_text
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.number import Number, number_in
from callback.web.console.visit import Visit
from scheduler.clock import DAY

router = APIRouter()

T = TypeVar("T")
Lines = Annotated[list[str], Form()]
Text = Annotated[str, Form()]
PAGE: Final = "/machines"
SHOWN: Final = 50
"""Messages on a page of an endpoint."""
LASTS: Final = (30, 90, 365)
"""Days that a token may last, to choose from."""
BY_HAND: Final = "on the console's page"
_NONE: Final[list[str]] = []
Typed = Mapping[str, Any]
"""What stood in the form that was refused, by what it makes: a token, or an endpoint as it is wanted."""
_NOTHING: Final[Typed] = {}


@router.get(PAGE)
def machines(visit: gate.Administer) -> Response:
    """Show the tokens and the endpoints."""
    return _page(visit)


@router.post("/machines/tokens")
def add_token(
    visit: gate.Administer, name: Text = "", scopes: Lines = _NONE, groups: Lines = _NONE, days: Text = ""
) -> Response:
    """Make a token, and show it once."""
    typed = {"name": name, "scopes": scopes, "groups": groups, "days": days}

    def add(change: Change) -> str:
        lasts = (number_in(days) or 0) * DAY
        return tokens.add(
            change, Terms(name.strip(), cast("frozenset[Scope]", frozenset(scopes)), _some(groups), lasts)
        )

    return _once(visit, add, typed={"token": typed})


@router.post("/machines/tokens/{number}/rotate")
def rotate_token(visit: gate.Administer, number: Number) -> Response:
    """Give a token another secret, and show it once."""
    return _once(visit, lambda change: tokens.rotate(change, number))


@router.post("/machines/tokens/{number}/revoke")
def revoke_token(visit: gate.Administer, number: Number) -> Response:
    """Let a token open nothing any more."""
    return _done(visit, lambda change: tokens.revoke(change, number))


@router.post("/machines/endpoints")
def add_endpoint(visit: gate.Administer, url: Text = "", events: Lines = _NONE, with_number: Text = "") -> Response:
    """Make an endpoint, and show its secret once."""
    wanted, allowed = Wanted(url, frozenset(events), bool(with_number)), _allowed(visit)
    return _once(visit, lambda change: endpoints.add(change, wanted, allowed)[1], typed={"wanted": wanted})


@router.get("/machines/endpoints/{number}")
def endpoint(visit: gate.Administer, number: Number, before: Annotated[str, Query()] = "") -> Response:
    """Show an endpoint, and what it was told."""
    return _endpoint_page(visit, number, before=number_in(before))


@router.post("/machines/endpoints/{number}/change")
def change_endpoint(
    visit: gate.Administer, number: Number, url: Text = "", events: Lines = _NONE, with_number: Text = ""
) -> Response:
    """Let messages go elsewhere, or others."""
    wanted, allowed = Wanted(url, frozenset(events), bool(with_number)), _allowed(visit)
    return _done(visit, lambda change: endpoints.alter(change, number, wanted, allowed), number, {"wanted": wanted})


@router.post("/machines/endpoints/{number}/rotate")
def rotate_endpoint(visit: gate.Administer, number: Number) -> Response:
    """Give an endpoint another secret, and show it once."""
    return _once(visit, lambda change: endpoints.rotate(change, number), number)


@router.post("/machines/endpoints/{number}/disable")
def disable(visit: gate.Administer, number: Number) -> Response:
    """Send nothing to it any more."""
    return _done(visit, lambda change: endpoints.disable(change, number), number)


@router.post("/machines/endpoints/{number}/enable")
def enable(visit: gate.Administer, number: Number) -> Response:
    """Send to it again."""
    return _done(visit, lambda change: endpoints.enable(change, number), number)


@router.post("/machines/endpoints/{number}/test")
def test(visit: gate.Administer, number: Number) -> Response:
    """Send it a message that tells of nothing."""
    return _done(visit, lambda change: deliveries.test(change, number), number)


@router.post("/machines/endpoints/{number}/replay")
def replay(visit: gate.Administer, number: Number, message: Text = "") -> Response:
    """Send a message once more."""
    return _done(visit, lambda change: deliveries.replay(change, number, number_in(message) or 0), number)


def _some(groups: list[str]) -> frozenset[str] | None:
    """The groups that were chosen; none is all."""
    return frozenset(groups) or None


def _allowed(visit: Visit) -> tuple[str, ...]:
    return visit.console.settings.webhooks.allowed_hosts


def _once(visit: Visit, act: Callable[[Change], str], endpoint: int | None = None, typed: Typed = _NOTHING) -> Response:
    """Do something that makes a secret, and show that on the page: it is kept nowhere."""
    try:
        secret = _act(visit, act)
    except CallbackError as error:
        return _again(visit, error, endpoint, typed)
    return _page(visit, secret=secret) if endpoint is None else _endpoint_page(visit, endpoint, secret=secret)


def _done(
    visit: Visit, act: Callable[[Change], object], endpoint: int | None = None, typed: Typed = _NOTHING
) -> Response:
    try:
        _act(visit, act)
    except CallbackError as error:
        return _again(visit, error, endpoint, typed)
    return RedirectResponse(PAGE if endpoint is None else f"{PAGE}/endpoints/{endpoint}", 303)


def _again(visit: Visit, error: CallbackError, endpoint: int | None, typed: Typed) -> Response:
    """Show the page once more, with what is wrong and what was typed."""
    told = masked_text(str(error))
    if endpoint is None:
        return _page(visit, 422, told=told, typed=typed)
    return _endpoint_page(visit, endpoint, 422, told=told, typed=typed)


def _act(visit: Visit, act: Callable[[Change], T]) -> T:
    by = By(visit.viewer.user, BY_HAND)
    return visit.act(lambda work: act(Change(work.connection, work.pbx, by, work.now)))


def _page(visit: Visit, status: int = 200, *, secret: str = "", told: str = "", typed: Typed = _NOTHING) -> Response:
    def look(work: Work) -> dict[str, Any]:
        found = endpoints.listed(work.connection)
        return {
            "now": work.now,
            "tokens": tokens.listed(work.connection),
            "endpoints": [(one, *deliveries.waiting(work.connection, work.pbx, one.id)) for one in found],
            "groups": sorted({queue.group for queue in work.site.rules.queues.values()} | {"site"}),
        }

    choices = {"scopes": SCOPES, "types": TYPES, "lasts": LASTS}
    return visit.page(
        "site/machines.html", status, secret=secret, told=told, typed=typed, **choices, **visit.look(look)
    )


def _endpoint_page(
    visit: Visit,
    number: int,
    status: int = 200,
    *,
    secret: str = "",
    told: str = "",
    before: int | None = None,
    typed: Typed = _NOTHING,
) -> Response:
    def look(work: Work) -> dict[str, Any]:
        one = _known(work, number)
        many, next_at = deliveries.waiting(work.connection, work.pbx, number)
        messages = deliveries.newest(work.connection, number, SHOWN, before)
        return {"now": work.now, "one": one, "waiting": many, "next_at": next_at, "messages": messages}

    return visit.page(
        "site/endpoint.html",
        status,
        secret=secret,
        told=told,
        typed=typed,
        types=TYPES,
        most=SHOWN,
        **visit.look(look),
    )


def _known(work: Work, number: int) -> Endpoint:
    try:
        return endpoints.find(work.connection, number)
    except CallbackError as error:
        raise HTTPException(404) from error
