"""Patience: how long callers wait before they hang up, from waits most of which were ended by an agent.

A wait that an agent ended says only that the patience was longer: it is censored. Mean patience is then all seconds
that callers spent in the queue over the number who hung up, the maximum-likelihood mean of an exponential patience,
which Erlang A takes. `staying` draws the whole curve without that assumption (Kaplan and Meier 1958).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from scheduler.staffing import distributions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scheduler.staffing.learning.fresh import PastCall

LEAST_HANG_UPS = 30
SURE = 0.95
_SHORTEST_S = 0.5
"""A log tells whole seconds: a wait of 0 s lasted half of one."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One caller's wait in seconds, and whether the caller ended it."""

    seconds: float
    hung_up: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """The mean patience, and between which bounds it lies with 90% confidence, from `waits` of which so many hung up.

    Where nobody hung up the mean is infinite, and `low_s` alone says what is known.
    """

    mean_s: float
    low_s: float
    high_s: float
    waits: int
    hung_up: int


def patience(waits: Iterable[Wait]) -> Patience:
    """Fit an exponential patience to censored waits."""
    rows = list(waits)
    return _fitted(len(rows), sum(wait.hung_up for wait in rows), math.fsum(wait.seconds for wait in rows))


def _fitted(waits: int, hung_up: int, total_s: float) -> Patience:
    total_s = max(total_s, hung_up * _SHORTEST_S)
    most, least = distributions.highest_mean(hung_up, SURE), distributions.lowest_mean(hung_up, SURE)
    return Patience(
        total_s / hung_up if hung_up else math.inf,
        total_s / most,
        total_s / least if least else math.inf,
        waits,
        hung_up,
    )


class PatienceEstimator:
    """Adds up waits call by call, to fit each queue's patience. Our own callbacks tell nothing of waiting."""

    def __init__(self) -> None:
        self._sums: dict[str, list[float]] = {}  # by queue: waits, hang-ups, seconds

    def add(self, call: PastCall) -> None:
        """Take a call."""
        if not call.own:
            row = self._sums.setdefault(call.queue, [0, 0, 0.0])
            row[0] += 1
            row[1] += call.hung_up
            row[2] += call.waited_s

    def fits(self, least: int = LEAST_HANG_UPS) -> dict[str, Patience]:
        """Give each queue's patience; one with fewer than `least` hang-ups has the whole site's, named ""."""
        waits, hung_up, seconds = (sum(column) for column in zip((0, 0, 0.0), *self._sums.values(), strict=True))
        site = _fitted(int(waits), int(hung_up), seconds)
        fits = {
            queue: _fitted(int(waits), int(hung_up), seconds) for queue, (waits, hung_up, seconds) in self._sums.items()
        }
        return {"": site} | {queue: fit if fit.hung_up >= least else site for queue, fit in fits.items()}


def by_queue(calls: Iterable[PastCall], least: int = LEAST_HANG_UPS) -> dict[str, Patience]:
    """Fit each queue's patience as `PatienceEstimator` does."""
    waiting = PatienceEstimator()
    for call in calls:
        waiting.add(call)
    return waiting.fits(least)


def staying(waits: Iterable[Wait]) -> list[tuple[float, float]]:
    """Give the share of callers who would still wait after so many seconds, at each wait at which somebody hung up.

    Who was answered at the very second at which another hung up was still waiting.
    """
    rows = sorted(waits, key=lambda wait: wait.seconds)
    left, share, curve = len(rows), 1.0, []
    for seconds, group in groupby(rows, key=lambda wait: wait.seconds):
        ended = list(group)
        if hung_up := sum(wait.hung_up for wait in ended):
            share *= 1 - hung_up / left
            curve.append((seconds, share))
        left -= len(ended)
    return curve


def stays(curve: Sequence[tuple[float, float]], seconds: float) -> float:
    """Read the share who still wait after `seconds` off a curve of `staying`."""
    return next((share for at_s, share in reversed(curve) if at_s <= seconds), 1.0)
