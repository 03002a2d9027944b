"""Chance that can be repeated: the same numbers, the same luck."""

from __future__ import annotations

from random import Random

_FAR = 1_000_003  # seeds lie further apart than the lines of a record, so that no two begin alike


def luck(seed: int, whose: int, what_for: int = 0) -> Random:
    """Give the luck of one caller under one seed, apart for each thing that it decides."""
    return Random((seed * 16 + what_for) * _FAR * _FAR + whose)  # noqa: S311 - nothing secret depends on it
