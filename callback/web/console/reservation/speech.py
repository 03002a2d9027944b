"""How the console speaks of a timeline: in the person's language, on the site's clock, without a number in full."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from callback.decisions.reasons import NONE_GIVEN, REASONS
from callback.reports.timeline.sentences import Speech
from callback.web.console import shown, words
from callback.web.console.words import Language

_PRESET = {reason: word for word, reason in REASONS.items()}  # the audit keeps the sentence, in English
_ISOLATED = "\u2068{}\u2069"  # what somebody wrote from right to left turns nothing around it


def speech(language: Language, now: int, zone: ZoneInfo) -> Speech:
    """Speak at this moment."""
    _ = words.catalogue(language).gettext

    def foreign(text: str) -> str:
        if text in _PRESET:
            return words.say(language, "preset", _PRESET[text])
        return _("no reason given") if text == NONE_GIVEN else _ISOLATED.format(shown.said(text))

    return Speech(
        word=partial(words.say, language),
        time=lambda at: shown.when(at, now, zone, language),
        translate=_,
        foreign=foreign,
    )
