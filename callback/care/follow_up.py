"""From the first repair of a case to the customer's own word on it: asked by text, then by calls, as often as ruled.

Nothing closes before the customer said that it is solved. Who never answers is unreachable by rule, which says so.
"""

from __future__ import annotations

from typing import Any, Final

from callback.care import cases, letters
from callback.care.cases import SERVICE, Case
from callback.errors import IllegalTransition
from callback.site.work import Work
from scheduler.clock import MINUTE
from sms import outbox

HEARD_US: Final = 10 * MINUTE
"""What one of us heard the customer say may be taken back for so long: then the case closes."""
NOTHING_ASKED: Final[dict[str, Any]] = {"asks": 0, "next_ask_at": None}


def answered(work: Work, case: int, by: str, words: str) -> None:
    """Keep what was done or answered, the first repair; one who was asked already is asked nothing more."""
    standing = cases.read_one(work, case, lock=True)
    if standing.state == "registered":
        cases.move(work, case, "assigned", by)
    goes_on = standing.state == "answered"
    beside: dict[str, Any] = {} if goes_on else NOTHING_ASKED
    cases.move(work, case, "answered", by, words, beside | {"repaired_at": standing.repaired_at or work.now})
    if not goes_on:
        after_answer(work, cases.read_one(work, case))


def after_answer(work: Work, case: Case) -> None:
    """Let the customer be asked whether it is solved."""
    cases.change(work, case.id, SERVICE, "to-ask", next_ask_at=work.now)


def confirmed(work: Work, case: int, by: str, note: str, *, at_once: bool, score: int | None = None) -> None:
    """The customer says that it is solved; it closes at once, or when what a person heard stands (`HEARD_US`)."""
    standing = _heard(work, case, "confirmed")
    beside: dict[str, Any] = {"next_ask_at": None} | ({} if score is None else {"score_after": score})
    cases.move(work, case, "confirmed", by, note, beside)
    ask_no_more(work, standing, "the customer said that it is solved")
    if at_once:
        close(work, case)


def denied(work: Work, case: int, by: str, note: str, score: int | None = None) -> None:
    """The customer says that it is not solved: it goes on, and is due at once; its clock moves no later."""
    standing = _heard(work, case, "denied")
    beside = (
        NOTHING_ASKED | {"due_at": min(standing.due_at, work.now)} | ({} if score is None else {"score_after": score})
    )
    cases.move(work, case, "denied", by, note, beside)
    ask_no_more(work, standing, "the customer said that it is not solved")
    if standing.department:
        letters.write(work, case)


def withdrawn(work: Work, case: int, by: str, note: str = "") -> None:
    """The customer takes it back: nothing is owed, and nothing asked."""
    standing = cases.read_one(work, case, lock=True)
    cases.move(work, case, "withdrawn", by, note, {"next_ask_at": None})
    ask_no_more(work, standing, "the customer took it back")


def close(work: Work, case: int) -> None:
    """Close a case that the customer confirmed."""
    cases.move(work, case, "closed", SERVICE)


def ask_no_more(work: Work, case: Case, why: str) -> None:
    """Take back what asks the customer about a case: texts that have not left, and a call that is not under way."""
    outbox.withdraw_all(work.connection, word(case.id), why, work.now)


def word(case: int) -> str:
    """The outbox's word for the customer of a case."""
    return f"case/{case}"


def _heard(work: Work, case: int, said: str) -> Case:
    """Lock a case about which the customer says something. IllegalTransition where nothing was answered yet."""
    standing = cases.read_one(work, case, lock=True)
    if standing.state in {"registered", "assigned"}:
        raise IllegalTransition(
            f"case {case} is '{standing.state}': write down what was answered, then what was {said}"
        )
    return standing
