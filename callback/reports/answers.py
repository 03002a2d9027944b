"""The texts of customers that a person has still to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from callback.site.work import Work
from callback.store import tables as t

_A = t.answer.c


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
