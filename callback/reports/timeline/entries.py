"""What can stand in a timeline, a class for each kind: codes and facts, which a screen puts into words. Pure.

Instants are microseconds UTC. No entry holds a telephone number but where a person wrote one into free text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Final, Literal, get_args

from callback.reports.timeline.evidence import EvidenceLine
from callback.store import audit
from telephony.calls.call import LEFT_UNSERVED, LOST

What = Literal[
    "call", "visit", "verdict", "incident", "loss", "promise", "alarm", "decision", "answer", "attempt", "event", "text"
]  # fmt: skip
Whose = Literal["customer", "us", "people", "machine"]
"""Who did it: the customer, we for the customer (promise, text, call), people who decide, or the service alone."""

ORDER: Final[Mapping[What, int]] = {what: place for place, what in enumerate(get_args(What))}
"""Of what happened at the same instant, what is told first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; `reservation` where it belongs to one."""

    WHAT: ClassVar[What]
    WHOSE: ClassVar[Whose] = "machine"
    at: int
    reservation: int | None

    @property
    def whose(self) -> Whose:
        """Who did it: those of its kind, where its facts do not say otherwise."""
        return self.WHOSE

    def as_json(self) -> dict[str, Any]:
        """Plain values, those of what is inside too."""
        return {
            "what": self.WHAT,
            "whose": self.whose,
            **{one.name: _plain(getattr(self, one.name)) for one in fields(self)},
        }


@dataclass(frozen=True, slots=True)
class Called(Entry):
    """The customer called; `again`: it is the first call after one that was lost."""

    WHAT = "call"
    WHOSE = "customer"
    call_id: str
    queue: str | None  # the last one visited
    trunk: str
    ended_at: int | None
    again: bool


@dataclass(frozen=True, slots=True)
class Visited(Entry):
    """The customer joined a queue; how that ended, and how long the wait and the talk took."""

    WHAT = "visit"
    WHOSE = "customer"
    call_id: str
    queue: str
    ended_by: str
    ended_at: int | None
    agent: str | None
    waited_us: int | None
    talked_us: int


@dataclass(frozen=True, slots=True)
class Judged(Entry):
    """A verdict on a call: its first at the call's end, later versions when they were made."""

    WHAT = "verdict"
    call_id: str
    queue: str | None
    version: int
    newest: bool
    source: str
    rank: int
    kind: str
    reason: str | None
    side: str | None
    waited_us: int
    talked_us: int
    rules_version: int
    recovery: str  # what the service made of the call, by the newest verdict
    counted: bool  # the call is a loss of a reservation
    evidence: tuple[EvidenceLine, ...]

    @property
    def lost(self) -> bool:
        """Whether the caller was lost by it."""
        return self.kind in LOST or self.kind == "requested" or self.reason == LEFT_UNSERVED

    @property
    def whose(self) -> Whose:
        """The service judged, or a person corrected it."""
        return "people" if self.source == "person" else "machine"


@dataclass(frozen=True, slots=True)
class Counted(Entry):
    """A lost call counts in the reservation: it made it, or joined it."""

    WHAT = "loss"
    call_id: str
    joined: bool
    incident: int | None
    redialled_at: int | None


@dataclass(frozen=True, slots=True)
class IncidentChanged(Entry):
    """An incident that a loss belongs to began, or is over; how it stands now."""

    WHAT = "incident"
    incident: int
    cause: str
    state: str
    losses: int
    began: bool


@dataclass(frozen=True, slots=True)
class Promised(Entry):
    """A promise was made; `in_force`: it is the one that holds."""

    WHAT = "promise"
    WHOSE = "us"
    number: int
    reason: str
    clock_starts_at: int
    aim_at: int
    deadline_at: int
    rules_version: int
    in_force: bool


@dataclass(frozen=True, slots=True)
class Alarmed(Entry):
    """People were told that promises of the queue's group are in danger, or are no more."""

    WHAT = "alarm"
    group: str
    over: bool
    due: int | None
    missed: int | None
    more: int | None
    until_at: int | None


@dataclass(frozen=True, slots=True)
class Texted(Entry):
    """A text, and what became of it: sent at `at`, or settled then; one that waits is not sent before."""

    WHAT = "text"
    WHOSE = "us"
    template: str
    language: str
    body: str
    state: str
    delivery: str | None
    reason: str | None
    created_at: int
    sent_at: int | None
    delivered_at: int | None

    @property
    def fate(self) -> str:
        """How far it came, in one code."""
        return self.delivery or self.state


@dataclass(frozen=True, slots=True)
class Decided(Entry):
    """A person, the customer, or the service decided something; `facts` are those of the action."""

    WHAT = "decision"
    action: str
    who: str
    why: str
    facts: Mapping[str, Any]

    @property
    def whose(self) -> Whose:
        """Whoever decided."""
        return "customer" if self.who == audit.CUSTOMER else "machine" if self.who == audit.SERVICE else "people"


@dataclass(frozen=True, slots=True)
class Answered(Entry):
    """The customer wrote to us, or judged the callback."""

    WHAT = "answer"
    WHOSE = "customer"
    answer: int
    wish: str
    body: str
    reply: str | None
    score: int | None
    state: str
    done_by: str | None
    done_at: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Why an attempt was made just then: who was free, who else was due, and what they waited for."""

    why: str
    agents: tuple[str, ...]  # phones that were free
    of: int  # how many were looked at, the customer among them
    binds: bool
    cost: float | None  # live callers who hang up for it, where that was known
    others: Mapping[str, int]  # how many of the others waited for what


@dataclass(frozen=True, slots=True)
class Tried(Entry):
    """An attempt to call the customer: claimed at `at`; `outcome` is None while it is under way."""

    WHAT = "attempt"
    WHOSE = "us"
    number: int
    trunk: str
    agent: str | None
    agent_connected_at: int | None
    customer_dialled_at: int | None
    customer_answered_at: int | None
    ended_at: int | None
    outcome: str | None
    counted: bool | None
    rules_version: int
    choice: Choice
    evidence: tuple[EvidenceLine, ...]


@dataclass(frozen=True, slots=True)
class Told(Entry):
    """Something else that the service did, or heard: an event of the feed."""

    WHAT = "event"
    name: str
    facts: Mapping[str, Any]

    @property
    def whose(self) -> Whose:
        """The customer came back, or the service did it."""
        return "customer" if self.name in {"put-first", "returned"} else "machine"


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Give entries in the one order: by instant, then by kind; alike ones as they were given."""
    return tuple(sorted(entries, key=lambda entry: (entry.at, ORDER[entry.WHAT])))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any fact of an entry
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value
