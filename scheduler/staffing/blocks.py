"""An agent's shift in whole half hours, as attendance counts it and planning changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.errors import SchedulerError
from scheduler.staffing.halfhours import A_DAY, clock_time, span_text

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """One agent's shift in whole half hours: from `first` up to `until`, not at work in its `breaks`."""

    agent: str
    first: int
    until: int
    breaks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.until <= A_DAY or any(not self.first <= b < self.until for b in self.breaks):
            raise SchedulerError(
                f"the shift of {self.agent!r}, half hours {self.first} to {self.until} with breaks {self.breaks}, "
                "does not lie within one day, or its breaks not within it"
            )

    def at_work(self) -> list[int]:
        """Give the half hours that are worked."""
        return [number for number in range(self.first, self.until) if number not in self.breaks]

    def __str__(self) -> str:
        """Write it, as in "Ann 09:00-17:30, break 12:30"."""
        pauses = ", ".join(clock_time(number) for number in self.breaks)
        return f"{self.agent} {span_text(self.first, self.until - 1)}" + (f", break {pauses}" if pauses else "")


def at_work(blocks: Iterable[Block]) -> tuple[int, ...]:
    """Count who works in each half hour."""
    present = [0] * A_DAY
    for block in blocks:
        for number in block.at_work():
            present[number] += 1
    return tuple(present)
