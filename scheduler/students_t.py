"""Student's t distribution: how far a mean of few values may lie from the truth. By the incomplete beta function."""

from __future__ import annotations

import math
from functools import lru_cache

from scheduler.errors import SchedulerError

_CLOSE = 1e-15
_TINY = 1e-300
_MOST_STEPS = 10_000
_HALVINGS = 200


def at_most(value: float, freedom: float) -> float:
    """Give the chance that a t variable with so many degrees of freedom, whole or not, is at most `value`."""
    _check(freedom)
    tail = _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + value * value)) / 2
    return 1 - tail if value > 0 else tail


@lru_cache(maxsize=1024)  # a page asks for the same few again and again
def two_sided(confidence: float, freedom: float) -> float:
    """Give the value that a t variable stays within, on both sides of 0, with this chance: 1.967 for 0.95 and 325."""
    _check(freedom)
    if not 0 < confidence < 1:
        raise SchedulerError(f"a confidence of {confidence} lies not between 0 and 1: write it as in 0.95")
    above, low, high = (1 + confidence) / 2, 0.0, 1.0
    while at_most(high, freedom) < above:
        low, high = high, high * 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if at_most(middle, freedom) < above else (low, middle)
    return high


def _check(freedom: float) -> None:
    if not freedom > 0 or math.isinf(freedom):
        raise SchedulerError(f"{freedom} degrees of freedom make no t distribution: two values at least are needed")


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Give the regularised incomplete beta function (DLMF 8.17.22, by Lentz), from the side where it converges fast."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    log_front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_front)
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    over = 1.0
    under = 1 / _solid(1 - (a + b) * x / (a + 1))
    result = under
    for step in range(1, _MOST_STEPS):
        for part in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            under = 1 / _solid(1 + part * under)
            over = _solid(1 + part / over)
            result *= over * under
        if abs(over * under - 1) < _CLOSE:
            break
    return result


def _solid(value: float) -> float:
    """Keep a divisor away from 0, as Lentz asks."""
    return value if abs(value) > _TINY else _TINY
