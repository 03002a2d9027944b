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
_NUMBER: Final = re.compile(r"(?<![\w.+-])\+?[0-9]{7,15}(?!\w|\.[0-9])")  # no Uniqueid, no instant, no id
_NAMES: Final = frozenset({"queue", "trunk", "group", "cause", "call_id", "attempt", "pbx", "phone", "anchor"})
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def masked(number: str) -> str:
    """Give the beginning and the end of a telephone number: +81…78."""
    return number if len(number) <= _SHORT else f"{number[:_FIRST]}…{number[-_LAST:]}"


def masked_text(text: str) -> str:
    """Mask whatever looks like a telephone number in a text."""
    return _NUMBER.sub(lambda found: masked(found[0]), text)


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
