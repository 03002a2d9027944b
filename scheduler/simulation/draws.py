"""Seeded random numbers: the same seed, key and purpose give the same draws."""

from __future__ import annotations

from random import Random

_FAR = 1_000_003  # seeds lie further apart than the lines of a record, so that no two begin alike


def generator(seed: int, key: int, purpose: int = 0) -> Random:
    """Give the random generator of one caller (`key`) under one seed; each purpose has its own."""
    return Random((seed * 16 + purpose) * _FAR * _FAR + key)  # noqa: S311 - nothing secret depends on it
