"""Many losses with one cause in a short time are one incident: nobody is dialled or texted until it has passed. Pure.

    holding --quiet: as few as usual--> draining --nobody left--> over
       |  ^------too many losses again-----'                       ^
       +------ a person: released, or dropped --nobody left, quiet-+

A caller lost while it is `holding` is held. In `draining` and `released` they are let go at a set rate; callers held
when it was `dropped` are owed nothing any more. A person's decision is not undone by further losses: these are called
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scheduler.clock import MINUTE, SECOND
from scheduler.errors import SchedulerError

State = Literal["holding", "draining", "released", "dropped", "over"]
STATES: Final[tuple[State, ...]] = ("holding", "draining", "released", "dropped", "over")
BURST_S: Final = 5
"""What was not let go in time (the service stood still) is made up for by no more than this much of the rate."""


@dataclass(frozen=True, slots=True)
class IncidentTerms:
    """More than `losses` within `window_s` seconds are an incident; `drain_per_min` are let go after it."""

    losses: int = 50
    window_s: int = 600
    drain_per_min: float = 10

    def __post_init__(self) -> None:
        if self.losses < 1 or self.window_s < 1 or self.drain_per_min <= 0:
            raise SchedulerError(
                f"losses={self.losses}, window_s={self.window_s}, drain_per_min={self.drain_per_min}: "
                "let all be above 0"
            )


def after_loss(state: State | None, lately: int, terms: IncidentTerms) -> State | None:
    """Say how an incident stands after one more loss of its cause; None: there is none.

    `lately` counts the losses of the cause within the window, this one too. A person's word stands.
    """
    if state in {"holding", "released", "dropped"}:
        return state
    return "holding" if lately > terms.losses else state


def after_time(state: State, lately: int, terms: IncidentTerms, *, anybody: bool) -> State:
    """Say how an incident stands now; `anybody` tells whether it still holds somebody.

    `lately` counts the losses of its cause within the window. Some there always are, above all callers who gave up: it
    is quiet when one more would not be too many.
    """
    quiet = lately < terms.losses
    if state == "holding":
        return "draining" if quiet else state
    return "over" if quiet and not anybody else state


def drain_s(held: int, per_min: float) -> float:
    """Say how long it takes until the last of so many is let go."""
    return held * 60 / per_min


def turns(deadlines: Sequence[int], now: int, per_min: float) -> list[int]:
    """When each is let go, where letting go begins now: the nearest that can be kept go first, the others after."""
    each, turn = round(MINUTE / per_min), now
    found, after = dict[int, int](), list[int]()
    for place in sorted(range(len(deadlines)), key=lambda place: deadlines[place]):
        if deadlines[place] <= turn + each:
            after.append(place)
        else:
            turn += each
            found[place] = turn
    for place in after:
        turn += each
        found[place] = turn
    return [found[place] for place in range(len(deadlines))]


def late(deadlines: Sequence[int], now: int, per_min: float) -> int:
    """How many deadlines pass before their turn, where letting go begins now: the nearest that can be kept go first."""
    each, turn, missed = round(MINUTE / per_min), now, 0
    for deadline_at in sorted(deadlines):
        if deadline_at <= turn + each:
            missed += 1
        else:
            turn += each
    return missed


def let_go(since: int, now: int, per_min: float) -> tuple[int, int]:
    """Say how many may be let go now, and up to when the rate is used then; `since` is what this said last."""
    each = round(MINUTE / per_min)
    since = max(since, now - max(each, BURST_S * SECOND))
    count = max(0, now - since) // each
    return count, since + count * each
