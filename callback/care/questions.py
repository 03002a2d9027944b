"""Which question a customer's number answers: that of the newest text which left and asked something.

Never a guess: where two answers are possible, or the question is old, a person reads what the customer wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import bindparam, func, select

from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import DAY
from sms import status
from sms.text import PROMISES

Kind = Literal["survey", "callback", "repair", "solved", "call-now", "unsure"]
LASTS_US: Final = 3 * DAY
"""A number is an answer for so long after the question."""
ASKING: Final[Mapping[str, Kind]] = {
    **dict.fromkeys((*PROMISES, "answer-person", "answer-help"), "call-now"),
    "ask": "callback",
    "ask-link": "callback",
    "survey": "survey",
    "survey-repair": "repair",
    "case-confirm": "solved",
}
"""What a text by a template asks; 1 to 5, but solved (1 or 2) and call-now (1)."""
_A, _R = t.answer.c, t.reservation.c
_INVITED = select(func.max(_A.received_at)).where(
    _A.person_id == bindparam("person"), _A.reply.is_not(None), _A.wish.in_(bindparam("wishes", expanding=True))
)
_LOST_SINCE = (
    select(_R.id)
    .where(_R.person_id == bindparam("person"), _R.pbx == bindparam("of_pbx"), t.OPEN, t.LOST_ONLY)
    .where(_R.last_lost_at > bindparam("since"))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Question:
    """What the customer was asked, and when. `about` is a survey, a reservation (callback), or a case (solved).

    Of `call-now` and `unsure` it is 0: the one says what 1 means for whatever is open, the other that nobody can tell.
    """

    kind: Kind
    about: int
    asked_at: int


def asked(work: Work, person: int) -> Question | None:
    """The question that a number from this customer answers now; None where nothing was asked.

    `unsure` where the question is too old, or where the customer was lost since, and our text about that has not left.
    """
    found = status.newest_that_left(work.connection, work.pbx, compose.person_word(person), ASKING)
    kind = "call-now" if found is None else ASKING[found.template]
    invited_at = _invited_at(work, person, answers=kind != "call-now")
    if found is None or found.at < invited_at:
        return Question("call-now", 0, invited_at) if invited_at else None
    if kind == "call-now":
        return Question(kind, 0, found.at)
    if work.now - found.at > LASTS_US or _lost_since(work, person, found.at):
        return Question("unsure", 0, found.at)
    return Question(kind, _about(found.cause), found.at)


def _invited_at(work: Work, person: int, *, answers: bool) -> int:
    """When an answer of ours said last that 1 is a call: who `answers` a question is told so for HELP alone."""
    wishes = ["help"] if answers else ["help", "unclear"]
    return work.connection.execute(_INVITED, {"person": person, "wishes": wishes}).scalar_one() or 0


def _lost_since(work: Work, person: int, since: int) -> bool:
    asked = {"person": person, "of_pbx": work.pbx, "since": since}
    return work.connection.execute(_LOST_SINCE, asked).first() is not None


def _about(cause: str) -> int:
    """ask/7, survey/7, confirm/7/2, or the same asked once more: 7."""
    return int(cause.split("/")[1])
