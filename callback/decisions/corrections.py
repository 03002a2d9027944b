"""A person corrects the verdict on a call: one more version of it, which no verdict of the service replaces.

What follows is done by `losses/corrections`, and can be seen before it is: the same is done in a transaction that is
undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar

from sqlalchemy import bindparam, select

from callback.accounts.roles import Groups
from callback.decisions import records
from callback.errors import CallbackError
from callback.losses import calls
from callback.losses import corrections as following
from callback.losses.calls import Said, Version
from callback.losses.corrections import Consequence
from callback.reservations.reservation import Reservation, read_one
from callback.site.groups import is_of
from callback.site.telling import tell
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from scheduler.clock import local
from telephony.calls.call import LOST
from telephony.calls.verdict import TABLE

T = TypeVar("T")
Act = Callable[[Callable[[Work], NoReturn]], object]
"""Does work in one transaction, which is undone when it raises."""

OF_PEOPLE: Final[Mapping[str, tuple[str, ...]]] = {
    "served": ("test-call", "callers-own-mute", "wrong-number", "spoken-to"),
}
"""What only people know: why a call was not lost after all."""
KINDS: Final = ("served", *sorted(LOST), "requested")
"""What a person may say of a call."""
REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    kind: OF_PEOPLE.get(kind)
    or tuple(dict.fromkeys(row.reason for row in TABLE if row.kind == kind and row.reason and "{" not in row.reason))
    for kind in KINDS
}
"""Of each kind the reasons that it may have."""

_C, _L, _R = t.call.c, t.loss.c, t.reservation.c
# Made once: to build a statement costs several times what it costs to run it.
_CALL = select(_C.queue, _C.started_at).where(_C.pbx == bindparam("of_pbx"), _C.call_id == bindparam("of_call"))
_COUNTED = select(_L.reservation_id).where(_L.pbx == bindparam("of_pbx"), _L.call_id == bindparam("of_call"))
_LAST_CALL = (
    select(_L.call_id)
    .join(t.reservation, _R.id == _L.reservation_id)
    .where(_R.pbx == bindparam("of_pbx"), _R.id == bindparam("reservation"))
    .order_by(_L.lost_at.desc())
    .limit(1)
)


class NoSuchCall(CallbackError):
    """There is no call of that name on this PBX."""


class NotToday(CallbackError):
    """The call was not today's, and this person may correct none of another day."""


class Changed(CallbackError):
    """The reservation, or the verdict, is not as it was seen: nothing was done."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says of a call. `revision` is the reservation's as the page showed it; None: whatever it is."""

    call_id: str
    kind: str
    reason: str | None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a reservation stands, as far as a correction may change it; `texts` of it wait to be sent."""

    state: str
    kind: str
    severity: int
    losses: int
    aim_at: int
    deadline_at: int
    texts: int


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction with all that follows; `before` and `after` are how the reservation stands, where there is one."""

    call_id: str
    was: Version
    now: Version
    consequence: Consequence
    before: Standing | None
    after: Standing | None


def correct(work: Work, correction: Correction, by: By, *, earlier: bool = True, groups: Groups = None) -> Corrected:
    """Keep what a person says of a call, and do what follows. `groups` of queues are those that are the person's.

    NoSuchCall also where it is another group's, NotToday without `earlier` for one of another day, Changed where the
    reservation is not what the page showed, IllegalTransition while its customer is being called.
    """
    said = _said(correction)
    _must_be_theirs(work, correction.call_id, earlier=earlier, groups=groups)
    was = calls.newest(work, correction.call_id)
    if was is None:
        raise NoSuchCall(_UNKNOWN.format(call=correction.call_id))
    if (was.kind, was.reason, was.source) == (said.kind, said.reason, t.PERSON):
        raise Changed("that is what a person said of it already")
    row = _reservation(work, correction)
    before = None if row is None else _standing(work, row)
    found = following.correct(work, correction.call_id, was, said)
    now = calls.newest(work, correction.call_id)
    assert now is not None  # noqa: S101 - it was just written
    after = None if found.reservation is None else read_one(work.connection, found.reservation)
    same = row is not None and found.reservation == row.id
    done = Corrected(
        correction.call_id,
        was,
        now,
        found,
        before if same else None,
        None if after is None else _standing(work, after),
    )
    _tell(work, done, by, found.reservation if found.reservation is not None else None if row is None else row.id)
    return done


def preview(
    act: Act,
    correction: Correction,
    by: By,
    look: Callable[[Work], T],
    *,
    earlier: bool = True,
    groups: Groups = None,
) -> tuple[Corrected, T]:
    """Say what would follow, and what `look` sees then: all of it is done, and undone. Raises what `correct` raises."""

    def undone(work: Work) -> NoReturn:
        done = correct(work, correction, by, earlier=earlier, groups=groups)
        raise _Undone(done, look(work))

    try:
        act(undone)
    except _Undone as seen:
        return seen.done, seen.looked
    raise AssertionError("what always raises came back")


def last_call(work: Work, reservation: int) -> str:
    """The call of a reservation's last loss. NoSuchCall where no loss is left."""
    found = work.connection.execute(_LAST_CALL, {"of_pbx": work.pbx, "reservation": reservation}).scalar()
    if found is None:
        raise NoSuchCall(f"no lost call counts in a reservation {reservation}: `callback find NUMBER` shows which did")
    return str(found)


class _Undone(Exception):
    def __init__(self, done: Corrected, looked: Any) -> None:  # noqa: ANN401 - what the caller looked at
        super().__init__()
        self.done, self.looked = done, looked


_UNKNOWN: Final = "there is no call {call} here; `callback find NUMBER` shows the calls of one number"


def _said(correction: Correction) -> Said:
    kind, reason = correction.kind, correction.reason or None
    if kind not in KINDS:
        raise CallbackError(f"'{kind}' is nothing that a call can be: say one of {', '.join(KINDS)}")
    if reason is not None and reason not in REASONS[kind]:
        raise CallbackError(f"'{reason}' is no reason of {kind}: say one of {', '.join(REASONS[kind])}, or none")
    return Said(kind, reason)


def _must_be_theirs(work: Work, call_id: str, *, earlier: bool, groups: Groups) -> None:
    row = work.connection.execute(_CALL, {"of_pbx": work.pbx, "of_call": call_id}).first()
    if row is None or not is_of(work.site, row.queue, groups):
        raise NoSuchCall(_UNKNOWN.format(call=call_id))
    zone = work.site.hours.zone
    if not earlier and local(row.started_at, zone).date() != local(work.now, zone).date():
        raise NotToday("the call was on another day: a manager corrects those")


def _reservation(work: Work, correction: Correction) -> Reservation | None:
    """The reservation that counts the call, locked, and as it was seen."""
    found = work.connection.execute(_COUNTED, {"of_pbx": work.pbx, "of_call": correction.call_id}).scalar()
    row = None if found is None else read_one(work.connection, found, lock=True)
    if row is None:
        return None
    if correction.revision is not None and row.revision != correction.revision:
        raise Changed(f"reservation {row.id} was changed meanwhile: look at it as it is now")
    if records.pending(work.connection, [row.id]):
        raise Changed(f"reservation {row.id} is closed in a moment, as somebody decided: undo that first")
    return row


def _standing(work: Work, row: Reservation) -> Standing:
    texts = sum(text.state == "waiting" for _, text in compose.texts_of(work.connection, None, [row.id]))
    return Standing(row.state, row.kind, row.severity, row.losses, row.aim_at, row.deadline_at, texts)


def _tell(work: Work, done: Corrected, by: By, reservation: int | None) -> None:
    facts = {"call_id": done.call_id, "version": done.now.number, "kind": done.now.kind, "reason": done.now.reason}
    facts |= {"was_kind": done.was.kind, "was_reason": done.was.reason, "follows": done.consequence.follows}
    tell(work, by, "correct", facts, reservation)
