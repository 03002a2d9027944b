"""Answers: texts of customers that the machine did not understand. One is read, acted upon, and the next one opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import RedirectResponse, Response

from callback.decisions import reasons, replies
from callback.decisions.acts import answers as acts
from callback.decisions.acts.answers import Done, NoSuchAnswer, NotOpen, Way, Wish
from callback.decisions.undoing import NoSuchBatch, NotUndone
from callback.reports import answers as report
from callback.reports.answers import Letter
from callback.reports.care import cases
from callback.site.work import Work
from callback.store.audit import By
from callback.texts.compose import REPLIES
from callback.web.console import gate
from callback.web.console.acts import answer as told
from callback.web.console.acts import form
from callback.web.console.acts.form import Faulty
from callback.web.console.number import Number
from callback.web.console.visit import Visit
from scheduler.clock import local
from sms.inbound import guessed_time
from sms.status import WholeText

router = APIRouter()

_WAYS: Final[dict[str, Way]] = {way: way for way in acts.WAYS}
_ASKED: Final = reasons.said("asked")
_OPEN: Final = ("waiting", "held")
"""States in which something can be decided about the reservation."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The text that is open, what it answers, the time that it may ask for, and the others."""

    letter: Letter | None
    ours: WholeText | None
    at: str
    others: list[Letter]
    more: bool


@router.get("/answers")
def answers(visit: gate.Look) -> Response:
    """Show the texts to be read; the oldest is open."""
    return _page(visit, None)


@router.get("/answers/{number}")
def answer(visit: gate.Look, number: Number) -> Response:
    """Show one of them."""
    return _page(visit, number)


@router.post("/answers/{number}/undo")
def undo(visit: gate.Decide, number: Number) -> Response:
    """Put a text back on the list, with what was done about it a moment ago."""
    by, groups = By(visit.viewer.user, reasons.NONE_GIVEN), visit.viewer.groups
    try:
        visit.act(lambda work: acts.take_back(work, number, by, groups))
    except NoSuchAnswer as error:
        raise HTTPException(404) from error
    except (NoSuchBatch, NotOpen):
        return told.not_undone(visit, None)
    except NotUndone as error:
        return told.not_undone(visit, error)
    if not visit.wants_fragment:
        return RedirectResponse(f"/answers/{number}", 303)
    return _page(visit, number, undone=True)


@router.post("/answers/{number}/{way}")
def act(
    visit: gate.Decide,
    number: Number,
    way: str,
    items: Annotated[str, Form()] = "",
    at: Annotated[str, Form()] = "",
    template: Annotated[str, Form()] = "",
) -> Response:
    """Do something about a text, which is read by that; the next one opens."""
    if way not in _WAYS:
        raise HTTPException(404)
    by, groups = By(visit.viewer.user, _ASKED if way != "done" else reasons.NONE_GIVEN), visit.viewer.groups

    def do(work: Work) -> Done:
        return acts.act(work, number, _wish(work, _WAYS[way], items, at, template), by, groups)

    try:
        done = visit.act(do)
    except NoSuchAnswer as error:
        raise HTTPException(404) from error
    except Faulty as error:
        return _page(visit, number, 422, fault=error.fault)
    except NotOpen:
        return _page(visit, number, 409, taken=True)
    if done.refused or done.no_text:
        return _page(visit, number, 409, done=done)
    if not visit.wants_fragment:
        return RedirectResponse("/answers", 303)
    return _page(visit, None, done=done, after=number)


def _wish(work: Work, way: Way, items: str, at: str, template: str) -> Wish:
    """What is wished for. Faulty where the form lacks something."""
    if way in {"done", "block"}:
        return Wish(way)
    if way == "reply":
        if template not in REPLIES:
            raise Faulty("bad-rows")
        return Wish(way, template=template)
    filled = form.checked(form.form_of("slot" if way == "slot" else "call-now", [items], (), [at], ()))
    return Wish(way, filled.asked[0], filled.instant(work.now, work.site.hours.zone))


def _page(
    visit: Visit,
    number: int | None,
    status: int = 200,
    *,
    after: int | None = None,
    **said: Any,  # noqa: ANN401 - what the template tells
) -> Response:
    def read(work: Work) -> dict[str, Any]:
        seen = _read(work, visit, number, after)
        complain = visit.viewer.may("care") and bool(cases.queues(work, visit.viewer.groups))
        return {"seen": seen, "templates": _templates(work, seen.letter), "may_complain": complain}

    told_alone = visit.wants_fragment and visit.request.method == "POST"
    return visit.page(
        "customers/answer_told.html" if told_alone else "customers/answers.html", status,
        may_decide=visit.viewer.may("decide"), may_block=visit.viewer.may("block"), states=_OPEN,
        now=visit.console.now(),
        **{"done": None, "fault": "", "taken": False, "undone": False, **said}, **visit.look(read),
    )  # fmt: skip


def _read(work: Work, visit: Visit, number: int | None, after: int | None) -> _Seen:
    groups = visit.viewer.groups
    if number is not None:
        one = report.letter(work, number, groups)
        if one is None:
            raise HTTPException(404)
        waiting = report.unread(work, groups, limit=report.PAGE + 1)
    else:
        last = report.letter(work, after, groups) if after is not None else None
        behind = report.unread(work, groups, last, limit=1) if last else []
        waiting = report.unread(work, groups, limit=report.PAGE + 1)
        one = next(iter([*behind, *waiting]), None)
    others = [letter for letter in waiting if one is None or letter.answer != one.answer]
    if one is None:
        return _Seen(None, None, "", [], more=False)
    return _Seen(one, report.answered(work, one), _said_at(work, one), others[: report.PAGE], len(others) > report.PAGE)


def _said_at(work: Work, one: Letter) -> str:
    """The time that its words may mean, as it would be written; empty where there is none, or nobody may ring then."""
    said = guessed_time(one.body)
    if said is None or one.row is None or not one.row.open:
        return ""
    at = replies.moment(work, one.row, one.row.e164, said)
    if at is None:
        return ""
    then, today = local(at, work.site.hours.zone), local(work.now, work.site.hours.zone)
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%Y-%m-%d %H:%M}"


def _templates(work: Work, one: Letter | None) -> list[tuple[str, str]]:
    """The texts that may be sent as a reply, with what each says."""
    if one is None or one.row is None:
        return []
    queue = work.site.rules.queue(one.row.queue)
    values, render = {"caller_id": queue.caller_id}, work.site.texting.templates.render
    return [(name, render(name, queue.language, values, queue=one.row.queue)) for name in REPLIES]
