"""Sends the texts that are due, and says which of them do not leave, or do not arrive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from callback.events import Event
from callback.service.snapshots import Snapshots
from callback.service.text_troubles import TextTroubles
from callback.service.transactions import Transactions
from callback.store.engine import clock
from callback.texts import compose
from telephony.pbx import Pbx


class SendTexts:
    """Every second, while we know who is on the line; `send_due` sends what is due for about a second.

    While there is more, a second follows the other: the next tick would come too late.
    """

    name, every_s = "text", 1.0

    def __init__(
        self, pbx: Pbx, transactions: Transactions, snapshots: Snapshots, send_due: Callable[[], Awaitable[int]]
    ) -> None:
        self._pbx, self._transactions, self._snapshots, self._send_due = pbx, transactions, snapshots, send_due

    async def run(self) -> None:
        """Send what is due; nobody is texted while on the line, nor before we know who is."""
        while self._pbx.ready:
            live = await self._snapshots.take()
            await self._transactions.write(
                lambda work, numbers=live.numbers: compose.hold_back(  # type: ignore[misc] # bound while it is of this turn
                    replace(work, now=clock(work.connection)), numbers
                )
            )
            if not await self._send_due():
                return


class TellTextTroubles:
    """Every half minute: texts that do not leave or do not arrive, where that is not their recipients' affair."""

    name, every_s = "see_texts", 30.0

    def __init__(self, transactions: Transactions, troubles: TextTroubles, tell: Callable[[Event], None]) -> None:
        self._transactions, self._troubles, self._tell = transactions, troubles, tell

    async def run(self) -> None:
        """Say what is new of them."""
        for event in await self._transactions.read(
            lambda work: self._troubles.look(work.connection, work.pbx, clock(work.connection))
        ):
            self._tell(event)
