"""Numbers: from the signalled form to E.164 and back to the dial string; callable or not, and why.

What counts as a valid number of which kind is Google's libphonenumber (the `phonenumbers` package), not ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from callback.settings import Trunk

LONGEST = 20  # a signalled number with prefixes; E.164 itself has 15 digits


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be called back, in E.164 (+819012345678)."""

    e164: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A number that is not called back; `reason` in hyphenated words."""

    reason: str
    e164: str | None = None  # where it is a number at all, so that a person may release it


_SATELLITE = (870, 881, 882, 883)  # Inmarsat; global mobile satellite; international networks, Thuraya among them
_NO_TEXTS = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
)
_BLOCK_DIGITS = 4  # of the end of a number, which differ within a block that one carrier hands out

_EXPENSIVE = {
    PhoneNumberType.PREMIUM_RATE: "premium-rate",
    PhoneNumberType.SHARED_COST: "shared-cost",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.PERSONAL_NUMBER: "personal-number",  # forwarded at the caller's cost (+44 70)
}


@lru_cache(maxsize=8192)
def read(signalled: str | None, trunk: Trunk) -> Number | Refused:
    """Say whether a signalled number may be called back; never raises, whatever the caller sent."""
    if not signalled:
        return Refused("no-number")
    digits = signalled.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(signalled) > LONGEST:
        return Refused("not-a-number")
    try:
        number = phonenumbers.parse(_international(signalled, trunk), trunk.region)
    except phonenumbers.NumberParseException:
        return Refused("not-a-number")
    return _judge(number, trunk)


def _international(signalled: str, trunk: Trunk) -> str:
    """Some trunks signal E.164 without its plus: 8190… and 090… both arrive; the country's own form wins."""
    if signalled.startswith(("+", "0")):
        return signalled
    country = str(phonenumbers.country_code_for_region(trunk.region))
    national = _valid(signalled, trunk.region)
    return signalled if national or not signalled.startswith(country) else f"+{signalled}"


def _valid(text: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


def _judge(number: phonenumbers.PhoneNumber, trunk: Trunk) -> Number | Refused:
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(number)
    allowed = trunk.allowed_countries or (trunk.region,)
    if e164 in trunk.own_numbers:
        return Refused("own-number", e164)
    if number.country_code in _SATELLITE:
        return Refused("satellite", e164)
    if not phonenumbers.is_valid_number(number):
        return Refused("no-such-number")
    if (kind := phonenumbers.number_type(number)) in _EXPENSIVE:
        return Refused(_EXPENSIVE[kind], e164)
    if region not in allowed:
        return Refused("foreign-country", e164)
    return Number(e164)


@lru_cache(maxsize=8192)
def takes_texts(e164: str) -> bool:
    """Whether a number may be a mobile's: False where it tells that it is none."""
    return phonenumbers.number_type(phonenumbers.parse(e164)) not in _NO_TEXTS


def block_of(e164: str) -> str:
    """The block of numbers that one is of: its beginning, which many share."""
    return e164[:-_BLOCK_DIGITS]


def dial_string(e164: str, trunk: Trunk) -> str:
    """What Dial() is given to ring an E.164 number over the trunk; digits and a plus are all that varies."""
    number = phonenumbers.parse(e164)
    if trunk.form == "national":
        at_home = number.country_code == phonenumbers.country_code_for_region(trunk.region)
        abroad = phonenumbers.format_out_of_country_calling_number
        text = (
            phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) if at_home else abroad(number, trunk.region)
        )
        spoken = "".join(c for c in text if c.isdigit())
    else:
        spoken = e164 if trunk.form == "e164" else e164.removeprefix("+")
    return trunk.dial.format(number=trunk.prefix + spoken)
