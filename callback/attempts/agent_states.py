"""What each agent who is logged in does now, as the states of the phones tell, and since when that was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from callback.attempts.load import GONE

if TYPE_CHECKING:  # as in snapshot.py
    from telephony.agents import AgentsView, Member

AgentState = Literal["callback", "talking", "ringing", "paused", "wrap-up", "free"]
AGENT_STATES: Final[tuple[AgentState, ...]] = get_args(AgentState)
ON_THE_PHONE: Final = {"in use", "busy", "on hold", "ringing and in use"}


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent, known by the phone, however many queues the agent serves.

    `state`: talks in a callback of ours (`callback`) or in any other call (`talking`), is rung, is paused in every
    queue, is in the time after a call, or is free. `since_at` is when that was seen first, in microseconds UTC; None:
    it was so already when the service began to look.
    """

    phone: str
    name: str
    queues: tuple[str, ...]
    state: AgentState
    since_at: int | None


def agents(
    view: AgentsView, idle: Collection[str], own: Collection[str], before: Iterable[Agent] | None, now: int
) -> list[Agent]:
    """Give all who are logged in, paused ones too; by the name of the agent.

    Phones are `idle` that could take a call of some queue, and `own` that are in our callbacks; `before` is what was
    seen a moment ago, None: nothing was.
    """
    members: dict[str, list[Member]] = {}
    for member in view.members:
        members.setdefault(member.phone, []).append(member)
    known = {agent.phone: agent for agent in before or ()}
    found = []
    for phone, theirs in members.items():
        shown = view.state(phone)
        if shown in GONE:
            continue
        state = _state(shown, theirs, own=phone in own, idle=phone in idle)
        last = known.get(phone)
        since_at = last.since_at if last and last.state == state else None if before is None else now
        queues = tuple(dict.fromkeys(member.queue for member in theirs))
        found.append(Agent(phone, theirs[0].name or phone, queues, state, since_at))
    return sorted(found, key=lambda agent: (agent.name, agent.phone))


def _state(shown: str, members: Iterable[Member], *, own: bool, idle: bool) -> AgentState:
    if shown in ON_THE_PHONE or any(member.in_call for member in members):
        return "callback" if own else "talking"
    if shown == "ringing":
        return "ringing"
    if all(member.paused for member in members):
        return "paused"
    return "free" if idle else "wrap-up"


def as_json(every: Iterable[Agent]) -> list[list[Any]]:
    """Plain values, short: they are written each second."""
    return [list(astuple(agent)) for agent in every]


def restored(rows: Iterable[list[Any]]) -> tuple[Agent, ...]:
    """Make the agents of those values."""
    return tuple(Agent(phone, name, tuple(queues), state, since_at) for phone, name, queues, state, since_at in rows)


def counted(every: Iterable[Agent]) -> Mapping[AgentState, int]:
    """How many are in each state; every state is there."""
    counts = dict.fromkeys(AGENT_STATES, 0)
    for agent in every:
        counts[agent.state] += 1
    return counts
