"""Seeded random numbers: the same seed, key and purpose give the same draws."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Final

_FAR = 1_000_003  # seeds lie further apart than the lines of a record, so that no two begin alike
_FIRST: Final = 8  # draws of a caller, in most cases


def generator(seed: int, key: int, purpose: int = 0) -> Random:
    """Give the random generator of one caller (`key`) under one seed; each purpose has its own."""
    return Random((seed * 16 + purpose) * _FAR * _FAR + key)  # noqa: S311 - nothing secret depends on it


def shares(seed: int, key: int, purpose: int = 0) -> Iterator[float]:
    """Give what `random()` of such a generator gives, one after the other.

    The same callers are drawn for each staff that a day is simulated with, and to seed a generator costs more than all
    that is drawn from it: so the first ones are remembered.
    """
    yield from _first(seed, key, purpose)
    rest = generator(seed, key, purpose)
    for _ in range(_FIRST):
        rest.random()
    while True:
        yield rest.random()


@lru_cache(maxsize=1 << 16)
def _first(seed: int, key: int, purpose: int) -> tuple[float, ...]:
    chance = generator(seed, key, purpose)
    return tuple(chance.random() for _ in range(_FIRST))
