"""Every route of the console says who may ask for it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI

from callback.accounts.roles import RIGHTS, Viewer
from callback.errors import CallbackError
from callback.web.console import gate
from callback.web.console.app import build
from callback.web.console.parts import Console
from callback.web.console.render import Pages
from tests.callback.world import NOON, World


@pytest.fixture
def app(sqlite_world: World) -> FastAPI:
    return build(
        Console(sqlite_world.settings, sqlite_world.store, Pages(ZoneInfo("Asia/Tokyo")), lambda _: None, lambda: NOON)
    )


def test_the_console_is_built(app: FastAPI) -> None:
    needed = {getattr(route, "path", ""): gate.right_of(route) for route in app.routes}
    assert (needed["/"], needed["/healthz"]) == ("account", None)


def test_a_route_that_does_not_say_what_it_needs_is_found(app: FastAPI) -> None:
    app.add_api_route("/stray", lambda: "hello", methods=["GET"])
    with pytest.raises(CallbackError, match="/stray must say which right it needs"):
        gate.check(app)


def test_a_person_has_what_any_role_has() -> None:
    both = Viewer("Anna", frozenset({"agent", "auditor"}))
    assert {right for right in RIGHTS if both.may(right)} == {
        *("account", "look", "live", "own", "see-rules", "see-reports", "audit", "register-case", "campaign-look")
    }
