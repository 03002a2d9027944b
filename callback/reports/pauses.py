"""What is paused, and how much of it piles up meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select

from callback.accounts.roles import Groups
from callback.losses import decide
from callback.site.groups import is_of
from callback.site.pauses import EVERY_QUEUE, Pause
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import HOUR

_LONGEST_US: Final = 4 * HOUR  # of a call that began before the pause
_R, _C = t.reservation.c, t.call.c
_DUE: Final = (
    select(_R.queue, func.count())
    .where(t.OPEN, _R.pbx == bindparam("of_pbx"), _R.state == "waiting", _R.due_at <= bindparam("now"))
    .group_by(_R.queue)
)
_LEFT_OUT: Final = (
    select(_C.queue, func.count())
    .where(_C.pbx == bindparam("of_pbx"), _C.started_at >= bindparam("begun"), _C.recovery == decide.PAUSED)
    .where(func.coalesce(_C.ended_at, _C.started_at) >= bindparam("since"))
    .group_by(_C.queue)
)


@dataclass(frozen=True, slots=True)
class Paused:
    """One pause, and how many wait for its end: losses that were not registered, texts, or callbacks that are due."""

    pause: Pause
    waiting: int
    may_end: bool


def paused(work: Work, groups: Groups) -> list[Paused]:
    """Give what is paused, with what waits in each; of other groups' queues nothing is said."""
    rows = []
    counted: dict[str, Mapping[str, int]] = {}
    for one in seen(work, groups):
        if one.what not in counted:
            counted[one.what] = _counted(work, one)
        by_queue = counted[one.what]
        theirs = [
            many
            for queue, many in by_queue.items()
            if one.queue in {EVERY_QUEUE, queue} and is_of(work.site, queue, groups)
        ]
        rows.append(Paused(one, sum(theirs), may_end=groups is None or one.queue != EVERY_QUEUE))
    return rows


def seen(work: Work, groups: Groups) -> list[Pause]:
    """The pauses that somebody of these groups may see: those of all queues, and of the groups' own."""
    return [one for one in work.site.pauses if may_see(work, one, groups)]


def may_see(work: Work, one: Pause, groups: Groups) -> bool:
    """Whether somebody of these groups may see a pause."""
    return one.queue == EVERY_QUEUE or is_of(work.site, one.queue, groups)


def queues(work: Work, groups: Groups) -> list[str]:
    """The queues that somebody of these groups may pause."""
    return [queue for queue in work.site.rules.named() if is_of(work.site, queue, groups)]


def _counted(work: Work, one: Pause) -> Mapping[str, int]:
    """How many wait, by queue."""
    about = {"of_pbx": work.pbx, "now": work.now}
    if one.what == "text":
        return compose.waiting_by_queue(work)
    if one.what == "call":
        return _by_queue(work, _DUE, about)
    since = min(pause.since_at for pause in work.site.pauses if pause.what == "register")
    about = {"of_pbx": work.pbx, "since": since, "begun": since - _LONGEST_US}
    return _by_queue(work, _LEFT_OUT, about)


def _by_queue(work: Work, counts: Select[Any], about: Mapping[str, Any]) -> dict[str, int]:
    return {row[0] or "": row[1] for row in work.connection.execute(counts, about)}
