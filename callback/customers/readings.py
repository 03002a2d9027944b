"""Readings: every number that signalled digits can mean, each with the form in which it would have been signalled.

The same digits may be one country's national number and another's number in E.164 without its plus. Nothing is
preferred here: who rings a phone must know of every phone that it could be. What exists is libphonenumber's affair.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, Literal, NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat

Form = Literal["plus", "prefix-abroad", "e164-no-plus", "national"]

_EVERYWHERE_ABROAD: Final = "00"  # sent by carriers also where callers dial another prefix
_RETIRED: Final = {52: "1"}  # Mexico put it before mobile numbers until 2019, and some carriers still do
_LONGEST_CODE: Final = 3  # of a country
_LONGEST: Final = 17  # digits that a number can hold; libphonenumber's own bound


class Reading(NamedTuple):
    """A number that exists, and the form that the digits have if it is meant."""

    form: Form
    e164: str


def of(signalled: str, region: str) -> tuple[Reading, ...]:
    """Give every reading of a number (digits, a plus before them or none) on a trunk of this region."""
    if signalled.startswith("+"):
        return _as("plus", _abroad(signalled[1:]))
    after_prefix = (_abroad(signalled[length:]) for length in _prefixes_abroad(signalled, region))
    return (
        *(reading for number in after_prefix for reading in _as("prefix-abroad", number)),
        *_as("e164-no-plus", _exact(signalled)),
        *(reading for number in _at_home(signalled, region) for reading in _as("national", number)),
    )


def longest_mobile(region: str) -> int:
    """The digits of the longest mobile numbers of a region, without the country's; 0 where it tells of none."""
    metadata = PhoneMetadata.metadata_for_region(region)
    mobile = metadata.mobile if metadata else None
    return max(mobile.possible_length or (0,)) if mobile else 0


def _as(form: Form, number: PhoneNumber | None) -> tuple[Reading, ...]:
    if number is None:
        return ()
    return (Reading(form, phonenumbers.format_number(number, PhoneNumberFormat.E164)),)


def _prefixes_abroad(digits: str, region: str) -> set[int]:
    """How many digits of it may be the prefix before a country's code: 00 anywhere, besides the region's own."""
    own = _prefix_abroad(region).match(digits)
    everywhere = len(_EVERYWHERE_ABROAD) if digits.startswith(_EVERYWHERE_ABROAD) else 0
    return {length for length in (own.end() if own else 0, everywhere) if length}


@cache
def _prefix_abroad(region: str) -> re.Pattern[str]:
    metadata = PhoneMetadata.metadata_for_region(region)
    return re.compile((metadata.international_prefix if metadata else None) or r"(?!)", re.ASCII)


def _abroad(digits: str) -> PhoneNumber | None:
    """The number after a plus or its like; a trunk prefix written behind the country's code is left out."""
    return _exact(digits) or _parsed(f"+{digits}", None)


def _exact(digits: str) -> PhoneNumber | None:
    """The number of exactly these digits, the country's code first."""
    for length in range(1, min(_LONGEST_CODE, len(digits)) + 1):
        country, rest = int(digits[:length]), digits[length:]
        if country in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            retired = _RETIRED.get(country, "")
            shorter = rest.removeprefix(retired) if retired and rest.startswith(retired) else ""
            return _existing(country, rest) or _existing(country, shorter)
    return None


def _at_home(digits: str, region: str) -> list[PhoneNumber]:
    """What it is in the region's own plan: as it stands, after the trunk prefix, and by the plan's odder customs."""
    country = phonenumbers.country_code_for_region(region)
    prefix = phonenumbers.ndd_prefix_for_region(region, True)
    found = [_existing(country, digits)]
    if prefix and digits.startswith(prefix):
        found.append(_existing(country, digits.removeprefix(prefix)))
    custom = _parsed(digits, region)
    if custom and custom.country_code_source == phonenumbers.CountryCodeSource.FROM_DEFAULT_COUNTRY:
        found.append(custom)
    return [number for number in found if number is not None]


def _existing(country: int, national: str) -> PhoneNumber | None:
    """The number with these digits behind the country's code, if there is one."""
    if not national or len(national) > _LONGEST:
        return None
    zeros = len(national) - len(national.lstrip("0"))
    number = PhoneNumber(
        country_code=country,
        national_number=int(national),
        italian_leading_zero=bool(zeros) or None,
        number_of_leading_zeros=zeros or None,
    )
    return number if phonenumbers.is_valid_number(number) else None


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
