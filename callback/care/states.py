"""The life of a case, as a table: state and event to state.

A case begins in `registered`. It ends once: `closed` after the customer confirmed that it is solved, `unreachable` when
the customer answered nothing for as often as the rules ask, or `withdrawn` by the customer. A case that ended never
opens again: the same customer with the same topic makes a new one, which names it (`repeat_of`).

    registered ──assigned──▶ assigned ──answered──▶ answered ──confirmed──▶ confirmed ──closed──▶ closed
                               ▲ ▲                    │ │                       │
                               │ └─assigned, denied───┘ └──unreachable──▶ unreachable
                               └──────────────────────denied────────────────────┘

An event that a state does not know raises IllegalTransition and changes nothing.
"""

from __future__ import annotations

from typing import Final, Literal

from callback.errors import IllegalTransition

State = Literal["registered", "assigned", "answered", "confirmed", "closed", "unreachable", "withdrawn"]
Event = Literal["assigned", "answered", "confirmed", "denied", "closed", "unreachable", "withdrawn"]

TABLE: Final[dict[State, dict[Event, State]]] = {
    "registered": {
        "assigned": "assigned",
        "withdrawn": "withdrawn",  # by the customer; or the customer was erased
    },
    "assigned": {
        "assigned": "assigned",  # to somebody else
        "answered": "answered",  # a first repair, by us or by a department: the customer is asked whether it is solved
        "withdrawn": "withdrawn",
    },
    "answered": {
        "answered": "answered",  # something is added
        "assigned": "assigned",  # what was answered does not do: it goes back
        "confirmed": "confirmed",
        "denied": "assigned",  # not solved: it goes on, and the clock stays
        "unreachable": "unreachable",
        "withdrawn": "withdrawn",
    },
    "confirmed": {
        "closed": "closed",
        "denied": "assigned",  # the customer says otherwise before it is closed
    },
    "closed": {},
    "unreachable": {},
    "withdrawn": {},
}

STATES: Final[tuple[State, ...]] = tuple(TABLE)
OWED: Final[tuple[State, ...]] = ("registered", "assigned")
"""States in which the customer waits for us: the clock runs."""
ASKED: Final[tuple[State, ...]] = ("answered", "confirmed")
"""States in which the customer's own word counts: it goes before what one of us heard."""


def is_open(state: State) -> bool:
    """Whether something is still owed to the customer; exactly the states that know an event."""
    return bool(TABLE[state])


def after(state: State, event: Event) -> State:
    """The state that follows, or IllegalTransition."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise IllegalTransition(f"a case that is '{state}' does not know '{event}'") from None
