"""The end of an attempt that no event tells: the PBX refused it, or its ticket says how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from callback.attempts import settle
from callback.service.transactions import Transactions
from callback.site.work import Work
from telephony.dialling.dialler import StepName


async def end(
    transactions: Transactions, attempt: str, outcome: str, evidence: list[str], steps: Sequence[StepName] = ()
) -> None:
    """End an attempt now, after the steps that it is known to have taken, besides."""

    def ended(work: Work) -> None:
        for step in steps:
            settle.progress(work, attempt, step, work.now)
        settle.end(work, attempt, outcome, evidence, work.now)

    await transactions.transact(ended)
