"""The PJSIP endpoints of agents and trunks: where the voice goes, and where customers are dialled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from callback.operations.doctor import dialplan
from callback.operations.doctor.finding import Finding, fault, sound, warning
from callback.operations.doctor.queues import members, phones_behind
from callback.settings.sections import Settings, Trunk
from telephony.ami.client import ActionFailed, Client
from telephony.ami.protocol import Message

_PJSIP_DIAL: Final = re.compile(r"PJSIP/(?:\{number\}@([^/]+)|([^/{}]+)/sip:.*)")
_LOCAL_DIAL: Final = re.compile(r"Local/.*@([^/]+)(?:/.*)?")
_HINT: Final = re.compile(r"hint:([^@]+)@(.+)", re.IGNORECASE)
_PHONE: Final = re.compile(r"PJSIP/([^/&,;]+)")


async def look(client: Client, settings: Settings) -> list[Finding]:
    """Ask for the endpoints of the queues' members and of the trunks, and where their voice goes."""
    trunks = {name: endpoint for name, trunk in settings.trunks.items() if (endpoint := dialled_endpoint(trunk))}
    agents = await _phones(client, settings.rules.queues)
    said = {name: await _direct_media(client, name) for name in dict.fromkeys([*trunks.values(), *agents])}
    found = [*of_endpoints(trunks, agents, said), *of_channels(settings.trunks, agents)]
    for name, trunk in settings.trunks.items():
        if name not in trunks:
            found.append(await _other_trunk(client, name, trunk))
    return found


def dialled_endpoint(trunk: Trunk) -> str:
    """Name the PJSIP endpoint that a trunk's dial string goes through; empty for other technologies."""
    found = _PJSIP_DIAL.fullmatch(trunk.dial)
    return (found[1] or found[2]) if found else ""


def of_endpoints(trunks: Mapping[str, str], agents: Iterable[str], said: Mapping[str, str]) -> Iterator[Finding]:
    """Judge by what direct_media each endpoint was said to have; empty: it is not there, or nobody can tell."""
    if said and not any(said.values()):
        remedy = "load func_pjsip_endpoint.so, or look yourself: asterisk -rx 'pjsip show endpoint NAME'"
        yield warning(f"endpoints cannot be looked at: {', '.join(said)}", remedy)
        return
    for trunk, endpoint in trunks.items():
        if said[endpoint]:
            yield sound(f"trunk {trunk} dials over the endpoint {endpoint}")
        else:
            remedy = f"[trunks.{trunk}] dial must name an endpoint of pjsip.conf"
            yield fault(f"trunk {trunk}: there is no PJSIP endpoint {endpoint}", remedy)
    for agent in agents:
        if not said[agent]:
            yield warning(f"member's phone {agent}: there is no such PJSIP endpoint", "mend the member in queues.conf")
    direct = [name for name, value in said.items() if value.lower() in {"yes", "true", "1"}]
    if direct:
        what = f"direct_media is on for {', '.join(direct)}: silent calls and dead phones cannot be told there"
        yield warning(what, "pjsip.conf: direct_media = no for these endpoints, then `module reload res_pjsip.so`")
    elif any(said.values()):
        yield sound(f"voice passes through Asterisk (direct_media = no): {', '.join(n for n in said if said[n])}")


def of_channels(trunks: Mapping[str, Trunk], agents: Iterable[str]) -> Iterator[Finding]:
    """Judge by the names of agents' channels whether these would be taken for customers who came in on a trunk."""
    for name, trunk in trunks.items():
        if taken := [agent for agent in agents if f"PJSIP/{agent}-".startswith(trunk.channel)]:
            what = f"trunk {name}: channels of {', '.join(taken)} begin with '{trunk.channel}' and count as customers'"
            yield warning(what, f"[trunks.{name}] channel must fit the trunk's channels alone, as in PJSIP/trunk")


async def _phones(client: Client, queues: Iterable[str]) -> list[str]:
    """Name the PJSIP endpoints of the members, those behind a hint or a Local channel too, each once."""
    status = await client.listing("QueueStatus")
    names: dict[str, None] = {}
    for member in (m for queue in queues for m in members(status, queue)):
        for interface in (await _watched(client, member), member.get("Location"), *await phones_behind(client, member)):
            names |= dict.fromkeys(_PHONE.findall(interface))
    return list(names)


async def _watched(client: Client, member: Message) -> str:
    """Give the device whose state is the member's; a hint is followed to its devices."""
    interface = member.get("StateInterface")
    hint = _HINT.fullmatch(interface)
    if hint is None:
        return interface
    try:
        return (await client.action("ExtensionState", [("Exten", hint[1]), ("Context", hint[2])])).get("Hint")
    except ActionFailed:
        return ""


async def _direct_media(client: Client, endpoint: str) -> str:
    try:
        return (await client.action("Getvar", [("Variable", f"PJSIP_ENDPOINT({endpoint},direct_media)")])).get("Value")
    except ActionFailed:
        return ""


async def _other_trunk(client: Client, name: str, trunk: Trunk) -> Finding:
    local = _LOCAL_DIAL.fullmatch(trunk.dial)
    if local is None:
        return sound(f"trunk {name} dials {trunk.dial} (no PJSIP: not looked at)")
    if await dialplan.has_context(client, local[1]):
        return sound(f"trunk {name} dials through the context {local[1]}")
    return fault(f"trunk {name}: there is no context {local[1]}", f"[trunks.{name}] dial must name one of the dialplan")
