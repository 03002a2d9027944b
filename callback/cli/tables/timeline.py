"""How a terminal speaks of a timeline: in English, on the site's clock, with the console's words for codes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from callback.reports.timeline.sentences import Speech
from callback.web.console.vocabulary import Subject, worded
from scheduler.clock import shown


def speech(now: int, zone: ZoneInfo) -> Speech:
    """Speak at this moment, on this clock; whatever strangers wrote is made printable where it is printed."""

    def word(subject: Subject, code: str, /, **facts: object) -> str:
        return worded(subject, code, **facts)

    return Speech(word, lambda at: shown(at, now, zone))
