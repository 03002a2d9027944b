"""Says before it is too late which promises will be missed, and how many agents would keep them."""

from __future__ import annotations

from callback.attempts import forecast
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions


class Forecast:
    """Every half minute, while callbacks can be made."""

    name, every_s = "warn", 30.0

    def __init__(self, transactions: Transactions, snapshots: Snapshots) -> None:
        self._transactions, self._snapshots = transactions, snapshots

    async def run(self) -> None:
        """Lay what is owed out against the agents there are, and raise or end alarms by that."""
        live = await self._snapshots.take()
        if live.closed is not None:
            return
        seen = await self._transactions.read(
            lambda work: forecast.forecasts(work, forecast.crews(live.at_work, live.loads, work.site))
        )
        await self._transactions.write(lambda work: forecast.tell(work, seen))
