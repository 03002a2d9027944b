"""The queues of the settings on this PBX: their members, whether these ever change state, whether an offer stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from callback.doctor.finding import Finding, fault, sound, warning
from callback.rules import ShiftRules
from telephony.agents import STATES
from telephony.ami.client import ActionFailed, Client
from telephony.ami.protocol import Message

_NEVER: Final = {0: "unknown", 4: "invalid"}
"""States in which a member is never free, and which never change: nobody watches the device."""
_WATCH: Final = (
    "give the member the phone as its state interface: member => {0},0,name,PJSIP/1001 (FreePBX: Device State)"
)


async def look(client: Client, rules: ShiftRules) -> list[Finding]:
    """Ask for the queues, and for the offer of each in which callbacks are on."""
    status = await client.listing("QueueStatus")
    found = list(of_queues(rules.named(), status))
    for name, queue in rules.queues.items():
        if queue.calls == "on" and not queue.only_numbers:
            found.append(await _offer(client, name))
    return found


def members(status: Iterable[Message], queue: str) -> list[Message]:
    """Pick the members of a queue from a listing (QueueStatus)."""
    return [m for m in status if m.name == "QueueMember" and m.get("Queue") == queue]


def of_queues(named: Iterable[str], status: list[Message]) -> Iterator[Finding]:
    """Judge the named queues by a listing (QueueStatus)."""
    known = {message.get("Queue") for message in status if message.name == "QueueParams"}
    for name in named:
        there = members(status, name)
        if name not in known:
            listed = ", ".join(sorted(known - {"lcr-doctor"})) or "none"
            remedy = f"[rules] must name it as in queues.conf (queues, dids, default_queue); this PBX has: {listed}"
            yield fault(f"queue {name} is not on this PBX", remedy)
        elif not there:
            yield fault(f"queue {name} has no member", "log an agent in, or add members")
        else:
            stuck = [finding for member in there if (finding := of_member(member))]
            yield from stuck
            if not stuck:
                states = ", ".join(f"{m.get('Name')} {STATES.get(_status(m), '?')}" for m in there)
                yield sound(f"queue {name}: {states}")


def of_member(member: Message) -> Finding | None:
    """Say why nobody would ever learn whether this member is free; None where somebody would."""
    who = f"{member.get('Name') or member.get('Location')} in {member.get('Queue')}"
    watched, location = member.get("StateInterface"), member.get("Location")
    if _status(member) in _NEVER:
        what = f"{who}: the state of {watched} is {_NEVER[_status(member)]}, so that he never counts as free"
        return fault(what, _WATCH.format(location))
    if watched.startswith("Local/"):
        return fault(f"{who}: {watched} never shows that his phone is in use", _WATCH.format(location))
    if watched.startswith("Custom:"):
        what = f"{who}: {watched} changes only where the dialplan changes it"
        return warning(what, "see that it says INUSE during every call of his, or " + _WATCH.format(location))
    return None


def _status(member: Message) -> int:
    status = member.get("Status")
    return int(status) if status.isdigit() else 0


async def _offer(client: Client, queue: str) -> Finding:
    """Look whether the service, if it runs, lets callbacks be offered now."""
    name = f"LCR_OFFER_{queue}"
    try:
        until = (await client.action("Getvar", [("Variable", name)])).get("Value")
        now = (await client.action("Getvar", [("Variable", "EPOCH")])).get("Value")
    except ActionFailed as error:
        return fault(f"{name} cannot be read ({error.message.get('Message')})", "manager.conf: write must hold call")
    left_s = int(until or 0) - int(now or 0) if (until or "0").isdigit() else 0
    if left_s > 0:
        return sound(f"queue {queue}: a callback may be offered for {left_s} s, renewed by the service")
    remedy = "start `callback run`; it offers while the hours leave room for the promise"
    return warning(f"queue {queue}: no callback is offered now ({name} is {'past' if until else 'not set'})", remedy)
