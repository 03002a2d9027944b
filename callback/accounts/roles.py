"""What a person may do in the console: roles, and the rights that each of them has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Role = Literal["agent", "supervisor", "manager", "auditor", "administrator"]
Right = Literal[
    "account",  # one's own password, sessions, language, saved views
    "look",  # now, the queue, a reservation
    "live",  # streams; which view it may be, each view says
    "decide",  # hold, call now, … , not lost; also many at once, and undo
    "note",
    "reveal",  # a number in full; each time is written down
    "block",
    "unblock",
    "correct",  # the verdict of a call of today
    "correct-earlier",
    "health",
    "own",  # an agent's own callbacks: what came of each, and a note
    "person",  # all that is known of one customer
    "export-person",
    "erase",
    "pause",  # registering, texting, calling: for a while
    "see-rules",
    "publish-rules",
    "see-reports",
    "name-agents",  # what an agent did, by name
    "handover",
    "audit",  # each sees the acts that concern them
    "care",  # cases and flags: look, register, assign, answer
    "register-case",  # an agent's part of it: to register a case, and the cases that are the agent's own
    "note-customer",  # how to speak with a customer
    "campaign-look",
    "campaign",  # build, start and stop; draw a sample
    "administer",  # users, tokens, webhooks
]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
_EVERYBODY: Final[frozenset[Role]] = frozenset(ROLES)
_LEADERS: Final[frozenset[Role]] = frozenset({"supervisor", "manager"})

RIGHTS: Final[Mapping[Right, frozenset[Role]]] = {
    "account": _EVERYBODY,
    "look": _LEADERS | {"auditor"},
    "live": _LEADERS | {"auditor", "agent"},
    "decide": _LEADERS,
    "note": _LEADERS,
    "reveal": _LEADERS,
    "block": _LEADERS,
    "unblock": frozenset({"manager"}),
    "correct": _LEADERS,
    "correct-earlier": frozenset({"manager"}),
    "health": _LEADERS | {"administrator"},
    "own": frozenset({"agent"}),
    "person": _LEADERS,
    "export-person": frozenset({"manager"}),
    "erase": frozenset({"manager"}),
    "pause": _LEADERS,
    "see-rules": _LEADERS | {"auditor"},
    "publish-rules": frozenset({"manager"}),
    "see-reports": _LEADERS | {"auditor"},
    "name-agents": _LEADERS,
    "handover": _LEADERS,
    "audit": _EVERYBODY,
    "care": _LEADERS,
    "register-case": _LEADERS | {"agent"},
    "note-customer": _LEADERS,
    "campaign-look": _LEADERS | {"auditor"},
    "campaign": frozenset({"manager"}),
    "administer": frozenset({"administrator"}),
}
"""Which roles have a right; a person has what any of the person's roles has."""


Groups = frozenset[str] | None
"""Groups of queues that somebody may see; None: all."""


def allowed(roles: frozenset[Role], right: Right) -> bool:
    """Whether one of these roles has this right."""
    return not roles.isdisjoint(RIGHTS[right])


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who is signed in: the name that the audit keeps, and of which groups of queues (None: of all)."""

    user: str
    roles: frozenset[Role]
    groups: Groups = None

    def may(self, right: Right) -> bool:
        """Whether one of the person's roles has this right."""
        return allowed(self.roles, right)
