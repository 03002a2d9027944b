"""What a day of a centre came to: memory, lag and cost, and whether all who were lost were called back once."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.day.centre import Held


@dataclass(frozen=True, slots=True)
class Look:
    """How it stood at one moment of the day."""

    at_s: float
    rss_mb: float


@dataclass(slots=True)
class Lived:
    """What a day came to."""

    held: Held
    looks: list[Look]
    lags_ms: list[tuple[float, float]]  # of each call: when it was committed (s of the day), how long after its grace
    took_s: float
    cpu_s: float  # of the service
    database_cpu_s: float
    database_bytes: int
    states: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        """What is not as it must be, in words."""
        found = []
        reserved = sum(self.states.values())
        if reserved != self.held.lost:
            found.append(f"{self.held.lost} calls were lost, {reserved} reserved")
        if open_ones := {state: n for state, n in self.states.items() if state != "reached"}:
            found.append(f"not settled: {open_ones}")
        if twice := sum(n > 1 for n in self.held.placed.values()):
            found.append(f"{twice} attempts were placed twice")
        if len(self.held.placed) != self.held.lost:
            found.append(f"{len(self.held.placed)} callbacks for {self.held.lost} lost calls: {self.outcomes}")
        if twice := sum(n > 1 for n in self.held.texted.values()):
            found.append(f"{twice} numbers were texted twice")
        if len(self.held.texted) != self.texts.get("sent", 0) or sum(self.texts.values()) != self.held.lost:
            found.append(
                f"the gateway took {len(self.held.texted)} texts for {self.held.lost} lost calls: {self.texts}"
            )
        return found

    def rss_slope_mb(self) -> float:
        """How much memory grew from the first quarter's end to the day's, in MB per tenth of the day."""
        later = [look for look in self.looks if look.at_s >= self.looks[-1].at_s / 4]
        return _slope([(look.at_s, look.rss_mb) for look in later]) * self.looks[-1].at_s / 10

    def lag_slope_ms(self) -> float:
        """How much later calls were written down as the day went on, in ms per tenth of the day."""
        return _slope(self.lags_ms) * max(at for at, _ in self.lags_ms) / 10 if self.lags_ms else 0.0


def _slope(points: Sequence[tuple[float, float]]) -> float:
    if len({at for at, _ in points}) < 2:  # noqa: PLR2004 - a line needs two
        return 0.0
    return statistics.linear_regression(*zip(*points, strict=True)).slope
