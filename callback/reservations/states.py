"""The life of a reservation, as a table: state and event to state.

A reservation begins in `waiting`, or in `refused` when its number may not be called. While an attempt is in flight it
is `calling`; what ends the attempt sends it back to `waiting` or closes it. The customer may call again and be
served at any time: that answers the reservation, also while we are looking for an agent. A closed reservation never
opens again: a new loss makes a new one.

    waiting ──dialled──▶ calling ──reached──▶ reached
      │ ▲                   │
      │ └─────tried─────────┘──given-up──▶ given-up
    held                          (people hold, resume, cancel, or have done it elsewhere)

An event that a state does not know raises IllegalTransition and changes nothing.
"""

from __future__ import annotations

from typing import Final, Literal

from callback.errors import IllegalTransition

State = Literal[
    "waiting", "held", "calling", "reached", "returned", "given-up", "expired", "refused", "withdrawn",
    "cancelled", "done-elsewhere", "continued",
]  # fmt: skip
Event = Literal[
    "dialled", "tried", "reached", "given-up", "served", "expired", "withdrawn",
    "held", "resumed", "cancelled", "done-elsewhere", "barred", "called-by-hand",
]  # fmt: skip

TABLE: Final[dict[State, dict[Event, State]]] = {
    "waiting": {
        "dialled": "calling",
        "served": "returned",  # the customer called again and got through
        "given-up": "given-up",
        "expired": "expired",  # watched only, or late twice: now it is for people
        "withdrawn": "withdrawn",  # a better verdict, or a person: the call was not lost after all
        "held": "held",
        "cancelled": "cancelled",
        "done-elsewhere": "done-elsewhere",  # a person has called the customer by other means
        "called-by-hand": "done-elsewhere",  # an agent's own call was heard, and they talked
        "barred": "cancelled",  # the number was blocked, or the customer was erased
    },
    "held": {
        "resumed": "waiting",
        "served": "returned",
        "withdrawn": "withdrawn",
        "cancelled": "cancelled",
        "done-elsewhere": "done-elsewhere",
        "called-by-hand": "done-elsewhere",
        "barred": "cancelled",
    },
    "calling": {
        "tried": "waiting",
        "reached": "reached",
        "given-up": "given-up",
        "served": "returned",
        "called-by-hand": "done-elsewhere",
        "barred": "cancelled",  # a call that has not reached the customer's phone yet is called off
    },
    "reached": {},
    "returned": {},
    "given-up": {},
    "expired": {},
    "refused": {},
    "withdrawn": {},
    "cancelled": {},
    "done-elsewhere": {},
    "continued": {},  # it turned out that nobody was reached: another one goes on with what is owed (`successor`)
}

STATES: Final[tuple[State, ...]] = tuple(TABLE)


def is_open(state: State) -> bool:
    """Whether something is still owed to the caller; exactly the states that know an event."""
    return bool(TABLE[state])


def after(state: State, event: Event) -> State:
    """The state that follows, or IllegalTransition."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise IllegalTransition(f"a reservation that is '{state}' does not know '{event}'") from None
