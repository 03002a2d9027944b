"""What is forgotten by its age, kind by kind: how much there is of it, and the next piece of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
    update,
)

from callback.campaigns import forgetting as campaigns
from callback.care import forgetting as care
from callback.customers import persons
from callback.customers.persons import ERASED
from callback.operations.retention import of_care
from callback.settings.retention import Retention
from callback.site.work import Work
from callback.store import audit, audit_proof
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from scheduler.clock import DAY
from sms import old

BY: Final = By(audit.SERVICE, "it was kept for as long as [retention] says")
PIECE: Final = 200
"""Rows in one transaction: others wait for a few milliseconds."""
_P, _R, _C, _V, _A, _U = t.person.c, t.reservation.c, t.call.c, t.verdict.c, t.answer.c, t.unread_number.c
_K, _F, _Y, _G = t.care_case.c, t.contact_flag.c, t.survey.c, t.campaign_person.c
_BEFORE: Final[BindParameter[int]] = bindparam("before")
_BUSINESS: Final = or_(
    exists().where(_R.person_id == _P.id, or_(_R.open, _R.last_lost_at >= _BEFORE, _R.state_since_at >= _BEFORE)),
    exists().where(_C.person_id == _P.id, or_(_C.started_at >= _BEFORE, _C.ended_at >= _BEFORE)),
    exists().where(t.attempt.c.person_id == _P.id, or_(t.attempt.c.in_flight, t.attempt.c.claimed_at >= _BEFORE)),
    exists().where(_A.person_id == _P.id, or_(_A.state == "open", _A.received_at >= _BEFORE)),
    exists().where(_K.person_id == _P.id, or_(_K.open, _K.opened_at >= _BEFORE, _K.state_since_at >= _BEFORE)),
    exists().where(_F.person_id == _P.id, or_(_F.state == "waiting", _F.on_at >= _BEFORE, _F.made_at >= _BEFORE)),
    exists().where(_Y.person_id == _P.id, _Y.asked_at >= _BEFORE),
    exists().where(
        _G.campaign_id == t.campaign.c.id,  # by its key, a campaign after the other
        _G.person_id == _P.id,
        or_(_G.state == "waiting", _G.told_at >= _BEFORE),
    ),
)
"""What keeps somebody known: something is owed, or was going on since then."""
_FORGOTTEN: Final = and_(_P.number.not_like(f"{ERASED}%"), _P.created_at < _BEFORE, ~_BUSINESS)


@dataclass(frozen=True, slots=True)
class Old:
    """How much of a kind is due, and from when the oldest of it is; None where there is none."""

    rows: int
    oldest_at: int | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of what is kept: `due` counts what is too old, `forget` forgets the next of it and gives how many."""

    name: str
    what: str
    days: Callable[[Retention], int]
    due: Callable[[Connection, int], Old]
    forget: Callable[[Work, int], int]

    def before(self, kept: Retention, now: int) -> int | None:
        """From before when it is forgotten; None: it is kept for good."""
        days = self.days(kept)
        return now - days * DAY if days else None


def _old(connection: Connection, at: ColumnElement[Any], *conditions: ColumnElement[bool], before: int) -> Old:
    rows, oldest = connection.execute(select(func.count(), func.min(at)).where(*conditions), {"before": before}).one()
    return Old(rows, oldest)


def _old_persons(connection: Connection, before: int) -> Old:
    return _old(connection, _P.created_at, _FORGOTTEN, before=before)


_PERSONS: Final[Select[Any]] = select(_P.id).where(_FORGOTTEN).order_by(_P.id).limit(PIECE)


def _forget_persons(work: Work, before: int) -> int:
    """Each is locked, and looked at again: somebody may have called meanwhile."""
    found = _PERSONS.with_for_update(of=t.person, skip_locked=True)
    theirs = list(work.connection.execute(found, {"before": before}).scalars())
    for person in theirs:
        compose.forget(work, person)
        care.forget(work, person, BY)
        campaigns.forget(work, person)
        persons.forget(work.connection, person)
    return len(theirs)


_UNREAD: Final = exists().where(_C.pbx == _U.pbx, _C.call_id == _U.call_id, _C.started_at < _BEFORE)


def _old_unread(connection: Connection, before: int) -> Old:
    at = select(func.min(_C.started_at)).where(_C.pbx == _U.pbx, _C.call_id == _U.call_id).scalar_subquery()
    return _old(connection, at, _UNREAD, before=before)


def _forget_unread(work: Work, before: int) -> int:
    found = work.connection.execute(select(_U.pbx, _U.call_id).where(_UNREAD).limit(PIECE), {"before": before}).all()
    for row in found:
        work.connection.execute(t.unread_number.delete().where(_U.pbx == row.pbx, _U.call_id == row.call_id))
    return len(found)


_SAID: Final = and_(_A.state == "done", _A.received_at < _BEFORE, or_(_A.body != "", _A.reply.is_not(None)))


def _old_answers(connection: Connection, before: int) -> Old:
    return _old(connection, _A.received_at, _SAID, before=before)


def _forget_answers(work: Work, before: int) -> int:
    ids = list(work.connection.execute(select(_A.id).where(_SAID).limit(PIECE), {"before": before}).scalars())
    work.connection.execute(update(t.answer).where(_A.id.in_(ids)).values(body="", reply=None))
    return len(ids)


def _old_texts(connection: Connection, before: int) -> Old:
    return Old(*old.due(connection, before))


def _forget_texts(work: Work, before: int) -> int:
    return old.forget(work.connection, before, PIECE)


_HEARD: Final = and_(_V.judged_at < _BEFORE, cast(_V.evidence, String) != "[]")


def _old_evidence(connection: Connection, before: int) -> Old:
    return _old(connection, _V.judged_at, _HEARD, before=before)


def _forget_evidence(work: Work, before: int) -> int:
    keys = select(_V.pbx, _V.call_id, _V.version).where(_HEARD).limit(PIECE)
    found = work.connection.execute(keys, {"before": before}).all()
    for row in found:
        one = (_V.pbx == row.pbx, _V.call_id == row.call_id, _V.version == row.version)
        work.connection.execute(update(t.verdict).where(*one).values(evidence=[]))
    return len(found)


def _old_audit(connection: Connection, before: int) -> Old:
    return _old(connection, t.audit.c.at, t.audit.c.at < _BEFORE, before=before)


def _forget_audit(work: Work, before: int) -> int:
    """Only what was proved to be whole is deleted, and the chain itself tells where it begins then."""
    proved = audit_proof.proved_until(work.connection)
    return audit.delete_before(work.connection, before, proved, PIECE, BY, work.now)


def _of_care(
    name: str,
    what: str,
    days: Callable[[Retention], int],
    due: ColumnElement[bool],
    forget: Callable[[Work, int, int], int],
) -> Kind:
    def count(connection: Connection, before: int) -> Old:
        return _old(connection, of_care.AGES[name], due, before=before)

    return Kind(name, what, days, count, lambda work, before: forget(work, before, PIECE))


def _texts_days(kept: Retention) -> int:
    return kept.texts_days


def _care_days(kept: Retention) -> int:
    return kept.care_days


KINDS: Final = (
    Kind("persons", "numbers of persons", lambda kept: kept.persons_days, _old_persons, _forget_persons),
    Kind("unread", "numbers nobody could read", lambda kept: kept.persons_days, _old_unread, _forget_unread),
    Kind("texts", "what texts said", lambda kept: kept.texts_days, _old_texts, _forget_texts),
    Kind("answers", "what customers wrote", lambda kept: kept.texts_days, _old_answers, _forget_answers),
    Kind("audit", "decisions in the audit", lambda kept: kept.audit_days, _old_audit, _forget_audit),
    Kind("evidence", "what was heard of calls", lambda kept: kept.evidence_days, _old_evidence, _forget_evidence),
    _of_care("letters", "letters to departments", _texts_days, of_care.LETTERS, of_care.forget_letters),
    _of_care("cases", "what ended cases said", _care_days, of_care.CASES, of_care.forget_cases),
    _of_care("notes", "notes about customers", _care_days, of_care.NOTES, of_care.forget_notes),
    _of_care("flags", "why customers were flagged", _care_days, of_care.FLAGS, of_care.forget_flags),
)
"""In the order in which they are forgotten."""
