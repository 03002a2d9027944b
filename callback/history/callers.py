"""Who called, told apart by the numbers in logs, in whatever form they stand there. For counting, never for calling.

One person's number comes with a plus and the country's code, without the plus, and in the country's own form. What all
of these share is their end. So nine digits from it stand for a caller, fewer where the number has fewer without the
country's code and zeros before it: two strangers who share them and call within the hour are rarer than any redial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import phonenumbers

from callback.customers import numbers

if TYPE_CHECKING:
    from callback.settings.sections import Trunk

DIGITS: Final = 9
_LONGEST_CODE: Final = 3  # of a country


def caller(signalled: str, trunks: tuple[Trunk, ...] = ()) -> str:
    """Give what stands for a caller; the same for every form of that number. `trunks` say how short ones are read."""
    known = {numbers.read(signalled, trunk) for trunk in trunks}
    read = {one.e164 for one in known if one.e164 is not None}
    return _end(read.pop() if len(read) == 1 else signalled) or signalled


def _end(number: str) -> str:
    abroad = number[1:] if number.startswith("+") else number[2:] if number.startswith("00") else ""
    return (_without_country(abroad) if abroad else number).lstrip("0")[-DIGITS:]


def _without_country(digits: str) -> str:
    codes = (digits[:length] for length in range(1, _LONGEST_CODE + 1))
    code = next((code for code in codes if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")
    return digits.removeprefix(code)
