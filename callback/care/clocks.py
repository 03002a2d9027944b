"""What the clock of a case asks for: an alarm before it runs out and once it has, a question, and the end."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, or_, select

from callback.care import cases, follow_up
from callback.care.states import OWED
from callback.events import CaseAtRisk
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import SERVICE
from scheduler.clock import HOUR

AT_ONCE: Final = 50
_C, _R = t.care_case.c, t.reservation.c
_NOW: Final[BindParameter[int]] = bindparam("now")
_OVERDUE: Final[ColumnElement[bool]] = _C.due_at <= _NOW
_SPOKEN_IN_TIME: Final[ColumnElement[bool]] = and_(
    t.CALLBACK_UNDER_WAY,
    exists().where(_R.id == _C.reservation_id, _R.state == "reached", _R.state_since_at <= _C.due_at),
)
"""That callback may be the repair: it is seen when the word of its agent stands."""
_AT_RISK: Final[Select[Any]] = (
    select(_C.id)
    .where(t.CASE_OPEN, _C.pbx == bindparam("of_pbx"), _C.state.in_(OWED))
    .where(_C.due_at <= bindparam("soon"), _C.due_at + _C.opened_at <= 2 * _NOW)  # no earlier than half of its time
    .where(or_(_C.warned_at.is_(None), _OVERDUE & (_C.warned_at < _C.due_at)))
    .where(~_SPOKEN_IN_TIME)
    .order_by(_C.due_at, _C.id)
    .limit(AT_ONCE)
)
_NEXT: Final = (
    select(_C.id)
    .where(t.TO_ASK, _C.pbx == bindparam("of_pbx"), _C.next_ask_at <= _NOW)
    .order_by(_C.next_ask_at, _C.id)
    .limit(AT_ONCE)
)


def tend(work: Work) -> int:
    """Do what is due, some at a time; give how many there were."""
    return max(_warn(work), _go_on(work))


def _warn(work: Work) -> int:
    """Tell people once that a case is nearly due, and once that it is overdue."""
    soon = work.now + round(work.site.rules.care.warn_h * HOUR)
    found = work.connection.execute(_AT_RISK, {"of_pbx": work.pbx, "now": work.now, "soon": soon}).scalars().all()
    for one in found:
        case = cases.read_one(work, one, lock=True)
        if case.state not in {"registered", "assigned"}:
            continue  # somebody was quicker
        cases.change(work, one, SERVICE, "overdue" if case.due_at <= work.now else "at-risk", warned_at=work.now)
        work.tell(CaseAtRisk(one, case.queue, case.kind, case.department, case.owner, case.due_at))
    return len(found)


def _go_on(work: Work) -> int:
    """Ask whose case was answered, and close what was confirmed to one of us."""
    found = work.connection.execute(_NEXT, {"of_pbx": work.pbx, "now": work.now}).scalars().all()
    for one in found:
        case = cases.read_one(work, one, lock=True)
        if case.next_ask_at is None or case.next_ask_at > work.now:
            continue
        if case.state == "answered":
            follow_up.ask(work, case)
        elif case.state == "confirmed":
            follow_up.close(work, case)
        else:
            cases.change(work, one, SERVICE, "nobody-asks", next_ask_at=None)
    return len(found)
