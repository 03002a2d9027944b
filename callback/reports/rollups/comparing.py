"""Two periods side by side: what differs, and what chance alone makes of such numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

SURE: Final = 1.96
"""Standard deviations: 95 of 100 differences that chance makes lie within so many."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What was before and after, and between which differences chance alone leaves us 95 times in 100."""

    before: float
    after: float
    chance: float  # a difference of no more than this, up or down, may be chance

    @property
    def change(self) -> float:
        """How much more it is than before."""
        return self.after - self.before

    @property
    def by_chance(self) -> bool:
        """Whether chance alone explains it."""
        return abs(self.change) <= self.chance


def of_shares(before: tuple[int, int], after: tuple[int, int]) -> Difference | None:
    """Compare two shares, each n of d; None where there is nothing of which it could be a share.

    If nothing changed, both have the share of both together, and differ by its binomial deviation.
    """
    (n, d), (later_n, later_d) = before, after
    if not (d and later_d):
        return None
    share = (n + later_n) / (d + later_d)
    return Difference(n / d, later_n / later_d, SURE * sqrt(share * (1 - share) * (1 / d + 1 / later_d)))


def of_counts(before: tuple[int, int], after: tuple[int, int]) -> Difference | None:
    """Compare two counts, each in so many days, a day; None without days.

    If nothing changed, both are Poisson counts of one rate: real ones vary more from day to day, so that a difference
    which passes here may still be the weather.
    """
    (count, days), (later_count, later_days) = before, after
    if not (days and later_days):
        return None
    rate = (count + later_count) / (days + later_days)
    return Difference(count / days, later_count / later_days, SURE * sqrt(rate / days + rate / later_days))
