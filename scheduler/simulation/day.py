"""Input and result of one simulated day. Instants are in microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scheduler.promise import Promise
from scheduler.simulation.survival import Curve

SERVED, HUNG_UP, STILL_WAITING = "served", "hung-up", "still-waiting"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A first call (not a redial): when it comes, for which queue, and how long its talk takes.

    The caller has the place in the queue of one who came `ahead_s` earlier.
    """

    caller: int
    at: int
    queue: str
    talk_s: int
    ahead_s: int = 0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How callers and agents behave.

    `patience` by queue; `redial`: the time from a loss until the customer calls again; `after_call_s`: recorded seconds
    to draw from; `answer_rate`: the share who answer a callback. A ring takes an agent `ring_s`, answered or not.
    A break that is due waits until no caller waits, but no longer than `rest_within_s`.
    """

    patience: Mapping[str, Curve]
    redial: Curve
    after_call_s: Sequence[int] = (0,)
    answer_rate: float = 0.93
    ring_s: int = 20
    rest_within_s: int = 0


@dataclass(slots=True)
class InboundCall:
    """One inbound call: when it came, when its wait ended, and how it ended."""

    caller: int
    queue: str
    at: int
    redial: bool
    until: int = 0
    end: str = STILL_WAITING


@dataclass(slots=True)
class LostCaller:
    """A lost caller, the promise made, and when the customer was dialled and reached; None: not yet.

    `closed` is "reached", "served" (the customer called again and was served), "given-up", or None while it is open.
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
    """One callback attempt: the customer, the agent, and from when to when it rang."""

    number: int
    caller: int
    agent: str
    at: int
    until: int
    answered: bool


@dataclass(frozen=True, slots=True)
class AgentWork:
    """When an agent was busy with a live call or an attempt, with its talk and after-call work."""

    agent: str
    at: int
    until: int


@dataclass(slots=True)
class SimulatedDay:
    """The result of one simulated day."""

    calls: list[InboundCall] = field(default_factory=list)
    lost: list[LostCaller] = field(default_factory=list)
    rings: list[Ring] = field(default_factory=list)
    work: list[AgentWork] = field(default_factory=list)
