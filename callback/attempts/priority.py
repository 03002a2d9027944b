"""Customers who are owed a callback, kept up to date on the PBX: one who calls again goes before other callers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from callback.site.context import Site
from callback.store import tables as t
from telephony.dialling.priority_lists import PriorityLists, lists
from telephony.pbx import Pbx

MOST = 20_000
"""So many may go first at a time; were more lost, the latest of them do: they are at their phones."""
REST = 20
"""Looking for them takes a twentieth of the time at most."""


def numbers(connection: Connection, site: Site) -> list[str]:
    """The numbers that are owed a callback in a queue where calls are on, the latest first.

    A shared number (a company's switchboard) is left out: somebody else may call.
    """
    r = t.reservation.c
    queues = [name for name, queue in site.rules.queues.items() if queue.calls == "on"]
    if site.rules.returning_priority == 0 or not queues:
        return []
    owed = (t.OPEN, t.LOST_ONLY, r.pbx == site.pbx, r.queue.in_(queues), t.person.c.shared.is_(False))
    latest = select(t.person.c.number).join(t.reservation).where(*owed).order_by(r.made_at.desc()).limit(MOST)
    return list(connection.execute(latest).scalars())


@dataclass(frozen=True, slots=True)
class Owed:
    """Whose numbers go first, and with what priority."""

    numbers: list[str]
    priority: int


class Returning:
    """What one PBX has been told of these customers."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self._priority = 0  # that it was told last
        self._sent = PriorityLists()
        self._rests_until_s = 0.0

    async def keep(self, find: Callable[[], Awaitable[Owed]]) -> None:
        """Find their numbers, and tell the PBX what changed; with thousands of them, so rarely that it is no burden."""
        began_s = time.monotonic()
        if began_s < self._rests_until_s:
            return
        found = await find()
        self._rests_until_s = began_s + (time.monotonic() - began_s) * REST
        await self._tell(found)

    async def _tell(self, found: Owed) -> None:
        """Set what changed on the PBX; a TelephonyError leaves the rest for the next time."""
        if found.priority != self._priority:
            self._priority = found.priority
            self._sent.stale()
        changes = self._sent.changes(lists(found.numbers), self._pbx.boot, time.monotonic())
        for name, alike in changes.items():
            await self._pbx.commands.set_priority_list(name, alike, self._priority)
            self._sent.note_sent(name, alike, time.monotonic())
