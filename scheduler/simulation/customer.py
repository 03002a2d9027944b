"""What is known of a simulated day before it begins, and what is told of it afterwards. Instants in microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scheduler.promise import Promise
from scheduler.simulation.survival import Curve

SERVED, HUNG_UP, STILL_WAITING = "served", "hung-up", "still-waiting"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A caller who comes of his own: when, for which queue, and how long his talk takes.

    He stands in the queue as if he had come `ahead_s` earlier.
    """

    caller: int
    at: int
    queue: str
    talk_s: int
    ahead_s: int = 0


@dataclass(frozen=True, slots=True)
class Nature:
    """What callers and agents are like.

    `patience` by queue; `redial`: the time from a loss until he calls again; `after_call_s`: seen seconds to draw
    from; `answer_rate`: who answers when called back. An agent is bound to a ring for `ring_s`, answered or not.
    A break that is due waits until nobody waits, but no longer than `rest_within_s`.
    """

    patience: Mapping[str, Curve]
    redial: Curve
    after_call_s: Sequence[int] = (0,)
    answer_rate: float = 0.93
    ring_s: int = 20
    rest_within_s: int = 0


@dataclass(slots=True)
class Visit:
    """One inbound call: when it came, when its wait ended, and how."""

    caller: int
    queue: str
    at: int
    redial: bool
    until: int = 0
    end: str = STILL_WAITING


@dataclass(slots=True)
class Owed:
    """A lost caller, what was promised to him, and when what became of it; None: not yet.

    `closed` is "reached", "served" (he called again by himself), "given-up", or None while it is open.
    """

    number: int
    caller: int
    queue: str
    lost_at: int
    promise: Promise
    due_at: int
    losses: int = 1
    tries: int = 0
    dialled_at: int | None = None
    reached_at: int | None = None
    redialled_at: int | None = None
    closed: str | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """One attempt: who was rung with which agent, from when to when."""

    number: int
    caller: int
    agent: str
    at: int
    until: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What bound an agent, from when to when: a live call or an attempt, with its talk and after-call work."""

    agent: str
    at: int
    until: int


@dataclass(slots=True)
class Story:
    """All that happened in one day."""

    visits: list[Visit] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    rings: list[Ring] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
