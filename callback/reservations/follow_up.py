"""A callback that no lost call made: for a case of care, a campaign's sample, or a person flagged for a later day.

It is dialled as all others are: in hours, within the caps, at most once. No text explains it or excuses it, it stands
apart from the customer's lost calls, and no rate of lost callers counts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from callback.customers import blocks
from callback.errors import CallbackError
from callback.events import FollowUpReserved
from callback.reservations import new
from callback.reservations.reservation import lock_open
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import SECOND
from scheduler.errors import SchedulerError
from scheduler.promise import WINDOW, Promise

KIND: Final = t.FOLLOW_UP
LEAST_S: Final = 600
"""A promise that ends sooner could not be kept: an agent has to be found, too."""


class NotToBeCalled(CallbackError):
    """This customer may not be called; `why` is the reason in hyphenated words."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """Whom to call for what: `apart` names the cause (case/7), one open callback for each.

    `by_at` is the latest time that is promised, `not_before_at` the earliest. `agent` is whose phone alone is rung, as
    the PBX names the member, for `agent_for_us` from when the clock starts, and half of the time that is promised at
    most; then anybody's of the queue.
    """

    person: int
    queue: str
    apart: str
    by_at: int
    not_before_at: int = 0
    severity: int = 0
    agent: str | None = None
    agent_for_us: int | None = None


def reserve(work: Work, wanted: FollowUp) -> int:
    """Reserve it, and give the reservation's number: the open one where there is one. Raises NotToBeCalled.

    The clock starts at the next moment at which this phone may ring, and it ends at `by_at` or, where that is too soon
    after the start, ten minutes after it.
    """
    standing = lock_open(work.connection, work.pbx, wanted.queue, wanted.person, wanted.apart)
    if standing is not None:
        return standing.id
    e164 = work.connection.execute(select(t.person.c.number).where(t.person.c.id == wanted.person)).scalar_one()
    if blocks.blocked(work.connection, e164).calls:
        raise NotToBeCalled("number-blocked", "the number is blocked for our calls: take that back first")
    trunk = work.site.dials_over("")
    try:
        hours = work.site.hours_of(e164, trunk)
        start_at, cut_at = hours.stretch(max(work.now, wanted.not_before_at))
    except SchedulerError as error:
        raise NotToBeCalled("never-in-hours", "by the rules of today this phone may never ring") from error
    deadline_at = max(wanted.by_at, min(start_at + LEAST_S * SECOND, cut_at))
    pledge = Promise(work.now, start_at, deadline_at, deadline_at, WINDOW)
    made = new.NewReservation(wanted.person, wanted.apart, trunk, "waiting", wanted.severity, pledge)
    until_at = None if wanted.agent is None else _alone_until(wanted, pledge)
    row = new.add_follow_up(work, made, wanted.queue, KIND, agent=wanted.agent, agent_until_at=until_at)
    work.tell(FollowUpReserved(row, wanted.queue, wanted.apart, start_at, deadline_at))
    return row


def _alone_until(wanted: FollowUp, pledge: Promise) -> int:
    """Until when one agent alone is rung; half of the time that is promised is left to all others."""
    half_at = (pledge.clock_starts_at + pledge.deadline_at) // 2
    return half_at if wanted.agent_for_us is None else min(pledge.clock_starts_at + wanted.agent_for_us, half_at)
