"""Promises: by when a lost caller is called back, the evening's cut, and what is carried to the next opening.

A promise is never changed. Another one is made beside it, and one of them is the one by which rates go (`measured`).
Times are instants, terms are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scheduler.clock import SECOND, local
from scheduler.errors import SchedulerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.hours import Hours

WINDOW: Final = "window"
EVENING: Final = "evening"
CARRIED_OVER: Final = "carried-over"
SLOT: Final = "slot"
APOLOGY: Final = "apology"
TRIED_SOONER: Final = "tried-sooner"
SLOT_AIM_S: Final = 600
SLOT_WINDOW_S: Final = 1800
SLOT_LEAST_S: Final = 300
"""With less time before the cut, a chosen time could not be kept: an agent has to be found, too."""


@dataclass(frozen=True, slots=True)
class PromiseTerms:
    """What is promised: called back within `window_s`, aiming at `aim_s`.

    After a silent call the window is `silent_s`, after a dropped one `dropped_s`, where that is shorter. With less
    than `before_cut_s` left before a cut nothing is promised for that day: an agent has to be found, too. What is open
    at a cut is carried over once no ring of `least_s` fits before it.
    """

    window_s: int = 3600
    aim_s: int = 1800
    silent_s: int = 600
    least_s: int = 30
    dropped_s: int = 1800
    before_cut_s: int = 300

    def __post_init__(self) -> None:
        if not 0 < self.aim_s <= self.window_s or min(self.silent_s, self.dropped_s) <= 0:
            raise SchedulerError(
                f"window_s={self.window_s}, aim_s={self.aim_s}, silent_s={self.silent_s}, "
                f"dropped_s={self.dropped_s}: "
                "let all be above 0, and the aim within the window"
            )
        if not 0 <= self.least_s < self.window_s:
            raise SchedulerError(f"least_s={self.least_s}: let it be shorter than window_s={self.window_s}")
        if self.before_cut_s < 0:
            raise SchedulerError(f"before_cut_s={self.before_cut_s}: let it be 0 or more")

    def window_of(self, kind: str) -> int:
        """Give the window of a loss of this kind, in seconds."""
        return min({"silent": self.silent_s, "dropped": self.dropped_s}.get(kind, self.window_s), self.window_s)


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: when it was made, when its clock starts, the aim, the deadline, and why they are so."""

    made_at: int
    clock_starts_at: int
    aim_at: int
    deadline_at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What says when a callback may be made at the earliest, each fact by itself; None says nothing.

    The clock of the promise in force starts at `clock_starts_at`: at the next opening, or at the time that the customer
    chose. A person has put it off until one time, the last outcome asks to wait until another, and the customer's own
    phone is quiet until a third.
    """

    clock_starts_at: int
    put_off_until_at: int | None = None
    retry_at: int | None = None
    quiet_until_at: int | None = None


def not_before(facts: Facts) -> int:
    """Conclude when a callback may be made at the earliest: no fact gives way to another."""
    waits = (facts.clock_starts_at, facts.put_off_until_at, facts.retry_at, facts.quiet_until_at)
    return max(at for at in waits if at is not None)


def promise(kind: str, lost_at: int, made_at: int, hours: Hours, terms: PromiseTerms) -> Promise:
    """Promise a callback for a call lost at `lost_at`.

    While the window fits before the cut (quiet hours, or closing), it is given whole ("window"). After that
    it ends at the cut ("evening"). Lost or heard of so late that nobody could keep that, or while no phone may ring,
    it starts at the next opening ("carried-over"), and is then the ordinary window for every kind.
    """
    window_s = terms.window_of(kind)
    least_s = max(terms.least_s, min(terms.before_cut_s, window_s))
    stretch = _stretch(lost_at, hours, least_s)
    start_at, cut = stretch
    if start_at <= lost_at and made_at < cut < made_at + least_s * SECOND:
        stretch = start_at, cut = hours.stretch(cut)
    if start_at > lost_at:
        return _within(stretch, CARRIED_OVER, made_at, terms.window_s, terms.aim_s)
    reason = WINDOW if lost_at + window_s * SECOND <= cut else EVENING
    return _within(stretch, reason, made_at, window_s, terms.aim_s)


def slot(chosen_at: int, made_at: int, hours: Hours) -> Promise:
    """Promise a callback at a time that the customer chose. Raises SchedulerError where nobody may be rung then."""
    if chosen_at <= made_at:
        raise SchedulerError("that time has passed: choose a later one")
    if not hours.may_ring(chosen_at):
        opens = local(hours.next_opening(chosen_at), hours.zone)
        raise SchedulerError(f"nobody may be rung then: choose a time from {opens:%Y-%m-%d %H:%M} on")
    stretch = hours.stretch(chosen_at)
    if stretch[1] - chosen_at < SLOT_LEAST_S * SECOND:
        until = local(stretch[1] - SLOT_LEAST_S * SECOND, hours.zone)
        raise SchedulerError(f"too little time is left to call then: choose a time until {until:%H:%M}")
    return _within(stretch, SLOT, made_at, SLOT_WINDOW_S, SLOT_AIM_S)


def carry(standing: Promise, hours: Hours, now: int, terms: PromiseTerms) -> Promise:
    """Carry what is still open at the cut to the next opening, as a promise of its own.

    The standing promise itself comes back while there is nothing to carry: its clock has not started, or
    there is still time to ring.
    """
    stretch = _stretch(now, hours, terms.least_s)
    if stretch[0] == now or standing.clock_starts_at > now:
        return standing
    return _within(stretch, CARRIED_OVER, now, terms.window_s, terms.aim_s)


def merge(standing: Promise, new: Promise) -> Promise:
    """Keep the earlier aim and the earlier deadline: a caller who is lost again never waits longer because of it.

    The standing promise itself comes back if the new one betters nothing.
    """
    if standing.aim_at <= new.aim_at and standing.deadline_at <= new.deadline_at:
        return standing
    return Promise(
        made_at=new.made_at,
        clock_starts_at=min(standing.clock_starts_at, new.clock_starts_at),
        aim_at=min(standing.aim_at, new.aim_at),
        deadline_at=min(standing.deadline_at, new.deadline_at),
        reason=new.reason if new.deadline_at < standing.deadline_at else standing.reason,
    )


def by(new: Promise, told_by_at: int) -> Promise:
    """The new promise, ending by a time that the customer was told already where that leaves time to call."""
    if not new.clock_starts_at + SLOT_LEAST_S * SECOND <= told_by_at < new.deadline_at:
        return new
    return replace(new, aim_at=min(new.aim_at, told_by_at), deadline_at=told_by_at)


def apology(made_at: int, by_at: int) -> Promise:
    """The new time that is told once a promise was broken. It excuses that one, and takes its place in no rate."""
    return Promise(made_at, made_at, by_at, by_at, APOLOGY)


def tried_sooner(standing: Promise, now: int) -> Promise:
    """Let the clock of a time that the customer chose start now, because a person asks for it: nothing else changes."""
    return replace(standing, made_at=now, clock_starts_at=now, reason=TRIED_SOONER)


def at_once(standing: Promise, kind: str, now: int, hours: Hours, terms: PromiseTerms) -> Promise:
    """Promise as if the call were lost now, and never later than what stands, a chosen time included.

    The standing promise itself comes back where its clock has started already, or would start no sooner.
    """
    new = promise(kind, now, now, hours, terms)
    if standing.clock_starts_at <= new.clock_starts_at:
        return standing
    return replace(new, aim_at=min(standing.aim_at, new.aim_at), deadline_at=min(standing.deadline_at, new.deadline_at))


def late_news(lost_at: int, learnt_at: int, promise: Promise, first_start_at: int = 0) -> bool:
    """Whether a loss is only recorded: learnt after its deadline, or older than the service's first start."""
    return learnt_at > promise.deadline_at or lost_at < first_start_at


def measured(promises: Sequence[Promise]) -> Promise:
    """The one promise by which a reservation counts in the rates; `promises` are in the order made, at least one.

    It is the first. A time that the customer chose before that one was broken takes its place; so does the next
    opening, where the first was made so late that its window ended at the evening's cut. An apology never counts, nor
    does what is promised for a later loss or by a person's decision: they flatter no rate.
    """
    found, *later = promises
    for one in later:
        chosen = one.reason == SLOT and one.made_at <= found.deadline_at
        if chosen or (one.reason == CARRIED_OVER and found.reason == EVENING):
            found = one
    return found


def missed(promises: Sequence[Promise], done_at: int | None, now: int) -> bool:
    """Whether the promise that counts was broken, by `now` or when it was `done_at`.

    One that the evening shortened is not, as long as it is not carried over: what then is promised counts.
    """
    counting = measured(promises)
    if counting.reason == EVENING and done_at is None:
        return False
    return (now if done_at is None else done_at) > counting.deadline_at


def _stretch(at: int, hours: Hours, least_s: int) -> tuple[int, int]:
    """Give the first stretch of time from `at` on that is long enough, or the one after: its start and its cut."""
    start_at, cut = hours.stretch(at)
    return hours.stretch(cut) if cut - start_at < least_s * SECOND else (start_at, cut)


def _within(stretch: tuple[int, int], reason: str, made_at: int, window_s: int, aim_s: int) -> Promise:
    start_at, cut = stretch
    deadline_at = min(start_at + window_s * SECOND, cut)
    return Promise(made_at, start_at, min(start_at + aim_s * SECOND, deadline_at), deadline_at, reason)
