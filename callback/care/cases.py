"""Cases: how one is opened, and how it goes from one state to the next, with a step written down each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from sqlalchemy import Connection, Select, insert, select, update

from callback.care import states as life
from callback.customers import persons
from callback.errors import CallbackError
from callback.events import CaseMoved, CaseOpened
from callback.site.work import Work
from callback.store import tables as t
from callback.store.numbering import insert_numbered
from scheduler.clock import DAY, HOUR

Kind = Literal["dissatisfied", "complaint"]
Source = Literal["survey", "agent", "supervisor", "api", "text", "csv"]
_C = t.care_case.c
_Of = tuple[int, str]
"""A case, and its PBX."""


class NoSuchCase(CallbackError):
    """There is no case of that number here."""


class CasesOff(CallbackError):
    """The queue takes no cases: switch them on in its rules first."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of `care_case`, and `e164`, the number of its customer; instants in microseconds UTC."""

    id: int
    pbx: str
    queue: str
    person_id: int
    kind: Kind
    state: life.State
    open: bool
    opened_at: int
    opened_by: str
    source: Source
    call_id: str | None
    survey_id: int | None
    answer_id: int | None
    reference: str | None
    topic: str
    product: str
    department: str
    severity: int
    words: str
    wish: str
    owner: str | None
    agent: str | None
    promised: str
    promised_by_at: int | None
    compensation: str
    due_at: int
    warned_at: int | None
    repaired_at: int | None
    asks: int
    asked_at: int | None
    next_ask_at: int | None
    score_after: int | None
    state_since_at: int
    repeat_of: int | None
    repeats: int
    reservation_id: int | None
    callback: Literal["", "repair", "confirm"]
    revision: int
    e164: str


CASES: Final[Select[Any]] = select(
    *(_C[field.name] for field in fields(Case) if field.name != "e164"), t.person.c.number.label("e164")
).join(t.person)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What a case is about. What a customer or a program wrote is kept as it is, and trusted with nothing."""

    kind: Kind
    person: int
    queue: str
    source: Source
    by: str
    words: str = ""
    wish: str = ""
    topic: str = ""
    product: str = ""
    department: str = ""
    severity: int = 1
    owner: str | None = None
    agent: str | None = None
    promised: str = ""
    promised_by_at: int | None = None
    call_id: str | None = None
    survey: int | None = None
    answer: int | None = None
    reference: str | None = None
    opened_at: int | None = None  # where it came in before it is written down: its clock runs since then


@dataclass(frozen=True, slots=True)
class Opened:
    """The case, and whether it is new: else the same customer had one open about the same topic already."""

    case: int
    made: bool


def read(connection: Connection, wanted: Select[Any]) -> list[Case]:
    """Read what is wanted of CASES, in the order asked for."""
    return [Case(*row) for row in connection.execute(wanted)]


def read_one(work: Work, case: int, *, lock: bool = False) -> Case:
    """Read a case of this PBX, locked where it is to be changed. Raises NoSuchCase."""
    wanted = CASES.where(_C.id == case, _C.pbx == work.pbx)
    found = read(work.connection, wanted.with_for_update(of=t.care_case) if lock else wanted)
    if not found:
        raise NoSuchCase(f"there is no case {case} here")
    return found[0]


def open_case(work: Work, new: NewCase) -> Opened:
    """Open a case, or write one more step into the open one of the same customer, kind and topic. Raises CasesOff.

    Its clock starts when it came in. Who was heard before within `repeat_days` repeats: the new case names the old one.
    """
    must_be_on(work, new.queue)
    persons.lock(work.connection, new.person)
    standing = _standing(work, new)
    if standing is not None:
        _step(work, (standing.id, work.pbx), new.by, "again", standing.state, new.words, new.reference)
        return Opened(standing.id, made=False)
    values = _values(work, new, _before(work, new))
    row = insert_numbered(work.connection, t.care_case, values)
    _step(work, (row, work.pbx), new.by, "registered", "registered", new.words, new.reference)
    about = (new.queue, new.kind, new.topic, new.department, values["due_at"], values["repeats"])
    work.tell(CaseOpened(row, *about))
    if new.owner is not None or new.agent is not None:
        move(work, row, "assigned", new.by)
    return Opened(row, made=True)


def must_be_on(work: Work, queue: str) -> None:
    """Raise CasesOff where the queue takes no cases."""
    if not work.site.rules.queue(queue).care.cases:
        raise CasesOff(f"queue {queue} takes no cases: set [rules.queues.{queue}.care] cases = true first")


def move(
    work: Work, case: int, event: life.Event, by: str, note: str = "", beside: Mapping[str, Any] | None = None
) -> life.State:
    """Take a case through one event of its table, and change columns beside; an illegal one raises, changes nothing."""
    return move_locked(work, read_one(work, case, lock=True), event, by, note, beside)


def move_locked(
    work: Work, standing: Case, event: life.Event, by: str, note: str = "", beside: Mapping[str, Any] | None = None
) -> life.State:
    """The same with a case that was locked and read in this transaction, of whichever PBX."""
    state = life.after(standing.state, event)
    values = {"state": state, "open": life.is_open(state), "state_since_at": work.now, **(beside or {})}
    work.connection.execute(update(t.care_case).where(_C.id == standing.id).values(values))
    _step(work, (standing.id, standing.pbx), by, event, state, note)
    department, owner = values.get("department", standing.department), values.get("owner", standing.owner)
    work.tell(CaseMoved(standing.id, standing.queue, standing.kind, event, state, department, owner))
    return state


def change(work: Work, case: int, by: str, event: str, note: str = "", **beside: object) -> None:
    """Change columns of an open case that are no state, with a step of that word. Raises NoSuchCase."""
    standing = read_one(work, case, lock=True)
    if beside:
        work.connection.execute(update(t.care_case).where(_C.id == case).values(beside))
    _step(work, (case, standing.pbx), by, event, standing.state, note)


def _term(work: Work, kind: Kind) -> int:
    care = work.site.rules.care
    return round((care.complaint_h if kind == "complaint" else care.repair_h) * HOUR)


def _same(work: Work, new: NewCase) -> Select[Any]:
    """The cases of the same customer, kind and topic."""
    return CASES.where(_C.pbx == work.pbx, _C.person_id == new.person, _C.kind == new.kind, _C.topic == new.topic)


def _standing(work: Work, new: NewCase) -> Case | None:
    return next(iter(read(work.connection, _same(work, new).where(t.CASE_OPEN))), None)


def _before(work: Work, new: NewCase) -> Case | None:
    """The last case of the same customer, kind and topic, if it ended lately enough."""
    since = work.now - work.site.rules.care.repeat_days * DAY
    ended = _same(work, new).where(~_C.open, _C.state_since_at > since, _C.state != "withdrawn")
    return next(iter(read(work.connection, ended.order_by(_C.id.desc()).limit(1))), None)


def _values(work: Work, new: NewCase, before: Case | None) -> dict[str, Any]:
    since = work.now if new.opened_at is None else min(work.now, new.opened_at)
    return {
        "pbx": work.pbx,
        "queue": new.queue,
        "person_id": new.person,
        "kind": new.kind,
        "state": "registered",
        "open": True,
        "opened_at": since,
        "opened_by": new.by,
        "source": new.source,
        "call_id": new.call_id,
        "survey_id": new.survey,
        "answer_id": new.answer,
        "reference": new.reference,
        "topic": new.topic,
        "product": new.product,
        "department": new.department,
        "severity": new.severity,
        "words": new.words,
        "wish": new.wish,
        "owner": new.owner,
        "agent": new.agent,
        "promised": new.promised,
        "promised_by_at": new.promised_by_at,
        "due_at": since + _term(work, new.kind),
        "state_since_at": work.now,
        "repeat_of": None if before is None else before.id,
        "repeats": 0 if before is None else before.repeats + 1,
    }


def _step(work: Work, of: _Of, who: str, event: str, state: str, note: str, reference: str | None = None) -> None:
    case, pbx = of
    values = {"case_id": case, "pbx": pbx, "at": work.now, "who": who, "event": event, "state": state}
    work.connection.execute(insert(t.care_step).values(**values, note=note, reference=reference))
