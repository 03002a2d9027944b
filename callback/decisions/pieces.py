"""Very many reservations are decided about in several transactions, so that nobody waits long for the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from callback.decisions import batch as deciding
from callback.decisions.batch import Wish
from callback.decisions.records import Asked, Batch
from callback.site.work import Work

PIECE: Final = 50
_T = TypeVar("_T")


class Transact(Protocol):
    """Does one unit of work in a transaction."""

    def __call__(self, do: Callable[[Work], _T], /) -> _T: ...  # noqa: D102


def decide(transact: Transact, wish: Wish, asked: Sequence[Asked]) -> Batch:
    """Decide about all of them, some in each transaction, as one batch, which can be undone for 15 s from its end.

    TooMany and NoReason as `batch.decide`. If this ends between two of them, what was done can be undone for longer.
    """
    deciding.must_be_possible(wish, asked)
    once = list({one.reservation: one for one in asked}.values())
    pieces = [once[begin : begin + PIECE] for begin in range(0, len(once), PIECE)]
    done = Batch(None, wish.action, (), ())
    for number, piece in enumerate(pieces, 1):
        done = _joined(done, transact(_piece(wish, piece, done.id, more=number < len(pieces))))
    if len(pieces) == 1 or done.id is None:
        return done
    batch = done.id
    return replace(done, undo_until_at=transact(lambda work: deciding.end(work, batch)))


def _piece(wish: Wish, piece: Sequence[Asked], batch: int | None, *, more: bool) -> Callable[[Work], Batch]:
    return lambda work: deciding.one_piece(work, wish, piece, batch, more=more)


def _joined(one: Batch, next_: Batch) -> Batch:
    refused = tuple(sorted((*one.refused, *next_.refused), key=lambda refusal: refusal.reservation))
    return replace(next_, id=one.id or next_.id, done=(*one.done, *next_.done), refused=refused)
