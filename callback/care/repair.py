"""A customer who was not content is called, by the agent who was rated or by a team, and asked once more.

Satisfied then: the case is confirmed, and closed. Low again: it goes on, at once, by somebody else. Neither, or no
answer: the case stays answered, and care's follow-up asks again. Nothing is closed that nobody confirmed.
"""

from __future__ import annotations

from typing import Final

from callback.care import callbacks, cases, follow_up, satisfaction, states
from callback.care.callbacks import Ended
from callback.care.cases import Case
from callback.care.satisfaction import SATISFIED
from callback.site.work import Work
from callback.store.audit import CUSTOMER, SERVICE

BY_ITSELF: Final = 2
"""So often a customer is called to repair one case without a person's decision."""


def begin(work: Work, case: int) -> None:
    """Let the customer of a new case be called: by whom, the rules of its queue say."""
    found = cases.read_one(work, case, lock=True)
    care = work.site.rules.queue(found.queue).care
    if found.state == "registered":
        cases.move(work, case, "assigned", SERVICE)
    if care.repair == "team":
        callbacks.reserve(work, found, "repair", found.due_at, queue=care.team)
    else:
        callbacks.reserve(work, found, "repair", found.due_at, agent=found.agent)


def again(work: Work, case: Case) -> None:
    """Call once more, by somebody else than the agent who was rated: the team, or anybody of the queue."""
    if satisfaction.asked_before(work, case) >= BY_ITSELF:
        cases.change(work, case.id, SERVICE, "for-people")
        return
    callbacks.reserve(work, case, "repair", case.due_at, queue=work.site.rules.queue(case.queue).care.team)


def called(work: Work, ended: Ended) -> None:
    """See how the callback of a repair ended: reached is the repair; all else is for people, and closes nothing."""
    case = ended.case
    if not ended.reached:
        cases.change(work, case.id, SERVICE, "not-reached", ended.state)
        return
    if case.state not in {"assigned", "answered"}:
        return
    if case.state == "assigned" and case.state_since_at > ended.at:  # sent back since, or denied: that is for people
        cases.change(work, case.id, SERVICE, "reached", ended.state)
        return
    follow_up.answered(work, case.id, SERVICE, str(ended.reservation), ended.at)
    if case.state == "answered" and (case.asks == 0 or case.next_ask_at is None):
        follow_up.after_answer(work, case.id)  # a person had answered before, and nobody asked while this was to come


def judged(work: Work, case: int, score: int) -> None:
    """Take the customer's answer to the question after a repair; of a case that ended it is only kept."""
    found = cases.read_one(work, case, lock=True)
    if not found.open:
        return
    elsewhere = callbacks.is_wrong_person(work, found)
    if elsewhere or found.state not in states.ASKED:  # somebody else's word, or after another one: people see this
        cases.change(work, case, CUSTOMER, "scored", str(score), score_after=score)
    elif score >= SATISFIED:
        follow_up.confirmed(work, case, CUSTOMER, str(score), at_once=True, score=score)
    elif score <= work.site.rules.care.low:
        follow_up.denied(work, case, CUSTOMER, str(score), score)
        again(work, cases.read_one(work, case))
    else:
        cases.change(work, case, CUSTOMER, "scored", str(score), score_after=score)
