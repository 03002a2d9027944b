"""Times and telephone numbers as people write them.

14:50, or 1450, is the next such moment on the site's clock, +20m is so long from now; in whatever width it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from callback.customers import numbers
from callback.errors import CallbackError
from callback.settings.sections import Settings
from scheduler.clock import DAY, HOUR, MINUTE, first, last, local, micros

HOW: Final = "14:50 (the next such moment), +20m, +1h30m, or a date too: 2026-11-23 14:50"
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):?([0-5]\d)")
_FROM_NOW: Final = re.compile(r"\+(?:(\d{1,4})h)?(?:(\d{1,5})(?:m|min)?)?")
_MOST: Final = 366 * DAY


def instant(said: str, now: int, zone: ZoneInfo) -> int:
    """Read a time as people say it, on the clock of `zone` unless it names another. CallbackError where it is none."""
    text = unicodedata.normalize("NFKC", said).strip()
    if (clock := _CLOCK.fullmatch(text)) is not None:
        return next_time(time(int(clock[1]), int(clock[2])), now, zone)
    if (span := _FROM_NOW.fullmatch(text)) is not None and any(span.groups()):
        return _within(now + int(span[1] or 0) * HOUR + int(span[2] or 0) * MINUTE, now, said)
    try:
        moment = datetime.fromisoformat(text)
        return _within(micros(moment) if moment.tzinfo else first(moment, zone), now, said)
    except (ValueError, OverflowError) as error:
        raise CallbackError(f"'{said}' is no time: write it as {HOW}") from error


def next_time(wall: time, now: int, zone: ZoneInfo) -> int:
    """Find the next moment after now at which the clock shows this, or jumps over it.

    In the night in which clocks go back it is shown twice: then the first of the two that is still to come.
    """
    today = local(now, zone).date()
    for day in (today, today + timedelta(days=1), today + timedelta(days=2)):
        shown = datetime.combine(day, wall)
        for at in (first(shown, zone), last(shown, zone)):
            if at > now:
                return at
    raise CallbackError(f"'{wall:%H:%M}' does not come within two days: write the date too")


def _within(at: int, now: int, said: str) -> int:
    if abs(at - now) > _MOST:
        raise CallbackError(f"'{said}' is more than a year away: write it as {HOW}")
    return at


def e164_of(wiring: Settings, text: str) -> str:
    """Read a number as people write it: with its country, or as the first trunk that knows it signals it."""
    for trunk in wiring.trunks.values():
        read = numbers.written(text.strip(), trunk)
        if read.e164 is not None:
            return read.e164
        if isinstance(read, numbers.Refused) and read.readings:
            raise CallbackError(f"'{text}' may be {' or '.join(read.readings)}: write it with its country")
    raise CallbackError(f"'{text}' is no telephone number: write it with its country, as in +819012345678")


def number_of(wiring: Settings, text: str) -> str | None:
    """Give the number that was written; None where it is none, or may be several."""
    readings = (numbers.written(text.strip(), trunk).e164 for trunk in wiring.trunks.values())
    return next(filter(None, readings), None)
