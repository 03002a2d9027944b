"""What may stand in logs and in files of events: ids, and of a number no more than lets people tell two apart.

A number that is written down outside of the database stays there when its person is erased.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

_FIRST, _LAST = 3, 2
_SHORT: Final = 6  # an extension, a service number: nobody's own
_ID: Final = r"A-Za-z_\d"
"""What ids are made of. Other letters are not among it: Chinese and Japanese have no space before a number."""
_NUMBER: Final = re.compile(rf"(?<![{_ID}.+-])\+?\d{{7,15}}(?![{_ID}]|\.\d)")  # no Uniqueid, no instant, no id
_PLUS, _OPEN = "+\uff0b", "(\uff08"  # also as Japanese keyboards write them
_GAP: Final = (
    rf"[ {_OPEN})\uff09/.\-\u2010-\u2015\u2212\uff0d\u30fc\uff70\u301c\uff5e~\u00b7\u2022\u30fb\uff65\uff0e"
    r"\u00a0\u2000-\u200f\u202f\u2060\u3000\ufeff]{1,3}"
)
"""Spaces, dashes, dots and brackets, and what cannot be seen, as people put them between the groups of a number."""
_WRITTEN: Final = re.compile(
    rf"(?<![{_ID}.+/-])[{_PLUS}{_OPEN}]{{0,2}}\d{{1,8}}(?:{_GAP}\d{{1,8}})+(?![{_ID}:]|[-.]\d)"
)
_LEAST, _LEAST_OF_ANY = 9, 10  # digits of a number that begins like one, and of any
_NAMES: Final = frozenset({"queue", "trunk", "group", "cause", "call_id", "attempt", "pbx", "phone", "anchor"})
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def masked(number: str) -> str:
    """Give the beginning and the end of a telephone number: +81…78."""
    return number if len(number) <= _SHORT else f"{number[:_FIRST]}…{number[-_LAST:]}"


def masked_text(text: str) -> str:
    """Mask whatever looks like a telephone number in a text, also one that a person wrote in groups."""
    return _NUMBER.sub(lambda found: masked(found[0]), _WRITTEN.sub(_masked_groups, text))


def _masked_groups(found: re.Match[str]) -> str:
    """Dates and addresses have fewer digits, or points."""
    said = found[0]
    plus, digits = said[0] in _PLUS, "".join(filter(str.isdigit, said))
    like_one = plus or said[0] in _OPEN or (int(digits[0]) == 0 and len(said.split(".")[0]) > 1)
    if len(digits) < (_LEAST if like_one else _LEAST_OF_ANY) or ("." in said and not like_one):
        return said
    return masked(f"+{digits}" if plus else digits)


def masked_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give facts in whose texts no telephone number stands; what the site itself named stays as it is."""
    return {key: fact if key in _NAMES else _masked_fact(fact) for key, fact in facts.items()}


def _masked_fact(fact: Any) -> Any:  # noqa: ANN401 - any JSON value
    match fact:
        case str():
            return masked_text(fact)
        case list() | tuple():
            return [_masked_fact(part) for part in fact]
        case dict():
            return masked_facts(fact)
        case _:
            return fact


class _MaskedFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked_text(super().format(record))


def log_to_stderr(*, full_numbers: bool = True) -> None:
    """Log what is to be mended to standard error, from now on with or without whole numbers."""
    handler = logging.StreamHandler()
    handler.setFormatter((logging.Formatter if full_numbers else _MaskedFormatter)(_FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
