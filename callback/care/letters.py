"""Letters to departments: a row in the transaction that makes it necessary, sent by mail at another time.

A letter names no number and, where its department has a page to answer on, none of the customer's words: mail is read
on its way. `mailing` sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import bindparam, select, update

from callback.care import cases, links
from callback.care.cases import Case
from callback.logs.masking import masked_text
from callback.site.sentences import sentences
from callback.site.work import Work
from callback.store import tables as t
from callback.store.inserting import insert_new
from scheduler.clock import shown

SUBJECT_ROOM: Final = 200
_FOLDER: Final = Path(__file__).with_name("letter_words")
_L = t.care_letter.c
_TAKE_BACK = (
    update(t.care_letter)
    .where(_L.pbx == bindparam("of_pbx"), _L.case_id == bindparam("of_case"), t.LETTER_WAITING)
    .values(state="withdrawn", reason=bindparam("because"), settled_at=bindparam("at"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter as it is written; one for each `cause`."""

    cause: str
    department: str
    address: str
    subject: str
    body: str
    case: int | None = None


def put(work: Work, letter: Letter) -> bool:
    """Let a letter be sent; False where its cause has one already."""
    values = {
        "pbx": work.pbx,
        "cause": letter.cause,
        "case_id": letter.case,
        "department": letter.department,
        "address": letter.address,
        "subject": " ".join(letter.subject.split())[:SUBJECT_ROOM],
        "body": letter.body,
        "state": "waiting",
        "created_at": work.now,
        "next_at": work.now,
    }
    return insert_new(work.connection, t.care_letter, values)


def is_written(work: Work, cause: str) -> bool:
    """Whether there is a letter of this cause."""
    return work.connection.execute(select(_L.id).where(_L.cause == cause)).first() is not None


def write(work: Work, case: int) -> bool:
    """Write to the department of a case; False where it has no mail address: webhooks tell it then."""
    found = cases.read_one(work, case)
    address = address_of(work, found.department)
    if not address:
        return False
    words = sentences(_FOLDER, work.site.rules.queue(found.queue).language)
    values = _values(work, found)
    parts = [words["asked"].format_map(values), _facts(words, values)]
    url = links.url(work, found)
    if url is None:
        parts += [f"{words[name]}\n{values[name]}" for name in ("words", "wish") if values[name]]
        parts.append(words["no_page"].format_map(values))
    else:
        parts.append(words["page"].format_map({**values, "link": url}))
    letter = Letter(
        cause=f"case/{found.id}/{found.revision}",
        department=found.department,
        address=address,
        subject=words["subject"].format_map(values),
        body="\n\n".join(parts) + "\n",
        case=found.id,
    )
    return put(work, letter)


def withdraw(work: Work, case: int, why: str) -> None:
    """Take back the letters about a case that have not left."""
    work.connection.execute(_TAKE_BACK, {"of_pbx": work.pbx, "of_case": case, "because": why, "at": work.now})


def address_of(work: Work, department: str) -> str:
    """Where a department gets its letters; empty: nowhere."""
    known = work.site.rules.care.departments.get(department)
    return "" if known is None else known.mail


def _values(work: Work, case: Case) -> Mapping[str, str]:
    care = work.site.rules.care
    return {
        "case": str(case.id),
        "topic": care.topics.get(case.topic, case.topic) or "-",
        "product": case.product or "-",
        "severity": str(case.severity),
        "due": shown(case.due_at, work.now, work.site.hours.zone),
        "words": masked_text(case.words),
        "wish": masked_text(case.wish),
        "promised": masked_text(case.promised) or "-",
        "owner": case.owner or "-",
    }


def _facts(words: Mapping[str, str], values: Mapping[str, str]) -> str:
    return "\n".join(
        words[f"of_{name}"].format_map(values) for name in ("topic", "product", "severity", "due", "promised")
    )
