"""A random sample of very many: how many of each segment, in which order, and what the answers say about all of them.

The order is drawn by a seed alone: who knows the seed and the audience gets the same people, on every machine.
The interval is Student's, with the correction for a finite population. It takes the sample as one drawn from all of
them at once: a sample that is divided among segments in proportion is never much less sure than that.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from scheduler.students_t import two_sided

CONFIDENCE: Final = 0.95
LOWEST, HIGHEST = 0, 10
_LEAST_VALUES: Final = 2  # one value says nothing about how far values lie apart


def divide(sizes: Mapping[str, int], wanted: int) -> dict[str, int]:
    """Divide a sample among segments in proportion to their sizes, by the largest remainder.

    Each segment that has anybody gets one at least, where the sample is large enough for that; none gets more than it
    has. All are taken where no more than `wanted` are there.
    """
    peopled = {name: size for name, size in sorted(sizes.items()) if size > 0}
    whole = sum(peopled.values())
    wanted = min(wanted, whole)
    if wanted <= 0:
        return dict.fromkeys(sizes, 0)
    shares = {name: wanted * size // whole for name, size in peopled.items()}
    left = wanted - sum(shares.values())
    for name in sorted(peopled, key=lambda one: (-(wanted * peopled[one] % whole), one))[:left]:
        shares[name] += 1
    if wanted >= len(peopled):
        _one_each(shares)
    return {**dict.fromkeys(sizes, 0), **shares}


def _one_each(shares: dict[str, int]) -> None:
    """Let each segment have one, taken from those that have most."""
    for name in [one for one, share in shares.items() if share == 0]:
        richest = max(shares, key=lambda one: (shares[one], one))
        shares[richest] -= 1
        shares[name] = 1


def ordered(people: Iterable[int], seed: int) -> list[int]:
    """Give people in the random order that this seed draws; the first of it are the sample.

    Each has a number of their own that the seed alone decides: when others come or go, the order of the rest stays.
    """
    key = seed.to_bytes(8, "big")
    return sorted(people, key=lambda person: (_drawn(person, key), person))


def _drawn(person: int, key: bytes) -> bytes:
    return hashlib.blake2b(person.to_bytes(8, "big"), digest_size=16, key=key).digest()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the valid answers of a sample say about all of them: the mean, and the interval that holds the true one.

    `low` and `high` are None where there are too few answers for an interval. `variance` is of the answers.
    """

    valid: int
    people: int
    mean: float | None
    variance: float | None
    low: float | None
    high: float | None

    @property
    def alike(self) -> bool:
        """Whether all answers are the same: then the interval is a point, and says less than it seems to."""
        return self.variance == 0


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a mean lies from the one before, and the interval that holds the true difference; None: not known."""

    change: float
    low: float | None
    high: float | None

    @property
    def by_chance(self) -> bool:
        """Whether chance alone may have made it: the interval holds 0, or there is none."""
        return self.low is None or self.high is None or self.low <= 0 <= self.high


def estimate(answers: Mapping[int, int], people: int, confidence: float = CONFIDENCE) -> Estimate:
    """Say what answers, counted by score, tell about `people`, of whom those who answered are a random sample."""
    valid = sum(answers.values())
    if not valid:
        return Estimate(0, people, None, None, None, None)
    total = sum(score * many for score, many in answers.items())
    mean = total / valid
    if valid < _LEAST_VALUES:
        return Estimate(valid, people, mean, None, None, None)
    squares = sum(score * score * many for score, many in answers.items())
    variance = (squares * valid - total * total) / (valid * (valid - 1))  # whole numbers until here: nothing is lost
    spread = two_sided(confidence, valid - 1) * math.sqrt(variance / valid * _finite(valid, people))
    return Estimate(
        valid, people, mean, variance, max(float(LOWEST), mean - spread), min(float(HIGHEST), mean + spread)
    )


def difference(before: Estimate, after: Estimate, confidence: float = CONFIDENCE) -> Difference | None:
    """Say how far a mean lies from the one before, by Welch's interval; None where one of them has no answer.

    It has no correction for a finite population: both samples are of the same people, none of them is in both, and how
    the scores of one person before and after go together is not known. Without the correction it holds in any case.
    """
    if before.mean is None or after.mean is None:
        return None
    change = after.mean - before.mean
    if before.variance is None or after.variance is None:
        return Difference(change, None, None)
    parts = (before.variance / before.valid, before.valid), (after.variance / after.valid, after.valid)
    error = sum(part for part, _ in parts)
    if not error:
        return Difference(change, change, change)
    freedom = error * error / sum(part * part / (valid - 1) for part, valid in parts)
    spread = two_sided(confidence, freedom) * math.sqrt(error)
    return Difference(change, change - spread, change + spread)


def _finite(valid: int, people: int) -> float:
    """How much surer a sample is because it is a part of a population that ends: 0 where all were asked."""
    return max(0.0, 1 - valid / people) if people else 1.0
