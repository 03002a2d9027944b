"""Severity: how much a customer was harmed decides who of the same lane is called first. Pure.

One short abandon is less than three abandons, a cut-off after a long wait, or silence twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_WAIT_S: Final = 300
CUT_AFTER_S: Final = 120
"""A talk that was cut off is worse when the caller had waited this long for it."""
MOST: Final = 9
NOW: Final = 10
"""Above all degrees: a person decided "call now"."""


@dataclass(frozen=True, slots=True)
class Harm:
    """One loss: its kind, and how long the caller had waited."""

    kind: str
    waited_s: float


def severity(harms: Sequence[Harm]) -> int:
    """Give the severity of one customer's losses since the last call that was served, 0 to MOST."""
    repeated = 2 * (len(harms) - 1)
    long_wait = any(harm.waited_s >= LONG_WAIT_S for harm in harms)
    cut_after_wait = any(harm.kind == "dropped" and harm.waited_s >= CUT_AFTER_S for harm in harms)
    silences = sum(harm.kind == "silent" for harm in harms)
    return min(MOST, max(0, repeated) + long_wait + 2 * cut_after_wait + 2 * max(0, silences - 1))
