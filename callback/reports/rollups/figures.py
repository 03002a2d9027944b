"""What reports count, and what follows from it. docs/reports.md defines each figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import Any, Final

from callback.store.tables.rollups import BINS, FIRST_TRY, REACH

BINS_MIN: Final = (
    1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 75, 90, 120, 180, 240, 480, 1440, inf,
)  # fmt: skip
"""Up to how many minutes a time counts in each bin of a histogram; the last one holds whatever is longer."""
NONE: Final = (0,) * BINS


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some time, of whatever part of a site. Those of parts add up.

    Calls count when they began, everything else when its reservation was made. `kind` of a call is that of its newest
    verdict. `due`, `dialled`, `reached` and `closed` of 30 and 60 minutes are as in `rates.Rates`; `dialled` and
    `reached` are those to whom it happened at all. `left` were left to people, `handled` of them are dealt with, and
    `by_hand` were settled by an agent's own call. Of lost callers who were `called_back` within an hour, before they
    rang again, so many `redialled` within that hour; of those who were not, so many.
    """

    calls: int = 0
    served: int = 0
    lost: int = 0
    requested: int = 0
    numberless: int = 0
    short: int = 0
    valid: int = 0
    refused: int = 0
    withdrawn: int = 0
    carried_over: int = 0
    returned: int = 0
    left: int = 0
    handled: int = 0
    by_hand: int = 0
    due_30: int = 0
    due_60: int = 0
    dialled_30: int = 0
    dialled_60: int = 0
    reached_30: int = 0
    reached_60: int = 0
    closed_30: int = 0
    closed_60: int = 0
    dialled: int = 0
    reached: int = 0
    tries: int = 0
    texts_sent: int = 0
    texts_delivered: int = 0
    texts_failed: int = 0
    scored: int = 0
    score_sum: int = 0
    called_back: int = 0
    called_back_redialled: int = 0
    not_called_back: int = 0
    not_called_back_redialled: int = 0
    first_try: tuple[int, ...] = NONE
    reach: tuple[int, ...] = NONE

    def share(self, what: str, minutes: int) -> float | None:
        """Give a rate (`dialled`, `reached`, `closed`); None while nothing is due."""
        due = getattr(self, f"due_{minutes}")
        return getattr(self, f"{what}_{minutes}") / due if due else None

    @property
    def satisfaction(self) -> float | None:
        """The mean of what customers said, 1 to 5."""
        return self.score_sum / self.scored if self.scored else None

    @property
    def tries_a_reach(self) -> float | None:
        """How many tries it took to reach a customer."""
        return self.tries / self.reached if self.reached else None

    def columns(self) -> dict[str, int]:
        """Give each figure by the name of its column, those that are 0 left out."""
        plain = {name: getattr(self, name) for name in PLAIN}
        bins = zip((*FIRST_TRY, *REACH), (*self.first_try, *self.reach), strict=True)
        return {name: many for name, many in (*plain.items(), *bins) if many}


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """What an agent did in attempts claimed in some time: those in which the agent answered."""

    tried: int = 0
    reached: int = 0
    talked_us: int = 0


PLAIN: Final = tuple(field.name for field in fields(Figures) if field.name not in {"first_try", "reach"})
"""The figures that are one number each."""


def figures_of(counted: Mapping[str, int]) -> Figures:
    """Make them of their columns; what is not there is 0."""
    values: dict[str, Any] = {name: counted[name] for name in PLAIN if name in counted}
    first_try, reach = (tuple(counted.get(name, 0) for name in names) for names in (FIRST_TRY, REACH))
    return Figures(**values, first_try=first_try, reach=reach)


def together(parts: Iterable[Figures]) -> Figures:
    """Add up the figures of parts that have nothing in common."""
    every = list(parts)
    if len(every) == 1:
        return every[0]
    values: dict[str, Any] = {name: sum(getattr(part, name) for part in every) for name in PLAIN}
    first_try, reach = _added([part.first_try for part in every]), _added([part.reach for part in every])
    return Figures(**values, first_try=first_try, reach=reach)


def quantile_min(histogram: Sequence[int], share: float) -> float | None:
    """Give the minutes in which that share of a histogram's times lay, read evenly within a bin; None of none.

    Infinite where it lies beyond the last bound.
    """
    wanted, below_min = share * sum(histogram), 0.0
    if not wanted:
        return None
    for many, up_to_min in zip(histogram, BINS_MIN, strict=True):
        if many >= wanted:
            return inf if up_to_min == inf else below_min + (up_to_min - below_min) * wanted / many
        wanted, below_min = wanted - many, up_to_min
    return inf


def _added(histograms: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*histograms, strict=True))) or NONE
