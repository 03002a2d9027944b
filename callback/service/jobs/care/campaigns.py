"""Campaigns go on: texts are written, wave after wave, and callers are told."""

from __future__ import annotations

from callback.campaigns import hook, waves
from callback.service.transactions import Transactions
from telephony.pbx import Pbx

HOOK_LASTS_S = 20


class TellCampaigns:
    """Every second: the next texts of each campaign that runs are written; whoever sends texts takes them up."""

    name, every_s = "campaigns", 1.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Write the next wave; nothing is written to the database while none runs."""
        if await self._transactions.read(waves.any_runs):
            await self._transactions.write(waves.tend)


class TellCallers:
    """Every five seconds, for the next twenty: where the service ends, callers are told no more."""

    name, every_s = "tell_callers", 5.0

    def __init__(self, pbx: Pbx, transactions: Transactions) -> None:
        self._pbx, self._transactions = pbx, transactions

    async def run(self) -> None:
        """Let the dialplan know in which queues callers are told, and where they are led."""
        for queue, leads_to in (await self._transactions.read(hook.queues)).items():
            await self._pbx.commands.tell_callers(queue, leads_to, HOOK_LASTS_S)
