"""How a row left a list: what the feed told of its reservation, in words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from callback import events as e
from callback.reservations.states import STATES
from callback.store import audit
from callback.web.console.words import Language, say

KEPT: Final = 5_000
"""Of so many reservations it is remembered how they ended; a list holds hundreds at most."""
MOVED: Final = "moved"
CALLED_BY_HAND: Final = "called-by-hand"
CANCELLED_BY_CUSTOMER: Final = "cancelled-by-customer"
CLOSED: Final = frozenset(STATES) - {"waiting", "held", "calling"}
BY: Final = frozenset({"reached", "withdrawn", "cancelled", "done-elsewhere", CALLED_BY_HAND})
"""What the words tell the author of."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reservation ended: a state of it or `called-by-hand`, and by whom."""

    how: str
    by: str | None = None


class Outcomes:
    """Remembers how the last reservations ended, from the events in their order."""

    def __init__(self) -> None:
        self._ended: OrderedDict[int, Outcome] = OrderedDict()
        self._agents: OrderedDict[str, str] = OrderedDict()  # by attempt

    def take(self, event: e.Event) -> None:
        """Learn what an event tells; most tell nothing of it."""
        if isinstance(event, e.AgentConnected | e.CustomerDialled | e.CustomerAnswered):
            if event.agent:
                _keep(self._agents, event.attempt, event.agent)
            return
        for reservation, outcome in self._told(event):
            _keep(self._ended, reservation, outcome)

    def words(self, reservation: int, language: Language) -> str:
        """How it ended, in words; where that is not known, that it is not in this list any more."""
        return words(self._ended.get(reservation), language)

    def _told(self, event: e.Event) -> list[tuple[int, Outcome]]:
        match event:
            case e.AttemptEnded() if event.state in CLOSED:
                return [(event.reservation, Outcome(event.state, self._agents.get(event.attempt)))]
            case e.Decided():
                return _decided(event)
            case e.CalledByHand():
                return [(event.reservation, Outcome(CALLED_BY_HAND, event.phone))]
            case e.Returned() | e.Withdrawn() | e.Expired() | e.Cancelled():
                return [(event.reservation, Outcome(_STATES[type(event)]))]
            case _:
                return []


_STATES: Final[Mapping[type[e.Event], str]] = {
    e.Returned: "returned",
    e.Withdrawn: "withdrawn",
    e.Expired: "expired",
    e.Cancelled: "cancelled",
}


def _decided(event: e.Decided) -> list[tuple[int, Outcome]]:
    """The reservation that was closed; of a block or an erasure those that it ended."""
    by = None if event.who == audit.CUSTOMER else event.who
    if event.reservation is not None and event.action in CLOSED:
        how = CANCELLED_BY_CUSTOMER if by is None and event.action == "cancelled" else event.action
        return [(event.reservation, Outcome(how, by))]
    return [(reservation, Outcome("cancelled", by)) for reservation in event.about.get("cancelled") or ()]


def words(outcome: Outcome | None, language: Language) -> str:
    """An outcome in words."""
    if outcome is None:
        return say(language, "left", MOVED)
    if outcome.by is None or outcome.how not in BY:
        return say(language, "left", outcome.how)
    return say(language, "left", f"{outcome.how}-by", who=outcome.by.rpartition("/")[2])


def _keep(known: OrderedDict[Any, Any], key: object, value: object) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > KEPT:
        known.popitem(last=False)
