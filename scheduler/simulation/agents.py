"""The agents of a simulated day: present, busy or free, and who has been free for longest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from scheduler.simulation.presence import AgentDay


class Agents:
    """The agents present. One who leaves while busy finishes the call first; one who is away takes no call."""

    def __init__(self, agent_days: Iterable[AgentDay]) -> None:
        self._queues: dict[str, frozenset[str]] = {}
        self._there: set[str] = set()
        self._home: set[str] = set()
        self._busy: set[str] = set()
        self._free: dict[str, None] = {}  # in the order in which they became free
        self._free_for: dict[str, dict[str, None]] = defaultdict(dict)
        for agent_day in agent_days:
            self._queues[agent_day.agent] = agent_day.queues

    @property
    def staffed(self) -> int:
        """How many are there, or still work."""
        return len(self._there | self._busy)

    @property
    def free(self) -> int:
        """How many could take a call."""
        return len(self._free)

    def queues(self, agent: str) -> frozenset[str]:
        """Give the queues that an agent serves."""
        return self._queues[agent]

    def is_free(self, agent: str) -> bool:
        """Whether an agent could take a call."""
        return agent in self._free

    def comes(self, agent: str) -> bool:
        """Mark an agent present, unless gone home; say whether the agent is free."""
        if agent not in self._home:
            self._there.add(agent)
        return self._frees(agent)

    def rests(self, agent: str) -> None:
        """Mark an agent as on a break."""
        self._there.discard(agent)
        if agent in self._free:
            self._takes_out(agent)

    def goes(self, agent: str) -> None:
        """Mark an agent as gone home."""
        self._home.add(agent)
        self.rests(agent)

    def take(self, queue: str) -> str | None:
        """Make the agent of the queue who has been free for longest busy; None if no agent is free."""
        agent = next(iter(self._free_for[queue]), None)
        if agent is not None:
            self.bind(agent)
        return agent

    def bind(self, agent: str) -> None:
        """Make a free agent busy."""
        self._takes_out(agent)
        self._busy.add(agent)

    def release(self, agent: str) -> bool:
        """End an agent's work; say whether the agent is free."""
        self._busy.discard(agent)
        return self._frees(agent)

    def by_queue(self) -> Mapping[str, Collection[str]]:
        """Give the free agents, by queue."""
        return self._free_for

    def _frees(self, agent: str) -> bool:
        if agent not in self._there or agent in self._busy:
            return False
        if agent not in self._free:
            self._free[agent] = None
            for queue in self._queues[agent]:
                self._free_for[queue][agent] = None
        return True

    def _takes_out(self, agent: str) -> None:
        del self._free[agent]
        for queue in self._queues[agent]:
            del self._free_for[queue][agent]
