"""Which agents were logged in to which queue, and not paused, by the queue_log. Pure.

Lines: ADDMEMBER and REMOVEMEMBER by queue; AGENTLOGIN, AGENTCALLBACKLOGIN and their LOGOFFs without one; PAUSE and
UNPAUSE by queue, PAUSEALL and UNPAUSEALL for all. A member of queues.conf, who needs no login, is never written of.
Members outlive a restart of the PBX (`persistentmembers`), so QUEUESTART ends nothing.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from telephony.queue_log.entries import Entry

_COMES: Final = frozenset({"ADDMEMBER", "AGENTLOGIN", "AGENTCALLBACKLOGIN"})
_GOES: Final = frozenset({"REMOVEMEMBER", "AGENTLOGOFF", "AGENTCALLBACKLOGOFF"})
_RESTS: Final = frozenset({"PAUSE", "PAUSEALL"})
_WORKS: Final = frozenset({"UNPAUSE", "UNPAUSEALL"})
_PAUSED: Final = "PAUSED"  # how ADDMEMBER says that the agent begins with a pause


class Stint(NamedTuple):
    """An agent was logged in to a queue (empty: to all) and not paused, from `since` to `until`, µs."""

    agent: str
    queue: str
    since: int
    until: int


@dataclass(slots=True)
class _Member:
    working_since: int | None  # None: paused


@dataclass(slots=True)
class Logins:
    """Takes a log's entries that are of no call, in their order. `stints` are those that are over."""

    stints: list[Stint] = field(default_factory=list)
    _members: dict[tuple[str, str], _Member] = field(default_factory=dict)

    def put(self, entry: Entry) -> None:
        """Take an entry; entries other than logins, logoffs and pauses change nothing."""
        agent, event = entry.agent, entry.event
        if agent is None:
            return
        place = agent, entry.queue or ""
        if event in _COMES:
            paused = _PAUSED in entry.data
            self._members.setdefault(place, _Member(None if paused else entry.at))
        elif event in _GOES:
            member = self._members.pop(place, None)
            if member is not None:
                self._end(place, member, entry.at)
        elif event in _RESTS or event in _WORKS:
            for known in self._of(place):
                self._turn(known, entry.at, works=event in _WORKS)

    def until(self, at: int) -> list[Stint]:
        """Give all stints; those that continue are cut at `at`."""
        still = (
            Stint(*place, member.working_since, at)
            for place, member in self._members.items()
            if member.working_since is not None and member.working_since < at
        )
        return [*self.stints, *still]

    def _of(self, place: tuple[str, str]) -> list[tuple[str, str]]:
        """Give an agent's memberships that a line means: that of its queue, or all where it names none."""
        agent, queue = place
        if queue:
            return [known for known in (place, (agent, "")) if known in self._members]
        return [known for known in self._members if known[0] == agent]

    def _turn(self, place: tuple[str, str], at: int, *, works: bool) -> None:
        member = self._members[place]
        if works and member.working_since is None:
            member.working_since = at
        elif not works:
            self._end(place, member, at)
            member.working_since = None

    def _end(self, place: tuple[str, str], member: _Member, at: int) -> None:
        if member.working_since is not None and member.working_since < at:
            self.stints.append(Stint(*place, member.working_since, at))
