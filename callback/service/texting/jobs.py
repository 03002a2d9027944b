"""Sends the texts that are due, and says which of them do not leave, or do not arrive.

Who is on the line is known by what the process that listens keeps each second (`jobs/line.py`), be it this one or not.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from callback.cluster import line
from callback.events import Event
from callback.service.texting.troubles import TextTroubles
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store.engine import clock

log = logging.getLogger(__name__)

SAID_AFTER_S: Final = 15.0


class SendTexts:
    """Every second, while it is known who is on the line; `send_due` sends what is due for about a second.

    While there is more, a second follows the other: the next tick would come too late.
    """

    name, every_s = "text", 1.0

    def __init__(self, transactions: Transactions, send_due: Callable[[], Awaitable[int]]) -> None:
        self._transactions, self._send_due = transactions, send_due
        self._waits = _Waits(transactions.pbx)

    async def run(self) -> None:
        """Send what is due; nobody is texted while on the line, nor while nobody knows who is."""
        while await self._transactions.write(self._may_send):
            if not await self._send_due():
                return

    def _may_send(self, work: Work) -> bool:
        ago_s = line.seen_s_ago(work.connection, work.pbx)
        known = line.is_fresh(ago_s)
        self._waits.tell(known=known, ago_s=ago_s)
        return known


class _Waits:
    """Says once that texts wait for the process that listens, when they have for a while, and that they leave again."""

    def __init__(self, pbx: str) -> None:
        self._pbx = pbx
        self._since: float | None = None
        self._said = False

    def tell(self, *, known: bool, ago_s: float | None) -> None:
        """Take whether it is known who is on the line, and how old that knowledge is."""
        now = time.monotonic()
        if known:
            if self._said:
                log.warning("texts leave again: it is known who is on the line of %s", self._pbx)
            self._since, self._said = None, False
            return
        self._since = self._since or now
        if not self._said and now - self._since >= SAID_AFTER_S:
            self._said = True
            seen = "nobody has listened to it yet" if ago_s is None else f"nobody has heard it for {ago_s:.0f} s"
            log.warning(
                "texts wait, for nobody is texted while on the line, and who is on the line of %s is not known: %s",
                self._pbx,
                seen,
            )


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
