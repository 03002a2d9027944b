"""How many agents each half hour needs: for the callers who wait, and for the callbacks beside them.

Waiting callers need safety staff, because they come at random and hang up (Erlang A). Callbacks with half an
hour's time need almost none: inbound load, callback load and one agent to spare kept 95% of them within 30 minutes in a
simulation. So a half hour needs the larger of the two, and more on the roster than at work: breaks in the log, training
and illness take their share (`shrinkage`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.errors import SchedulerError
from scheduler.staffing import erlang
from scheduler.staffing.erlang import OfferedTraffic, Target
from scheduler.staffing.halfhours import HALF_HOUR_S
from scheduler.staffing.learning.fresh import observed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Callback:
    """What a callback costs: `tries` rings of `ring_s` each, and a talk with the `answered_share` who answer.

    Of people who asked to be called, 93% answered (Hathaway, Emadi and Deshpande 2020). The agent is on
    the line first, so the ringing takes agent time as well.
    """

    tries: float = 1.2
    ring_s: float = 20.0
    answered_share: float = 0.93

    def seconds(self, handling_s: float) -> float:
        """Give the agent's time for one callback whose talk and wrap-up take `handling_s`."""
        return self.tries * self.ring_s + self.answered_share * handling_s


@dataclass(frozen=True, slots=True)
class StaffingTerms:
    """The assumptions that the need is computed with.

    `target` is for waiting callers, None: only callbacks count. `again_share` of those who hang up dial again.
    `callback_spare` agents beyond the load keep the callbacks in time. `shrinkage` of the rostered time nobody works.
    """

    target: Target | None = field(default_factory=Target)
    callback: Callback = field(default_factory=Callback)
    again_share: float = 0.4
    callback_spare: float = 1.0
    shrinkage: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.shrinkage < 1 and 0 <= self.again_share <= 1 and self.callback_spare >= 0):
            raise SchedulerError(
                f"shrinkage {self.shrinkage} and again_share {self.again_share} are shares below 1, "
                f"and callback_spare {self.callback_spare} is 0 or more: mend what is not"
            )

    def spare_s(self, staff: float, work_s: float) -> float:
        """Give the seconds of a half hour that `staff` on the roster have for callbacks beside so much other work."""
        return max(0.0, (staff * (1 - self.shrinkage) - self.callback_spare) * HALF_HOUR_S - work_s)


@dataclass(frozen=True, slots=True)
class Need:
    """The agents that one half hour needs: at work for `inbound` and for `callbacks` besides, and on the `roster`."""

    inbound: int
    callbacks: int
    roster: int

    @property
    def at_work(self) -> int:
        """How many agents have to be at work."""
        return max(self.inbound, self.callbacks)


def need(calls: float, losses: float, handling_s: float, patience_s: float, terms: StaffingTerms) -> Need:
    """Give the need of a half hour with so many fresh `calls`, and `losses` callers to be called back."""
    if not calls and not losses:
        return Need(0, 0, 0)
    inbound = inbound_agents(calls, handling_s, patience_s, terms)
    load = calls * handling_s / HALF_HOUR_S
    back = losses * terms.callback.seconds(handling_s) / HALF_HOUR_S
    callbacks = math.ceil(load + back + terms.callback_spare - _ROUNDING)
    return Need(inbound, callbacks, on_roster(max(inbound, callbacks), terms.shrinkage))


def inbound_agents(calls: float, handling_s: float, patience_s: float, terms: StaffingTerms) -> int:
    """Give the agents that meet the target for waiting callers; none, where there is no target."""
    if terms.target is None or not calls:
        return 0
    coming = observed(calls, terms.target.hang_up_share, terms.again_share)
    return erlang.needed(OfferedTraffic(coming / HALF_HOUR_S, handling_s), terms.target, patience_s)


def on_roster(at_work: int, shrinkage: float) -> int:
    """Give how many agents the roster needs so that `at_work` are at work."""
    return math.ceil(at_work / (1 - shrinkage) - _ROUNDING)


def day_need(
    calls: Sequence[float],
    losses: Sequence[float],
    handling_s: Callable[[int], float],
    patience_s: float,
    terms: StaffingTerms,
) -> tuple[Need, ...]:
    """Give the need of each half hour of a day; `handling_s` is asked by its number."""
    return tuple(
        need(count, lost, handling_s(number), patience_s, terms)
        for number, (count, lost) in enumerate(zip(calls, losses, strict=True))
    )
