"""What people decide: a form for each act, undo, and what came of it for those without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import HTMLResponse, Response

from callback.decisions import blocking, pieces, records, undoing
from callback.decisions.batch import Wish
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.records import Action
from callback.decisions.undoing import NoSuchBatch, NotUndone
from callback.reservations import slots
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.acts import answer
from callback.web.console.acts.form import Faulty, action_of, checked, form_of, rows_of
from callback.web.console.acts.form import Form as Filled
from callback.web.console.live.standing import Pulse
from callback.web.console.number import Number
from callback.web.console.visit import Visit

router = APIRouter()

Lines = Annotated[list[str], Form()]
WHAT: Final = {"both": (True, True), "calls": (True, False), "texts": (False, True)}
"""What a number may be blocked for: our calls, our texts."""
_NONE: Final[list[str]] = []


class _Stale(Exception):
    """What the page shows is not what is: nothing is closed by it."""


@router.post("/act/block")
def block(
    visit: gate.Block, items: Lines = _NONE, why: Lines = _NONE, what: Annotated[str, Form()] = "both"
) -> Response:
    """Block the number of one reservation's customer, at once."""
    filled = form_of("block", items, why, (), ())
    try:
        filled = checked(filled)
        if len(filled.asked) > 1:
            raise Faulty("one-number")  # noqa: TRY301 - answered as every other fault of the form
    except Faulty as error:
        return answer.again(visit, filled, error.fault)
    calls, texts = WHAT.get(what, WHAT["both"])
    by, reservation, groups = By(visit.viewer.user, filled.reason), filled.asked[0].reservation, visit.viewer.groups
    done = visit.act(lambda work: blocking.block(work, reservation, by, calls=calls, texts=texts, groups=groups))
    return answer.of_batch(visit, filled, done)


@router.post("/act/{name}")
def act(
    visit: gate.Decide, name: str, items: Lines = _NONE, why: Lines = _NONE, at: Lines = _NONE, to: Lines = _NONE
) -> Response:
    """Decide about reservations, each by the revision that the page showed."""
    filled = form_of(_known(name), items, why, at, to)
    try:
        filled = checked(filled)
        wish = visit.look(lambda work: _wish(work, visit, filled))
        done = pieces.decide(visit.act, wish, filled.asked)
    except Faulty as error:
        return answer.again(visit, filled, error.fault, times=_free(visit, filled))
    except _Stale:
        return answer.stale(visit)
    return answer.of_batch(visit, filled, done, wish.at, times=() if done.done else _free(visit, filled))


@router.post("/undo")
def undo(visit: gate.Decide, batch: Annotated[str, Form()] = "") -> Response:
    """Undo a batch, whosever it is: within its time, and what nobody has changed since."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    try:
        undone = visit.act(lambda work: undoing.undo(work, number_of(batch), by, groups=groups))
    except NoSuchBatch:
        return answer.not_undone(visit, None)
    except NotUndone as error:
        return answer.not_undone(visit, error)
    return answer.of_undo(visit, undone)


@router.get("/act/{name}/{reservation}")
def ask(visit: gate.Decide, name: str, reservation: Number) -> HTMLResponse:
    """Ask for what an act needs: a reason, a name, or one of the times that this customer may still choose."""
    action = _known(name)
    rows = visit.look(lambda work: records.seen(work, [reservation], visit.viewer.groups))
    if not rows:
        raise HTTPException(404)
    filled = form_of(action, [f"{row.id}:{row.revision}" for row in rows], (), (), ())
    return answer.asking(visit, filled, _free(visit, filled))


@router.get("/acts/{batch}")
def done(visit: gate.Decide, batch: str) -> HTMLResponse:
    """Show what a batch did, and undo while that is possible: where a form without script leads to."""
    kept = visit.look(lambda work: records.kept(work, number_of(batch), visit.viewer.groups))
    if kept is None:
        raise HTTPException(404)
    return answer.of_kept(visit, kept)


def _wish(work: Work, visit: Visit, filled: Filled) -> Wish:
    """What is wished for. Faulty where the time is none, _Stale where nothing is closed now."""
    if filled.closes and is_stale(work):
        raise _Stale
    chosen_at = filled.instant(work.now, work.site.hours.zone)
    return Wish(filled.action, By(visit.viewer.user, filled.reason), chosen_at, filled.to, visit.viewer.groups)


def is_stale(work: Work) -> bool:
    """Whether the service, or its PBX, is not heard any more: nobody knows what has become of these callbacks."""
    pulse = Pulse(work.now)
    pulse.look(work)
    return pulse.standing(work.now).stale is not None


def _free(visit: Visit, filled: Filled) -> Sequence[int]:
    """The half hours that the customer may choose, where one reservation is asked about."""
    if filled.action != "slot":
        return ()
    try:
        asked = rows_of(filled)
    except Faulty:
        return ()
    if len(asked) != 1:
        return ()

    def look(work: Work) -> Sequence[int]:
        rows = records.seen(work, [asked[0].reservation], visit.viewer.groups)
        return [at for row in rows if row.open for at in slots.free(work, row, row.e164)[: answer.TIMES]]

    return visit.look(look)


def _known(name: str) -> Action:
    action = action_of(name)
    if action is None:
        raise HTTPException(404)
    return action


def number_of(said: str) -> int:
    """The number of a batch; none where it is none."""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else 0  # noqa: PLR2004 - what fits
