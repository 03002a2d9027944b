"""Who is owed a callback, told to the dialplan in global variables: it puts him first before he joins a queue.

A number is known by its last eight digits, which are the same in whatever form it is signalled. Each variable keeps
those with the same last three: a thousand variables at most, however many callers are ever owed one, since Asterisk
forgets none. Setting them needs the write class `call` alone, and works on every version. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

DIGITS: Final = 8
SHARED: Final = 3
ROOM: Final = 100
"""Numbers in one variable: a manager's line ends after 1,020 bytes."""
LASTS_S: Final = 900
"""Nobody is put first for what a service that died, or was started anew, said longer ago."""
REPEAT_S: Final = 60.0
"""A `dialplan reload` may clear them (clearglobalvars), and nobody tells us."""

Lists = dict[str, str]


def lists(numbers: Iterable[str]) -> Lists:
    """Give the variables for these E.164 numbers, the most important first: where there is no room the last go."""
    found: dict[str, dict[str, None]] = {}
    for number in numbers:
        digits = number.removeprefix("+")[-DIGITS:]
        alike = found.setdefault(f"LCR_OWED_{digits[-SHARED:]}", {})
        if len(digits) == DIGITS and len(alike) < ROOM:
            alike[digits] = None
    return {name: "-".join(digits) for name, digits in found.items() if digits}


def written(numbers: str, priority: int, now_s: float) -> str:
    """Give a variable's value as `lcr-priority` reads it: until when, the QUEUE_PRIO, the numbers."""
    return f"{int(now_s) + LASTS_S} {priority:03d} {numbers}" if numbers else ""


class _Said(NamedTuple):
    numbers: str
    at_s: float


class Owed:
    """What one PBX was told, and has to be told."""

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}
        self._boot = ""

    def changes(self, wanted: Mapping[str, str], boot: str, now_s: float) -> Lists:
        """Give the variables to be set so that all this stands; `boot` is its start-up stamp, `now_s` monotonic."""
        if boot != self._boot:
            self._said, self._boot = {}, boot
        return {name: wanted.get(name, "") for name in {*wanted, *self._said} if self._due(name, wanted, now_s)}

    def told(self, name: str, numbers: str, now_s: float) -> None:
        """Note that a variable was set."""
        self._said[name] = _Said(numbers, now_s)

    def _due(self, name: str, wanted: Mapping[str, str], now_s: float) -> bool:
        said, numbers = self._said.get(name, _Said("", now_s)), wanted.get(name, "")
        return numbers != said.numbers or (bool(numbers) and now_s - said.at_s >= REPEAT_S)
