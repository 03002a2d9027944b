"""What an agent may say in a callback of care: its script, with what is known of the case, the sample or the flag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from callback.site.scripts import Kind, Script
from callback.site.work import Work
from callback.store import tables as t

_R, _C, _S, _F, _D = t.reservation.c, t.care_case.c, t.care_step.c, t.contact_flag.c, t.campaign.c
_FOLLOW_UPS = select(_R.id, _R.queue, _R.apart).where(
    _R.id.in_(bindparam("reservations", expanding=True)), _R.kind == t.FOLLOW_UP
)
_CASE = select(_C.kind, _C.callback, _C.words, _C.wish, _C.topic, _C.promised, _C.survey_id).where(
    _C.pbx == bindparam("of_pbx"), _C.id == bindparam("of_id")
)
_ANSWER = (
    select(_S.note).where(_S.case_id == bindparam("of_id"), _S.event == "answered").order_by(_S.id.desc()).limit(1)
)
_FLAG = select(_F.reason).where(_F.pbx == bindparam("of_pbx"), _F.id == bindparam("of_id"))
_CAMPAIGN = select(_D.name).where(_D.pbx == bindparam("of_pbx"), _D.id == bindparam("of_id"))
_DIGIT_ALONE: Final = 3
"""Words so short are the number that the customer answered, and worth no line."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said in a callback, and the case that it is about, where it is about one."""

    script: Script
    case: int | None


def of(work: Work, reservations: Iterable[int]) -> Mapping[int, Spoken]:
    """The scripts of those of these reservations that no lost call made."""
    rows = work.connection.execute(_FOLLOW_UPS, {"reservations": list(reservations)}).all()
    found = {row.id: _spoken(work, row.queue, row.apart) for row in rows}
    return {reservation: spoken for reservation, spoken in found.items() if spoken is not None}


def _spoken(work: Work, queue: str, apart: str) -> Spoken | None:
    word, _, rest = apart.partition("/")
    name = rest.partition("/")[0]
    read = _READ.get(word)
    known = read(work, int(name)) if read is not None and name.isdecimal() else None
    if known is None:
        return None
    rules = work.site.rules.queue(queue)
    kind, values = known
    values |= {"offer": work.site.rules.care.offer, "caller_id": rules.caller_id}
    script = work.site.texting.scripts.script(kind, rules.language, values)
    return Spoken(script, int(name) if word == "case" else None)


def _case(work: Work, number: int) -> tuple[Kind, dict[str, str]] | None:
    row = _row(work, _CASE, number)
    if row is None:
        return None
    kind: Kind = "confirm" if row.callback == "confirm" else row.kind
    words = "" if row.survey_id is not None and len(row.words) <= _DIGIT_ALONE else row.words
    topic = work.site.rules.care.topics.get(row.topic, row.topic)
    done = work.connection.execute(_ANSWER, {"of_id": number}).scalar() or ""
    return kind, {"words": words, "wish": row.wish, "topic": topic, "promised": row.promised, "answer": done}


def _flag(work: Work, number: int) -> tuple[Kind, dict[str, str]] | None:
    row = _row(work, _FLAG, number)
    return None if row is None else ("flag", {"reason": row.reason})


def _sample(work: Work, number: int) -> tuple[Kind, dict[str, str]] | None:
    row = _row(work, _CAMPAIGN, number)
    return None if row is None else ("sample", {"campaign": row.name})


def _row(work: Work, wanted: Any, number: int) -> Any:  # noqa: ANN401 - a row of one of the three above
    return work.connection.execute(wanted, {"of_pbx": work.pbx, "of_id": number}).first()


_READ: Final = {"case": _case, "flag": _flag, "sample": _sample}
