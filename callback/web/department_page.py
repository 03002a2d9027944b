"""The page behind a letter's link: what a department needs to answer a complaint, and a form for its answer.

The token in its address opens one case while that case is the department's. No login, no script, no cookie; no number
of the customer is shown, not even one that the customer wrote. To look changes nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from callback.care import links
from callback.care.cases import Case
from callback.decisions.care import department
from callback.decisions.care.acting import CASE_TEXT
from callback.decisions.care.department import AnsweredEnough
from callback.errors import IllegalTransition
from callback.logs.masking import masked_text
from callback.site.tokens import LinkExpired, NoSuchLink
from callback.site.work import Work
from callback.web.customer_page import Page, document
from callback.web.languages import TAGS, Language
from scheduler.clock import shown

FIELD: Final = "answer"
_FOLDER: Final = Path(__file__).with_name("pages") / "department"
_DONE: Final = 200


@dataclass(frozen=True, slots=True)
class _View:
    """A case as its department may see it."""

    work: Work
    case: Case
    language: Language

    def say(self, key: str) -> str:
        """A sentence of the page, fit to stand in HTML."""
        values = {"case": self.case.id, "department": self.case.department, "due": self.time(self.case.due_at)}
        return escape(_words(self.language)[key].format_map(values))

    def time(self, at: int) -> str:
        return shown(at, self.work.now, self.work.site.hours.zone)


def show(work: Work, token: str, language: Language) -> Page:
    """The page of a link: 404 for one that is not ours or not theirs any more, 410 for one whose time is over."""
    try:
        return _page(_View(work, links.opened(work, token), language))
    except (NoSuchLink, LinkExpired) as error:
        return _refused(error, language)


def act(work: Work, token: str, form: Mapping[str, str], language: Language) -> Page:
    """Take the answer and show what stands then.

    400 for an empty one or one that is too long, 409 where none is taken any more, 429 after very many.
    """
    said = form.get(FIELD, "").replace("\r\n", "\n").replace("\0", "")
    try:
        view = _View(work, links.opened(work, token, lock=True), language)
        if not said.strip() or len(said.strip()) > CASE_TEXT:
            return _page(view, 400, "long" if said.strip() else "empty", said)
        notice = "thanks" if department.answer(work, token, said) else "again"
        return _page(_View(work, links.opened(work, token), language), _DONE, notice)
    except (NoSuchLink, LinkExpired) as error:
        return _refused(error, language)
    except IllegalTransition:
        return _page(view, 409)
    except AnsweredEnough:
        return _page(view, 429, "enough")


def foreign(language: Language) -> Page:
    """Say no to what another site sent."""
    return _told(403, "refused", language)


def _page(view: _View, status: int = _DONE, notice: str = "", draft: str = "") -> Page:
    body = [f'<p class="notice" role="status">{view.say(notice)}</p>'] if notice else []
    takes = view.case.state in department.TAKES
    body.append(f'<p class="promise">{view.say(_stands(view) if takes else "closed")}</p>')
    if takes:
        if view.case.state != "answered":
            body.append(f"<p>{view.say('intro')}</p>")
        body += [
            _facts(view),
            *_said(view),
            _form(view, "" if status == _DONE else draft),
        ]
    return document(status, TAGS[view.language], view.say("title"), body)


def _stands(view: _View) -> str:
    if view.case.state == "answered":
        return "answered"
    return "overdue" if view.case.due_at <= view.work.now else "due"


def _facts(view: _View) -> str:
    case, care = view.case, view.work.site.rules.care
    told = {
        "topic": care.topics.get(case.topic, case.topic),
        "product": case.product,
        "severity": _words(view.language).get(f"severity_{case.severity}", ""),
        "opened": view.time(case.opened_at),
        "promised": case.promised,
        "promised_by": "" if case.promised_by_at is None else view.time(case.promised_by_at),
        "words": case.words,
        "wish": case.wish,
    }
    rows = (f"<dt>{view.say(key)}</dt><dd>{_tamed(said)}</dd>" for key, said in told.items() if said)
    return f"<dl>{''.join(rows)}</dl>"


def _said(view: _View) -> list[str]:
    answers = department.answers(view.work, view.case)
    return [f"<h2>{view.say('said')}</h2><p>{_tamed(one)}</p>" for one in answers]


def _form(view: _View, draft: str) -> str:
    """A form that is posted to the address of the page itself."""
    area = f'<textarea id="a" name="{FIELD}" rows="8" maxlength="{CASE_TEXT}" required aria-describedby="h">'
    asked = "more" if view.case.state == "answered" else "write"
    return (
        f'<form method="post"><h2><label for="a">{view.say(asked)}</label></h2>{area}{escape(draft)}</textarea>'
        f'<p id="h">{view.say("hint")}</p><button class="first">{view.say("send")}</button></form>'
    )


def _tamed(said: str) -> str:
    """What others wrote, without the numbers in it, and line by line."""
    return "<br>".join(escape(line) for line in masked_text(said).splitlines())


def _refused(error: NoSuchLink | LinkExpired, language: Language) -> Page:
    expired = isinstance(error, LinkExpired)
    return _told(410 if expired else 404, "expired" if expired else "unknown", language)


def _told(status: int, key: str, language: Language) -> Page:
    words = _words(language)
    return document(status, TAGS[language], escape(words["head"]), [f"<p>{escape(words[key])}</p>"])


@cache
def _words(language: Language) -> Mapping[str, str]:
    """The sentences in a language."""
    return tomllib.loads((_FOLDER / f"{TAGS[language]}.toml").read_text(encoding="utf-8"))
