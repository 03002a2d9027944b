"""Improve a day's shifts: first by moves, which cost nothing, then by as few additional shifts as possible.

Moves are searched greedily. A shift as a whole may begin up to `reach` half hours earlier or later, or one of its
breaks may move within the shift; each shift is moved once at most. The move that takes most from the day's shortage
(agents missing, over all half hours) is made first, the smaller of two that take the same; when none takes anything
the search ends. Every move lowers the shortage by one or more, so it ends; it may miss a better set of moves.

What is still missing takes more shifts. From the morning on, the first half hour that lacks somebody has to be
covered by some shift, and of all that cover it the one that begins latest reaches furthest: it is taken, as short as
what it covers allows. For shifts without breaks no plan needs fewer shifts. Breaks can make one more necessary, so
`at_least` says what no plan can go below: the most that is missing in half hours so far apart that no shift covers
two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from scheduler.errors import SchedulerError
from scheduler.staffing.blocks import Block, at_work
from scheduler.staffing.halfhours import A_DAY, clock_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FROM_EDGE: Final = 2


@dataclass(frozen=True, slots=True)
class ShiftLimits:
    """Limits of a shift.

    `lengths` of a new shift in half hours, its break included; a shift of `break_from` or more has one break, of one
    half hour, an hour or more from either end. None begins before `opens` or ends after `closes`. One may be moved by
    up to `reach` half hours.
    """

    lengths: tuple[int, ...] = (8, 12, 16)
    break_from: int = 12
    opens: int = 0
    closes: int = A_DAY
    reach: int = 2

    def __post_init__(self) -> None:
        if not self.lengths or min(self.lengths) < 1 or self.closes - self.opens < min(self.lengths):
            raise SchedulerError(
                f"no shift of {self.lengths} half hours fits between {clock_time(self.opens)} and "
                f"{clock_time(self.closes)}: let the shortest one fit"
            )

    def may_break(self, block: Block) -> range:
        """Give the half hours in which `block` may have its break."""
        return range(block.first + _FROM_EDGE, block.until - _FROM_EDGE)


@dataclass(frozen=True, slots=True)
class Move:
    """A shift as it was, and as it should be; it takes `gain` from the day's shortage."""

    before: Block
    after: Block
    gain: int


@dataclass(frozen=True, slots=True)
class ShiftPlan:
    """What to change: moves, then `added` shifts (no plan adds fewer than `at_least`); `missing` is what is left."""

    moves: tuple[Move, ...]
    added: tuple[Block, ...]
    at_least: int
    missing: tuple[int, ...]


def plan(blocks: Sequence[Block], needed: Sequence[int], rules: ShiftLimits) -> ShiftPlan:
    """Plan a day for which so many agents are `needed` in each half hour."""
    moves, missing = _moved(blocks, needed, rules)
    added, left = _added(missing, rules)
    return ShiftPlan(tuple(moves), tuple(added), fewest_shifts(missing, rules), tuple(left))


def fewest_shifts(missing: Sequence[int], rules: ShiftLimits) -> int:
    """Give how many shifts are needed at least, whatever their breaks: half hours a longest shift apart add up."""
    longest = max(rules.lengths)
    best = [0] * (A_DAY + longest)
    for number in reversed(range(rules.opens, rules.closes)):
        best[number] = max(best[number + 1], max(missing[number], 0) + best[number + longest])
    return best[rules.opens]


def _moved(blocks: Sequence[Block], needed: Sequence[int], rules: ShiftLimits) -> tuple[list[Move], list[int]]:
    """Make moves while any helps; gives them, and what is missing (negative: to spare) afterwards."""
    missing = [need - present for need, present in zip(needed, at_work(blocks), strict=True)]
    still, moves = sorted(blocks), list[Move]()
    while True:
        tries = [Move(block, other, _gain(block, other, missing)) for block in still for other in _others(block, rules)]
        best = max(tries, key=_worth, default=None)
        if best is None or best.gain <= 0:
            return moves, missing
        moves.append(best)
        still.remove(best.before)
        for block, change in ((best.before, 1), (best.after, -1)):
            for number in block.at_work():
                missing[number] += change


def _worth(move: Move) -> tuple[int, int]:
    """Rank a move: what it takes from the shortage, then how little it moves."""
    before, after = move.before, move.after
    by = abs(after.first - before.first) or sum(abs(a - b) for a, b in zip(after.breaks, before.breaks, strict=True))
    return move.gain, -by


def _others(block: Block, rules: ShiftLimits) -> Iterator[Block]:
    """Give what a shift could be instead."""
    for by in (step * sign for step in range(1, rules.reach + 1) for sign in (-1, 1)):
        if rules.opens <= block.first + by and block.until + by <= rules.closes:
            yield Block(block.agent, block.first + by, block.until + by, tuple(pause + by for pause in block.breaks))
    for pause in block.breaks:
        rest = [other for other in block.breaks if other != pause]
        for number in rules.may_break(block):
            if number not in block.breaks:
                yield Block(block.agent, block.first, block.until, tuple(sorted([*rest, number])))


def _gain(before: Block, after: Block, missing: Sequence[int]) -> int:
    """Say by how much the day's shortage falls; half hours that both work do not change."""
    old, new = set(before.at_work()), set(after.at_work())
    return sum(missing[number] > 0 for number in new - old) - sum(missing[number] >= 0 for number in old - new)


def _added(missing: Sequence[int], rules: ShiftLimits) -> tuple[list[Block], list[int]]:
    left, added = [max(0, number) for number in missing], list[Block]()
    for serial in count(1):
        lacking = [number for number in range(rules.opens, rules.closes) if left[number]]
        block = _covering(lacking[0], left, rules, f"new {serial}") if lacking else None
        if block is None:
            return added, left
        added.append(block)
        for number in block.at_work():
            left[number] = max(0, left[number] - 1)
    raise AssertionError  # count never ends


def _covering(number: int, left: Sequence[int], rules: ShiftLimits, name: str) -> Block | None:
    """Give the shift that covers `number` and reaches furthest, cut to the shortest that covers as much."""
    tries = [_fitted(number, length, left, rules, name) for length in sorted(rules.lengths)]
    covering = [block for block in tries if block is not None]
    return max(covering, key=lambda block: sum(left[at] > 0 for at in block.at_work()), default=None)


def _fitted(number: int, length: int, left: Sequence[int], rules: ShiftLimits, name: str) -> Block | None:
    """Give the latest shift of `length` that works in `number`, its break where least is missing."""
    first = min(number, rules.closes - length)
    if first < rules.opens:
        return None
    block = Block(name, first, first + length)
    if length < rules.break_from:
        return block
    places = [place for place in rules.may_break(block) if place != number]
    return Block(name, first, first + length, (min(places, key=left.__getitem__),)) if places else block
