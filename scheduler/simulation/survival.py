"""Survival curves: the time until an event, from observed and censored times (Kaplan-Meier)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True)
class Curve:
    """A Kaplan-Meier curve: `gone[i]` is the share for whom the event has happened within `times_s[i]` seconds.

    Beyond the last time nothing is known. With `tail_s` it happens there after that many more seconds on
    average (exponential); without, never.
    """

    times_s: tuple[int, ...]
    gone: tuple[float, ...]
    tail_s: float | None = None

    def draw(self, chance: Iterator[float]) -> float | None:
        """Draw one time in seconds, spread within its whole second, by two shares; None: it never happens."""
        share, within = next(chance), next(chance)
        index = bisect_left(self.gone, share)
        if index < len(self.times_s):
            return max(0.0, self.times_s[index] - within)
        if self.tail_s is None:
            return None
        last_s = self.times_s[-1] if self.times_s else 0
        return last_s - self.tail_s * log(1.0 - within)


def fit(happened_s: Collection[int], stopped_s: Collection[int], *, tail: bool) -> Curve:
    """Fit the curve to whole seconds: when the event happened, and when watching stopped before it (censored).

    Whoever was censored at the second of an event was still at risk. Kaplan and Meier, JASA 53
    (1958) 457-481. The tail's mean is the whole time watched over the number to whom it happened.
    """
    happened, stopped = Counter(happened_s), Counter(stopped_s)
    at_risk, left = len(happened_s) + len(stopped_s), 1.0
    times, gone = [], []
    for second in sorted({*happened, *stopped}):
        if happened[second]:
            left *= 1 - happened[second] / at_risk
            times.append(second)
            gone.append(1 - left)
        at_risk -= happened[second] + stopped[second]
    mean_s = (sum(happened_s) + sum(stopped_s)) / max(1, len(happened_s))
    return Curve(tuple(times), tuple(gone), mean_s if tail else None)
