"""Who was drawn for a sample, in the order in which they are called, with what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, and_, or_, select, true

from callback.campaigns import asking
from callback.campaigns.asking import Key
from callback.reservations.reservation import read_one
from callback.site.work import Work
from callback.store import tables as t

Which = Literal["all", "to-score", "open", "scored", "blank"]
PAGE: Final = 50
_A, _R, _N = t.campaign_asked.c, t.reservation.c, t.person.c
_COLUMNS = (
    select(
        *(_A.campaign_id, _A.round, _A.person_id, _N.number, _A.segment, _A.state, _A.call_from_at),
        *(_A.reservation_id, _R.state, _A.score, _A.why_not, _A.who, _A.score_at),
    )
    .join(t.person, _N.id == _A.person_id)
    .outerjoin(t.reservation, _R.id == _A.reservation_id)
)
WHICH: Final[Mapping[Which, ColumnElement[bool]]] = {
    "all": true(),
    "to-score": and_(_A.state == "called", _R.open.is_(False)),
    "open": or_(_A.state == "waiting", and_(_A.state == "called", _R.open)),
    "scored": _A.state == "scored",
    "blank": _A.state == "blank",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was drawn; `callback` is the reservation, and `came` its state."""

    campaign: int
    round: int
    person: int
    e164: str
    segment: str
    state: str
    call_from_at: int
    callback: int | None
    came: str | None
    score: int | None
    why_not: str
    who: str | None
    score_at: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, and the place after which the next ones come; None: there are no more."""

    people: tuple[Person, ...]
    after: tuple[int, int] | None


def people(work: Work, campaign: int, number: int, which: Which = "all", after: tuple[int, int] | None = None) -> Page:
    """Those of a round, in the order of their calls, after that place (time, person)."""
    wanted = _COLUMNS.where(_A.campaign_id == campaign, _A.round == number, WHICH[which])
    if after is not None:
        at, person = after
        wanted = wanted.where(or_(_A.call_from_at > at, and_(_A.call_from_at == at, _A.person_id > person)))
    found = _read(work, wanted.order_by(_A.call_from_at, _A.person_id).limit(PAGE + 1))
    more = len(found) > PAGE
    shown = tuple(found[:PAGE])
    return Page(shown, (shown[-1].call_from_at, shown[-1].person) if more else None)


def of_callback(work: Work, reservation: int) -> Person | None:
    """Whom this callback asks; None: it asks nobody for a sample."""
    row = read_one(work.connection, reservation)
    of = None if row is None or row.pbx != work.pbx else asking.of_apart(row.apart)
    if row is None or of is None:
        return None
    theirs = _COLUMNS.where(_A.campaign_id == of[0], _A.round == of[1], _A.person_id == row.person_id)
    return next(iter(_read(work, theirs)), None)


def key(person: Person) -> Key:
    """By what decisions name somebody who was drawn."""
    return person.campaign, person.round, person.person


def _read(work: Work, wanted: Select[Any]) -> list[Person]:
    return [Person(*row) for row in work.connection.execute(wanted)]
