"""A batch as it is kept: what was decided about many reservations at once, by whom, and until when it can be undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update

from callback.decisions import changes
from callback.logs.masking import masked_text
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.reservations.states import Event
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import SECOND

Action = Literal[
    "hold", "resume", "call-now", "slot", "postpone", "assign", "cancel", "done-elsewhere", "not-lost", "block",
]  # fmt: skip
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
CLOSING: Final[Mapping[str, Event]] = {
    "cancel": "cancelled",
    "done-elsewhere": "done-elsewhere",
    "not-lost": "withdrawn",
    "block": "barred",
}
"""What such an act does to a reservation once it cannot be undone any more; until then it is held."""
WORDS: Final[Mapping[Event, str]] = {
    "cancelled": "cancelled",
    "done-elsewhere": "done-elsewhere",
    "withdrawn": "withdrawn",
    "barred": "cancelled",
}
"""What the audit calls such an end."""
Why = Literal[
    "unknown",  # there is none, or not for who asks
    "changed",  # since the page was made
    "closed",
    "calling",
    "pending",  # somebody closes it: that is undone first
    "held-already",
    "not-held",
    "outside-hours",  # nobody may be rung then
    "full",  # too many have chosen that half hour
    "passed",  # the time
    "too-far",  # the time is more than a year away
    "too-long",  # the name
    "text-left",  # the customer was told
    "done",  # it is closed by now
    "not-possible",
]
UNTOUCHED: Final = "untouched"
UNDO_US: Final = 15 * SECOND
MOST: Final = 500
"""Reservations of one batch: it is one transaction, and others wait for it."""

_R, _B, _I = t.reservation.c, t.batch.c, t.batch_item.c
_IDS = _R.id.in_(bindparam("ids", expanding=True))
_ASKED = RESERVATIONS.where(_IDS, _R.pbx == bindparam("of_pbx")).order_by(_R.id)
_LOCK = _ASKED.with_for_update(of=t.reservation)
_ASKED_OF_GROUPS = _ASKED.where(_R.queue_group.in_(bindparam("groups", expanding=True)))
_LOCK_OF_GROUPS = _ASKED_OF_GROUPS.with_for_update(of=t.reservation)
_STANDS = select(_R.id, _R.revision, _R.losses).where(_IDS)
_NEW, _NEW_ITEM = insert(t.batch).returning(_B.id), insert(t.batch_item)
_KEPT = (
    select(_B.id, _B.action, _B.who, _B.at, _B.undo_until_at, _B.undone_by, func.count())
    .join(t.batch_item, _I.batch_id == _B.id)
    .join(t.reservation, _R.id == _I.reservation_id)
    .where(_B.id == bindparam("of_batch"), _B.pbx == bindparam("of_pbx"))
    .group_by(_B.id)
)
_KEPT_OF_GROUPS = _KEPT.where(_R.queue_group.in_(bindparam("groups", expanding=True)))
_OF_BATCH: BindParameter[int] = bindparam("of_batch")
_LASTS = update(t.batch).where(_B.id == _OF_BATCH).values(undo_until_at=bindparam("until_at"))
_WAIT = update(t.batch_item).where(_I.batch_id == _OF_BATCH, t.PENDING).values(pending_until_at=bindparam("until_at"))
_BEFORE = select(_I.reservation_id, _I.before).where(_I.batch_id == _OF_BATCH)
_LOCK_BATCH = select(_B.action).where(_B.id == _OF_BATCH).with_for_update()
_PENDING = (
    select(_I.reservation_id, _I.batch_id, _I.pending_until_at, _B.action, _B.who, _B.at)
    .join(t.batch, _B.id == _I.batch_id)
    .where(_I.reservation_id.in_(bindparam("reservations", expanding=True)), t.PENDING)
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A reservation as a page showed it."""

    reservation: int
    revision: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was done about a reservation; `change` says who changed it last, where that is the reason."""

    reservation: int
    why: Why
    change: changes.Change | None = None
    sentence: str = ""  # more about it, in English


@dataclass(frozen=True, slots=True)
class Batch:
    """What was done of what was asked; `id` is None where nothing was. `stays` were ended at once, for good."""

    id: int | None
    action: Action
    done: tuple[int, ...]
    refused: tuple[Refusal, ...]
    undo_until_at: int = 0
    stays: tuple[int, ...] = ()

    @property
    def conflict(self) -> bool:
        """Whether somebody's page was older than what stands."""
        return any(one.change is not None for one in self.refused)


@dataclass(frozen=True, slots=True)
class Pending:
    """A reservation that will be closed at `until_at`, as somebody decided, unless that is undone."""

    batch: int
    action: str
    who: str
    at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch as it is kept: how `many` it was about, and by whom it was undone, if it was."""

    id: int
    action: Action
    who: str
    at: int
    undo_until_at: int
    undone_by: str | None
    many: int


def seen(work: Work, reservations: Collection[int], groups: frozenset[str] | None) -> list[Reservation]:
    """Read those of these reservations that may be seen, open or closed."""
    asked = {"ids": list(reservations), "of_pbx": work.pbx, "groups": sorted(groups or ())}
    return read(work.connection, _ASKED if groups is None else _ASKED_OF_GROUPS, asked)


def kept(work: Work, batch: int, groups: frozenset[str] | None) -> Kept | None:
    """Read a batch; None where there is none, or none of its reservations may be seen."""
    asked = {"of_batch": batch, "of_pbx": work.pbx, "groups": sorted(groups or ())}
    row = work.connection.execute(_KEPT if groups is None else _KEPT_OF_GROUPS, asked).first()
    return None if row is None else Kept(*row)


def lock(work: Work, reservations: Iterable[int], groups: frozenset[str] | None) -> dict[int, Reservation]:
    """Lock those of these reservations that may be seen, in the order of their ids."""
    asked = {"ids": sorted(set(reservations)), "of_pbx": work.pbx, "groups": sorted(groups or ())}
    wanted = _LOCK if groups is None else _LOCK_OF_GROUPS
    return {row.id: row for row in read(work.connection, wanted, asked)}


def pending(connection: Connection, reservations: Collection[int]) -> dict[int, Pending]:
    """What is about to be done to these reservations."""
    if not reservations:
        return {}
    rows = connection.execute(_PENDING, {"reservations": list(reservations)})
    return {
        row.reservation_id: Pending(row.batch_id, row.action, row.who, row.at, row.pending_until_at) for row in rows
    }


def begin(work: Work, action: str, by: By, until_at: int, facts: Mapping[str, Any]) -> int:
    """Keep that something is decided about some reservations, and give the batch's number."""
    head = {
        "pbx": work.pbx,
        "action": action,
        "who": by.who,
        "why": masked_text(by.why),
        "at": work.now,
        "facts": dict(facts),
    }
    return int(work.connection.execute(_NEW, {**head, "undo_until_at": until_at}).scalar_one())


def keep(work: Work, batch: int, action: Action, until_at: int, before: Mapping[int, Mapping[str, Any]]) -> None:
    """Keep of which reservations a batch is, and how each was before it; it can be undone until then.

    Of those that are `UNTOUCHED` only texts were taken back, and nothing is to come.
    """
    closes = {"closes_as": CLOSING.get(action), "pending_until_at": until_at if action in CLOSING else None}
    nothing = {"closes_as": None, "pending_until_at": None}
    items = [
        {"batch_id": batch, "reservation_id": row.id, "revision": row.revision, "losses": row.losses}
        | {"before": dict(before[row.id])}
        | (nothing if UNTOUCHED in before[row.id] else closes)
        for row in work.connection.execute(_STANDS, {"ids": list(before)})
    ]
    work.connection.execute(_NEW_ITEM, items)
    work.connection.execute(_LASTS, {"of_batch": batch, "until_at": until_at})


def renew(work: Work, batch: int, until_at: int) -> tuple[str, dict[int, Mapping[str, Any]]]:
    """Let a batch be undone until then; give its action, and how its reservations were before it."""
    asked = {"of_batch": batch, "until_at": until_at}
    action = str(work.connection.execute(_LOCK_BATCH, asked).scalar_one())
    work.connection.execute(_LASTS, asked)
    work.connection.execute(_WAIT, asked)
    return action, {row.reservation_id: row.before for row in work.connection.execute(_BEFORE, asked)}


def refusals(connection: Connection, found: Mapping[int, Why], sentences: Mapping[int, str]) -> tuple[Refusal, ...]:
    """Say of each why nothing was done, and who changed it where it is not as the page showed it."""
    differs: Sequence[Why] = ("changed", "closed", "calling", "pending", "held-already", "not-held", "done")
    who = changes.last(connection, [one for one, why in found.items() if why in differs])
    return tuple(Refusal(one, why, who.get(one), sentences.get(one, "")) for one, why in sorted(found.items()))
