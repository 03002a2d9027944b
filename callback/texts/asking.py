"""Questions to customers by text: how was a service, is a case solved. Each is asked once, where it can be answered.

A question about a service is a row of `survey` and a text in one transaction; neither is written without the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sqlalchemy import bindparam, delete, select

from callback.customers import persons
from callback.site.work import Work
from callback.store import tables as t
from callback.store.inserting import insert_new
from callback.texts import batches, compose
from scheduler.clock import DAY
from sms import status

Kind = Literal["call", "callback", "repair"]
TEMPLATES: Final[Mapping[Kind, str]] = {"call": "survey", "callback": "ask", "repair": "survey-repair"}
_S, _A, _C = t.survey.c, t.attempt.c, t.care_case.c
_OPEN_CASE = select(_C.id).where(_C.person_id == bindparam("person"), t.CASE_OPEN).limit(1)
_LATELY = select(_S.id, _S.kind, _S.about).where(
    _S.person_id == bindparam("person"), _S.asked_at > bindparam("since"), _S.kind != "repair"
)
_WHO_TALKED = (
    select(_A.agent)
    .where(_A.reservation_id == bindparam("reservation"), t.BY_AGENT)
    .order_by(_A.claimed_at.desc())
    .limit(1)
)
_KEPT = select(_S.id).where(_S.pbx == bindparam("of_pbx"), _S.about == bindparam("of_about"))


@dataclass(frozen=True, slots=True)
class To:
    """To whom a text of care goes: `word` is the outbox's for it, as survey/7 or case/7."""

    word: str
    queue: str
    person: int
    e164: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that a customer is asked about: `about` names it, and is asked about once."""

    kind: Kind
    about: str
    queue: str
    person: int
    e164: str
    agent: str | None = None  # who served, as the PBX names the member
    case: int | None = None  # that was repaired


def send(
    work: Work, to: To, template: str, cause: str, values: Mapping[str, str] | None = None, not_before_at: int = 0
) -> bool:
    """Write a text of care that waits for the customer to be off the line; False where none may be sent, or it was."""
    return _send(work, to, compose.Text(template, cause, dict(values or {}), not_before_at))


def ask(work: Work, service: Service) -> int | None:
    """Ask about a service; None where the customer cannot answer by text, may not be texted, or was asked about it."""
    site, number = work.site, service.e164
    if not site.texting.two_way(number):
        return None
    if compose.why_none(work.connection, site, service.queue, number) is not None or not _keep(work, service):
        return None
    found = {"of_pbx": work.pbx, "of_about": service.about}
    row = int(work.connection.execute(_KEPT, found).scalar_one())
    to = To(word(row), service.queue, service.person, number)
    # About a call it is asked at once: they called just now.
    batch, not_before_at = (batch_of(work), 0) if service.kind == "call" else ("", compose.morning(work, number))
    cause = cause_of(service.kind, service.about, row)
    _send(work, to, compose.Text(TEMPLATES[service.kind], cause, {}, not_before_at, batch=batch))
    return row


def take_back_late(work: Work) -> int:
    """Take back questions about calls that could not leave in time, as if they were never asked; give how many."""
    words = batches.take_back_late(work.connection, batch_of(work), work.now)
    rows = [int(one.removeprefix("survey/")) for one in words]
    if rows:
        work.connection.execute(delete(t.survey).where(_S.id.in_(rows), _S.score.is_(None)))
    return len(rows)


def word(survey: int) -> str:
    """The outbox's word for the customer of a question."""
    return f"survey/{survey}"


def batch_of(work: Work) -> str:
    """The outbox's word for questions about calls: lost callers' texts leave before all of them."""
    return f"surveys/{work.pbx}"


def after_callback(work: Work, reservation: int) -> bool:
    """Ask whom we reached, where the site asks it: never about a callback of care, which has questions of its own."""
    to = compose.recipient(work.connection, reservation)
    if not work.site.rules.ask_after or to.follow_up or not may_be_asked(work, to.person):
        return False
    talked = work.connection.execute(_WHO_TALKED, {"reservation": reservation}).scalar_one_or_none()
    about = f"callback/{reservation}"
    service = Service(kind="callback", about=about, queue=to.queue, person=to.person, e164=to.e164, agent=talked)
    if not _keep(work, service):
        return False
    if compose.ask(work, to):
        return True
    work.connection.execute(delete(t.survey).where(_S.pbx == work.pbx, _S.about == service.about))
    return False


def may_be_asked(work: Work, person: int) -> bool:
    """Whether this customer may be asked about a service: not again so soon, and not while a case is open.

    Nobody else asks the same customer until the transaction ends.
    """
    persons.lock(work.connection, person)
    if work.connection.execute(_OPEN_CASE, {"person": person}).first() is not None:
        return False
    since = work.now - work.site.rules.care.ask_again_days * DAY
    lately = work.connection.execute(_LATELY, {"person": person, "since": since}).all()
    causes = {cause_of(row.kind, row.about, row.id) for row in lately}
    return causes == status.came_to_nothing(work.connection, causes)


def cause_of(kind: Kind, about: str, survey: int) -> str:
    """The outbox's cause of the text that asks."""
    return f"ask/{about.removeprefix('callback/')}" if kind == "callback" else f"survey/{survey}"


def _send(work: Work, to: To, text: compose.Text) -> bool:
    if compose.why_none(work.connection, work.site, to.queue, to.e164) is not None:
        return False
    whom = compose.Addressee(to.word, to.queue, to.person, to.e164)
    not_before_at = max(compose.after_grace(work), text.not_before_at)
    return compose.write(work, whom, replace(text, not_before_at=not_before_at))


def _keep(work: Work, service: Service) -> bool:
    values: dict[str, Any] = {
        "pbx": work.pbx,
        "person_id": service.person,
        "queue": service.queue,
        "kind": service.kind,
        "about": service.about,
        "agent": service.agent,
        "asked_at": work.now,
        "case_id": service.case,
    }
    return insert_new(work.connection, t.survey, values)
