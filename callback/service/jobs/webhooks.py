"""Tells programs what happens: messages are made of the feed, and the courier delivers them.

What was told to programs, and what was answered to them, is deleted in its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from callback.accounts import idempotency
from callback.accounts.webhooks import deliveries, endpoints
from callback.accounts.webhooks.deliveries import Message
from callback.accounts.webhooks.endpoints import Endpoint
from callback.events import Happened
from callback.service.transactions import Transactions
from callback.service.webhooks import messages
from callback.service.webhooks.courier import Courier, give_up
from callback.site.work import Work
from callback.store import feed
from callback.store import tables as t
from callback.store.inserting import insert_new

PIECE: Final = 1000
_PLACE: Final = select(t.hook_place.c.place)

Told = Sequence[tuple[int, Happened]]


class SendWebhooks:
    """Every second: what is new in the feed becomes messages, once each, and the courier begins what is due.

    How far the feed was read is kept with the messages, in one transaction. An event that comes again after another
    start makes the same messages, which are there already.
    """

    name, every_s = "send_webhooks", 1.0

    def __init__(self, transactions: Transactions, courier: Courier) -> None:
        self._transactions, self._courier = transactions, courier
        self._reader: feed.Reader | None = None

    async def run(self) -> None:
        """Do it; where nobody is to be told, the feed is not read."""
        if not await self._transactions.read(lambda work: endpoints.at_work(endpoints.listed(work.connection))):
            self._reader = None
            return
        while await self._queue_more():
            pass
        await self._courier.begin()

    async def _queue_more(self) -> bool:
        """Make messages of some events; tell whether there may be more."""
        if self._reader is None:
            self._reader = feed.Reader(self._transactions.pbx, await self._transactions.read(_begins))
        reader = self._reader
        before, self._reader = reader.after, None  # until what was read is kept: else it is read again
        told = await self._transactions.read(lambda work: reader.read_placed(work.connection))
        if told or reader.after != before:
            await self._transactions.transact(lambda work: _queue(work, told, reader.after))
        self._reader = reader
        return len(told) == feed.AT_ONCE


class ForgetForPrograms:
    """Every ten minutes, piece by piece."""

    name, every_s = "forget_for_programs", 600.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Delete the oldest messages, and answers to requests, that have been kept for as long as they are kept."""
        for forget in (deliveries.forget, idempotency.forget):
            while await self._transactions.write(lambda work, it=forget: it(work.connection, work.now, PIECE)) == PIECE:  # type: ignore[misc] # bound while it is of this turn
                pass


def _begins(work: Work) -> int:
    """The place in the feed to read on from: no endpoint is told what happened before it was there."""
    kept = work.connection.execute(_PLACE.where(t.hook_place.c.pbx == work.pbx)).scalar_one_or_none() or 0
    since = (one.since_place for one in endpoints.at_work(endpoints.listed(work.connection)))
    return max(kept, min(since, default=kept))


def _queue(work: Work, told: Told, place: int) -> None:
    """Keep for each endpoint what it is to be told, and how far the feed was read."""
    made = messages.made_of(work.connection, told)
    for endpoint in endpoints.at_work(endpoints.listed(work.connection)):
        if not deliveries.queue(work.connection, work.pbx, endpoint, _wanted(endpoint, made), work.now):
            give_up(work, endpoint, "full")
    if not insert_new(work.connection, t.hook_place, {"pbx": work.pbx, "place": place}):
        of_pbx = t.hook_place.update().where(t.hook_place.c.pbx == work.pbx)
        work.connection.execute(of_pbx.values(place=place))


def _wanted(endpoint: Endpoint, made: Sequence[tuple[int, Message]]) -> list[Message]:
    events, since = endpoint.wanted.events, endpoint.since_place
    return [message for place, message in made if place > since and message.type in events]
