"""The life of a campaign, as a table: state and event to state.

    draft ──built──▶ ready ──started──▶ running ──finished──▶ done
                      │ ▲                 │  ▲
                      └─┘built     stopped│  │started
                                          ▼  │
                                        stopped ──finished──▶ done

What it says and to whom can be changed until it is started for the first time. An event that a state does not know
raises IllegalTransition and changes nothing.
"""

from __future__ import annotations

from typing import Final, Literal

from callback.errors import IllegalTransition

State = Literal["draft", "ready", "running", "stopped", "done"]
Event = Literal["changed", "built", "started", "stopped", "finished"]

TABLE: Final[dict[State, dict[Event, State]]] = {
    "draft": {
        "changed": "draft",
        "built": "ready",  # whom it tells is known
    },
    "ready": {
        "changed": "draft",  # it has to be built again
        "built": "ready",
        "started": "running",
    },
    "running": {
        "stopped": "stopped",
        "finished": "done",  # nobody is left to be told
    },
    "stopped": {
        "started": "running",  # it goes on with those who were not told
        "finished": "done",  # by people: the others are not told any more
    },
    "done": {},
}

STATES: Final[tuple[State, ...]] = tuple(TABLE)


def after(state: State, event: Event) -> State:
    """The state that follows, or IllegalTransition."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise IllegalTransition(f"a campaign that is '{state}' cannot be {event}") from None


def may(state: State, event: Event) -> bool:
    """Whether a state knows an event."""
    return event in TABLE[state]
