"""Limits that all nodes share: how often one stranger, person or program may ask, wherever they ask."""

from __future__ import annotations

from typing import Protocol


class Limits(Protocol):
    """Counts for all nodes together. From any thread; it gives an answer within a tenth of a second, or none."""

    def allows(self, name: str, key: str, at_once: int, every_s: float) -> bool | None:
        """Whether `key` may do what `name` bounds once more; if so, that is counted. None where nobody can tell.

        As `at_once` times, and after that once in `every_s`.
        """


class Own:
    """There is nothing shared: each node has its own limits."""

    def allows(self, name: str, key: str, at_once: int, every_s: float) -> bool | None:
        """Leave it to the node."""


OWN = Own()
