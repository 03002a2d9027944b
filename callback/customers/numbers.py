"""Numbers: from the signalled form to E.164 and back to the dial string; callable or not, and why.

What counts as a valid number of which kind is Google's libphonenumber (the `phonenumbers` package), not ours.
Digits that could be two people's numbers are nobody's: they are refused with both, for people to decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from callback.customers import readings
from callback.customers.caller import Reason
from callback.customers.readings import Reading
from callback.settings.sections import Trunk
from telephony.ids import dialled_numbers, usable


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be called back, in E.164 (+819012345678)."""

    e164: str

    @property
    def readings(self) -> tuple[str, ...]:
        """Empty: this number can be read in one way only. As in `Refused`."""
        return ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A number that is not called back."""

    reason: Reason
    e164: str | None = None  # where it is a number at all, so that a person may release it
    readings: tuple[str, ...] = ()  # the numbers that it may be, where that is what cannot be told


_SATELLITE = (870, 881, 882, 883)  # Inmarsat; global mobile satellite; international networks, Thuraya among them
_NO_TEXTS = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
)
_DIALLED = re.compile(r"\+?[0-9]{3,20}")
_ALIKE = 8
_BLOCK_DIGITS = 4  # of the end of a number, which differ within a block that one carrier hands out

_EXPENSIVE: Final[Mapping[int, Reason]] = {
    PhoneNumberType.PREMIUM_RATE: "premium-rate",
    PhoneNumberType.SHARED_COST: "shared-cost",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.PERSONAL_NUMBER: "personal-number",  # forwarded at the caller's cost (+44 70)
}


_MEANT = {"national": ("national", "prefix-abroad"), "e164-no-plus": ("e164-no-plus",), "e164": ()}
"""What digits that begin with neither a plus nor a 0 mean, by what the trunk is said to signal."""


@lru_cache(maxsize=8192)
def read(signalled: str | None, trunk: Trunk) -> Number | Refused:
    """Say whether a signalled number may be called back; never raises, whatever the caller sent."""
    if not signalled:
        return Refused("no-number")
    digits = usable(signalled)
    if digits is None:
        return Refused("not-a-number")
    found = readings.of(digits, trunk.region)
    meant = found if not trunk.signals or digits[0] in "+0" else [r for r in found if r.form in _MEANT[trunk.signals]]
    numbers = tuple(dict.fromkeys(reading.e164 for reading in _likely(meant, digits, trunk.region)))
    if len(numbers) > 1:
        return Refused("ambiguous-number", readings=numbers)
    if found and not numbers:
        return Refused("other-form", readings=tuple(dict.fromkeys(reading.e164 for reading in found)))
    try:
        return _judge(phonenumbers.parse(numbers[0] if numbers else digits, trunk.region), trunk)
    except phonenumbers.NumberParseException:
        return Refused("not-a-number")


def digits_of(signalled: str) -> str:
    """The digits alone, with their plus; empty where it is no number."""
    return usable(signalled) or ""


def written(text: str, trunk: Trunk) -> Number | Refused:
    """Read a number that a person or a gateway wrote, who need not do it as the trunk signals."""
    return read(text, trunk.model_copy(update={"signals": ""}) if trunk.signals else trunk)


@lru_cache(maxsize=1 << 16)  # several times a second it is asked of all that are on the line, for each trunk
def perhaps(signalled: str, trunk: Trunk) -> frozenset[str]:
    """Every number that it may be, for those who must leave all of them alone."""
    digits = usable(signalled)
    sure = read(signalled, trunk).e164
    possible = {reading.e164 for reading in readings.of(digits, trunk.region)} if digits else set()
    return frozenset(possible | ({sure} if sure else set()))


def _likely(found: Sequence[Reading], digits: str, region: str) -> Sequence[Reading]:
    """Leave out what exists in the plan alone.

    In countries without fixed lengths (Germany) any mobile number behind the country's code is a landline too, by its
    beginning. But no landline there is longer than the mobile numbers.
    """
    country = str(phonenumbers.country_code_for_region(region))
    longer = len(digits) > readings.longest_mobile(region) > 0
    if longer and digits.startswith(country) and any(reading.form == "e164-no-plus" for reading in found):
        return [reading for reading in found if reading.form != "national" or reading.e164 != f"+{country}{digits}"]
    return found


def _judge(number: phonenumbers.PhoneNumber, trunk: Trunk) -> Number | Refused:
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if e164 in trunk.own_numbers:
        return Refused("own-number", e164)
    if number.country_code in _SATELLITE:
        return Refused("satellite", e164)
    if not phonenumbers.is_valid_number(number):
        return Refused("no-such-number")
    if (kind := phonenumbers.number_type(number)) in _EXPENSIVE:
        return Refused(_EXPENSIVE[kind], e164)
    allowed = trunk.allowed_countries or (trunk.region,)
    if not any(phonenumbers.is_valid_number_for_region(number, region) for region in allowed):  # some share numbers
        return Refused("foreign-country", e164)
    return Number(e164)


@lru_cache(maxsize=8192)
def takes_texts(e164: str) -> bool:
    """Whether a number may be a mobile's: False where it tells that it is none."""
    number = phonenumbers.parse(e164)
    return phonenumbers.number_type(number) not in _NO_TEXTS or _mobile_without_token(number)


def _mobile_without_token(number: phonenumbers.PhoneNumber) -> bool:
    """Argentina's mobiles have a 9 behind the country's code that callers' numbers come without: like landlines."""
    token = phonenumbers.country_mobile_token(number.country_code or 0)
    full = f"+{number.country_code}{token}{phonenumbers.national_significant_number(number)}"
    return bool(token) and phonenumbers.is_valid_number(phonenumbers.parse(full))


def ending_of(e164: str) -> str:
    """The last digits of a number, which are the same in whatever form it is written."""
    return phonenumbers.national_significant_number(phonenumbers.parse(e164))[-_ALIKE:]


def block_of(e164: str) -> str:
    """The block of numbers that one is of: its beginning, which many share."""
    return e164[:-_BLOCK_DIGITS]


def dialled(dial_string: str, trunk: Trunk) -> str | None:
    """The number (E.164) that was dialled over a trunk, where the trunk's own rules leave no doubt; else None.

    The string must be as `[trunks] dial` writes it, with `prefix` before the number; and the number as we would dial
    it, with the country's code behind a plus, or with the trunk prefix of the region's own plan.
    """
    before, _, after = trunk.dial.partition("{number}")
    _, _, before = before.partition("/")  # Asterisk tells the string without the technology
    before += trunk.prefix
    if not (dial_string.startswith(before) and dial_string.endswith(after)):
        return None
    number = dial_string.removeprefix(before).removesuffix(after)
    if not _DIALLED.fullmatch(number):
        return None
    found = read(number, trunk.model_copy(update={"signals": trunk.form}))
    return found.e164 if isinstance(found, Number) and number in _written(found.e164, trunk) else None


def _written(e164: str, trunk: Trunk) -> set[str]:
    """The ways in which a number may be written on a trunk so that it means no other."""
    number = phonenumbers.parse(e164)
    ways = {e164, _spoken(e164, trunk)}
    if number.country_code == phonenumbers.country_code_for_region(trunk.region):
        prefix = phonenumbers.ndd_prefix_for_region(trunk.region, True) or ""
        ways.add(prefix + phonenumbers.national_significant_number(number))
    return ways


def perhaps_dialled(dial_string: str, trunk: Trunk) -> set[str]:
    """Every number that may have been dialled over a trunk."""
    return {e164 for number in dialled_numbers(dial_string) for e164 in on_the_line(number, trunk)}


def on_the_line(number: str, trunk: Trunk) -> frozenset[str]:
    """Every number that a live channel's may be: one that was dialled may have the trunk's prefix before it."""
    found = perhaps(number, trunk)
    if trunk.prefix and number.startswith(trunk.prefix):
        found |= perhaps(number.removeprefix(trunk.prefix), trunk)
    return found


def dial_string(e164: str, trunk: Trunk) -> str:
    """What Dial() is given to ring an E.164 number over the trunk; digits and a plus are all that varies."""
    return trunk.dial.format(number=trunk.prefix + _spoken(e164, trunk))


def _spoken(e164: str, trunk: Trunk) -> str:
    """The number in the form in which the trunk is dialled."""
    number = phonenumbers.parse(e164)
    if trunk.form == "national":
        at_home = number.country_code == phonenumbers.country_code_for_region(trunk.region)
        abroad = phonenumbers.format_out_of_country_calling_number
        text = (
            phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) if at_home else abroad(number, trunk.region)
        )
        return "".join(c for c in text if c.isdigit())
    return e164 if trunk.form == "e164" else e164.removeprefix("+")
