"""How the console speaks of a timeline: in the person's language, on the site's clock, without a number in full."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from callback.reports.timeline.sentences import Speech
from callback.web.console import shown, words
from callback.web.console.words import Language

_ISOLATED = "\u2068{}\u2069"  # what somebody wrote from right to left turns nothing around it


def speech(language: Language, now: int, zone: ZoneInfo) -> Speech:
    """Speak at this moment."""

    def foreign(text: str) -> str:
        return words.preset(language, text) or _ISOLATED.format(shown.said(text))

    return Speech(
        word=partial(words.say, language),
        time=lambda at: shown.when(at, now, zone, language),
        translate=words.catalogue(language).gettext,
        foreign=foreign,
    )
