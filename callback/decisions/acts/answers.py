"""What a person does about a customer's text: an act about its reservation, or a reply, and the text is read with it.

All of it is taken back together, for 15 seconds. A reply leaves when that is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import bindparam, select, update

from callback.accounts.roles import Groups
from callback.decisions import batch as deciding
from callback.decisions import blocking, undoing
from callback.decisions.records import UNDO_US, Action, Asked, Batch, Refusal
from callback.errors import CallbackError
from callback.site.telling import tell
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from callback.texts.compose import REPLIES

Way = Literal["done", "slot", "call-now", "block", "reply"]
WAYS: Final[tuple[Way, ...]] = ("done", "slot", "call-now", "block", "reply")
_ACTS: Final[dict[Way, Action]] = {"slot": "slot", "call-now": "call-now"}

_A, _R = t.answer.c, t.reservation.c
_ONE = (
    select(_A.id, _A.reservation_id, _A.state, _A.done_by, _A.done_at)
    .outerjoin_from(t.answer, t.reservation, _R.id == _A.reservation_id)
    .where(_A.id == bindparam("of_answer"), _A.pbx == bindparam("of_pbx"))
)
_LOCK = _ONE.with_for_update(of=t.answer)
_LOCK_OF_GROUPS = _ONE.where(_R.queue_group.in_(bindparam("of_groups", expanding=True))).with_for_update(of=t.answer)
_B, _I = t.batch.c, t.batch_item.c
_BATCH = (
    select(_B.id)
    .join_from(t.batch, t.batch_item, _I.batch_id == _B.id)
    .where(_B.pbx == bindparam("of_pbx"), _B.at == bindparam("done_at"), _B.who == bindparam("done_by"))
    .where(_I.reservation_id == bindparam("of_reservation"), _B.action.in_((*_ACTS.values(), "block")))
)
"""What was decided about its reservation as the text was read: at that moment, by that person."""
_SETTLE = update(t.answer).where(_A.id == bindparam("of_answer"))
_SETTLE = _SETTLE.values(state=bindparam("as_state"), done_by=bindparam("by_whom"), done_at=bindparam("then_at"))


class NoSuchAnswer(CallbackError):
    """There is no text of that number that may be seen."""


class NotOpen(CallbackError):
    """Somebody has read that text already, or it can be put back no more."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is done about a text: `asked` is its reservation as the page showed it, `at` a time, `template` a reply."""

    way: Way
    asked: Asked | None = None
    at: int | None = None
    template: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about a text, and until when it can be taken back; nothing where it was `refused`, or no text left.

    `no_text` says why no reply can be sent.
    """

    answer: int
    way: Way
    undo_until_at: int = 0
    refused: tuple[Refusal, ...] = ()
    no_text: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    reservation: int | None
    state: str
    done_by: str | None
    done_at: int | None


def act(work: Work, answer: int, wish: Wish, by: By, groups: Groups = None) -> Done:
    """Do it, and take the text off the list of those to be read. NoSuchAnswer; NotOpen where others were quicker."""
    row = _locked(work, answer, groups)
    if row.state != "open":
        raise NotOpen(f"text {answer} was read already, by {row.done_by or 'somebody'}")
    batch = _about(work, row, wish, by, groups)
    if batch is not None and not batch.done:
        return Done(answer, wish.way, refused=batch.refused)
    until_at = batch.undo_until_at if batch is not None else work.now + UNDO_US
    if wish.way == "reply":
        why = _reply(work, row, wish.template, until_at)
        if why is not None:
            return Done(answer, wish.way, no_text=why)
    _settle(work, row, by, "answer-done", {"how": wish.way})
    return Done(answer, wish.way, until_at)


def take_back(work: Work, answer: int, by: By, groups: Groups = None) -> None:
    """Put a text back on the list, with all that was done about it. NoSuchAnswer, NotOpen, or what undoing raises.

    NotUndone too where its reservation cannot be put back: the text stays read then.
    """
    row = _locked(work, answer, groups)
    if row.state == "open" or row.done_by is None or row.done_at is None:
        raise NotOpen(f"nobody has read text {answer}")
    about = {"of_pbx": work.pbx, "done_at": row.done_at, "done_by": row.done_by, "of_reservation": row.reservation}
    batch = work.connection.execute(_BATCH, about).scalar()
    if batch is not None:
        undone = undoing.undo(work, batch, by, groups=groups)
        if undone.refused:
            raise undoing.NotUndone("changed", "somebody has decided about its reservation since")
    elif work.now >= row.done_at + UNDO_US:
        raise undoing.NotUndone("too-late", "it can be undone no more: 15 seconds have passed")
    compose.take_back_answer(work, _cause(row.id, row.done_at))
    _settle(work, row, by, "answer-open", {})


def _about(work: Work, row: _Row, wish: Wish, by: By, groups: Groups) -> Batch | None:
    """Do what is about its reservation; None where nothing is."""
    if wish.way == "block" and row.reservation is not None:
        return blocking.block(work, row.reservation, by, calls=False, texts=True, groups=groups)
    action = _ACTS.get(wish.way)
    if action is None and wish.way != "block":
        return None
    asked: Sequence[Asked] = [wish.asked] if wish.asked and wish.asked.reservation == row.reservation else []
    if action is None or not asked:
        raise CallbackError("this text is about no reservation: nothing can be decided about one")
    return deciding.decide(work, action, asked, by, at=wish.at, groups=groups)


def _reply(work: Work, row: _Row, template: str, until_at: int) -> str | None:
    """Write the reply, which leaves when it cannot be taken back; say why there is none."""
    if row.reservation is None or template not in REPLIES:
        raise CallbackError("a reply needs a reservation, and one of the texts that answer")
    return compose.answer(work, row.reservation, template, _cause(row.id, work.now), until_at)


def _cause(answer: int, at: int) -> str:
    return f"answer/{answer}/{at}"


def _locked(work: Work, answer: int, groups: Groups) -> _Row:
    asked = {"of_answer": answer, "of_pbx": work.pbx, "of_groups": sorted(groups or ())}
    found = work.connection.execute(_LOCK if groups is None else _LOCK_OF_GROUPS, asked).first()
    if found is None:
        raise NoSuchAnswer(f"there is no text {answer} on {work.pbx}")
    return _Row(*found)


def _settle(work: Work, row: _Row, by: By, action: str, facts: dict[str, str]) -> None:
    done = action == "answer-done"
    values = {"as_state": "done" if done else "open", "by_whom": by.who if done else None}
    work.connection.execute(_SETTLE, {"of_answer": row.id, **values, "then_at": work.now if done else None})
    tell(work, by, action, {"answer": row.id, **facts}, row.reservation)
