"""A site that asks its customers how they were served, and what they answer by text."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from callback.care import served, tending
from callback.decisions import replies
from callback.reservations.told import CHANGES_US
from callback.settings.care import Care, QueueCare
from callback.site.templates import Texting
from callback.store import tables as t
from callback.store.feed import Reader
from sms import outbox
from sms.gateway import Receipt
from sms.inbound import Inbound
from tests.callback.world import NOON, ON, US, World, rules

CUSTOMER, OURS = "+819012345678", "+81312345678"
ASKS = QueueCare(ask_served=True, cases=True)
_sids = count(1)


def care_rules(queue: QueueCare = ASKS, **care: Any) -> Any:
    """Rules of a site with one queue that asks, beside one that does not."""
    support = ON.model_copy(update={"care": queue})
    return rules(queues={"support": support, "sales": ON, "team": ON}, care=Care(**care))


def asking(world: World, queue: QueueCare = ASKS, *, two_way: bool = True, **care: Any) -> World:
    """Let the site ask, and its customers be able to answer."""
    texting = Texting(two_way=lambda _: two_way)
    world.site = replace(world.site, rules=care_rules(queue, **care), texting=texting)
    return world


def switch_on(world: World, now: int = NOON - 60 * US) -> Reader:
    """Read the feed from now on, as the service does once a queue asks."""
    with world.store.write() as connection:
        reader = served.begin(world.work(connection, now))
    assert reader is not None
    return reader


def look(world: World, reader: Reader, now: int) -> None:
    """Ask about what was served since the last look."""
    with world.store.write() as connection:
        served.ask(world.work(connection, now), reader)


def leave(world: World, now: int) -> list[str]:
    """Let what waits in the outbox leave; gives their templates."""
    with world.store.write() as connection:
        texts = outbox.claim(connection, now, 99, 60, "test")
        outbox.settle_sent(connection, {one: Receipt("1") for one in texts}, now)
    return [one.template for one in texts]


def answer(world: World, body: str, now: int, sender: str = CUSTOMER) -> str | None:
    """Let the customer text this."""
    inbound = Inbound("main", f"SM{next(_sids):032}", sender, OURS, body)
    with world.store.write() as connection:
        return replies.take(world.work(connection, now), inbound)


def words_stand(world: World) -> None:
    """Let callbacks have ended so long ago that what their agents said, or did not say, stands."""
    row, word = t.reservation, t.wrap_up
    with world.store.write() as connection:
        connection.execute(row.update().values(state_since_at=row.c.state_since_at - CHANGES_US))
        connection.execute(word.update().values(at=word.c.at - CHANGES_US))


def tend(world: World, now: int) -> int:
    """See how callbacks of cases ended."""
    with world.store.write() as connection:
        return tending.tend(world.work(connection, now))
