"""An open reservation as the order rule sees it, and its lane: in the aim, in the window or overdue. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scheduler.hours import Hours

IN_AIM: Final = "in-aim"
IN_WINDOW: Final = "in-window"
OVERDUE: Final = "overdue"
LANES: Final = (IN_AIM, IN_WINDOW, OVERDUE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open reservation, with what is known of its customer now.

    `number_live`: the customer has a channel on one of our PBXs. `in_flight`: an attempt is under way.
    `watched`: callbacks are not switched on for this reservation. `trunk_rests`: its trunk failed lately.
    `agents_rest`: the queue's agents took none of the last callbacks. `paused`: a person stopped calls in the queue.
    `hours` are those at which the customer's phone may ring, where they are not the site's. `agent` is the one agent
    whose phone is to be rung, none but that one; `agent_away`: that agent cannot be rung now. One that nobody lost has
    time: it stands among the others as if lost at `stands_since_at`, and until then it goes after them all.
    """

    reservation: int
    queue: str
    kind: str
    clock_starts_at: int
    aim_at: int
    deadline_at: int
    due_at: int
    severity: int = 0
    number_live: bool = False
    in_flight: bool = False
    trunk_rests: bool = False
    agents_rest: bool = False
    paused: bool = False
    watched: bool = False
    hours: Hours | None = None
    agent: str | None = None
    agent_away: bool = False
    stands_since_at: int | None = None

    @property
    def begins_at(self) -> int:
        """When it may be called at the earliest."""
        return max(self.due_at, self.clock_starts_at)

    @property
    def since_at(self) -> int:
        """Since when it counts as waiting."""
        return self.clock_starts_at if self.stands_since_at is None else self.stands_since_at


def lane(candidate: Candidate, now: int) -> str:
    """Give the lane of a reservation at `now`."""
    if now <= candidate.aim_at:
        return IN_AIM
    return IN_WINDOW if now <= candidate.deadline_at else OVERDUE
