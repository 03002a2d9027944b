"""What care knows of one customer, for the customer's page: cases, flags, and how to speak with the customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callback.care.advice import Complainer
from callback.care.cases import Case
from callback.care.flags import Flag
from callback.reports.care import cases, flags
from callback.reports.care.cases import Clock
from callback.site.work import Work
from callback.web.console.care import choices, manners
from callback.web.console.care.manners import Manner
from callback.web.console.visit import Visit


@dataclass(frozen=True, slots=True)
class OfCustomer:
    """All of it; each case with its clock and topic. `registers` and `flagging`: whether a queue does that at all."""

    cases: Sequence[tuple[Case, Clock, str]]
    flags: Sequence[Flag]
    manner: Manner | None
    kinds: Sequence[tuple[Complainer, str]]
    registers: bool
    flagging: bool


def look(work: Work, visit: Visit, person: int) -> OfCustomer:
    """Look at a customer, as this person may see it."""
    groups, care = visit.viewer.groups, work.site.rules.care
    found = cases.of_person(work, person, groups)
    return OfCustomer(
        cases=[(one, cases.clock_of(one, care, work.now), choices.topic(care, one.topic)) for one in found],
        flags=flags.of_person(work, person, groups),
        manner=manners.manner(work, person, visit.language),
        kinds=manners.kinds(visit.language),
        registers=bool(cases.queues(work, groups)),
        flagging=bool(flags.queues(work, groups)),
    )
