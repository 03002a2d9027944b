"""From the first repair of a case to the customer's own word on it: asked by text, then by calls, as often as ruled.

Nothing closes before the customer said that it is solved. Who never answers is unreachable by rule, and the case says
so. Where no text can be answered, a call asks at once.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, select, update

from callback.care import callbacks, cases, letters, satisfaction
from callback.care.callbacks import Ended
from callback.care.cases import Case
from callback.errors import IllegalTransition
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import SERVICE
from callback.texts import asking, compose
from callback.texts.asking import To
from scheduler.clock import HOUR, MINUTE
from sms import outbox

HEARD_US: Final = 10 * MINUTE
"""What one of us heard the customer say may be taken back for so long: then the case closes."""
NOTHING_ASKED: Final[dict[str, Any]] = {"asks": 0, "next_ask_at": None}

_A: Final = t.answer.c
_UNREAD: Final = (
    select(_A.id)
    .where(t.FOR_PEOPLE, _A.pbx == bindparam("of_pbx"), _A.person_id == bindparam("person"))
    .where(_A.received_at >= bindparam("since"))
    .limit(1)
)


def answered(work: Work, case: int, by: str, words: str, at: int | None = None) -> None:
    """Keep what was done or answered, at that time (None: now): the first repair.

    Whose customer is being asked already is asked nothing more.
    """
    standing = cases.read_one(work, case, lock=True)
    if standing.state == "registered":
        cases.move(work, case, "assigned", by)
    goes_on = standing.state == "answered"
    beside: dict[str, Any] = {} if goes_on else NOTHING_ASKED
    repaired_at = standing.repaired_at or (work.now if at is None else at)
    cases.move(work, case, "answered", by, words, beside | {"repaired_at": repaired_at})
    if not goes_on:
        after_answer(work, case)


def after_answer(work: Work, case: int) -> None:
    """Let the customer of an answered case be asked whether it is solved: the service does so in a moment."""
    _set(work, case, next_ask_at=work.now)


def ask(work: Work, case: Case) -> None:
    """Ask the customer of an answered case, by text first; who was asked as often as ruled is unreachable."""
    care = work.site.rules.care
    again_at = work.now + round(care.confirm_after_h * HOUR)
    if case.callback:
        _ask_by_the_call(work, case, again_at)
    elif case.asks >= care.confirm_tries:
        cases.move(work, case.id, "unreachable", SERVICE, beside={"next_ask_at": None})
    elif case.asks == 0 and not callbacks.is_wrong_person(work, case) and _by_text(work, case):
        cases.change(work, case.id, SERVICE, "asked", asks=1, asked_at=work.now, next_ask_at=again_at)
    else:
        rings = callbacks.reserve(work, case, "confirm", work.now + round(care.repair_h * HOUR))
        values: dict[str, Any] = {
            "asks": case.asks + 1,
            "asked_at": work.now,
            "next_ask_at": None if rings else again_at,
        }
        cases.change(work, case.id, SERVICE, "call-asks" if rings else "nobody-asks", **values)


def called(work: Work, ended: Ended) -> None:
    """See how a call ended that was to ask: the agent tells what was said; without that it is asked again later."""
    word = "reached" if ended.reached else "not-reached"
    if ended.case.state != "answered":
        cases.change(work, ended.case.id, SERVICE, word, ended.state)
        return
    asked = ended.case.asks > 0  # else the answer came after that call
    again_at = work.now + (round(work.site.rules.care.confirm_after_h * HOUR) if asked else 0)
    cases.change(work, ended.case.id, SERVICE, word, ended.state, next_ask_at=again_at)


def _ask_by_the_call(work: Work, case: Case, again_at: int) -> None:
    """A call is under way: one that waits to be made asks about this answer, one that has ended does not."""
    if case.callback == "confirm" and case.asks == 0 and callbacks.is_to_come(work, case):
        _set(work, case.id, asks=1, asked_at=work.now, next_ask_at=again_at)
    else:
        _set(work, case.id, next_ask_at=again_at)


def confirmed(work: Work, case: int, by: str, note: str, *, at_once: bool, score: int | None = None) -> None:
    """The customer says that it is solved; it closes at once, or when what a person heard stands (`HEARD_US`)."""
    standing = _heard(work, case, "confirmed")
    judged: dict[str, Any] = {} if score is None else {"score_after": score}
    if at_once and standing.state == "confirmed":  # one of us had heard it before
        cases.change(work, case, by, "said", note, **judged)
    else:
        cases.move(work, case, "confirmed", by, note, judged | {"next_ask_at": work.now + HEARD_US})
    ask_no_more(work, standing, "the customer said that it is solved")
    if at_once:
        cases.move(work, case, "closed", SERVICE, beside={"next_ask_at": None})


def denied(work: Work, case: int, by: str, note: str, score: int | None = None) -> None:
    """The customer says that it is not solved: it goes on, and a complaint is due at once; no clock moves later."""
    standing = _heard(work, case, "denied")
    due_at = min(standing.due_at, work.now) if standing.kind == "complaint" else standing.due_at
    beside = NOTHING_ASKED | {"due_at": due_at}
    cases.move(work, case, "denied", by, note, beside | ({} if score is None else {"score_after": score}))
    ask_no_more(work, standing, "the customer said that it is not solved")
    if standing.department:
        letters.write(work, case)


def again(work: Work, case: int, by: str) -> None:
    """The customer complains once more of what an open case is about: what one of us heard to be solved is not."""
    if cases.read_one(work, case, lock=True).state == "confirmed":
        denied(work, case, by, "complains again")


def withdrawn(work: Work, case: int, by: str, note: str = "") -> None:
    """The customer takes it back: nothing is owed, and nothing asked."""
    standing = cases.read_one(work, case, lock=True)
    cases.move(work, case, "withdrawn", by, note, {"next_ask_at": None})
    ask_no_more(work, standing, "the customer took it back")


def close(work: Work, case: Case) -> None:
    """Close a case that was confirmed to one of us, and tell the customer; not before people read what came since."""
    since = {"of_pbx": work.pbx, "person": case.person_id, "since": case.state_since_at}
    if work.connection.execute(_UNREAD, since).first() is not None:
        _set(work, case.id, next_ask_at=work.now + HEARD_US)
        return
    cases.move(work, case.id, "closed", SERVICE, beside={"next_ask_at": None})
    if not callbacks.is_wrong_person(work, case):
        _text(work, case, "case-closed", f"closed/{case.id}")


def ask_no_more(work: Work, case: Case, why: str) -> None:
    """Take back what asks the customer about a case: texts that have not left, and a call that is not under way."""
    for asking_word in (word(case.id), *satisfaction.words(work, case)):
        outbox.withdraw_all(work.connection, asking_word, why, work.now)
    callbacks.call_off(work, case)


def word(case: int) -> str:
    """The outbox's word for the customer of a case."""
    return f"case/{case}"


def _by_text(work: Work, case: Case) -> bool:
    """Ask by text, where the customer can answer one: of a complaint whether it is solved, else how it was repaired."""
    if case.kind == "dissatisfied":
        return satisfaction.ask_after_repair(work, case)
    if not work.site.texting.two_way(case.e164):
        return False
    return _text(work, case, "case-confirm", f"confirm/{case.id}/{case.revision}")


def _text(work: Work, case: Case, template: str, cause: str) -> bool:
    """Write a text about a case, that leaves when the customer may be disturbed."""
    to = To(word(case.id), case.queue, case.person_id, case.e164)
    return asking.send(work, to, template, cause, {"case": str(case.id)}, compose.morning(work, case.e164))


def _set(work: Work, case: int, **values: object) -> None:
    work.connection.execute(update(t.care_case).where(t.care_case.c.id == case).values(values))


def _heard(work: Work, case: int, said: str) -> Case:
    """Lock a case about which the customer says something. IllegalTransition where nothing was answered yet."""
    standing = cases.read_one(work, case, lock=True)
    if standing.state in {"registered", "assigned"}:
        raise IllegalTransition(
            f"case {case} is '{standing.state}': write down what was answered, then what was {said}"
        )
    return standing
