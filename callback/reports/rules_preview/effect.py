"""What proposed rules would change: on the losses of the last days, and for whoever waits now. Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Final

from sqlalchemy import bindparam, func, select

from callback.accounts.roles import Groups
from callback.reports.queue.board import Queue
from callback.reports.rules_preview import losses
from callback.reports.rules_preview.losses import LostCall
from callback.reports.rules_preview.replay import Given, replayed
from callback.reservations.reservation import RESERVATIONS, read
from callback.site.context import Site
from callback.site.groups import is_of
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import DAY

DAYS: Final = 7
MOST: Final = 10_000
"""Losses that are decided anew: the newest ones."""
MOST_WAITING: Final = 1_000
"""Of those who wait, the first by their deadlines are judged anew."""

_R = t.reservation.c
_WAITING = RESERVATIONS.where(_R.pbx == bindparam("of_pbx"), t.OPEN, _R.state == "waiting")
_FIRST_WAITING = _WAITING.order_by(_R.deadline_at, _R.id).limit(MOST_WAITING)
_ALL_WAITING = select(func.count()).where(_R.pbx == bindparam("of_pbx"), t.OPEN, _R.state == "waiting")


@dataclass(slots=True)
class Promises:
    """What becomes of the promises of a queue ("" is all of them): `losses` were decided under both rules.

    Of those to whom a callback is owed by both, so many are promised it earlier, later, or by the same time; half of
    the moved ones by `earlier_by` and `later_by` (microseconds) or more. `no_more` and `newly` are owed one by one of
    the two alone, by the word that says why not by the other. Of `measured` first promises, whose customers were
    dialled or whose time is over by both, so many were kept by what really happened.
    """

    losses: int = 0
    earlier: int = 0
    later: int = 0
    same: int = 0
    earlier_by: int = 0
    later_by: int = 0
    no_more: Counter[str] = field(default_factory=Counter)
    newly: Counter[str] = field(default_factory=Counter)
    texts_before: int = 0
    texts_after: int = 0
    measured: int = 0
    kept_before: int = 0
    kept_after: int = 0

    @property
    def never(self) -> int:
        """To how many nothing is owed by either."""
        both = self.earlier + self.later + self.same
        return self.losses - both - self.no_more.total() - self.newly.total()

    @property
    def changed(self) -> bool:
        """Whether anything would be different."""
        moved = self.earlier or self.later or self.no_more or self.newly
        return bool(moved) or self.texts_before != self.texts_after


@dataclass(frozen=True, slots=True)
class Decisions:
    """Of so many who are `waiting` in a queue now, those of whom the dispatcher would say something else.

    `words` counts them by what it says by the rules in force, and by the proposed ones.
    """

    waiting: int
    words: Mapping[tuple[str, str], int]

    @property
    def changed(self) -> int:
        """How many of them."""
        return sum(self.words.values())


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect since `since_at`: on `looked_at` losses of `lost` in all, and on `judged` of `waiting` who wait now.

    `promises` and `decisions` are by queue; "" is all of them. `erased` callers are left out. `stopped` says why nobody
    is called now, by any rules.
    """

    since_at: int
    looked_at: int
    lost: int
    erased: int
    promises: Mapping[str, Promises]
    judged: int
    waiting: int
    decisions: Mapping[str, Decisions]
    stopped: str | None


def effect(work: Work, proposed: Site, groups: Groups = None, days: int = DAYS, most: int = MOST) -> Effect:
    """Say what the rules of `proposed` would change against those in force; of queues of these groups alone."""
    after = replace(work, site=proposed)
    rules = (work.site.rules, proposed.rules)
    one_ring = (max(one.one_ring_s for one in rules), max(one.one_ring_min for one in rules))
    lately = losses.lately(work, work.now - days * DAY, most, *one_ring)
    given = zip(lately.losses, replayed(work, lately), replayed(after, lately), strict=True)
    seen = [(lost, was, now) for lost, was, now in given if is_of(work.site, was.queue or now.queue, groups)]
    judged, waiting, decisions, stopped = _decisions(work, after, groups)
    looked_at = len(lately.losses) + lately.erased
    promises = _promises(seen, work.now)
    return Effect(lately.since_at, looked_at, lately.of, lately.erased, promises, judged, waiting, decisions, stopped)


def _promises(seen: list[tuple[LostCall, Given, Given]], now: int) -> dict[str, Promises]:
    found: dict[str, Promises] = {"": Promises()}
    shifts: dict[str, tuple[list[int], list[int]]] = {"": ([], [])}
    for lost, was, will in seen:
        queue = was.queue or will.queue
        for name in ("", queue) if queue else ("",):
            of = found.setdefault(name, Promises())
            _count(of, was, will, shifts.setdefault(name, ([], [])))
            _measure(of, lost, was, will, now)
    for name, (earlier, later) in shifts.items():
        found[name].earlier_by = round(median(earlier)) if earlier else 0
        found[name].later_by = round(median(later)) if later else 0
    whole = found.pop("")
    return {"": whole, **dict(sorted(found.items()))}


def _count(of: Promises, was: Given, will: Given, shifts: tuple[list[int], list[int]]) -> None:
    of.losses += 1
    of.texts_before += was.text
    of.texts_after += will.text
    if was.promise is None or will.promise is None:
        of.no_more.update([will.became] if was.promise is not None else [])
        of.newly.update([was.became] if will.promise is not None else [])
        return
    moved = will.promise.deadline_at - was.promise.deadline_at
    if moved < 0:
        of.earlier += 1
        shifts[0].append(-moved)
    elif moved > 0:
        of.later += 1
        shifts[1].append(moved)
    else:
        of.same += 1


def _measure(of: Promises, lost: LostCall, was: Given, will: Given, now: int) -> None:
    """Count a first promise by what really happened; of one whose time is to come by either rules nobody knows yet."""
    if lost.owed is None or not lost.owed.valid or was.became != "reserved" or will.became != "reserved":
        return
    if was.promise is None or will.promise is None:
        return
    deadlines = (was.promise.deadline_at, will.promise.deadline_at)
    dialled_at = lost.owed.dialled_at
    if dialled_at is None and now <= max(deadlines):
        return
    of.measured += 1
    of.kept_before += dialled_at is not None and dialled_at <= deadlines[0]
    of.kept_after += dialled_at is not None and dialled_at <= deadlines[1]


def _decisions(work: Work, after: Work, groups: Groups) -> tuple[int, int, dict[str, Decisions], str | None]:
    """Judge whoever waits by both rules, each as the dispatcher would."""
    rows = read(work.connection, _FIRST_WAITING, {"of_pbx": work.pbx})
    waiting: int = work.connection.execute(_ALL_WAITING, {"of_pbx": work.pbx}).scalar_one()
    judges = [Queue(each).judge for each in (work, after)]
    was, will = (judge.why(rows, {}) for judge in judges)
    seen = [row for row in rows if is_of(work.site, row.queue, groups)]
    words: dict[str, Counter[tuple[str, str]]] = {"": Counter(), **{row.queue: Counter() for row in seen}}
    for row in seen:
        before, now = was[row.id].word, will[row.id].word
        if before != now:
            words[""][before, now] += 1
            words[row.queue][before, now] += 1
    many = Counter(row.queue for row in seen) | {"": len(seen)}
    decisions = {queue: Decisions(many[queue], changes) for queue, changes in sorted(words.items())}
    return len(rows), waiting, decisions, judges[0].stopped
