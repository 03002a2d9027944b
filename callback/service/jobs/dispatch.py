"""Places callbacks: as many as may be placed now, when what deadlines ask for is done."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.exc import IntegrityError

from callback.attempts import claim, snapshot
from callback.errors import IllegalTransition
from callback.losses import incidents
from callback.reservations import deadlines
from callback.service.jobs.ending import end
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store import restored
from callback.store.lease import Lease
from telephony.dialling.commands import PlacingRefused
from telephony.dialling.dialler import Order
from telephony.errors import TelephonyError
from telephony.pbx import Pbx

log = logging.getLogger(__name__)

REFUSED_REST_S = 10.0  # after the PBX refused to place a callback


class Dispatch:
    """Every second: sees to incidents and deadlines, keeps the snapshot for those who look, and places callbacks."""

    name, every_s = "act", 1.0

    def __init__(
        self,
        pbx: Pbx,
        held: Lease,
        transactions: Transactions,
        snapshots: Snapshots,
        stopped: asyncio.Event,
    ) -> None:
        self._pbx, self._held, self._transactions = pbx, held, transactions
        self._snapshots, self._stopped = snapshots, stopped
        self._places_from_s = 0.0  # of the loop's clock: the PBX refused the last callback

    async def run(self) -> None:
        """Carry over, then place as many callbacks as may be placed now: at once those that one snapshot allows."""
        live = await self._snapshots.take()
        if not await self._transactions.write(lambda work: _carry_and_show(work, live)):
            return
        while not self._stopped.is_set() and asyncio.get_running_loop().time() >= self._places_from_s:
            orders = await self._claim(live)
            if not orders:
                return
            # All of them: what was claimed is on its way to the PBX before the snapshot is old, whatever fails
            ends = await asyncio.gather(*map(self._place, orders), return_exceptions=True)
            if failed := [end for end in ends if end is not None]:
                raise failed[0]
            live = await self._snapshots.take()

    async def _claim(self, live: snapshot.Live) -> list[Order]:
        try:
            return await self._transactions.write(lambda work: claim.next_orders(work, self._held, live))
        except (IllegalTransition, IntegrityError) as error:
            log.info("somebody was quicker: %s", error)  # a loss that was settled meanwhile, or a person called
            return []

    async def _place(self, order: Order) -> None:
        """Ask the PBX; a refusal ends the attempt, and no answer leaves it to its ticket.

        A PBX that refuses (it is shutting down, above all) has not come to any trunk, and refuses the next one too.
        """
        try:
            await self._pbx.commands.place(order)
        except PlacingRefused as error:
            log.warning("attempt %s was refused: %s", order.attempt, error)
            self._places_from_s = asyncio.get_running_loop().time() + REFUSED_REST_S
            await end(self._transactions, order.attempt, "refused-late", [f"the PBX placed nothing: {error}"])
        except TelephonyError as error:
            log.warning("nobody knows whether attempt %s was placed; its ticket will tell: %s", order.attempt, error)


def _carry_and_show(work: Work, live: snapshot.Live) -> bool:
    """Say whether anybody may be rung: not before it was compared what happened since a backup that was restored."""
    compared = restored.pending(work.connection, work.pbx) is None
    if not live.clock_off and compared:
        incidents.tend(work)
        deadlines.check(work)
    snapshot.store(work.connection, work.pbx, live, work.now)
    return compared
