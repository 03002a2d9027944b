"""What came of an act: a toast with what was done and what not, and why, and undo for as long as that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import HTMLResponse, RedirectResponse, Response

from callback.decisions.reasons import PRESETS
from callback.decisions.records import CLOSING, Batch, Kept, Refusal
from callback.decisions.undoing import NotUndone, Undone
from callback.web.console.acts.form import TIMED, Fault, Form
from callback.web.console.back import page_before
from callback.web.console.queue import rows_now
from callback.web.console.visit import Visit

SHOWN: Final = 5
"""Refusals that are told one by one."""
TIMES: Final = 8
"""Times that are offered."""
_FORM: Final = frozenset({"outside-hours", "full", "passed", "too-far", "too-long"})
"""Reasons that another time, or name, puts right."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a toast says. `undo_until_at` is 0 where nothing can be undone; `stays` were ended for good."""

    action: str
    done: int
    every: int
    refused: tuple[Refusal, ...] = ()
    batch: int | None = None
    undo_until_at: int = 0
    stays: int = 0
    at: int | None = None
    undone_by: str = ""

    @property
    def listed(self) -> Sequence[Refusal]:
        """The refusals that are told one by one."""
        return self.refused[:SHOWN]


def of_batch(visit: Visit, form: Form, batch: Batch, at: int | None = None, times: Sequence[int] = ()) -> Response:
    """Answer an act: what was changed meanwhile is a conflict, and a time that suits nobody is to be put right."""
    every = len(batch.done) + len(batch.refused)
    undo = (batch.id, batch.undo_until_at, len(batch.stays))
    told = Told(form.action, len(batch.done), every, batch.refused, *undo, at)
    if not batch.done and all(one.why in _FORM for one in batch.refused):
        return again(visit, form, told=told, times=times)
    if not visit.wants_fragment and not batch.refused:
        return RedirectResponse(f"/acts/{batch.id}", 303)
    about = [*batch.done, *(one.reservation for one in batch.refused)]
    return _answer(visit, told, 409 if batch.refused and (batch.conflict or not batch.done) else 200, about)


def of_undo(visit: Visit, undone: Undone) -> Response:
    """Answer an undo."""
    told = Told("undo", len(undone.undone), len(undone.undone) + len(undone.refused), undone.refused)
    if not visit.wants_fragment and not undone.refused:
        return RedirectResponse(f"/acts/{undone.batch}", 303)
    about = [*undone.undone, *(one.reservation for one in undone.refused)]
    return _answer(visit, told, 409 if undone.refused else 200, about)


def of_kept(visit: Visit, kept: Kept) -> HTMLResponse:
    """Show what a batch did, and whether it was undone."""
    if kept.undone_by is not None:
        told = Told("undo", kept.many, kept.many, undone_by=kept.undone_by)
    else:
        until_at = kept.undo_until_at if visit.console.now() < kept.undo_until_at else 0
        told = Told(kept.action, kept.many, kept.many, (), kept.id, until_at)
    return _answer(visit, told, 200)


def not_undone(visit: Visit, error: NotUndone | None) -> HTMLResponse:
    """Say why a batch is not undone; None: there is none of that number for this viewer."""
    why, status = (error.why, 409) if error is not None else ("unknown", 404)
    return _answer(visit, None, status, not_undone=why)


def stale(visit: Visit) -> HTMLResponse:
    """Say that nothing is closed by what nobody has heard of lately."""
    return _answer(visit, None, 503, stale=True)


def again(
    visit: Visit, form: Form, fault: Fault | None = None, told: Told | None = None, times: Sequence[int] = ()
) -> HTMLResponse:
    """Ask once more, with what was filled in: a dialog of the page, or a page of its own."""
    return _ask(visit, 422, form, fault=fault or "", told=told, times=times)


def asking(visit: Visit, form: Form, times: Sequence[int]) -> HTMLResponse:
    """Ask for what an act needs."""
    return _ask(visit, 200, form, times=times)


def _ask(
    visit: Visit, status: int, form: Form, *, fault: str = "", told: Told | None = None, times: Sequence[int] = ()
) -> HTMLResponse:
    template = "acts/dialog.html" if visit.wants_fragment else "acts/again.html"
    return visit.page(
        template,
        status,
        form=form,
        fault=fault,
        told=told,
        presets=PRESETS[form.action],
        needs_time=form.action in TIMED,
        closes=form.closes,
        times=times,
        now=visit.console.now(),
        back=page_before(visit.request),
    )


def _answer(
    visit: Visit,
    told: Told | None,
    status: int,
    about: Sequence[int] = (),
    *,
    not_undone: str = "",
    stale: bool = False,
) -> HTMLResponse:
    """Say what came of it, and give the script of the queue page the rows that it was about as they are now."""
    template = "acts/answer.html" if visit.wants_fragment else "acts/page.html"
    return visit.page(
        template,
        status,
        told=told,
        not_undone=not_undone,
        stale=stale,
        closing=CLOSING,
        rows=rows_now.of_page(visit, about) if visit.wants_fragment else (),
        now=visit.console.now(),
        back=page_before(visit.request),
    )
