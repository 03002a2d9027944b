"""The lanes: what might be dialled now, each an index scan of at most fifty rows; the pure rule picks among them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    or_,
    select,
)

from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.store import tables as t
from scheduler.candidate import IN_AIM, IN_WINDOW, OVERDUE
from scheduler.clock import SECOND
from scheduler.order import BINDS

LANE = 50
AT_FIRST = 8  # rows, for mostly the first of them is called; to read fifty costs more than all the rest
ON_THE_LINE = 2000  # numbers that a query may be told to leave out; beyond that, the rule leaves them out
_r = t.reservation.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reservations are looked for: in which queues, by lane; `only`, queues with the only numbers to be called.

    Numbers `on_the_line` and trunks that rest stay out: fifty of them would fill a lane. So does what one agent alone
    is to call who is not among `agents`. A deadline binds for `bind_s` seconds, and lies at most `window_s` behind its
    aim.
    """

    queues: Mapping[str, Collection[str]]
    only: Mapping[str, Sequence[str]]
    on_the_line: Collection[str]
    resting: Collection[str]
    bind_s: int
    window_s: int
    agents: Collection[str] = ()


def _many(name: str) -> Any:  # noqa: ANN401 - SQLAlchemy does not type the parameters of an IN
    return bindparam(name, expanding=True)


_NOW: BindParameter[int] = bindparam("now")
_READY = RESERVATIONS.where(
    t.OPEN,
    _r.pbx == bindparam("of_pbx"),
    _r.state == "waiting",
    _r.not_before_at <= _NOW,
    _r.queue.in_(_many("queues")),
    or_(_r.queue.not_in(_many("only_queues")), t.person.c.number.in_(_many("only_numbers"))),
    _r.trunk.not_in(_many("resting")),
    or_(_r.agent.is_(None), _r.agent_until_at.is_(None), _r.agent_until_at <= _NOW, _r.agent.in_(_many("agents"))),
).limit(bindparam("most"))
_HAS_TIME = (_r.kind == t.FOLLOW_UP, _r.aim_at > bindparam("lost_now_by"))
_IN_AIM = (_r.aim_at >= _NOW, or_(_r.kind != t.FOLLOW_UP, _r.aim_at <= bindparam("lost_now_by")))
_IN_WINDOW = (_r.aim_at < _NOW, _r.deadline_at >= _NOW)
_OVERDUE = (_r.aim_at < _NOW, _r.deadline_at < _NOW)
_BINDING = (
    _r.aim_at.between(bindparam("aims_since"), bindparam("binds_until")),
    _r.deadline_at.between(_NOW, bindparam("binds_until")),
)
# In the order in which the policy calls them; in each, who was let down worst goes first. Of those alike the lane's
# order says who: more of them are read than called, yet a page holds the right ones.
_LANES: tuple[tuple[str, tuple[Any, ...], tuple[ColumnElement[Any], ...]], ...] = (
    (IN_AIM, (t.SEVERE, *_IN_AIM), (_r.severity.desc(), _r.aim_at)),
    (IN_AIM, _IN_AIM, (_r.aim_at,)),
    (BINDS, _BINDING, (_r.aim_at,)),
    (IN_WINDOW, (t.SEVERE, *_IN_WINDOW), (_r.severity.desc(), _r.made_at.desc())),
    (IN_WINDOW, _IN_WINDOW, (_r.made_at.desc(),)),
    (OVERDUE, (t.SEVERE, *_OVERDUE), (_r.severity.desc(), _r.aim_at)),
    (OVERDUE, _OVERDUE, (_r.aim_at,)),
    (IN_AIM, _HAS_TIME, (_r.aim_at,)),
)


def _looks(where: tuple[Any, ...], by: tuple[ColumnElement[Any], ...]) -> tuple[Select[Any], Select[Any]]:
    """Two looks at a lane: at its first rows, and at fifty of those who are not on the line."""
    lane = _READY.where(*where).order_by(*by)
    return lane, lane.where(t.person.c.number.not_in(_many("on_the_line")))


# Made once: to build a statement costs several times what it costs to run it, and these run for each claim.
_STATEMENTS = tuple((name, *_looks(where, by)) for name, where, by in _LANES)


def due(connection: Connection, pbx: str, now: int, wanted: Callable[[], Wanted]) -> Iterator[list[Reservation]]:
    """Read the reservations that are due, page by page, in the order of the lanes: ask on while none can be called.

    The severe, oldest inside their aim; those whose deadline binds; newest inside their deadline; those past it; and
    after all who were lost what has time. What is `wanted` is asked for each page, for claims leave less.
    """
    for name, at_first, whole in _STATEMENTS:
        page = _page(connection, at_first, pbx, now, name, wanted(), AT_FIRST)
        yield page
        if len(page) == AT_FIRST:
            yield _page(connection, whole, pbx, now, name, wanted(), LANE)


def _page(
    connection: Connection, lane: Select[Any], pbx: str, now: int, name: str, wanted: Wanted, most: int
) -> list[Reservation]:
    queues = list(wanted.queues.get(name, ()))
    if not queues:
        return []
    facts = {
        "of_pbx": pbx,
        "now": now,
        "queues": queues,
        "most": most,
        "only_queues": list(wanted.only),
        "only_numbers": [number for numbers in wanted.only.values() for number in numbers],
        "resting": list(wanted.resting),
        "agents": list(wanted.agents)[:ON_THE_LINE],
        "lost_now_by": now + wanted.window_s * SECOND,
        "aims_since": now - wanted.window_s * SECOND,
        "binds_until": now + wanted.bind_s * SECOND,
    }
    return read(
        connection, lane, facts | ({"on_the_line": list(wanted.on_the_line)[:ON_THE_LINE]} if most == LANE else {})
    )


# Two deciders of one PBX share its agents and its room: on PostgreSQL the second looks when the first has committed.
# Others wait for neither. (SQLite has one writer at a time anyway.)
_ALONE = select(func.pg_advisory_xact_lock(bindparam("what"), func.hashtext(bindparam("of_pbx"))))
_DECIDING = 0x6C6372  # a number of our own among what is locked by number


def decide_alone(connection: Connection, pbx: str) -> None:
    """Wait until no other transaction decides whom this PBX calls, and let none decide until this one ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE, {"what": _DECIDING, "of_pbx": pbx})


@dataclass(frozen=True, slots=True)
class Flight:
    """An attempt that has not ended, with the queue and the state of its reservation and the customer's number."""

    id: str
    pbx: str
    reservation_id: int
    person_id: int
    pbx_boot: str
    trunk: str
    claimed_at: int
    ring_until_at: int
    agent_connected_at: int | None
    customer_answered_at: int | None
    queue: str
    state: str
    e164: str
    only_agent: str | None = None  # whose phone alone is rung


_a = t.attempt.c
# What belongs to an attempt is looked up for each: a join SQLite would begin with all persons.
_of_attempt = _r.id == _a.reservation_id
_LOOKED_UP: dict[str, ColumnElement[Any]] = {
    "queue": select(_r.queue).where(_of_attempt).scalar_subquery(),
    "state": select(_r.state).where(_of_attempt).scalar_subquery(),
    "e164": select(t.person.c.number).where(t.person.c.id == _a.person_id).scalar_subquery(),
}
_IN_FLIGHT = select(
    *(_LOOKED_UP[name].label(name) if name in _LOOKED_UP else _a[name] for name in (f.name for f in fields(Flight)))
).where(t.IN_FLIGHT)
# Not by the PBX's index, which has every attempt that ever was: those in flight have one of their own
_IN_FLIGHT_HERE = _IN_FLIGHT.where(_a.pbx.concat("") == bindparam("of_pbx"))
_ONE_IN_FLIGHT = _IN_FLIGHT_HERE.where(_a.id == bindparam("of_attempt"))


def in_flight(connection: Connection, pbx: str | None = None) -> list[Flight]:
    """Read the attempts that have not ended, on this PBX or on any."""
    rows = connection.execute(_IN_FLIGHT) if pbx is None else connection.execute(_IN_FLIGHT_HERE, {"of_pbx": pbx})
    return [Flight(*row) for row in rows]


def flight(connection: Connection, pbx: str, attempt: str) -> Flight | None:
    """Read one attempt of this PBX; None once it has ended."""
    row = connection.execute(_ONE_IN_FLIGHT, {"of_pbx": pbx, "of_attempt": attempt}).first()
    return None if row is None else Flight(*row)
