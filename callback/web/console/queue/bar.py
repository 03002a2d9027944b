"""What the bar of acts offers: reasons by digit, the next quarter hours, and people to assign to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from callback.decisions.reasons import PRESETS
from callback.web.console import words
from callback.web.console.words import Language
from scheduler.clock import local

OFFERED: Final = 8
_QUARTER: Final = timedelta(minutes=15)


def shown(people: Iterable[str], now: int, zone: ZoneInfo, language: Language) -> Mapping[str, Any]:
    """Give what the template of the bar needs."""
    reasons = {
        act: [(word, words.say(language, "preset", word)) for word in presets] for act, presets in PRESETS.items()
    }
    return {"reasons": reasons, "slots": quarters(now, zone), "people": list(people)}


def quarters(now: int, zone: ZoneInfo) -> Sequence[tuple[str, str]]:
    """The next quarter hours on the site's clock, each as it is sent and as it is shown."""
    wall = local(now, zone)
    first = wall - timedelta(minutes=wall.minute % 15, seconds=wall.second, microseconds=wall.microsecond) + _QUARTER
    times = (f"{first + n * _QUARTER:%H:%M}" for n in range(OFFERED))
    return [(time, time) for time in times]
