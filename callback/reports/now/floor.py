"""Agents who are logged in, and callers who wait, as the PBX showed them last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callback.accounts.roles import Groups
from callback.attempts import agent_states
from callback.attempts.agent_states import Agent, AgentState
from callback.attempts.snapshot import Live
from callback.reports.queue.why import BLIND, stopped_by
from callback.site.groups import is_of
from callback.site.work import Work


@dataclass(frozen=True, slots=True)
class QueueWaiting:
    """Callers who wait in a queue: how many, since when the longest, and to how many a callback is owed."""

    queue: str
    callers: int
    since_at: int | None
    owed: int


@dataclass(frozen=True, slots=True)
class Floor:
    """Who is there. `agents` are those of the viewer's queues, each once; None: nobody knows.

    `stopped` says why nobody at all is called back, where it is so; `waiting` has the queues where somebody waits, the
    longest wait first; None: nobody knows.
    """

    agents: tuple[Agent, ...] | None
    waiting: tuple[QueueWaiting, ...] | None
    stopped: str | None
    seen_at: int | None
    heard_at: int | None

    @property
    def by_state(self) -> Mapping[AgentState, int] | None:
        """How many agents are in each state; they add up to all of them."""
        return None if self.agents is None else agent_states.counted(self.agents)

    @property
    def callers(self) -> int | None:
        """How many wait in all."""
        return None if self.waiting is None else sum(one.callers for one in self.waiting)

    @property
    def since_at(self) -> int | None:
        """Since when the caller waits who waits longest."""
        return min((one.since_at for one in self.waiting or () if one.since_at is not None), default=None)

    @property
    def owed(self) -> int:
        """To how many of those who wait a callback is owed."""
        return sum(one.owed for one in self.waiting or ())


def look(work: Work, picture: tuple[Live, int] | None, groups: Groups) -> Floor:
    """Look at the queues of these groups, or all."""
    stopped = stopped_by(picture, work.now)
    if picture is None or stopped in BLIND:
        seen_at, heard_at = (None, None) if picture is None else (picture[1], picture[0].heard_at)
        return Floor(None, None, stopped, seen_at, heard_at)
    live, seen_at = picture
    agents = None if live.agents is None else tuple(agent for agent in live.agents if _seen(work, agent, groups))
    waiting = (
        _waiting(live, queue) for queue, many in live.waiting.items() if many and is_of(work.site, queue, groups)
    )
    in_order = sorted(waiting, key=lambda one: (one.since_at is None, one.since_at, one.queue))
    return Floor(agents, tuple(in_order), stopped, seen_at, live.heard_at)


def _waiting(live: Live, queue: str) -> QueueWaiting:
    callers = live.callers.get(queue, ())
    since_at = min((caller.since_at for caller in callers), default=None)
    return QueueWaiting(queue, live.waiting[queue], since_at, sum(caller.owed is True for caller in callers))


def _seen(work: Work, agent: Agent, groups: Groups) -> bool:
    return any(is_of(work.site, queue, groups) for queue in agent.queues)
