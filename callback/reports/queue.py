"""The callback queue for people: what is owed to whom, by when, and why it has not been done yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, select, true

from callback.attempts import claim, snapshot
from callback.errors import CallbackError
from callback.reservations import reservation
from callback.reservations.reservation import Reservation
from callback.site.context import Site
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from scheduler.clock import MINUTE, SECOND

SOON_MIN: Final = 15

_R = t.reservation.c


class State(StrEnum):
    """Where an open reservation stands."""

    WAITING = "waiting"
    HELD = "held"
    CALLING = "calling"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reservations are to be shown; what is not said leaves none out."""

    queue: str | None = None
    state: State | None = None
    overdue: bool = False
    assigned_to: str | None = None
    reservation: int | None = None

    def where(self, now: int) -> list[ColumnElement[bool]]:
        """Give the conditions on a reservation."""
        equal = (
            (_R.queue, self.queue),
            (_R.state, self.state),
            (_R.assigned_to, self.assigned_to),
            (_R.id, self.reservation),
        )
        conditions = [column == value for column, value in equal if value is not None]
        return [*conditions, _R.deadline_at < now] if self.overdue else conditions


EVERYBODY: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Line:
    """One open reservation; instants in microseconds UTC."""

    reservation: int
    number: str
    queue: str
    kind: str
    state: str
    losses: int
    tries: int
    made_at: int
    aim_at: int
    deadline_at: int
    due_at: int
    overdue: bool
    overdue_by_at: int | None  # the new time that the customer was told
    why_not: str
    until_at: int | None  # when time alone ends that; none: it will not
    assigned_to: str | None
    trunk: str  # over which the customer is called
    text_refusal: str | None = None  # why the customer gets no text; the callback goes on
    left_s: int = 0  # until the deadline; negative: it has passed
    held_by: str | None = None  # a person, or the service
    held_why: str | None = None
    incident: int | None = None  # that holds the reservation

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def open_reservations(work: Work, limit: int, wanted: Wanted = EVERYBODY) -> list[Line]:
    """The open reservations of the PBX, those wanted, the nearest deadline first."""
    rows = reservation.read(work.connection, in_order(work.pbx, limit, *wanted.where(work.now)))
    held = audit.last(work.connection, "held", [row.id for row in rows if row.state == "held"])
    holds = {number: _Hold(hold.who, hold.why) for number, hold in held.items()}
    why = _why_not(work, rows)
    return [_line(row, work, why[row.id], holds.get(row.id)) for row in rows]


def left_to_people(work: Work, limit: int, wanted: Wanted = EVERYBODY) -> list[Line]:
    """Those whom nobody will call any more though nobody reached them: a list for people, the newest first."""
    left = reservation.RESERVATIONS.where(_R.pbx == work.pbx, t.LEFT_TO_PEOPLE, *wanted.where(work.now))
    rows = reservation.read(work.connection, left.order_by(_R.state_since_at.desc()).limit(limit))
    return [_line(row, work, ("left-to-people", None), None) for row in rows]


def must_be_known(work: Work, queue: str) -> None:
    """Refuse a queue of which neither the settings nor any reservation know: its name is misspelt."""
    reserved = work.connection.scalars(select(_R.queue).where(_R.pbx == work.pbx).distinct())
    known = sorted({*work.site.rules.queues, *reserved})
    if queue not in known:
        raise CallbackError(f"no queue {queue} is known here: {', '.join(known) or 'none is yet'}")


def totals(work: Work, wanted: Wanted = EVERYBODY) -> str:
    """Say in one line how many are open of those wanted, and how they stand."""
    counted = _count(work, *wanted.where(work.now))
    waiting = counted.every - counted.calling - counted.held - counted.in_incident
    stand = {
        "waiting": waiting,
        "being called": counted.calling,
        "held": counted.held,
        "held by an incident": counted.in_incident,
        "overdue": counted.overdue,
        f"with a deadline within {SOON_MIN} min": counted.soon,
    }
    return f"{counted.every} open: " + (", ".join(f"{many} {how}" for how, many in stand.items() if many) or "nobody")


def _why_not(work: Work, rows: list[Reservation]) -> Mapping[int, tuple[str | None, int | None]]:
    """Say of each why nobody has called yet, and until when that holds."""
    picture = snapshot.recall(work.connection, work.pbx)
    nobody = closed(picture, work.now)
    if picture is None or nobody is not None:
        return {row.id: (nobody, None) for row in rows}
    return claim.why_not(rows, claim.look(work, picture[0]), work.site, picture[0], work.now)


def closed(picture: tuple[snapshot.Live, int] | None, now: int) -> str | None:
    """Say why nobody is called at all, by the last picture of the PBX and when it was taken."""
    if picture is None or now - picture[1] > snapshot.STALE_S * SECOND:
        return "service-not-running"
    return picture[0].closed


@dataclass(frozen=True, slots=True)
class _Hold:
    """Who holds a reservation, and why."""

    who: str
    why: str


def _line(row: Reservation, work: Work, why: tuple[str | None, int | None], hold: _Hold | None) -> Line:
    by_state = _held(row, hold) if row.state == "held" else _BY_STATE.get(row.state)
    return Line(
        reservation=row.id,
        number=row.e164,
        queue=row.queue,
        kind=row.kind,
        state=row.state,
        losses=row.losses,
        tries=row.tries,
        made_at=row.made_at,
        aim_at=row.aim_at,
        deadline_at=row.deadline_at,
        due_at=row.not_before_at,
        overdue=work.now > row.deadline_at,
        overdue_by_at=row.overdue_by_at,
        assigned_to=row.assigned_to,
        why_not=by_state or _watched(row, work.site, why[0]) or "",
        until_at=None if by_state else why[1],
        trunk=work.site.dials_over(row.trunk),
        text_refusal=row.text_refusal,
        left_s=(row.deadline_at - work.now) // SECOND,
        held_by=hold.who if hold else None,
        held_why=hold.why if hold else None,
        incident=row.incident_id,
    )


def _watched(row: Reservation, site: Site, why: str | None) -> str | None:
    """Tell those whom `only_numbers` leaves out from those of a queue whose calls are off."""
    return "not-in-only-numbers" if why == "watch" and site.rules.queue(row.queue).calls == "on" else why


def _held(row: Reservation, hold: _Hold | None) -> str:
    """Say what holds a reservation: an incident, the service, or a person."""
    if row.incident_id is not None:
        return "in-incident"
    return "held-by-service" if hold is not None and hold.who == audit.SERVICE else "held"


_BY_STATE = {"calling": "being-called"}


def in_order(pbx: str, limit: int, *of: ColumnElement[bool]) -> Select[Any]:
    """Select the open reservations, of those wanted, the nearest deadline first."""
    return reservation.RESERVATIONS.where(t.OPEN, _R.pbx == pbx, *of).order_by(_R.deadline_at, _R.id).limit(limit)


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many are open: altogether, by what holds or calls them, overdue, and with a deadline soon."""

    every: int
    calling: int
    held: int
    in_incident: int
    overdue: int
    soon: int


def _count(work: Work, *of: ColumnElement[bool]) -> _Counts:
    """Count the open ones of those wanted."""
    columns = {
        "every": true(),
        "calling": _R.state == "calling",
        "held": and_(_R.state == "held", _R.incident_id.is_(None)),
        "in_incident": and_(_R.state == "held", _R.incident_id.is_not(None)),
        "overdue": _R.deadline_at < work.now,
        "soon": _R.deadline_at.between(work.now, work.now + SOON_MIN * MINUTE),
    }
    counts = select(*(func.count(case((which, 1))).label(name) for name, which in columns.items()))
    return _Counts(**work.connection.execute(counts.where(t.OPEN, _R.pbx == work.pbx, *of)).one()._asdict())
