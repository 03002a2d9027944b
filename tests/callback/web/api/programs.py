"""Programs that use the API: an application on a world, without a server, and clients with tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI
from starlette.testclient import TestClient

from callback.accounts import tokens
from callback.accounts.tokens import SCOPES, Scope, Terms
from callback.reports.now import look
from callback.reports.now.look import Now
from callback.reports.queue.board import Queue
from callback.settings.console import Console as Wiring
from callback.site.work import Work
from callback.web.api.app import build
from callback.web.api.parts import Api
from callback.web.rate_limit import Pace
from scheduler.clock import DAY
from tests.callback.accounts.people import change
from tests.callback.world import NOON, World

V1: Final = "/api/v1"
NUMBER: Final = "+819012345678"


class Fresh:
    """Figures that are read each time."""

    def now(self, work: Work, groups: frozenset[str] | None) -> Now:
        return look.look(work, groups, look.dangers(work, groups), look.rated(work), None)

    def queue(self, work: Work) -> Queue:
        return Queue(work)


class Program(TestClient):
    """A program with a token, or none."""

    keys = 0

    def ask(self, path: str, body: dict[str, Any], **headers: str) -> Any:
        """Post JSON with a new key, unless one is given; a header's name has _ for -."""
        Program.keys += 1
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.post(f"{V1}{path}", json=body, headers={"Idempotency-Key": f"k{Program.keys}"} | said)

    def read(self, path: str, **query: Any) -> Any:
        return self.get(f"{V1}{path}", params=query)

    def register(self, number: str = NUMBER, queue: str = "support", **more: Any) -> Any:
        return self.ask("/reservations", {"number": number, "queue": queue, **more})

    def decide(self, reservation: int, revision: int, act: str, key: str = "", **more: Any) -> Any:
        keyed = {"Idempotency_Key": key} if key else {}
        return self.ask(
            f"/reservations/{reservation}/decisions", {"act": act, **more}, If_Match=f'"{revision}"', **keyed
        )


@dataclass
class Office:
    """The API on a test's world, by a clock that the test moves."""

    world: World
    now: int = NOON
    public_url: str = ""
    pace: Pace = field(default_factory=lambda: Pace(100_000, 0.001))
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        wiring = Wiring(listen="127.0.0.1:8090", public_url=self.public_url)
        settings = self.world.settings.model_copy(update={"console": wiring})
        api = Api(settings, self.world.store, Fresh(), lambda: self.now, pace=self.pace)
        self.app = build(api)

    def token(self, *scopes: Scope, groups: frozenset[str] | None = None, lasts: int = DAY) -> str:
        """Make a token, with all scopes where none is named."""
        terms = Terms("CRM", frozenset(scopes or SCOPES), groups, lasts)
        with self.world.store.write() as connection:
            return tokens.add(change(connection, self.now), terms)

    def program(
        self, *scopes: Scope, groups: frozenset[str] | None = None, token: str | None = None, lasts: int = DAY
    ) -> Program:
        """Give a program with a token of its own, or with that one; empty: with none."""
        given = self.token(*scopes, groups=groups, lasts=lasts) if token is None else token
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        return Program(self.app, base_url="http://127.0.0.1:8090", headers=headers, raise_server_exceptions=False)
