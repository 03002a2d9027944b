"""The doctor's visit to the PBX: log in, let each part be looked at, leave."""

from __future__ import annotations

import asyncio
from typing import Final

from callback.operations.doctor import dialplan, endpoints, probe, queues, rights, wire
from callback.operations.doctor.finding import Finding, fault, sound
from callback.settings.sections import Settings
from telephony.ami.client import Account, Client, Handlers, Limits, LoginRefused
from telephony.ami.protocol import Message
from telephony.errors import TelephonyError

BOOT_S: Final = 15.0
"""How long FullyBooted may take to come: a PBX that boots for longer is visited later."""


async def visit(settings: Settings) -> list[Finding]:
    """Log in to the manager, examine each part of the PBX, and give every finding; a fault where it cannot log in."""
    heard: asyncio.Queue[Message] = asyncio.Queue()
    up, down = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def on_messages(messages: list[Message], _at: int) -> None:
        for message in messages:
            if probe.MARK in message.raw:
                await heard.put(message)

    async def on_up() -> None:
        up.set()

    async def on_down(reason: str) -> None:
        if not down.done():
            down.set_result(reason)

    wiring = settings.pbx
    where = f"{wiring.host}:{wiring.port}"
    account = Account(wiring.host, wiring.port, wiring.username, wiring.secret, wiring.trust)
    client = Client(account, Handlers(on_messages, on_up, on_down), Limits(boot_timeout_s=BOOT_S))
    running = asyncio.create_task(client.run())
    coming_up = asyncio.create_task(up.wait())
    try:
        await asyncio.wait([running, coming_up, down], return_when=asyncio.FIRST_COMPLETED)
        if running.done() and isinstance(error := running.exception(), LoginRefused):
            return [fault(f"manager login at {where} as {wiring.username}", str(error))]
        if not up.is_set():
            remedy = "start Asterisk, and see [pbx] host and port and bindaddr in manager.conf"
            why = down.result() if down.done() else "the connection was not made"
            return [fault(f"manager at {where}: {why}", remedy)]
        login = sound(f"manager login at {where} as {wiring.username}")
        return [login, wire.on_the_way(wiring), *await _look(client, settings, heard)]
    finally:
        coming_up.cancel()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _look(client: Client, settings: Settings, heard: asyncio.Queue[Message]) -> list[Finding]:
    """Look at one part after the other; a PBX that goes away meanwhile ends it."""
    found: list[Finding] = []
    try:
        found += await rights.look(client)
        contexts = await dialplan.there(client)
        found += dialplan.of_contexts(contexts)
        found += await probe.look(client, heard, contexts)
        found += await queues.look(client, settings.rules)
        found += await endpoints.look(client, settings)
    except TelephonyError as error:
        found.append(fault(f"the PBX did not answer ({error})", "run the doctor again"))
    return found
