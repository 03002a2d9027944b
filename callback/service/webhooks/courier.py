"""Delivers messages to endpoints: each endpoint has a task of its own while something is due, and waits for no other.

An endpoint that failed rests before it is asked again, so that one that is down costs little; when it is back, what
waits for it goes in order. A message is tried by its own row of waits, and given up after the last of them.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from callback.accounts.change import Change
from callback.accounts.webhooks import deliveries, endpoints, signing
from callback.accounts.webhooks.deliveries import WAITS, Delivery
from callback.accounts.webhooks.endpoints import Disabled, Endpoint
from callback.errors import NotOurs
from callback.events import WebhookDisabled
from callback.logs.failing import Failing
from callback.service.transactions import Transactions
from callback.service.webhooks.messages import rfc3339
from callback.service.webhooks.sender import Outcome, Sender
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY, MINUTE, SECOND

AT_ONCE: Final = 20
"""Endpoints that are served at once, and messages that are read for one of them."""
KEPT_EVERY_S: Final = 1.0
"""What was delivered is written down so often."""
RESTS: Final = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE)
"""After so many failures in a row an endpoint is asked nothing for so long."""
AWAY: Final = 5 * MINUTE
"""Who was away for so long gets at once what waited meanwhile."""
GIVEN_UP: Final = 5 * DAY
"""Who takes nothing for so long is disabled."""
JITTER: Final = 0.1
_GONE: Final = 410
_NUMBER: Final = (
    select(t.person.c.number)
    .join(t.reservation, t.reservation.c.person_id == t.person.c.id)
    .where(t.reservation.c.id == bindparam("of_id"))
)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A message as it is sent, and by which keys it is signed."""

    delivery: Delivery
    url: str
    body: bytes
    keys: Sequence[bytes]


class Courier:
    """Begins to deliver when it is told to; ends with `close`, and what was under way is sent again at another time."""

    def __init__(
        self,
        transactions: Transactions,
        sender: Sender,
        failing: Failing,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._transactions, self._sender, self._failing, self._jitter = transactions, sender, failing, jitter
        self._under_way: dict[int, asyncio.Task[None]] = {}

    async def begin(self) -> None:
        """Serve every endpoint that has something due, unless it is served already or too many are."""
        for endpoint in await self._transactions.read(_with_something_due):
            if endpoint not in self._under_way and len(self._under_way) < AT_ONCE:
                self._under_way[endpoint] = asyncio.create_task(self._serve(endpoint))

    async def served(self) -> None:
        """Wait until everything that is under way has come to an end."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _serve(self, endpoint: int) -> None:
        try:
            while parcels := await self._transactions.read(lambda work: _parcels(work, endpoint)):
                results = await self._deliver(parcels)
                if not await self._transactions.write(lambda work, done=results: self._keep(work, endpoint, done)):  # type: ignore[misc] # bound while it is of this turn
                    break
        except NotOurs:
            return  # the jobs find it out as well, and end the service
        except Exception as error:  # noqa: BLE001 - whatever it is, the next turn may do better
            self._failing.fails("deliver_webhooks", error)
        else:
            self._failing.works("deliver_webhooks")
        finally:
            del self._under_way[endpoint]

    async def _deliver(self, parcels: Sequence[_Parcel]) -> list[tuple[Delivery, Outcome]]:
        """Send until one fails, or it is time to write down what was sent."""
        results, end_s = list[tuple[Delivery, Outcome]](), time.monotonic() + KEPT_EVERY_S
        for one in parcels:
            outcome = await self._post(one)
            results.append((one.delivery, outcome))
            if outcome.fault or time.monotonic() >= end_s:
                break
        return results

    async def _post(self, one: _Parcel) -> Outcome:
        """Send one; what nobody foresaw is a failed try as well: else it would be sent again each second, for good."""
        headers = signing.headers(one.keys, one.delivery.message, self._transactions.now() // SECOND, one.body)
        try:
            outcome = await self._sender.post(one.url, one.body, headers)
        except Exception as error:  # noqa: BLE001 - whatever it is, the endpoint rests and the message is tried again
            self._failing.fails("post_webhook", error)
            return Outcome("unreachable")
        self._failing.works("post_webhook")
        return outcome

    def _keep(self, work: Work, endpoint: int, results: Sequence[tuple[Delivery, Outcome]]) -> bool:
        """Write down how the tries went; tell whether the endpoint may be sent more at once."""
        stands = endpoints.find(work.connection, endpoint)
        for delivery, outcome in results:
            wait = self._wait(delivery, outcome) if outcome.fault else 0
            deliveries.tried(work.connection, delivery, work.now, outcome.fault, outcome.status, wait)
        if any(not outcome.fault for _, outcome in results):
            stands = _is_back(work, stands)
        last = results[-1][1]
        if last.fault:
            _fails(work, stands, last)
        return not (last.fault or stands.disabled)

    def _wait(self, delivery: Delivery, outcome: Outcome) -> int:
        """Give how long a message waits after it failed: a little more than its row says, or as the receiver asks."""
        tries = min(delivery.tries + 1, len(WAITS) - 1)
        return max(round(WAITS[tries] * (1 + JITTER * self._jitter())), outcome.after)


def _with_something_due(work: Work) -> list[int]:
    """Give the endpoints that do not rest and have something due."""
    able = [one.id for one in endpoints.at_work(endpoints.listed(work.connection)) if one.rests_until_at <= work.now]
    return [one for one in able if deliveries.due(work.connection, work.pbx, one, work.now, 1)]


def _parcels(work: Work, endpoint: int) -> list[_Parcel]:
    """Give what is to be sent to an endpoint now, in order."""
    to = endpoints.find(work.connection, endpoint)
    if to.disabled or to.rests_until_at > work.now:
        return []
    keys = [signing.key_of(work.connection, seed) for seed in to.seeds(work.now)]
    most = 1 if to.failures else AT_ONCE  # one message finds out whether it is back
    found = deliveries.due(work.connection, work.pbx, endpoint, work.now, most)
    return [_Parcel(one, to.wanted.url, _body(work, to, one), keys) for one in found]


def _body(work: Work, to: Endpoint, one: Delivery) -> bytes:
    """Give a message's body; a whole number stands in it alone, and only while its person is known."""
    data: dict[str, Any] = dict(one.data)
    if to.wanted.with_number and one.reservation is not None:
        data["number"] = work.connection.execute(_NUMBER, {"of_id": one.reservation}).scalar_one_or_none()
    told = {"type": one.type, "timestamp": rfc3339(one.at), "data": data}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def _is_back(work: Work, to: Endpoint) -> Endpoint:
    """Write down that an endpoint takes messages; where it did not for long, what waits goes now."""
    if to.failing_since_at is not None and work.now - to.failing_since_at >= AWAY:
        endpoints.all_at_once(work.connection, work.pbx, to.id)
    well = {"failures": 0, "failing_since_at": None, "rests_until_at": 0, "delivered_at": work.now}
    endpoints.keep(work.connection, to.id, **well)
    return endpoints.find(work.connection, to.id)


def _fails(work: Work, to: Endpoint, outcome: Outcome) -> None:
    """Write down that an endpoint failed once more: it rests, and who is gone or fails for days is disabled."""
    rest = max(RESTS[min(to.failures, len(RESTS) - 1)], outcome.after)
    since = work.now if to.failing_since_at is None else to.failing_since_at
    failing = {"failures": to.failures + 1, "failing_since_at": since, "rests_until_at": work.now + rest}
    endpoints.keep(work.connection, to.id, **failing)
    if outcome.status == _GONE:
        give_up(work, to, "gone")
    elif work.now - since >= GIVEN_UP:
        give_up(work, to, "failing")


def give_up(work: Work, to: Endpoint, why: Disabled) -> None:
    """Disable an endpoint, and tell it."""
    by = By(audit.SERVICE, "no message could be delivered")
    endpoints.disable(Change(work.connection, work.pbx, by, work.now), to.id, why)
    work.tell(WebhookDisabled(to.id, to.host, why))
