"""What a person decides about one reservation or many at once, so that it can be undone for a while.

What can be undone by putting things back is done at once (hold, resume, slot, postpone, assign, call-now). What closes
a reservation holds it first, and is done when it cannot be undone any more (`pending`). No text that follows from
either leaves before that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from callback.decisions import actions, records
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.records import CLOSING, MOST, UNDO_US, WORDS, Action, Asked, Batch, Pending, Why
from callback.errors import CallbackError, IllegalTransition
from callback.events import Decided
from callback.reservations import earlier, moves, slots
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import audit
from callback.store.audit import By
from callback.store.engine import clock
from callback.texts import withheld
from scheduler.clock import SECOND
from scheduler.errors import SchedulerError
from sms.withheld import Standing

MORE_US: Final = 60 * SECOND
"""So much longer may a batch be undone of which more is to come: the process that decides may die between."""
_TOLD: Final = frozenset({"resume", "call-now", "slot", "postpone"})
"""What may promise something, or write or take back a text."""


class TooMany(CallbackError):
    """More reservations than one batch may have."""


class NoReason(CallbackError):
    """This act needs a reason."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done, by whom, and the time or the name that it needs; about reservations of which groups."""

    action: Action
    by: By
    at: int | None = None
    to: str | None = None
    groups: frozenset[str] | None = None


def decide(
    work: Work,
    action: Action,
    asked: Sequence[Asked],
    by: By,
    *,
    at: int | None = None,
    to: str | None = None,
    groups: frozenset[str] | None = None,
) -> Batch:
    """Do this to those of the reservations that stand as they were seen, and say why not to the others.

    `at` is the time of `slot` and `postpone`, `to` whom `assign` names; `groups` of queues are those that may be
    decided about (None: all). It can be undone for 15 s from its end. TooMany beyond 500, NoReason for a closing act
    without one.
    """
    wish = Wish(action, by, at, to, groups)
    must_be_possible(wish, asked)
    return one_piece(work, wish, asked)


def one_piece(work: Work, wish: Wish, asked: Sequence[Asked], batch: int | None = None, *, more: bool = False) -> Batch:
    """Decide about some in this transaction: a batch of their own, or the next ones of a batch.

    Where `more` are to come it can be undone for longer; `end` says when that is over.
    """
    action, began_at = wish.action, clock(work.connection)
    seen = {one.reservation: one.revision for one in asked}
    rows = records.lock(work, seen, wish.groups)
    found = _refused(seen, rows, records.pending(work.connection, rows))
    wanted = [row for row in rows.values() if row.id not in found]
    before = earlier.of(work.connection, wanted, told=action in _TOLD)
    sentences: dict[int, str] = {}
    for row in wanted:
        why, sentence = _tried(work, wish, row)
        if why is not None:
            found[row.id], sentences[row.id] = why, sentence
    done = {one: was for one, was in before.items() if one not in found}
    until_at = ends_at(work, began_at)
    lasts_until_at = until_at + (MORE_US if more else 0)
    if action in _TOLD:
        withheld.withhold(work.connection, _texts(done), lasts_until_at)
    if done and batch is None:
        batch = records.begin(work, action, wish.by, lasts_until_at, {})
    if done and batch is not None:
        records.keep(work, batch, action, lasts_until_at, done)
    if done and action in CLOSING:
        tell_pending(work, wish.by, WORDS[CLOSING[action]], {"batch": batch, "until_at": until_at}, done)
    refused = records.refusals(work.connection, found, sentences)
    return Batch(batch, action, tuple(done), refused, lasts_until_at)


def end(work: Work, batch: int) -> int:
    """Say that a batch is whole: it can be undone for 15 s from now on. Give until when."""
    until_at = work.now + UNDO_US
    action, before = records.renew(work, batch, until_at)
    if action in _TOLD:
        withheld.withhold(work.connection, _texts(before), until_at)
    return until_at


def ends_at(work: Work, began_at: int) -> int:
    """Until when a batch that ends now can be undone; it began when the database's clock showed `began_at`.

    Many take their time: whoever decided about them has as long as whoever decided about one.
    """
    return work.now + max(0, clock(work.connection) - began_at) + UNDO_US


def hold(work: Work, row: Reservation) -> None:
    """Hold a locked reservation until it is closed, or that is undone; one that is held stays so, by us alone."""
    if row.state == "held":
        moves.put_back(work, row.id, "held", {"incident_id": None, "state_since_at": row.state_since_at})
    else:
        moves.move_locked(work, row, "held", {"incident_id": None})


def tell_pending(work: Work, by: By, word: str, facts: dict[str, Any], reservations: Collection[int]) -> None:
    """Keep in audit and feed that these are about to be closed, by the audit's word for it."""
    tell(work, by, f"{word}-pending", dict.fromkeys(reservations, facts))


def tell(work: Work, by: By, action: str, facts: Mapping[int, dict[str, Any]]) -> None:
    """Keep in audit and feed what was decided about each of these reservations."""
    audit.add_all(work.connection, work.pbx, by, action, facts.items(), work.now)
    for reservation, its in facts.items():
        work.tell(Decided(action, by.who, by.why, reservation, its))


def must_be_possible(wish: Wish, asked: Sequence[Asked]) -> None:
    """Raise TooMany or NoReason."""
    if len(asked) > MOST:
        raise TooMany(f"{len(asked)} at once are too many: decide about at most {MOST}")
    if wish.action in CLOSING and wish.by.why == NONE_GIVEN:
        raise NoReason("say why: what closes a callback needs a reason")


def _refused(
    seen: Mapping[int, int], rows: Mapping[int, Reservation], pending: Mapping[int, Pending]
) -> dict[int, Why]:
    """Say about which of these nothing may be decided, before anything is tried."""
    found: dict[int, Why] = {}
    for one, revision in seen.items():
        row = rows.get(one)
        if row is None:
            found[one] = "unknown"
        elif one in pending:
            found[one] = "pending"
        elif row.revision != revision:
            found[one] = _as_it_is(row)
        elif not row.open:
            found[one] = "closed"
    return found


def _as_it_is(row: Reservation) -> Why:
    """Why what was changed is not decided about: the state where that says more."""
    if not row.open:
        return "closed"
    return "calling" if row.state == "calling" else "changed"


def _tried(work: Work, wish: Wish, row: Reservation) -> tuple[Why | None, str]:
    """Do it to one reservation, whole or not at all; say why not."""
    try:
        with work.connection.begin_nested():
            _DO[wish.action](work, wish, row)
    except IllegalTransition as error:
        why, sentence = _not_now(wish.action, row), str(error)
    except slots.TooFar as error:
        why, sentence = "too-far", str(error)
    except slots.NotFree as error:
        why, sentence = "full", str(error)
    except SchedulerError as error:
        why, sentence = "outside-hours", str(error)
    except CallbackError as error:
        why, sentence = _WHY_NOT.get(wish.action, "not-possible"), str(error)
    else:
        return None, ""
    return why, sentence


def _not_now(action: Action, row: Reservation) -> Why:
    if row.state == "calling":
        return "calling"
    return _NOT_NOW.get(action, "not-possible")


def _close(work: Work, _wish: Wish, row: Reservation) -> None:
    if row.state == "calling":
        raise IllegalTransition(f"reservation {row.id} is being called: decide when the call has ended")
    hold(work, row)


def _time(wish: Wish) -> int:
    if wish.at is None:
        raise CallbackError(f"{wish.action} needs a time")
    return wish.at


def _texts(before: Mapping[int, Mapping[str, Any]]) -> dict[int, list[Standing]]:
    return {one: withheld.from_json(was["texts"]) for one, was in before.items()}


_DO: Final[Mapping[str, Callable[[Work, Wish, Reservation], None]]] = {
    "hold": lambda work, wish, row: actions.hold(work, row.id, wish.by),
    "resume": lambda work, wish, row: actions.resume(work, row.id, wish.by),
    "call-now": lambda work, wish, row: actions.call_now(work, row.id, wish.by),
    "slot": lambda work, wish, row: actions.choose_slot(work, row.id, _time(wish), wish.by),
    "postpone": lambda work, wish, row: actions.postpone(work, row.id, _time(wish), wish.by),
    "assign": lambda work, wish, row: actions.assign(work, row.id, wish.to or "", wish.by),
    "cancel": _close,
    "done-elsewhere": _close,
    "not-lost": _close,
}
_NOT_NOW: Final[Mapping[str, Why]] = {"hold": "held-already", "resume": "not-held"}
_WHY_NOT: Final[Mapping[str, Why]] = {"postpone": "passed", "assign": "too-long"}
