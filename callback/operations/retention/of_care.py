"""What cases, letters, notes and flags said: forgotten by its age, once it is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Connection, and_, bindparam, delete, exists, or_, select, update

from callback.care import forgetting
from callback.site.work import Work
from callback.store import tables as t

_BEFORE: Final[BindParameter[int]] = bindparam("before")
_C, _S, _L, _N, _F = t.care_case.c, t.care_step.c, t.care_letter.c, t.care_note.c, t.contact_flag.c

CASES: Final = and_(
    ~_C.open,
    _C.state_since_at < _BEFORE,
    or_(
        *(_C.words != "", _C.wish != "", _C.promised != "", _C.reference.is_not(None)),
        exists().where(_S.case_id == _C.id, or_(_S.note != "", _S.reference.is_not(None))),
    ),
)
LETTERS: Final = and_(_L.state != "waiting", _L.settled_at < _BEFORE, or_(_L.body != "", _L.subject != ""))
NOTES: Final = _N.at < _BEFORE
FLAGS: Final = and_(
    _F.state != "waiting", _F.on_at < _BEFORE, _F.made_at < _BEFORE, or_(_F.reason != "", _F.why_not != "")
)
AGES: Final = {"cases": _C.state_since_at, "letters": _L.created_at, "notes": _N.at, "flags": _F.on_at}


def forget_cases(work: Work, before: int, most: int) -> int:
    """Erase what the oldest cases that ended said in words, and give how many."""
    ids = _next(work.connection, _C.id, CASES, before, most)
    forgetting.said(work, ids)
    return len(ids)


def forget_letters(work: Work, before: int, most: int) -> int:
    """Erase what the oldest letters said, and give how many."""
    ids = _next(work.connection, _L.id, LETTERS, before, most)
    work.connection.execute(update(t.care_letter).where(_L.id.in_(ids)).values(subject="", body=""))
    return len(ids)


def forget_notes(work: Work, before: int, most: int) -> int:
    """Delete the oldest notes about how to speak with customers, and give how many."""
    ids = _next(work.connection, _N.person_id, NOTES, before, most)
    work.connection.execute(delete(t.care_note).where(_N.person_id.in_(ids)))
    return len(ids)


def forget_flags(work: Work, before: int, most: int) -> int:
    """Erase why the oldest people were flagged, and give how many."""
    ids = _next(work.connection, _F.id, FLAGS, before, most)
    work.connection.execute(update(t.contact_flag).where(_F.id.in_(ids)).values(reason="", why_not=""))
    return len(ids)


def _next(
    connection: Connection, key: ColumnElement[Any], due: ColumnElement[bool], before: int, most: int
) -> Sequence[int]:
    return connection.execute(select(key).where(due).order_by(key).limit(most), {"before": before}).scalars().all()
