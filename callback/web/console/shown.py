"""How numbers, instants and what others wrote stand on the screen: what every template uses, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_datetime
from phonenumbers import NumberParseException, PhoneNumberFormat

from callback.logs.masking import masked as masked_number
from callback.logs.masking import masked_text
from scheduler.clock import local

LAST: Final = 4
"""Digits of a number that people recognise it by."""
HIDDEN: Final = 4
"""So many digits of it stay hidden at least."""
LONGEST: Final = 200
"""Characters of what somebody wrote that are shown in a list."""
DOTS: Final = "••••"
_CONTROLS: Final = 0x2400  # the picture of a control character lies so far from it
_DELETE, _DELETE_SHOWN = "\x7f", "\u2421"
_JOINERS: Final = "\u200c\u200d"  # of Persian, Indic scripts and emoji
_UNSEEN: Final = "·"
_DIGITS: Final = re.compile(r"(?<![\d.…])\d{7,}(?!\d|\.\d)")  # no Uniqueid; a number may stand in the middle of a word
_ROOM: Final = 4
"""What is masked takes less room than before: so much more is looked at than is shown."""


@lru_cache(maxsize=20_000)  # a list shows the same numbers again and again
def masked(number: str) -> str:
    """Give a number's country, what it begins with where enough stays hidden, and its last digits: +81 90 •••• 5678.

    What is no number, as of an erased person, is dots alone.
    """
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return DOTS
    country = f"+{parsed.country_code}"
    international = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.national_significant_number(parsed)
    begins = "".join(filter(str.isdigit, international.removeprefix(country).strip().replace("-", " ").split(" ")[0]))
    if len(national) < LAST + HIDDEN:
        return f"{country} {DOTS}"
    shown = [country, begins] if len(national) - len(begins) - LAST >= HIDDEN else [country]
    return " ".join([*shown, DOTS, national[-LAST:]])


def said(text: str, longest: int = LONGEST) -> str:
    """Give what somebody wrote: without telephone numbers, cut, and with a picture for what steers a screen."""
    cut = text[: longest * _ROOM]  # of what is longer, nothing of the rest is shown
    visible = masked_text("".join(map(_visible, cut)))
    seen = _DIGITS.sub(lambda found: masked_number(found[0]), visible)
    return seen if len(seen) <= longest and len(cut) == len(text) else f"{seen[: longest - 1]}…"


def _visible(character: str) -> str:
    if character == _DELETE:
        return _DELETE_SHOWN
    category = unicodedata.category(character)
    if category == "Cc":
        return " " if character in "\r\n\t" else chr(_CONTROLS + ord(character)) if character < " " else _UNSEEN
    return _UNSEEN if category in {"Cf", "Cs", "Co", "Zl", "Zp"} and character not in _JOINERS else character


def lasted(seconds: float) -> str:
    """How long something took: 4:10, or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def when(at: int, now: int, zone: ZoneInfo, locale: str) -> str:
    """An instant on the site's clock: 13:42; on another day of this week with the day's name, else with its date."""
    then, today = local(at, zone), local(now, zone)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    days = abs((then.date() - today.date()).days)
    pattern = "EEE HH:mm" if days < 7 else "MM-dd HH:mm" if then.year == today.year else "yyyy-MM-dd HH:mm"  # noqa: PLR2004
    return str(format_datetime(then, pattern, locale=locale))
