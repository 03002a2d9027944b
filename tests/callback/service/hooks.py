"""What webhooks are tried with: a receiver on this machine, a clock that the test moves, and the jobs that send."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from standardwebhooks import Webhook

from callback.accounts.change import Change
from callback.accounts.webhooks import deliveries, endpoints
from callback.accounts.webhooks.deliveries import Delivery
from callback.accounts.webhooks.endpoints import TYPES, Endpoint, Wanted
from callback.logs.failing import Failing
from callback.service.jobs.webhooks import SendWebhooks
from callback.service.transactions import Transactions
from callback.service.webhooks.courier import Courier
from callback.service.webhooks.sender import Sender
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import US, World

HERE: Final = ("127.0.0.1",)
PATIENCE_S: Final = 60
Answer = Callable[[dict[str, Any]], web.Response]


def fine(_told: dict[str, Any]) -> web.Response:
    """Take whatever is told."""
    return web.Response(status=204)


@dataclass
class Received:
    """A message as it came: `body` as it was signed."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.told["data"]
        return found

    def is_signed_by(self, secret: str) -> bool:
        """Whether the library signs it in the same way, whatever the time is."""
        at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        signed = Webhook(secret).sign(self.id, at, self.body.decode())
        return signed in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """A program that is told; `answer` says how it answers."""

    url: str = ""
    answer: Answer = fine
    got: list[Received] = field(default_factory=list)
    asked: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take a message."""
        self.asked += 1
        body = await request.read()
        named = {name.lower(): value for name, value in request.headers.items()}
        answer = self.answer(json.loads(body) if body else {})
        if answer.status < 300:
            self.got.append(Received(named, body))
        self.came.set()
        return answer


@asynccontextmanager
async def receiver(answer: Answer = fine) -> AsyncIterator[Receiver]:
    """A receiver at a port of this machine."""
    made = Receiver(answer=answer)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks"
    try:
        yield made
    finally:
        await runner.cleanup()


@dataclass
class Post:
    """The part of the service that sends, by the clock of the test; `again()` is another start of it."""

    world: World
    now: int
    sender: Sender = field(default_factory=lambda: Sender(HERE))

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        """Begin anew, as after the process died."""
        transactions = Transactions(self.world.store, self.world.site, self.world.held, lambda: self.now, lambda: None)
        self.courier = Courier(transactions, self.sender, Failing(logging.getLogger(__name__)), lambda: 0.0)
        self.job = SendWebhooks(transactions, self.courier)

    async def turn(self) -> None:
        """One tick, and what follows from it."""
        await self.job.run()
        await self.courier.served()

    async def turns(self, seconds: float, every_s: float = 60) -> None:
        """Let time go by."""
        end = self.now + round(seconds * US)
        while self.now < end:
            await self.turn()
            self.now = min(end, self.now + round(every_s * US))
        await self.turn()

    def endpoint(self, url: str, *events: str, with_number: bool = False) -> tuple[int, str]:
        """Make an endpoint; by default it is told everything."""
        wanted = Wanted(url, frozenset(events or TYPES), with_number)
        made: tuple[int, str] = self.change(lambda change: endpoints.add(change, wanted, HERE))
        return made

    def change(self, act: Callable[[Change], Any]) -> Any:
        """Change something in an administrator's name."""
        with self.world.store.write() as connection:
            return act(Change(connection, "main", By("root", "a test"), self.now))

    def stands(self, endpoint: int) -> Endpoint:
        with self.world.store.read() as connection:
            return endpoints.find(connection, endpoint)

    def deliveries(self, endpoint: int) -> list[Delivery]:
        """Its messages, the oldest first."""
        with self.world.store.read() as connection:
            return deliveries.newest(connection, endpoint, 1000)[::-1]

    def states(self, endpoint: int) -> list[str]:
        return [one.state for one in self.deliveries(endpoint)]

    def audited(self) -> list[str]:
        return [row.action for row in self.world.rows(t.audit) if row.action.startswith("webhook-")]


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test in a loop."""
    asyncio.run(asyncio.wait_for(main, PATIENCE_S))
