"""Which calls are customers': calls from a trunk; if none is known, those that reached a queue or were refused."""

from collections import Counter
from typing import Final

from telephony.calls.call import Call
from telephony.calls.facts.pre_queue import PLAIN
from telephony.calls.open_call import OpenCall
from telephony.events import AgentCalled, AgentConnect, DialBegin, Event, QueueMember
from telephony.ids import epoch_of, is_local

STRANGERS: Final = 100
"""Names of what calls came in on beside the trunks; more of them are not told apart."""


PHONES: Final = 10_000
"""Agents' phones that are remembered where no trunks are known."""


class Customers:
    """Tells customers' calls by `trunks`, what the names of their channels begin with; empty: nobody said.

    Then a call from a phone known as an agent's is no customer's: an agent calls another queue, or a colleague.

    `strangers` counts calls that reached a queue and are no customer's, because they came in on something else, by
    its name. Where customers are among them, a trunk is missing.
    """

    def __init__(self, trunks: tuple[str, ...]) -> None:
        self.strangers: Counter[str] = Counter()
        self._trunks = trunks
        self._phones: set[str] = set()

    def learn(self, event: Event, *, queued: bool = False) -> None:
        """Learn from an event which phones are agents': members of a queue, and those rung behind them.

        `queued`: it belongs to a call that came to a queue. What is rung there by its own name is a phone of the house;
        a trunk is dialled with a number.
        """
        if self._trunks or len(self._phones) >= PHONES:
            return
        names: tuple[str, ...] = ()
        if isinstance(event, QueueMember):
            names = (event.interface, event.state_interface)
        elif isinstance(event, (AgentCalled, AgentConnect)):
            names = (event.interface,)
        elif isinstance(event, DialBegin) and queued and _by_its_name(event):
            names = (_phone_of(event.channel),)
        self._phones.update(name for name in names if name and not is_local(name))

    def may_be(self, open_call: OpenCall) -> bool:
        """Tell whether it is a customer's call, or one that a program placed; or may be a customer's."""
        if epoch_of(open_call.call_id) is None or (open_call.placed and open_call.queued):
            return True
        if self._trunks and open_call.channel and not open_call.channel.startswith(self._trunks):
            self._count(open_call)
            return False
        if _phone_of(open_call.channel) in self._phones:
            return False
        if open_call.queued:
            return True  # though nothing was heard of its own channel: the caller may be behind a Local one
        candidate = bool(open_call.channel) if self._trunks else not open_call.met
        return candidate and not (open_call.outgoing or open_call.placed)

    def is_one(self, open_call: OpenCall, call: Call) -> bool:
        """Tell whether what may have been a customer's call is one, now that it is put together.

        Where no trunks are known and it reached no queue, that is so if the PBX refused it.
        """
        refused = call.complete and call.refused_with is not None and call.cause not in PLAIN
        return open_call.queued or call.placed or bool(self._trunks) or refused

    def _count(self, open_call: OpenCall) -> None:
        name = _phone_of(open_call.channel)
        if open_call.queued and (name in self.strangers or len(self.strangers) < STRANGERS):
            self.strangers[name] += 1


def _phone_of(channel: str) -> str:
    """Give what a channel leads to, by its name: `PJSIP/agent1-00000003` to PJSIP/agent1."""
    return channel.rpartition("-")[0]


def _by_its_name(event: DialBegin) -> bool:
    """Tell whether a phone was dialled by its own name, or at its own address, and not a number over it."""
    technology, _, name = _phone_of(event.channel).partition("/")
    dialled = event.dial_string.removeprefix(f"{technology}/")
    return dialled == name or dialled.startswith((f"{name}/sip:{name}@", f"{name}/sips:{name}@"))
