"""A complaint is registered: by an agent, a supervisor, a program, a file, or from a customer's text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import bindparam, select

from callback.care import assigning, cases, follow_up
from callback.care.cases import Case, NewCase, NoSuchCase, Opened, Source
from callback.customers import blocks, numbers, persons
from callback.decisions import replies
from callback.decisions.acts.answers import NoSuchAnswer, NotOpen
from callback.decisions.care.acting import Actor, may_see, tell, text_of
from callback.errors import CallbackError
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from scheduler.clock import DAY

SEVERITIES: Final = (1, 2, 3)
PRODUCT_ROOM, REFERENCE_ROOM, CALL_ROOM = 100, 100, 150
QUEUE_ROOM, TOPIC_ROOM, DEPARTMENT_ROOM = 128, 200, 64
OLDEST: Final = 366 * DAY
_P, _A, _S = t.person.c, t.answer.c, t.care_step.c
_NUMBER = select(_P.number).where(_P.id == bindparam("of_person"))
_ANSWER = (
    select(_A.person_id, _A.body, _A.state, _A.done_by)
    .where(_A.id == bindparam("of_answer"), _A.pbx == bindparam("of_pbx"))
    .with_for_update()
)


class UnknownTopic(CallbackError):
    """The rules have no such topic."""


class UnknownDepartment(CallbackError):
    """The rules have no such department."""


class NumberBlocked(CallbackError):
    """Nobody may call or text this number, so nobody could ask whether it is solved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is registered, about whom: a number as somebody wrote it, or a person whom we know.

    `source` says how it came, `owner` who is in charge (a user of the console; empty: whom the department names),
    `reference` what a program or a file calls it: the second one of that name changes nothing. `opened_at`: since when
    its clock runs, where that is not now.
    """

    queue: str
    number: str = ""
    person: int | None = None
    topic: str = ""
    product: str = ""
    department: str = ""
    severity: int = 1
    words: str = ""
    wish: str = ""
    owner: str = ""
    promised: str = ""
    promised_by_at: int | None = None
    call_id: str | None = None
    reference: str | None = None
    opened_at: int | None = None
    source: Source = "supervisor"


def register(work: Work, complaint: Complaint, actor: Actor) -> Opened:
    """Register it: its clock starts now, and the department is written to. One that stands open gets one more step.

    CasesOff, UnknownTopic, UnknownDepartment, NumberBlocked and CallbackError say what to mend; nothing is kept then.
    """
    return _register(work, complaint, actor, answer=None)


def from_text(work: Work, answer: int, complaint: Complaint, actor: Actor) -> Opened:
    """Register what a customer's text says: whose it is and its words are the text's. It is off the list with that.

    NoSuchAnswer, NotOpen where somebody was quicker, and what `register` raises.
    """
    found = work.connection.execute(_ANSWER, {"of_answer": answer, "of_pbx": work.pbx}).first()
    if found is None:
        raise NoSuchAnswer(f"there is no text {answer} on {work.pbx}")
    if found.state != "open":
        raise NotOpen(f"text {answer} was read already, by {found.done_by or 'somebody'}")
    if found.person_id is None:
        raise CallbackError("this text came from no number that can be called: nobody could be asked about it")
    about = replace(complaint, person=found.person_id, number="", words=found.body, source="text")
    opened = _register(work, about, actor, answer=answer)
    replies.done(work.connection, work.pbx, answer, actor.by.who, work.now)
    facts = {"answer": answer, "how": "complaint", "case": opened.case}
    audit.add(work.connection, work.pbx, actor.by, "answer-done", None, facts, work.now)
    return opened


def of_reference(work: Work, reference: str) -> Case | None:
    """The case in which a program's or a file's complaint of that name is kept, if there is one."""
    kept = select(_S.case_id).where(_S.pbx == work.pbx, _S.reference == reference)
    same = cases.CASES.where(t.care_case.c.pbx == work.pbx, t.care_case.c.id.in_(kept))
    return next(iter(cases.read(work.connection, same)), None)


def check(work: Work, complaint: Complaint, actor: Actor) -> Case | None:
    """Raise what `register` would raise; give the case that keeps its reference already. Nothing is written."""
    _must_be_names(complaint)
    if complaint.reference and (same := of_reference(work, complaint.reference)) is not None:
        if not may_see(work, same.queue, actor):
            raise CallbackError(f"the reference {complaint.reference} names another case: give this one its own")
        return same
    _must_be_known(work, complaint, actor)
    _number(work, complaint)
    text_of("what the customer says", complaint.words, needed=True)
    text_of("the wish", complaint.wish)
    return None


def _register(work: Work, complaint: Complaint, actor: Actor, answer: int | None) -> Opened:
    if (same := check(work, complaint, actor)) is not None:
        return Opened(same.id, made=False)
    person = _person(work, complaint)
    new = NewCase(
        kind="complaint",
        person=person,
        queue=complaint.queue,
        source=complaint.source,
        by=actor.by.who,
        words=text_of("what the customer says", complaint.words, needed=True),
        wish=text_of("the wish", complaint.wish),
        topic=complaint.topic,
        product=complaint.product,
        department=complaint.department,
        severity=complaint.severity,
        promised=complaint.promised.strip(),
        promised_by_at=complaint.promised_by_at,
        call_id=complaint.call_id,
        answer=answer,
        reference=complaint.reference or None,
        opened_at=complaint.opened_at,
    )
    opened = cases.open_case(work, new)
    if opened.made and (complaint.owner or complaint.department):
        assigning.assign(work, opened.case, actor.by.who, owner=complaint.owner, department=complaint.department)
    if not opened.made and _is_newer(work, complaint, opened.case):
        follow_up.again(work, opened.case, actor.by.who)
    facts = {"queue": complaint.queue, "topic": complaint.topic, "source": complaint.source, "made": opened.made}
    tell(work, actor, "case-registered", opened.case, facts)
    return opened


def _is_newer(work: Work, complaint: Complaint, case: int) -> bool:
    """Whether the customer said so after what stands in the case; a file may tell of older days."""
    return complaint.opened_at is None or complaint.opened_at > cases.read_one(work, case).state_since_at


def _must_be_names(complaint: Complaint) -> None:
    """Raise what is too long, or nothing that can be kept: a NUL, or bytes of a terminal that are no UTF-8."""
    for what, said, room in (
        ("the queue", complaint.queue, QUEUE_ROOM),
        ("the topic", complaint.topic, TOPIC_ROOM),
        ("the department", complaint.department, DEPARTMENT_ROOM),
        ("the product", complaint.product, PRODUCT_ROOM),
        ("the reference", complaint.reference or "", REFERENCE_ROOM),
        ("the call", complaint.call_id or "", CALL_ROOM),
        ("what is promised", complaint.promised, t.WHY_ROOM),
        ("the owner", complaint.owner, t.WHO_ROOM),
    ):
        if len(said) > room:
            raise CallbackError(f"{what} is too long: at most {room} characters")
        if "\0" in said or said != said.encode("utf-8", "replace").decode():
            raise CallbackError(f"{what} is no text: write it anew, in UTF-8")


def _must_be_known(work: Work, complaint: Complaint, actor: Actor) -> None:
    """Raise what does not fit the rules, with what there is instead."""
    rules = work.site.rules
    if not may_see(work, complaint.queue, actor):
        raise NoSuchCase(f"queue {complaint.queue} is another group's: register it for one of your own")
    cases.must_be_on(work, complaint.queue)
    if complaint.topic and complaint.topic not in rules.care.topics:
        raise UnknownTopic(f"there is no topic '{complaint.topic}' in [rules.care.topics]; {_there(rules.care.topics)}")
    must_be_department(work, complaint.department)
    if complaint.product and rules.care.products and complaint.product not in rules.care.products:
        raise CallbackError(f"there is no product '{complaint.product}'; {_there(rules.care.products)}")
    if complaint.severity not in SEVERITIES:
        raise CallbackError("severity is 1 (slight), 2 (serious) or 3 (grave)")
    if complaint.opened_at is not None and not work.now - OLDEST <= complaint.opened_at <= work.now:
        raise CallbackError("when it was opened must not be still to come, nor more than a year ago")
    if complaint.promised_by_at is not None and complaint.promised_by_at <= work.now:
        raise CallbackError("what is promised must be promised by a time that is still to come")


def must_be_department(work: Work, department: str) -> None:
    """UnknownDepartment where the rules have none of that name; no department is none."""
    known = work.site.rules.care.departments
    if department and department not in known:
        raise UnknownDepartment(f"there is no department '{department}' in [rules.care.departments]; {_there(known)}")


def _person(work: Work, complaint: Complaint) -> int:
    """The person it is about; made when new."""
    if complaint.person is not None:
        return complaint.person
    return persons.person_of(work.connection, _number(work, complaint), work.now)


def _number(work: Work, complaint: Complaint) -> str:
    """The number it is about. One that nobody may call or text is refused."""
    connection = work.connection
    if complaint.person is not None:
        e164 = connection.execute(_NUMBER, {"of_person": complaint.person}).scalar_one_or_none()
        if e164 is None or not blocks.is_number(e164):
            raise CallbackError("this customer is not known any more: register it with a number")
    else:
        readings = (numbers.written(complaint.number, trunk).e164 for trunk in work.site.trunks.values())
        e164 = next(filter(None, readings), None)
        if e164 is None:
            raise CallbackError("that is no telephone number: write it with its country, as in +819012345678")
    barred = blocks.blocked(connection, e164)
    if barred.calls and barred.texts:
        raise NumberBlocked("this number is blocked for calls and texts: take one of the blocks back first")
    return e164


def _there(known: Iterable[str]) -> str:
    names = ", ".join(known)
    return f"there are {names}" if names else "there is none"
