"""Pausing: registering, texting or calling is stopped for a while, by a person with a reason; it ends by itself."""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import bindparam, insert, update

from callback.accounts.roles import Groups
from callback.decisions.batch import NoReason
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.logs.masking import masked_text
from callback.site import pauses
from callback.site.groups import is_of
from callback.site.pauses import EVERY_QUEUE, Pause, What
from callback.site.telling import tell
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY, MINUTE

USUAL_US: Final = 60 * MINUTE
LONGEST_US: Final = DAY
Action = Literal["paused", "pause-ended", "pause-resumed"]
_P = t.pause.c
_NEW: Final = insert(t.pause).returning(_P.id)
_ENDED: Final = update(t.pause).where(_P.id == bindparam("number")).values(ended_at=bindparam("at"))


class NoSuchPause(CallbackError):
    """There is none of that number, or not for who asks: look at the page as it is now."""


class NoSuchQueue(CallbackError):
    """The rules name no such queue."""


class NotForYou(CallbackError):
    """Somebody pauses the queues of the person's own groups alone."""


def pause(work: Work, what: What, queue: str, by: By, *, groups: Groups = None, for_us: int = USUAL_US) -> Pause:
    """Stop this in a queue (empty: in all), for so long. One that holds there already gives way to the new one."""
    if by.why == NONE_GIVEN:
        raise NoReason("say why: a pause needs a reason")
    if not MINUTE <= for_us <= LONGEST_US:
        raise CallbackError("a pause lasts from a minute to a day")
    if queue not in {EVERY_QUEUE, *work.site.rules.named()}:
        raise NoSuchQueue("the rules name no such queue")
    if not _theirs(work, queue, groups):
        raise NotForYou("this queue is of another group")
    for one in pauses.active(work.connection, work.pbx, work.now):
        if (one.what, one.queue) == (what, queue):
            work.connection.execute(_ENDED, {"number": one.id, "at": work.now})
    row = {"pbx": work.pbx, "what": what, "queue": queue, "since_at": work.now, "until_at": work.now + for_us}
    why = masked_text(by.why)
    number = work.connection.execute(_NEW, row | {"who": by.who, "why": why}).scalar_one()
    made = Pause(number, what, queue, work.now, work.now + for_us, by.who, why)
    _tell(work, by, "paused", made)
    return made


def end(work: Work, number: int, by: By, groups: Groups = None) -> Pause:
    """Let it go on before its time; also how a pause is undone. NoSuchPause where it holds no more."""
    found = _found(work, number, groups)
    if found.id not in {one.id for one in pauses.active(work.connection, work.pbx, work.now)}:
        raise NoSuchPause("this pause has ended already")
    work.connection.execute(_ENDED, {"number": number, "at": work.now})
    _tell(work, by, "pause-ended", found)
    return found


def resume(work: Work, number: int, by: By, groups: Groups = None) -> Pause:
    """Undo the end of a pause: it holds again until its time. NoSuchPause where that is over."""
    found = _found(work, number, groups)
    if found.until_at <= work.now:
        raise NoSuchPause("this pause is over by its time")
    work.connection.execute(_ENDED, {"number": number, "at": None})
    _tell(work, by, "pause-resumed", found)
    return found


def _found(work: Work, number: int, groups: Groups) -> Pause:
    found = pauses.find(work.connection, work.pbx, number)
    if found is None or not _theirs(work, found.queue, groups):
        raise NoSuchPause("there is no such pause")
    return found


def _theirs(work: Work, queue: str, groups: Groups) -> bool:
    """Whether somebody of these groups may decide about this queue; about all of them only who has all groups."""
    return groups is None or (queue != EVERY_QUEUE and is_of(work.site, queue, groups))


def _tell(work: Work, by: By, action: Action, one: Pause) -> None:
    facts: dict[str, Any] = {"pause": one.id, "what": one.what, "queue": one.queue, "until_at": one.until_at}
    tell(work, by, action, facts)
