"""Losses decided anew under some rules, by the functions that decide when a call is lost. Nothing is written.

What people, customers and time did afterwards is taken as it was: a reservation ends when it did. That a person or the
evening moved a promise later is not repeated, so this tells of promises as they are made for a loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from callback.customers.loss import Loss
from callback.losses import decide, intake, redials
from callback.losses.decide import Join, Known, Refuse, Reserve, Standing
from callback.reports.rules_preview.losses import Key, Lately, LostCall, OneRings, joined
from callback.site.context import Site
from callback.site.work import Work
from callback.texts import compose
from scheduler.clock import SECOND
from scheduler.hours import Hours
from scheduler.promise import Promise


@dataclass(frozen=True, slots=True)
class Given:
    """What a loss leads to. `became` is as the call is marked: reserved, merged, or why nobody is called back.

    `promise` is the one in force afterwards, where a callback is owed; `text`: the caller is told.
    """

    call_id: str
    queue: str
    became: str
    promise: Promise | None = None
    text: bool = False


class _Hours(Hours):
    """The same hours, which remember the last stretch that was asked for: one loss follows the other within it."""

    def stretch(self, now: int) -> tuple[int, int]:
        """As `Hours.stretch`: from any moment before its cut, the start is that moment, or the opening to come."""
        asked_at, start, cut = self.__dict__.get("last", (0, 0, 0))
        if asked_at <= now < cut:
            return max(now, start), cut
        start, cut = super().stretch(now)
        self.__dict__["last"] = (now, start, cut)
        return start, cut


def _remembering(site: Site) -> Site:
    made: dict[int, tuple[Hours, _Hours]] = {}  # with what they were made of: an id is another's once that is gone

    def of(hours: Hours) -> _Hours:
        known = made.get(id(hours))
        if known is None:
            copy = _Hours(**{one.name: getattr(hours, one.name) for one in fields(hours)})
            known = made[id(hours)] = (hours, copy)
        return known[1]

    return replace(site, hours=of(site.hours), callee_hours=lambda e164, trunk: of(site.callee_hours(e164, trunk)))


def replayed(work: Work, lately: Lately) -> Iterator[Given]:
    """Decide these losses, in their order, under the rules of the work's site."""
    work = replace(work, site=_remembering(work.site))
    open_: dict[Key, Standing] = dict(lately.open_before)
    ends, rings = iter(lately.ends), OneRings(lately.one_rings, work.site.rules)
    end = next(ends, None)
    for lost in lately.losses:
        while end is not None and end[0] <= lost.learnt_at:
            open_.pop(end[1], None)
            end = next(ends, None)
        yield _decided(replace(work, now=lost.learnt_at), lost, lately.first_start_at, open_, rings)


def _decided(work: Work, lost: LostCall, first_start_at: int, open_: dict[Key, Standing], rings: OneRings) -> Given:
    """Decide one, and keep what stands afterwards."""
    site, now = work.site, work.now
    queue = lost.visited or site.rules.queue_of(lost.did) or ""
    how = (lost.kind, lost.reason, lost.side, lost.waited_s)
    loss = Loss(lost.call_id, queue, *how, lost.started_at, lost.lost_at, lost.doubt)
    caller = replace(
        site.caller(lost.number, lost.channel),
        person=lost.person,
        shared=lost.shared,
        calls_blocked=lost.blocked.calls,
        texts_blocked=lost.blocked.texts,
    )
    caller, pledge = site.pledge(caller, loss.kind, loss.lost_at, now)
    key = (queue, lost.person or 0, lost.call_id if caller.shared else "")
    known = Known(
        now,
        pledge,
        first_start_at,
        spoken_to_since=_spoken_to_since(work, lost, queue),
        burst=caller.e164 is not None and rings.burst(lost, loss.kind, caller.e164, now),
        standing=open_.get(key),
    )
    decision = decide.decide(loss, caller, known, site.rules.short_abandon_s)
    match decision:
        case Reserve():
            harm = decision.severity
            open_[key] = Standing(0, 1, loss.lost_at, harm, None, pledge.deadline_at, None, None, None, pledge)
            return Given(
                lost.call_id, queue, "reserved", pledge, _told(site, lost, loss, pledge, decision.customer.e164)
            )
        case Join(standing=standing):
            open_[key] = joined(standing, loss.lost_at, decision.pledge)
            text = decision.again and _told(site, lost, loss, decision.pledge, decision.customer.e164)
            return Given(lost.call_id, queue, "merged", decision.pledge, text)
        case Refuse(why=why):
            return Given(lost.call_id, queue, why)
    return Given(lost.call_id, queue, decision.why)


def _spoken_to_since(work: Work, lost: LostCall, queue: str) -> bool:
    """Asked only of a loss that was learnt long after the fact, as when it was decided."""
    at_once = 0 <= work.now - lost.lost_at <= intake.AFTER_THE_FACT_S * SECOND
    if at_once or lost.person is None:
        return False
    return redials.spoken_to_since(work, lost.person, queue, lost.lost_at, work.now)


def _told(site: Site, lost: LostCall, loss: Loss, pledge: Promise, e164: str) -> bool:
    """Whether the caller gets a text; whom an incident held, it holds here too."""
    refused = compose.unwanted(site, loss.queue, e164, opted_out=lost.blocked.texts)
    return not lost.held and refused is None and compose.told_at(site, loss, pledge) is not None
