"""Keeps lines that a caller forged out of a queue_log file. Pure.

Asterisk writes a caller's number as he sent it: with a line feed in it (a SIP user part with %0a) one line of the log
becomes several, and those between its head and its tail are the caller's own words:

    1795324588|1795324588.37|support|NONE|ENTERQUEUE||0901          the head: its position is missing
    1795324588|1795324000.1|support|NONE|ABANDON|1|1|60             forged
    x|1                                                             the tail: no line at all, or one that fits

All of it was one write; no channel driver takes a number of more than 255 bytes; and nobody knows the Uniqueid that his
own call will get, so that the next line of that call is Asterisk's, and ends what may be forged. So:
- an ENTERQUEUE without its position has no number;
- what stands between it and the last line within reach that is none, is left out as forged;
- what else is within reach of either is doubtful: `telephony.queue_log.calls` gives out no call that stands in
  doubtful lines alone, and changes none that stands in others by them. So genuine calls next to a forgery are not lost.

Old versions, and other writers, write no position at all: where most lines of a file have none, that is how it is.

A number made of a whole head and a whole line cannot be told from lines of Asterisk's own by their form. What is acted
on needs another proof: `telephony.listening.proof`.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Final, TypeGuard, cast

from telephony.queue_log.entries import NO_CALL, Entry, Fault, Faults, parse_all

REACH: Final = 256
"""Characters after a head's end, or before a tail's beginning, within which a line may be forged."""
FORGED: Final = "forged: it stands in the middle of another line"
HEADLESS: Final = "its position is missing: the number has a line feed in it"

_HEAD: Final = "ENTERQUEUE"
_SAMPLE: Final = 20  # calls at once that show whether this PBX writes positions
_WITH_POSITION: Final = 3
_CUT_HEAD: Final = re.compile(r"\|ENTERQUEUE(?:\|[^|\n]*){0,2}\n")
_WHOLE_HEAD: Final = re.compile(r"\|ENTERQUEUE(?:\|[^|\n]*){2}\|[0-9]")


class DoubtfulEntry(Entry):
    """An entry that may be forged."""

    __slots__ = ()


class Sieve:
    """Takes a file's text block by block, whole lines each, and gives its entries; `place` names the nth line.

    `positions`: ENTERQUEUEs of this file have one, as far as is known; where many come at once, most of them decide.
    """

    def __init__(
        self, faults: Faults, place: Callable[[int], str], zone: tzinfo = UTC, *, positions: bool = True
    ) -> None:
        self._faults, self._place, self._zone, self._positions = faults, place, zone, positions
        self._behind = ""  # given out already, but within reach of what is not
        self._held = ""  # not given out: what follows may throw doubt on it
        self._count = 0  # lines given out

    def feed(self, text: str) -> list[Entry]:
        """Give the entries that nothing to come can throw doubt on."""
        text = self._held + text
        if not self._positions or _CUT_HEAD.search(text) is not None:  # else nothing speaks against them
            self._positions = has_positions(text, self._positions, least=_SAMPLE)
        return self._give(text, text.rfind("\n", 0, max(0, len(text) - REACH)) + 1)

    def close(self) -> list[Entry]:
        """Give the rest."""
        return self._give(self._held, len(self._held))

    def _give(self, text: str, upto: int) -> list[Entry]:
        lines = text[:upto].split("\n")
        lines.pop()
        read = parse_all(lines, self._zone)
        window = self._behind + text
        cut = self._positions and _CUT_HEAD.search(window) is not None
        odd = cut or Fault in map(type, read) or self._faulty(text[upto:])
        if odd:
            read = self._sift(window, len(self._behind), len(read))
        self._held = text[upto:]
        self._behind = window[: len(self._behind) + upto]
        self._behind = self._behind[self._behind.rfind("\n", 0, max(0, len(self._behind) - 2 * REACH)) + 1 :]
        begun, self._count = self._count, self._count + len(read)
        if not odd:
            return cast("list[Entry]", read)
        for number, item in enumerate(read, begun):
            if isinstance(item, Fault):
                self._faults.add(item, self._place(number))
            elif self._positions and _cut(item):
                self._faults.add(Fault(HEADLESS, item.event), self._place(number))
        return [item for item in read if not isinstance(item, Fault)]

    def _faulty(self, text: str) -> bool:
        return any(isinstance(item, Fault) for item in parse_all(text.split("\n")[:-1], self._zone))

    def _sift(self, window: str, begins: int, count: int) -> list[Entry | Fault]:
        """Read the `count` lines that begin at `begins`, in view of all that stands around them."""
        lines = window.split("\n")[:-1]
        ends = [0] * len(lines)  # where each ends, behind its line feed
        end = 0
        for number, line in enumerate(lines):
            end += len(line) + 1
            ends[number] = end
        read = parse_all(lines, self._zone)
        _strike(read, ends, positions=self._positions)
        first = bisect_left(ends, begins + 1)
        return read[first : first + count]


def has_positions(text: str, known: bool = True, *, least: int = 1) -> bool:  # noqa: FBT001, FBT002 - what holds else
    """Tell whether most ENTERQUEUEs among these lines have a position; `known` where there are fewer than `least`."""
    cut, whole = len(_CUT_HEAD.findall(text)), len(_WHOLE_HEAD.findall(text))
    return whole >= cut if cut + whole >= least else known


def _strike(read: list[Entry | Fault], ends: list[int], *, positions: bool) -> None:
    """Replace in `read` what is forged by a fault, what is doubtful by a DoubtfulEntry."""
    first_of = _first_lines(read)
    faults = [number for number, item in enumerate(read) if isinstance(item, Fault)]
    explained: set[int] = set()
    for head in [number for number, item in enumerate(read) if positions and _cut(item)]:
        beyond = min(len(read), bisect_left(ends, ends[head] + REACH) + 1)  # the first line that begins out of reach
        end = next((number for number in range(head + 1, beyond) if first_of[number] == head), beyond)
        tails = [number for number in faults if head < number < end]
        explained.update(tails)
        for number in range(head + 1, end):
            _distrust(read, number, forged=number < max(tails, default=0))
        _behead(read, head)
    for tail in explained.symmetric_difference(faults):
        nearest = bisect_left(ends, ends[tail - 1] - REACH) if tail else 0
        for number in range(nearest + _begins(read[nearest]), tail):
            _distrust(read, number, forged=False)


def _first_lines(read: list[Entry | Fault]) -> list[int]:
    """Give for each line the number of the first that is of the same call; its own where it is of none."""
    firsts: dict[str, int] = {}
    numbers = enumerate(read)
    return [
        firsts.setdefault(item.call_id, number) if isinstance(item, Entry) and item.call_id not in NO_CALL else number
        for number, item in numbers
    ]


def _distrust(read: list[Entry | Fault], number: int, *, forged: bool) -> None:
    item = read[number]
    if isinstance(item, Entry):
        read[number] = Fault(FORGED, item.event) if forged else DoubtfulEntry(*item)


def _behead(read: list[Entry | Fault], number: int) -> None:
    """Take the number, which is a part of one only, from a line; the visit that it begins is a true one."""
    item = read[number]
    if isinstance(item, Entry):
        read[number] = item._replace(data=())


def _begins(item: Entry | Fault) -> bool:
    return isinstance(item, Entry) and item.event == _HEAD


def _cut(item: Entry | Fault) -> TypeGuard[Entry]:
    return isinstance(item, Entry) and item.event == _HEAD and len(item.data) < _WITH_POSITION
