"""A department answers a case by its link, without an account. Whoever has the link can do so, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select

from callback.care import follow_up, links
from callback.care.cases import Case
from callback.decisions.care.acting import Actor, tell, text_of
from callback.errors import CallbackError, IllegalTransition
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By

MOST: Final = 50
"""Answers to one case by its link: more are a program's."""
TAKES: Final = frozenset({"registered", "assigned", "answered"})
"""States in which a department may answer; afterwards the customer has said what counts."""
_S = t.care_step.c
_SAID = (
    select(_S.note)
    .where(_S.case_id == bindparam("of_case"), _S.who == bindparam("by_whom"), _S.event == "answered")
    .order_by(_S.id)
)


class AnsweredEnough(CallbackError):
    """So many answers came by this link that a program must be at work."""


def name_of(department: str) -> str:
    """Who a department is in steps and audit."""
    return f"department/{department}"


def answers(work: Work, case: Case) -> Sequence[str]:
    """What the department of a case has answered, in order."""
    asked = {"of_case": case.id, "by_whom": name_of(case.department)}
    return work.connection.execute(_SAID, asked).scalars().all()


def answer(work: Work, token: str, words: str) -> bool:
    """Take a department's answer; False where it has said the same before, as by a form that was sent twice.

    NoSuchLink or LinkExpired, IllegalTransition where the customer has said what counts, CallbackError for an answer
    that is empty or too long, AnsweredEnough.
    """
    case = links.opened(work, token, lock=True)
    if case.state not in TAKES:
        raise IllegalTransition(f"case {case.id} is '{case.state}': it takes no answer any more")
    said = text_of("the answer", words, needed=True)
    before = answers(work, case)
    if said in before:
        return False
    if len(before) >= MOST:
        raise AnsweredEnough(f"{MOST} answers came by this link: talk to the person in charge")
    who = name_of(case.department)
    follow_up.answered(work, case.id, who, said)
    tell(work, Actor(By(who, "answered by its link")), "case-answered", case.id, {"department": case.department})
    return True
