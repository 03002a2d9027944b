"""One measured value, with the metric that it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Sample(NamedTuple):
    """A value of a family; `labels` are those that the family names, without the site's or the node's own."""

    family: str
    value: float
    labels: tuple[str, ...] = ()


class Spread(NamedTuple):
    """A histogram: how many values were no greater than each bound, how many there were, and their sum."""

    family: str
    within: Mapping[float, int]
    many: int
    total: float
