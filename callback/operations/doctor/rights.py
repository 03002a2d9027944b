"""What the manager user may do: what the service needs, and what is open beyond that."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Final

from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.operations.doctor.finding import Finding, fault, sound, warning
from telephony.ami.client import ActionFailed, Client
from telephony.ami.protocol import Message

READ: Final = "system,call,agent,user,dialplan,reporting"
WRITE: Final = "call,originate,reporting"
NEEDED: Final[Mapping[str, str]] = {
    "Originate": "originate",
    "Setvar": "call",
    "Getvar": "call",
    "Hangup": "call",
    "CoreShowChannels": "reporting",
    "CoreStatus": "reporting",
    "DBGet": "reporting",
    "ShowDialPlan": "reporting",
}
"""Actions of the service, and the class that gives each with the least beside it."""
WIDE: Final[Mapping[str, str]] = {
    "DBPut": "system",
    "Command": "command",
    "UpdateConfig": "config",
}
"""Actions that no part of the service asks for, each a sign of a class that opens the PBX itself."""
OLDEST: Final = 16


async def look(client: Client) -> list[Finding]:
    """Ask for version, clock and rights."""
    clock = (await client.ping()).get("Timestamp")
    found = [_clock(float(clock) - time.time() if clock else 0.0)]
    allowed = await client.action("ListCommands")
    found += of_user(allowed)
    try:
        found.append(_version((await client.action("CoreSettings")).get("AsteriskVersion")))
    except ActionFailed:
        found.append(_version(""))
    return found


def of_user(allowed: Message) -> Iterator[Finding]:
    """Read a user's rights from the answer to ListCommands, which names what the user may ask for, and nothing else."""
    may = {name for name, _ in allowed.headers}
    missing = {action: right for action, right in NEEDED.items() if action not in may}
    if missing:
        rights = ",".join(sorted(set(missing.values())))
        remedy = f"manager.conf: write = {WRITE}, then `manager reload`"
        yield fault(f"manager user lacks write = {rights} (for {', '.join(missing)})", remedy)
    else:
        yield sound("manager user may do what the service asks for")
    if wide := [right for action, right in WIDE.items() if action in may]:
        remedy = f"manager.conf: write = {WRITE} suffices; whoever learns the secret could take over the PBX"
        yield warning(f"manager user has more rights than needed: write = {','.join(wide)}", remedy)


def _version(said: str) -> Finding:
    number = re.search(r"\d+", said)
    if number is None:
        return warning(f"Asterisk does not say its version ({said or 'nothing'})", "16 to 22 were tried")
    if int(number[0]) < OLDEST:
        return warning(f"Asterisk {said} is older than any that was tried", f"update it to {OLDEST} or later")
    return sound(f"Asterisk {said}")


def _clock(off_s: float) -> Finding:
    what = f"clock of the PBX is {off_s:+.1f} s off ours"
    if abs(off_s) <= CLOCK_MAY_BE_OFF_S:
        return sound(what)
    return fault(what, "run an NTP client on both machines: nothing is dialled now")
