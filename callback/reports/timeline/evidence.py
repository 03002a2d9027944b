"""The lines that a verdict or an attempt rests on, read: what was heard, of whom, and when. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from scheduler.clock import SECOND, micros

_AT: Final = re.compile(r"(?P<what>.+) at (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|\d{9,11}\.\d{1,6})")


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One line: the event's own `name` and what is told of it; a finding, or what tells of no instant, has neither."""

    at: int | None
    name: str  # Asterisk's word for the event
    detail: str


def read(lines: Iterable[str]) -> tuple[EvidenceLine, ...]:
    """Read evidence as it is stored; a line of another form is a finding, as it stands."""
    return tuple(map(_line, lines))


def _line(line: str) -> EvidenceLine:
    found = _AT.fullmatch(line)
    at = None if found is None else _instant(found["at"])
    if found is None or at is None:
        return EvidenceLine(None, "", line)
    name, _, detail = found["what"].partition(" ")
    return EvidenceLine(at, name, detail)


def _instant(said: str) -> int | None:
    """Read an instant as `telephony.calls.call.moment` writes it, or seconds as the dialler does."""
    try:
        return micros(datetime.fromisoformat(said)) if said.endswith("Z") else round(float(said) * SECOND)
    except ValueError:
        return None
