"""Which calls in a queue_log are agents' own: a consultation, or an agent's call into a queue. Pure.

The log knows no trunk. An agent's own call shows itself in two ways: its number is that of a phone that the log names
as an agent's (`PJSIP/7009`, `Local/7009@from-queue/n`); or another caller's talk with an agent ends in a line under
its id, for by an attended transfer the two calls change places. Agents whom the log knows by name alone (`Anna`) show
only the second.
"""

import re
from typing import Final

from telephony.queue_log.entries import Entry
from telephony.queue_log.visits import NEAR, PendingCall, before, lasted

MOST_AGENTS: Final = 20_000
"""Of more agents no phone is learnt: there are no so many, but somebody may write some."""
SHORTEST_OUTSIDE: Final = 7
"""Digits that a number from outside has at least; of fewer are those of a site's own phones."""

_PHONE: Final = re.compile(r"(?:(?!DAHDI|Zap|Console)[A-Za-z][A-Za-z0-9]*/)?(\+?[0-9]{2,15})(?:[@/;-].*)?")


def phone_of(agent: str) -> str | None:
    """Give the number of an agent's phone, where the log names the agent by it."""
    found = _PHONE.fullmatch(agent)
    return found[1] if found else None


class AgentCalls:
    """Learns agents' phones, and which agent talks in which call; only from lines that cannot be forged."""

    def __init__(self) -> None:
        self.agents: set[str] = set()
        self._phones: set[str] = set()
        self._talks: dict[tuple[str | None, str | None], PendingCall] = {}

    def learn(self, entry: Entry) -> None:
        """Learn the agent that an entry names."""
        agent = entry.agent
        if agent is None or type(entry) is not Entry or len(self.agents) >= MOST_AGENTS:
            return
        self.agents.add(agent)
        phone = phone_of(agent)
        if phone is not None:
            self._phones.add(phone)

    def answered(self, pending: PendingCall, entry: Entry) -> None:
        """Learn that an agent answered a caller."""
        if len(self._talks) >= MOST_AGENTS:
            self._talks.clear()
        self._talks[entry[2], entry[3]] = pending

    def call_of_talk(self, entry: Entry, pending: PendingCall | None) -> PendingCall | None:
        """Give the call whose talk an entry ends; the entry may have the id of another call, the agent's own."""
        known = self._talks.pop((entry[2], entry[3]), None)
        if known is None or known is pending or (pending is not None and pending.talk_with(entry.queue, entry.agent)):
            return pending
        talk, began_at = known.talk_with(entry.queue, entry.agent), before(entry, lasted(entry)[1:])
        if talk is None or began_at is None or abs(began_at - (talk.connected_at or 0)) > NEAR:
            return pending
        if entry.event != "ATTENDEDTRANSFER":  # a talk goes on with somebody else, who took the place of the agent
            known.taken_over = True
            return pending
        if pending is not None:
            pending.taken_over = True
        return known

    def own(self, pending: PendingCall, *, nobodys: bool) -> bool:
        """Tell whether a call is an agent's own; `nobodys`: only if its number is none that anybody could call."""
        number = pending.number
        if nobodys and number is not None and len(number) >= SHORTEST_OUTSIDE:
            return False
        return pending.taken_over or number in self._phones
