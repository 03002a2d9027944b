"""Callers who join a queue: each is counted, and goes first where a callback is owed to the caller."""

from __future__ import annotations

from collections.abc import Callable

from callback.attempts.load import Traffic
from callback.events import Event, PutFirst
from callback.losses import redials
from callback.service.transactions import Transactions
from callback.site.context import Sites
from telephony.pbx import Pbx, WaitingCaller


class Arrivals:
    """Takes note of whoever joins a queue of one PBX."""

    def __init__(
        self,
        pbx: Pbx,
        sites: Sites,
        traffic: Traffic,
        transactions: Transactions,
        now: Callable[[], int],
        tell: Callable[[Event], None],
    ) -> None:
        self._pbx, self._sites, self._traffic = pbx, sites, traffic
        self._transactions, self._now, self._tell = transactions, now, tell

    async def joins(self, caller: WaitingCaller) -> None:
        """Let a caller to whom a callback is owed through before the others, who have waited only once."""
        self._traffic.joins(caller.queue, self._now())
        rules = self._sites.last.rules
        if rules.returning_priority == 0 or rules.queue(caller.queue).calls != "on":
            return
        asked = (caller.number, caller.queue, caller.channel)
        owed = await self._transactions.read(lambda work: redials.owed(work.connection, work.site, *asked))
        if owed is not None:
            await self._pbx.commands.put_first(caller, rules.returning_priority)
            self._tell(PutFirst(owed, caller.queue))
