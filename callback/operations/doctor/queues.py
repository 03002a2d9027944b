"""The queues of the settings on this PBX: their members, whether these ever change state, whether an offer stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from callback.operations.doctor import dialplan
from callback.operations.doctor.finding import Finding, fault, sound, warning
from callback.settings.rules import SiteRules
from telephony.agents import STATES
from telephony.ami.client import ActionFailed, Client
from telephony.ami.protocol import Message

_NEVER: Final = {0: "unknown", 4: "invalid"}
"""States in which a member is never free, and which never change: nobody watches the device."""
_PROBE: Final = "Custom:lcr-probe"
"""The probe's pretend agent, whose state its own dialplan changes: unknown until the probe has called once."""
_LOCAL: Final = re.compile(r"Local/([^@]+)@([^/]+)(?:/.*)?")


async def look(client: Client, rules: SiteRules) -> list[Finding]:
    """Ask for the queues, and for the offer of each in which callbacks are on."""
    status = await client.listing("QueueStatus")
    there = [member for queue in rules.named() for member in members(status, queue)]
    behind = {member.get("Location"): await phones_behind(client, member) for member in there}
    on = {name: queue for name, queue in rules.queues.items() if queue.calls == "on"}
    offered = [await _offer(client, name) for name, queue in on.items() if not queue.only_numbers]
    return [*of_queues(rules.named(), status, behind, on), *offered]


async def phones_behind(client: Client, member: Message) -> list[str]:
    """Name the devices that a member behind a Local channel is rung on, as far as the dialplan says it plainly."""
    local = _LOCAL.fullmatch(member.get("Location"))
    return await dialplan.devices(client, local[1], local[2]) if local else []


def members(status: Iterable[Message], queue: str) -> list[Message]:
    """Pick the members of a queue from a listing (QueueStatus)."""
    return [m for m in status if m.name == "QueueMember" and m.get("Queue") == queue]


def of_queues(
    named: Iterable[str], status: list[Message], behind: Mapping[str, Sequence[str]], on: Collection[str]
) -> Iterator[Finding]:
    """Judge the named queues by a listing (QueueStatus).

    `behind` names the phones of members behind Local channels, `on` the queues in which callbacks are on: in others a
    member whose state nobody knows keeps nothing from running.
    """
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
            stuck = [
                finding
                for member in there
                if (finding := of_member(member, behind.get(member.get("Location"), ()), calls=name in on))
            ]
            yield from stuck
            if not stuck:
                states = ", ".join(f"{m.get('Name')} {STATES.get(_status(m), '?')}" for m in there)
                yield sound(f"queue {name}: {states}")


def of_member(member: Message, behind: Sequence[str] = (), *, calls: bool) -> Finding | None:
    """Say why nobody would ever learn whether this member is free; None where somebody would."""
    who = f"{member.get('Name') or member.get('Location')} in {member.get('Queue')}"
    watched = member.get("StateInterface")
    judged = fault if calls else warning
    if watched == _PROBE and _status(member) not in _NEVER:
        return None
    if watched == _PROBE and _NEVER[_status(member)] == "unknown":
        return warning(f"{who}: the probe has not called yet", "callback probe --once (docs/probe.md)")
    if _status(member) in _NEVER:
        what = f"{who}: the state of {watched} is {_NEVER[_status(member)]}: no callback will ever reach this member"
        return judged(what, _remedy(member, behind))
    if watched.startswith("Local/"):
        return judged(f"{who}: {watched} never shows that the member's phone is in use", _remedy(member, behind))
    if watched.startswith("Custom:"):
        what = f"{who}: {watched} changes only where the dialplan changes it"
        return warning(what, f"see that it says INUSE during every call of this member, or {_remedy(member, behind)}")
    return None


def _remedy(member: Message, behind: Sequence[str]) -> str:
    """How to let the member's own phone be watched; which one that is, is said only where the dialplan says it."""
    location, name = member.get("Location"), member.get("Name")
    if not _LOCAL.fullmatch(location):
        return f"mend the member in queues.conf: {location} is to be a device of this PBX, with its module loaded"
    phone = behind[0] if len(behind) == 1 else f"PJSIP/<the phone of {name or location}>"
    line = f"member => {location},{member.get('Penalty') or 0},{'' if name == location else name},{phone}"
    return f"give the member the phone as its state interface: {line} (FreePBX: Device State)"


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
