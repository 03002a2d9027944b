"""The texts of customers that a person has still to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Select, bindparam, select, tuple_

from callback.accounts.roles import Groups
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from sms.status import WholeText

PAGE: Final = 50
"""Texts that are shown at a time."""

_A, _R, _P = t.answer.c, t.reservation.c, t.person.c
_LETTERS = (
    select(_A.id, _P.number, _A.person_id, _A.reservation_id, _A.received_at, _A.wish, _A.body, _A.state, _A.done_by)
    .select_from(
        t.answer.outerjoin(t.person, _P.id == _A.person_id).outerjoin(t.reservation, _R.id == _A.reservation_id)
    )
    .where(_A.pbx == bindparam("of_pbx"))
)
_OLDEST = _LETTERS.where(t.FOR_PEOPLE).order_by(_A.received_at, _A.id)
_OF_GROUPS = _R.queue_group.in_(bindparam("of_groups", expanding=True))
_AFTER = tuple_(_A.received_at, _A.id) > tuple_(bindparam("after_at"), bindparam("after_id"))
_ROWS = RESERVATIONS.where(_R.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Answer:
    """One text; `number` is None where the sender gave none, `reservation` where it is about none."""

    answer: int
    number: str | None
    reservation: int | None
    received_at: int
    wish: str
    body: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def open_answers(work: Work, limit: int) -> list[Answer]:
    """The texts to a PBX that a person has still to read, the oldest first."""
    columns = select(_A.id, t.person.c.number, _A.reservation_id, _A.received_at, _A.wish, _A.body)
    oldest = columns.select_from(t.answer).outerjoin(t.person).where(t.FOR_PEOPLE, _A.pbx == work.pbx)
    return [Answer(*row) for row in work.connection.execute(oldest.order_by(_A.received_at).limit(limit))]


@dataclass(frozen=True, slots=True)
class Letter:
    """One text with its reservation, as a page shows it."""

    answer: int
    number: str | None
    person: int | None
    received_at: int
    wish: str
    body: str
    open: bool
    done_by: str | None
    row: Reservation | None


def unread(work: Work, groups: Groups = None, after: Letter | None = None, limit: int = PAGE) -> list[Letter]:
    """The texts that a person has still to read, of reservations of these groups or all, the oldest first.

    A text about no reservation belongs to no group: only who may see all groups sees it. `after`: those behind it.
    """
    asked: dict[str, Any] = {}
    query = _OLDEST.limit(limit)
    if after is not None:
        query, asked = query.where(_AFTER), {"after_at": after.received_at, "after_id": after.answer}
    return _letters(work, query, groups, asked)


def letter(work: Work, answer: int, groups: Groups = None) -> Letter | None:
    """One text, read or not; None where there is none for these groups."""
    return next(
        iter(_letters(work, _LETTERS.where(_A.id == bindparam("of_answer")), groups, {"of_answer": answer})), None
    )


def answered(work: Work, one: Letter) -> WholeText | None:
    """The last text of ours about its reservation that left before it came: what it answers."""
    if one.row is None:
        return None
    ours = [text for about, text in compose.texts_of(work.connection, None, [one.row.id]) if about == one.row.id]
    before = [text for text in ours if text.sent_at is not None and text.sent_at <= one.received_at]
    return max(before, key=lambda text: text.sent_at or 0, default=None)


def _letters(work: Work, query: Select[Any], groups: Groups, asked: dict[str, Any]) -> list[Letter]:
    wanted = query if groups is None else query.where(_OF_GROUPS)
    found = work.connection.execute(wanted, {**asked, "of_pbx": work.pbx, "of_groups": sorted(groups or ())}).all()
    ids = [row.reservation_id for row in found if row.reservation_id is not None]
    rows = {row.id: row for row in read(work.connection, _ROWS, {"ids": ids})} if ids else {}
    return [
        Letter(
            row.id, row.number, row.person_id, row.received_at, row.wish, row.body, row.state == "open", row.done_by,
            rows.get(row.reservation_id),
        )
        for row in found
    ]  # fmt: skip
