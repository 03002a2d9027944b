"""Which messages follow from an event: thin ones, for whoever wants more asks the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from callback import events as e
from callback.accounts.webhooks.deliveries import Message
from callback.accounts.webhooks.endpoints import EventType
from callback.care import states as cases
from callback.events import Happened
from callback.reservations.states import STATES, is_open
from callback.store import tables as t
from scheduler.clock import SECOND

_CLOSED: Final = frozenset(state for state in STATES if not is_open(state))
_ENDED_CASES: Final = frozenset(state for state in cases.STATES if not cases.is_open(state))
_CHANGING: Final = (e.Merged, e.Held, e.CarriedOver, e.Overdue, e.Dialling, e.RestsAfterOwnCall)
_CLOSING: Final = (e.Withdrawn, e.Returned, e.CalledByHand, e.Cancelled, e.Expired)
_R: Final = t.reservation.c
_STANDS: Final = select(_R.id, _R.state, _R.queue, _R.reference, _R.revision).where(
    _R.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class _Told:
    """What an event tells: about a reservation, or of something else with facts of its own."""

    type: EventType
    reservation: int | None = None
    about: str = ""
    facts: Mapping[str, Any] | None = None


def made_of(connection: Connection, happened: Iterable[tuple[int, Happened]]) -> list[tuple[int, Message]]:
    """Give the messages of events, each with its event's place in the feed.

    A reservation is told of as it is now: of two changes since, the first may have the revision of the second.
    """
    told = [(place, one.at, number, each) for place, one in happened for number, each in enumerate(_of(one.event))]
    stands = _stands(connection, {each.reservation for *_, each in told if each.reservation is not None})
    return [
        (place, Message(each.type, at, _about(each), _data(each, stands), f"{place}/{at}/{number}"))
        for place, at, number, each in told
    ]


def rfc3339(at: int) -> str:
    """An instant as programs read it."""
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stands(connection: Connection, ids: set[int]) -> dict[int, dict[str, Any]]:
    rows = connection.execute(_STANDS, {"ids": sorted(ids)}).mappings() if ids else ()
    told = ("state", "queue", "reference", "revision")
    return {row["id"]: {name: row[name] for name in told} for row in rows}


def _about(told: _Told) -> str:
    return told.about if told.reservation is None else f"reservation/{told.reservation}"


def _data(told: _Told, stands: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    facts = dict(told.facts or {})
    if told.reservation is None:
        return facts
    return {"reservation": told.reservation, **stands.get(told.reservation, {}), **facts}


def _of(event: e.Event) -> Sequence[_Told]:
    """Give what an event tells; most tell nothing."""
    found = _OTHERS.get(type(event))
    if found is not None:
        return found(event)
    if isinstance(event, _CLOSING):
        return [_Told("reservation.closed", event.reservation)]
    if isinstance(event, _CHANGING):
        return [_Told("reservation.changed", event.reservation)]
    return []


def _overdue(event: e.Overdue) -> Sequence[_Told]:
    return [_Told("promise.broken", event.reservation), _Told("reservation.changed", event.reservation)]


def _ended(event: e.AttemptEnded) -> Sequence[_Told]:
    return [_Told("reservation.closed" if event.state in _CLOSED else "reservation.changed", event.reservation)]


def _decided(event: e.Decided) -> Sequence[_Told]:
    """Of a block or an erasure those reservations that it ended."""
    ended = [_Told("reservation.closed", int(one)) for one in event.about.get("cancelled") or ()]
    if event.reservation is None:
        return ended
    of_it: EventType = "reservation.closed" if event.action in _CLOSED else "reservation.changed"
    return [_Told(of_it, event.reservation), *ended]


def _alarm(event: e.PromisesInDanger) -> Sequence[_Told]:
    facts = {
        "group": event.group,
        "due": event.due,
        "missed": event.missed,
        "more_agents": event.more,
        "until": rfc3339(event.until_at),
    }
    return [] if event.again else [_Told("alarm.raised", about=f"alarm/{event.group}", facts=facts)]


def _alarm_over(event: e.PromisesOutOfDanger) -> Sequence[_Told]:
    facts = {"group": event.group, "raised": rfc3339(event.raised_at)}
    return [_Told("alarm.over", about=f"alarm/{event.group}", facts=facts)]


def _incident(event: e.IncidentChanged) -> Sequence[_Told]:
    types: dict[str, EventType] = {"holding": "incident.opened", "over": "incident.ended"}
    facts = {"incident": event.incident, "cause": event.cause, "state": event.state}
    about = f"incident/{event.incident}"
    return [_Told(types[event.state], about=about, facts=facts)] if event.state in types else []


def _answer(event: e.Answered) -> Sequence[_Told]:
    facts = {"answer": event.answer, "for_people": event.for_people}
    return [_Told("answer.received", event.reservation, f"answer/{event.answer}", facts)]


def _case(kind: EventType, told: e.CaseOpened | e.CaseMoved | e.CaseAtRisk, **more: object) -> Sequence[_Told]:
    """A case, by its number and whose it is; what the customer says is nobody's who does not ask for it."""
    facts = {"case": told.case, "queue": told.queue, "kind": told.kind, "department": told.department, **more}
    return [_Told(kind, about=f"case/{told.case}", facts=facts)]


def _case_opened(event: e.CaseOpened) -> Sequence[_Told]:
    return _case("case.opened", event, topic=event.topic, due=rfc3339(event.due_at), repeats=event.repeats)


def _case_moved(event: e.CaseMoved) -> Sequence[_Told]:
    ended = event.state in _ENDED_CASES
    return _case("case.closed" if ended else "case.changed", event, state=event.state, event=event.event)


_OTHERS: Final[Mapping[type[e.Event], Callable[[Any], Sequence[_Told]]]] = {
    e.Reserved: lambda event: [_Told("reservation.made", event.reservation)],
    e.Overdue: _overdue,
    e.AttemptEnded: _ended,
    e.Decided: _decided,
    e.PromisesInDanger: _alarm,
    e.PromisesOutOfDanger: _alarm_over,
    e.IncidentChanged: _incident,
    e.Answered: _answer,
    e.CaseOpened: _case_opened,
    e.CaseMoved: _case_moved,
    e.CaseAtRisk: lambda event: _case("case.at-risk", event, due=rfc3339(event.due_at)),
    e.TextFailed: lambda event: [_Told("text.failed", event.reservation, facts={"code": event.code})],
}
