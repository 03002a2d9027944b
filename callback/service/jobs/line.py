"""Keeps who is on the line, for processes that do not listen to this PBX, and holds back texts to those customers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from callback.attempts.snapshot import Live
from callback.cluster import line
from callback.events import Event, LineKnown, LineUnknown
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store.engine import clock
from callback.texts import compose
from telephony.pbx import Pbx


class KeepLine:
    """Every second, while the PBX is heard; both in one transaction, so that whoever finds the one finds the other."""

    name, every_s = "keep_line", 1.0

    def __init__(self, pbx: Pbx, transactions: Transactions, snapshots: Snapshots) -> None:
        self._pbx, self._transactions, self._snapshots = pbx, transactions, snapshots
        self._known: frozenset[str] | None = None

    async def run(self) -> None:
        """Look once. What is not heard is not known: then the picture grows old, and no text leaves."""
        known, self._known = self._known, None  # until what changed is committed: else it is read again
        if self._pbx.ready:
            live = await self._snapshots.take()
            self._known = await self._transactions.write(lambda work: _keep(work, live, known))


class WatchOthers:
    """Every ten seconds: tells which other PBX of this database nobody hears, and when it is heard again.

    Who is on its line by now is not known, and may be rung from here.
    """

    name, every_s = "watch_others", 10.0

    def __init__(self, transactions: Transactions, tell: Callable[[Event], None]) -> None:
        self._transactions, self._tell = transactions, tell
        self._told: set[str] = set()

    async def run(self) -> None:
        """Look once."""
        unseen = await self._transactions.read(lambda work: line.unseen(work.connection, work.pbx))
        for pbx in sorted(unseen.keys() - self._told):
            self._tell(LineUnknown(pbx, unseen[pbx]))
        for pbx in sorted(self._told - unseen.keys()):
            self._tell(LineKnown(pbx))
        self._told = set(unseen)


class ForgetLines:
    """Every ten minutes: who was on the line of a PBX that nobody hears any more is nobody's affair."""

    name, every_s = "forget_lines", 600.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Delete them."""
        await self._transactions.write(lambda work: line.forget(work.connection))


def _keep(work: Work, live: Live, known: frozenset[str] | None) -> frozenset[str]:
    compose.hold_back(replace(work, now=clock(work.connection)), live.numbers)
    return line.keep(work.connection, work.pbx, live.numbers, known)
