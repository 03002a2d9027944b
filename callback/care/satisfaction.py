"""The question after a repair: how a customer who was not content is served by now."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, func, select

from callback.care.cases import Case
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import asking
from callback.texts.asking import Service

SATISFIED: Final = 4
"""This and more, of 5, is "satisfied" in the reports too; 3 is neither good nor bad, and confirms nothing."""
_S = t.survey.c
_UNANSWERED = select(_S.id).where(
    *(_S.case_id == bindparam("of_case"), _S.kind == "repair", _S.pbx == bindparam("of_pbx"), _S.score.is_(None))
)
_REPAIRS = (
    select(func.count())
    .select_from(t.survey)
    .where(_S.case_id == bindparam("of_case"), _S.kind == "repair", _S.pbx == bindparam("of_pbx"))
)


def ask_after_repair(work: Work, case: Case) -> bool:
    """Ask by text how a repair was; False where that cannot be asked by text, so that a call must ask."""
    about = f"repair/{case.id}/{asked_before(work, case) + 1}"
    service = Service(
        kind="repair",
        about=about,
        queue=case.queue,
        person=case.person_id,
        e164=case.e164,
        agent=case.agent,
        case=case.id,
    )
    return asking.ask(work, service) is not None


def words(work: Work, case: Case) -> list[str]:
    """The outbox's words for the questions about the repairs of a case that nobody has answered."""
    asked = {"of_case": case.id, "of_pbx": work.pbx}
    return [asking.word(survey) for survey in work.connection.execute(_UNANSWERED, asked).scalars()]


def asked_before(work: Work, case: Case) -> int:
    """How often it was asked of this case."""
    asked = {"of_case": case.id, "of_pbx": work.pbx}
    return int(work.connection.execute(_REPAIRS, asked).scalar_one())
