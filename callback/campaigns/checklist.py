"""The five S of a crisis: shoulder the matter, sincerity, speed, system, standard; each with who answers for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from sqlalchemy import select, update

from callback.errors import CallbackError
from callback.site.work import Work
from callback.store import tables as t
from callback.store.inserting import insert_new

Line = Literal["shoulder", "sincerity", "speed", "system", "standard"]
LINES: Final[tuple[Line, ...]] = get_args(Line)
_K = t.campaign_check.c


class NoSuchLine(CallbackError):
    """The five S have no such line."""


@dataclass(frozen=True, slots=True)
class Check:
    """A line of the checklist: who answers for it, whether it is done, since when and by whom, and a note."""

    line: Line
    owner: str = ""
    done_at: int | None = None
    done_by: str | None = None
    note: str = ""


def line_of(word: str) -> Line:
    """The line of that name. NoSuchLine."""
    for line in LINES:
        if line == word:
            return line
    raise NoSuchLine(f"'{word}' is no line of the checklist: {', '.join(LINES)}")


def read(work: Work, campaign: int) -> list[Check]:
    """All five lines, in their order; who never wrote about one finds it empty."""
    wanted = select(_K.line, _K.owner, _K.done_at, _K.done_by, _K.note).where(_K.campaign_id == campaign)
    found = {row.line: Check(*row) for row in work.connection.execute(wanted)}
    return [found.get(line, Check(line)) for line in LINES]


def write(work: Work, campaign: int, said: Check) -> Check:
    """Keep a line as it is said; what was done stays done by whom it was, unless it is taken back."""
    key = {"campaign_id": campaign, "line": said.line}
    insert_new(work.connection, t.campaign_check, {**key, "owner": "", "note": ""})
    theirs = (_K.campaign_id == campaign, _K.line == said.line)
    standing = work.connection.execute(select(_K.done_at, _K.done_by).where(*theirs).with_for_update()).one()
    stays = said.done_at is not None and standing.done_at is not None
    done_at, done_by = (standing.done_at, standing.done_by) if stays else (said.done_at, said.done_by)
    kept = Check(said.line, said.owner, done_at, done_by if done_at is not None else None, said.note)
    values = {"owner": kept.owner, "note": kept.note, "done_at": kept.done_at, "done_by": kept.done_by}
    work.connection.execute(update(t.campaign_check).where(*theirs).values(values))
    return kept
