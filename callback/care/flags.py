"""A customer flagged for contact on a later day: on that day it becomes a callback, within hours and caps."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Select, bindparam, select, update

from callback.customers import blocks, persons
from callback.errors import CallbackError
from callback.events import ContactRefused
from callback.reservations import follow_up
from callback.reservations.follow_up import FollowUp, NotToBeCalled
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import restored
from callback.store import tables as t
from callback.store.numbering import insert_numbered
from scheduler.clock import begins, local

FlagState = Literal["waiting", "reserved", "cancelled", "refused"]
FARTHEST: Final = timedelta(days=366)
AT_ONCE: Final = 50
"""So many are reserved in one transaction."""

_APART: Final = "flag/"
_F, _P = t.contact_flag.c, t.person.c


class FlagsOff(CallbackError):
    """The rules do not let this queue flag anybody."""


class BadDay(CallbackError):
    """It is past, or too far away."""


class AlreadyFlagged(CallbackError):
    """This customer is flagged for that day in that queue; `flag` is its number."""

    def __init__(self, flag: int) -> None:
        super().__init__(f"this customer is flagged for that day in this queue: cancel flag {flag} first")
        self.flag = flag


class NoSuchFlag(CallbackError):
    """There is no flag of that number here."""


@dataclass(frozen=True, slots=True)
class NewFlag:
    """Who is to be contacted from which queue, on which day of the site's clock, why, and who looks after it."""

    person: int
    queue: str
    day: date
    reason: str
    owner: str
    by: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag as it stands, with its customer's number; `on_at` is the first moment of its day.

    `reservation_id` is the callback that it became; `why_not` a word for why it could not become one.
    """

    id: int
    pbx: str
    queue: str
    person_id: int
    on_at: int
    reason: str
    owner: str
    who: str
    made_at: int
    state: FlagState
    reservation_id: int | None
    why_not: str
    e164: str


_COLUMNS = [_P.number.label("e164") if field.name == "e164" else _F[field.name] for field in fields(Flag)]
FLAGS: Final[Select[Any]] = select(*_COLUMNS).select_from(t.contact_flag).join(t.person)
_ONE = FLAGS.where(_F.pbx == bindparam("of_pbx"), _F.id == bindparam("of_flag"))
_SAME = FLAGS.where(
    *(_F.pbx == bindparam("of_pbx"), _F.person_id == bindparam("of_person"), _F.queue == bindparam("of_queue")),
    *(_F.on_at == bindparam("day_at"), t.FLAG_WAITING),
).limit(1)
_DUE = (
    FLAGS.where(_F.pbx == bindparam("of_pbx"), t.FLAG_WAITING, _F.on_at <= bindparam("now"))
    .order_by(_F.on_at, _F.id)
    .limit(bindparam("most"))
    .with_for_update(of=t.contact_flag, skip_locked=True)
)


def read(work: Work, wanted: Select[Any], **asked: object) -> list[Flag]:
    """Read what is wanted of FLAGS, in the order asked for."""
    return [Flag(*row) for row in work.connection.execute(wanted, asked)]


def read_one(work: Work, flag: int, *, lock: bool = False) -> Flag:
    """Read a flag of this PBX. Raises NoSuchFlag."""
    wanted = _ONE.with_for_update(of=t.contact_flag) if lock else _ONE
    found = read(work, wanted, of_pbx=work.pbx, of_flag=flag)
    if not found:
        raise NoSuchFlag(f"there is no flag {flag} here")
    return found[0]


def flag(work: Work, new: NewFlag) -> Flag:
    """Flag a customer. Raises FlagsOff, BadDay, AlreadyFlagged; NotToBeCalled where the number is blocked for calls."""
    if not work.site.rules.queue(new.queue).care.flags:
        raise FlagsOff(f"queue {new.queue} flags nobody: set [rules.queues.{new.queue}.care] flags = true first")
    on_at = _begins(work, new.day)
    persons.lock(work.connection, new.person)
    e164 = work.connection.execute(select(_P.number).where(_P.id == new.person)).scalar_one()
    if blocks.blocked(work.connection, e164).calls:
        raise NotToBeCalled("number-blocked", "the number is blocked for our calls: take that back first")
    asked = {"of_pbx": work.pbx, "of_person": new.person, "of_queue": new.queue, "day_at": on_at}
    if standing := read(work, _SAME, **asked):
        raise AlreadyFlagged(standing[0].id)
    values = {"pbx": work.pbx, "person_id": new.person, "queue": new.queue, "on_at": on_at, "reason": new.reason}
    values |= {"owner": new.owner, "who": new.by, "made_at": work.now, "state": "waiting"}
    return read_one(work, insert_numbered(work.connection, t.contact_flag, values))


def settle(work: Work, flag: int, state: FlagState, reservation: int | None = None, why_not: str = "") -> None:
    """Let a flag that is locked be in that state."""
    values = {"state": state, "why_not": why_not} | ({} if reservation is None else {"reservation_id": reservation})
    work.connection.execute(update(t.contact_flag).where(_F.id == flag).values(values))


def follow(work: Work, row: Reservation, goes_on: int) -> None:
    """Look after callback `goes_on` as the one of a flag, where `row` was it."""
    if row.apart.startswith(_APART):
        number = int(row.apart.removeprefix(_APART))
        work.connection.execute(update(t.contact_flag).where(_F.id == number).values(reservation_id=goes_on))


def reserve_due(work: Work) -> int:
    """Make callbacks of the flags whose day has come, AT_ONCE at most, and say how many there were.

    One whose number is blocked by now, or whose phone may never ring, is refused, and that is told. After a restore
    nothing is reserved until what happened since the backup was compared.
    """
    if restored.pending(work.connection, work.pbx) is not None:
        return 0
    due = read(work, _DUE, of_pbx=work.pbx, now=work.now, most=AT_ONCE)
    for one in due:
        _reserve(work, one)
    return len(due)


def _reserve(work: Work, one: Flag) -> None:
    wanted = FollowUp(
        person=one.person_id,
        queue=one.queue,
        apart=f"{_APART}{one.id}",
        by_at=_day_after(work, max(one.on_at, work.now)),
        not_before_at=one.on_at,
    )
    try:
        settle(work, one.id, "reserved", follow_up.reserve(work, wanted))
    except NotToBeCalled as error:
        settle(work, one.id, "refused", why_not=error.why)
        work.tell(ContactRefused(one.id, one.queue, one.owner, error.why))


def _begins(work: Work, day: date) -> int:
    today = local(work.now, work.site.hours.zone).date()
    if not today <= day <= today + FARTHEST:
        raise BadDay(f"{day} is past, or more than a year away: name a day from {today} on")
    return begins(day, work.site.hours.zone)


def _day_after(work: Work, at: int) -> int:
    """When the day of that moment ends on the site's clock."""
    zone = work.site.hours.zone
    return begins(local(at, zone).date() + timedelta(days=1), zone)
