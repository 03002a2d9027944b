"""What the rules of today would make of a loss that was judged under other ones, as far as stored facts tell.

A verdict itself goes by the call's events, which are kept for a few days in the journal alone: kind and reason stay.
Whether many were lost with it, or the caller was spoken to meanwhile, is not asked again either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callback.customers import numbers
from callback.customers.caller import Caller
from callback.customers.loss import Loss
from callback.customers.persons import ERASED
from callback.losses import decide
from callback.reports.timeline.entries import Judged
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from scheduler.clock import SECOND

WhyNot = Literal["same-rules", "by-a-person", "erased", "not-lost"]


@dataclass(frozen=True, slots=True)
class Again:
    """A loss judged again. `why_not`: why it is not; else `no_callback` says why nobody would be called back, if so.

    Where somebody would be, `aim_at` and `deadline_at` are what would be promised, had it been heard of at once.
    """

    version: int  # of the rules in force
    was: int
    why_not: WhyNot | None = None
    no_callback: str | None = None
    aim_at: int | None = None
    deadline_at: int | None = None


def judge(work: Work, row: Reservation, judged: Judged) -> Again:
    """Judge a loss of a reservation again."""
    versions = (work.site.version, judged.rules_version)
    if (why_not := _why_not(work, row, judged)) is not None:
        return Again(*versions, why_not)
    trunk = work.site.dials_over(row.trunk)
    read = numbers.written(row.e164, work.site.trunks[trunk])
    refused = read.reason if isinstance(read, numbers.Refused) else None
    caller = Caller(row.e164, refused, trunk, work.site.hours_of(row.e164, trunk))
    caller, pledge = work.site.pledge(caller, judged.kind, judged.at, judged.at)
    loss = Loss(judged.call_id, judged.queue or "", judged.kind, judged.reason, judged.side,
                judged.waited_us / SECOND, judged.at, judged.at)  # fmt: skip
    no_callback = decide.unfit(loss, work.site.rules.short_abandon_s) or caller.refused
    if no_callback is not None:
        return Again(*versions, no_callback=no_callback)
    return Again(*versions, aim_at=pledge.aim_at, deadline_at=pledge.deadline_at)


def _why_not(work: Work, row: Reservation, judged: Judged) -> WhyNot | None:
    if judged.source == "person":
        return "by-a-person"
    if not judged.lost:
        return "not-lost"
    if row.e164.startswith(ERASED):
        return "erased"
    return "same-rules" if judged.rules_version == work.site.version else None
