"""What customers answer to the question after a service; a low answer opens a case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

from callback.care import cases, follow_up, repair
from callback.care.cases import NewCase
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import CUSTOMER

_S = t.survey.c
_COLUMNS = (_S.id, _S.person_id, _S.queue, _S.kind, _S.about, _S.agent, _S.asked_at, _S.score, _S.case_id)
_BY_ID = select(*_COLUMNS).where(_S.pbx == bindparam("of_pbx"), _S.id == bindparam("of_id")).with_for_update()
_BY_ABOUT = select(*_COLUMNS).where(_S.pbx == bindparam("of_pbx"), _S.about == bindparam("is_about")).with_for_update()


@dataclass(frozen=True, slots=True)
class Survey:
    """A question that was asked; `case` is what it was a repair of, or what its answer opened."""

    id: int
    person: int
    queue: str
    kind: str
    about: str
    agent: str | None
    asked_at: int
    score: int | None
    case: int | None


def read_one(work: Work, survey: int) -> Survey | None:
    """Read a question of this PBX, locked."""
    return _read(work, _BY_ID, {"of_id": survey})


def about_callback(work: Work, reservation: int) -> Survey | None:
    """The question about a callback; None for one that was asked before questions were kept."""
    return _read(work, _BY_ABOUT, {"is_about": f"callback/{reservation}"})


def answered(work: Work, survey: Survey, score: int, words: str) -> int | None:
    """Keep an answer, the last one counts; give the case that it is about, or that it opened, if any."""
    work.connection.execute(update(t.survey).where(_S.id == survey.id).values(score=score, answered_at=work.now))
    if survey.kind == "repair":
        if survey.case is not None:
            repair.judged(work, survey.case, score)
        return survey.case
    if survey.case is not None or score > work.site.rules.care.low:
        return survey.case
    return _open_case(work, survey, score, words)


def said(work: Work, survey: Survey, words: str) -> None:
    """Keep beside the open case of an answer what the customer writes besides."""
    if survey.case is not None and cases.read_one(work, survey.case).open:
        cases.change(work, survey.case, CUSTOMER, "said", words.strip())


def _open_case(work: Work, survey: Survey, score: int, words: str) -> int | None:
    if not work.site.rules.queue(survey.queue).care.cases:
        return None
    call = survey.about.removeprefix("call/") if survey.kind == "call" else None
    new = NewCase(
        kind="dissatisfied",
        person=survey.person,
        queue=survey.queue,
        source="survey",
        by=CUSTOMER,
        words=words.strip(),
        agent=survey.agent,
        call_id=call,
        survey=survey.id,
    )
    opened = cases.open_case(work, new)
    work.connection.execute(update(t.survey).where(_S.id == survey.id).values(case_id=opened.case))
    if opened.made:
        cases.change(work, opened.case, CUSTOMER, "scored", str(score))
        repair.begin(work, opened.case)
    else:
        follow_up.again(work, opened.case, CUSTOMER)
    return opened.case


def _read(work: Work, wanted: Any, asked: dict[str, Any]) -> Survey | None:  # noqa: ANN401 - one of the two above
    row = work.connection.execute(wanted, {"of_pbx": work.pbx, **asked}).first()
    return None if row is None else Survey(*row)
