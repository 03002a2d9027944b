"""Numbers that are owed a callback, as global variables of the PBX: the dialplan gives these callers priority access.

Only the last eight digits of a number count: they are the same in every form in which it is signalled. Numbers with
the same last three digits share a variable. So there are a thousand variables at most; Asterisk never deletes one.
To set them, the manager user needs only the write class `call`, on every version. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

DIGITS: Final = 8
SHARED: Final = 3
ROOM: Final = 100
"""Numbers in one variable: a manager's line ends after 1,020 bytes."""
LASTS_S: Final = 900
"""A list older than this has no effect: the service that sent it has stopped, or was started anew."""
REPEAT_S: Final = 60.0
"""A list is sent again after so long: `dialplan reload` may clear it (clearglobalvars), and no event says so."""

Lists = dict[str, str]


def lists(numbers: Iterable[str]) -> Lists:
    """Give the variables for these E.164 numbers, the most important first; of too many the last are left out."""
    found: dict[str, dict[str, None]] = {}
    for number in numbers:
        digits = number.removeprefix("+")[-DIGITS:]
        alike = found.setdefault(f"LCR_OWED_{digits[-SHARED:]}", {})
        if len(digits) == DIGITS and len(alike) < ROOM:
            alike[digits] = None
    return {name: "-".join(digits) for name, digits in found.items() if digits}


def written(numbers: str, priority: int, now_s: float) -> str:
    """Give a variable's value as `lcr-priority` reads it: valid until, the QUEUE_PRIO, the numbers."""
    return f"{int(now_s) + LASTS_S} {priority:03d} {numbers}" if numbers else ""


class _SentList(NamedTuple):
    numbers: str
    at_s: float


class PriorityLists:
    """What was sent to one PBX, and what has to be sent."""

    def __init__(self) -> None:
        self._sent: dict[str, _SentList] = {}
        self._boot = ""

    def changes(self, wanted: Mapping[str, str], boot: str, now_s: float) -> Lists:
        """Give the variables to set so that the PBX has `wanted`; `boot` is its start-up stamp, `now_s` monotonic."""
        if boot != self._boot:
            self._sent, self._boot = {}, boot
        return {name: wanted.get(name, "") for name in {*wanted, *self._sent} if self._due(name, wanted, now_s)}

    def stale(self) -> None:
        """Let every list that holds numbers be sent again: with another priority."""
        self._sent = {name: _SentList(sent.numbers, -REPEAT_S) for name, sent in self._sent.items()}

    def note_sent(self, name: str, numbers: str, now_s: float) -> None:
        """Note that a variable was set."""
        self._sent[name] = _SentList(numbers, now_s)

    def _due(self, name: str, wanted: Mapping[str, str], now_s: float) -> bool:
        sent, numbers = self._sent.get(name, _SentList("", now_s)), wanted.get(name, "")
        return numbers != sent.numbers or (bool(numbers) and now_s - sent.at_s >= REPEAT_S)
