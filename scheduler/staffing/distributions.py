"""The distributions that call counts need: Poisson, negative binomial and gamma. Plain recursions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CLOSE = 1e-15
_TINY = 1e-300
_ROUNDING = 1e-9
_HALVINGS = 44


def gamma_below(shape: float, x: float) -> float:
    """Give the chance that a gamma variable of `shape` (scale 1) is at most `x`.

    By its series below the mean and Lentz's continued fraction above it (Abramowitz and Stegun 6.5.29 and 6.5.31).
    """
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    return front * _series(shape, x) if x < shape + 1 else 1 - front * _fraction(shape, x)


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    while term > total * _CLOSE:
        shape += 1
        term *= x / shape
        total += term
    return total


def _fraction(shape: float, x: float) -> float:
    below = x + 1 - shape
    over, under = 1 / _TINY, 1 / below
    result, step, factor = under, 0, 0.0
    while abs(factor - 1) > _CLOSE:
        step += 1
        numerator = step * (shape - step)
        below += 2
        under = 1 / (numerator * under + below or _TINY)
        over = below + numerator / over or _TINY
        factor = under * over
        result *= factor
    return result


def at_least(count: float, mean: float) -> float:
    """Give the chance that a Poisson variable of `mean` reaches `count`, which may stand between whole numbers."""
    return gamma_below(count, mean) if count > 0 else 1.0


def lowest_mean(count: float, sure: float) -> float:
    """Give the mean that a Poisson variable which came out as `count` exceeds with confidence `sure`."""
    return _root(lambda mean: at_least(count, mean), 1 - sure) if count > 0 else 0.0


def highest_mean(count: float, sure: float) -> float:
    """Give the mean that a Poisson variable which came out as `count` stays below with confidence `sure`."""
    return _root(lambda mean: at_least(count + 1, mean), sure)


def _root(rising: Callable[[float], float], wanted: float) -> float:
    low, high = 0.0, 1.0
    while rising(high) < wanted:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return (low + high) / 2


def quantile(mean: float, spread: float, sure: float) -> int:
    """Give the least count that is not exceeded with the chance `sure`.

    Counts have `mean` and the variance mean + spread * mean²: Poisson for no spread, else negative binomial.
    """
    if mean <= 0:
        return 0
    below, count = 0.0, 0
    while (below := below + _weight(count, mean, spread)) < sure:
        count += 1
        if count > mean and _weight(count, mean, spread) < _TINY:
            break  # what rounding took from the sum never comes
    return count


def _weight(count: int, mean: float, spread: float) -> float:
    if spread * mean < _ROUNDING:
        return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    size = 1 / spread
    return math.exp(
        math.lgamma(size + count)
        - math.lgamma(size)
        - math.lgamma(count + 1)
        - size * math.log1p(mean * spread)
        - count * math.log1p(1 / (mean * spread))
    )


def poisson_floor(mean: float) -> float:
    """Give the mean distance of a Poisson count from its own mean: no forecast errs less (de Moivre, 1730)."""
    if mean <= 0:
        return 0.0
    whole = math.floor(mean)
    return 2 * math.exp((whole + 1) * math.log(mean) - mean - math.lgamma(whole + 1))
