"""Who can take a call now: the live view of queue members, from a listing and then from events. Pure.

An agent in three queues is one agent, known by the state interface (the phone whose state Asterisk watches), which
all memberships of the agent share. Penalties are not looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from telephony.events import Event, QueueMember
from telephony.ids import SECOND

NOT_IN_USE: Final = 1
STATES: Final[Mapping[int, str]] = {
    0: "unknown",
    NOT_IN_USE: "not in use",
    2: "in use",
    3: "busy",
    4: "invalid",
    5: "unavailable",
    6: "ringing",
    7: "ringing and in use",
    8: "on hold",
}
"""Device states by Status (AST_DEVICE_*)."""


@dataclass(frozen=True, slots=True)
class Member:
    """An agent in one queue. `wrapping_until` is µs UTC, 0 where nothing is known of wrap-up."""

    queue: str
    interface: str
    phone: str
    name: str
    paused: bool
    in_call: bool
    wrapping_until: int


class AgentsView:
    """The members of every queue on one PBX, and the state of their phones."""

    def __init__(self) -> None:
        self._queues: dict[str, dict[str, Member]] = {}
        self._states: dict[str, int] = {}

    def feed(self, event: Event) -> None:
        """Take news of a member; other events are passed over."""
        if not isinstance(event, QueueMember):
            return
        if event.gone:
            self._queues.get(event.queue, {}).pop(event.interface, None)
            return
        self._queues.setdefault(event.queue, {})[event.interface] = Member(
            event.queue,
            event.interface,
            event.state_interface,
            event.name,
            event.paused,
            event.in_call,
            (event.last_call_s + event.wrapup_s) * SECOND if event.wrapup_s else 0,
        )
        if event.status is not None:
            self._states[event.state_interface] = event.status

    def reset(self, members: Iterable[Event]) -> None:
        """Begin anew from a full listing (QueueStatus)."""
        self._queues.clear()
        self._states.clear()
        for member in members:
            self.feed(member)

    def free(self, queue: str, now: int) -> list[str]:
        """Give the interfaces of a queue's free members, each phone once, in listed order.

        Free means: the phone is not in use, the agent is in no queue's call, and in this queue neither paused nor in
        wrap-up time (if app_queue tells it: it shows a member's own, not the queue's).
        """
        busy = {member.phone for member in self.members if member.in_call}
        found: dict[str, str] = {}
        for member in self._queues.get(queue, {}).values():
            idle = self._states.get(member.phone) == NOT_IN_USE and member.phone not in busy
            if idle and not member.paused and member.wrapping_until <= now:
                found.setdefault(member.phone, member.interface)
        return list(found.values())

    @property
    def members(self) -> list[Member]:
        """Give every membership: an agent in three queues stands here three times."""
        return [member for queue in self._queues.values() for member in queue.values()]

    @property
    def queues(self) -> list[str]:
        """Give the queues that have, or had, a member."""
        return list(self._queues)

    def members_of(self, queue: str) -> list[Member]:
        """Give the members of a queue, paused ones too."""
        return list(self._queues.get(queue, {}).values())

    def state(self, phone: str) -> str:
        """Name the state of a phone; "unknown" where nobody said."""
        return STATES.get(self._states.get(phone, 0), "unknown")
