"""The console's languages, and what stands for a code in each of them. Sentences of pages stand in their templates."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from starlette.requests import Request

from callback.decisions.reasons import NONE_GIVEN, REASONS
from callback.store.audit import CUSTOMER, SERVICE
from callback.web.console import shown
from callback.web.console.vocabulary import Subject, worded
from callback.web.languages import LANGUAGES, TAGS, Language, asked_for

__all__ = ["LANGUAGES", "TAGS", "Language"]

OWN_NAMES: Final[Mapping[Language, str]] = {"en": "English", "zh_Hans": "简体中文", "zh_Hant": "繁體中文"}
LOCALE: Final = Path(__file__).with_name("locale")
COOKIE: Final = "language"
_PRESET: Final = {reason: word for word, reason in REASONS.items()}  # what is kept is the sentence, in English


@cache
def catalogue(language: Language) -> NullTranslations:
    """The sentences of a language; English ones are their own names."""
    file = LOCALE / language / "LC_MESSAGES" / "console.po"
    if not file.exists():
        return NullTranslations()
    compiled = io.BytesIO()
    with file.open("rb") as lines:
        write_mo(compiled, read_po(lines, locale=language))
    compiled.seek(0)
    return Translations(compiled, "console")


def chosen(request: Request) -> Language:
    """The language that a person chose, else the first of the browser's that there is, else English."""
    cookie = request.cookies.get(COOKIE)
    for language in LANGUAGES:
        if cookie == language:
            return language
    return asked_for(request.headers.get("accept-language", ""))


def say(language: Language, subject: Subject, code: str, **facts: object) -> str:
    """Say a code in a language. A fact that the row does not have stands as a dash."""
    return worded(subject, code, catalogue(language).gettext, **facts)


def preset(language: Language, why: str) -> str | None:
    """A reason that can be chosen, or that none was given, in the language; None for what somebody wrote."""
    _ = catalogue(language).gettext
    if why in _PRESET:
        return say(language, "preset", _PRESET[why])
    return _("no reason given") if why == NONE_GIVEN else None


def given(language: Language, why: str, longest: int = shown.LONGEST) -> str:
    """A reason as a page shows it."""
    return preset(language, why) or shown.said(why, longest)


def actor(language: Language, who: str, longest: int = shown.LONGEST) -> str:
    """Who decided: a person by name, else the customer or the service."""
    return say(language, "actor", who) if who in {CUSTOMER, SERVICE} else shown.said(who, longest)
