"""`callback doctor`: each part looked at on the real installation, with the remedy for each fault."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from callback import phone
from callback.errors import CallbackError
from callback.settings import Settings, load
from callback.store import schema
from callback.store.engine import Store
from telephony.ami.client import ActionFailed, Client, LoginRefused
from telephony.ami.protocol import Message
from telephony.errors import TelephonyError

CONTEXTS = ("lcr-agent", "lcr-agent-left", "lcr-customer", "lcr-answered", "lcr-ended")
CLOCK_MAY_BE_OFF_S = 2.0
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: sound, or at fault with its remedy."""

    ok: bool
    what: str
    remedy: str = ""

    def line(self) -> str:
        """One line for people."""
        return f"  ok    {self.what}" if self.ok else f"  FAULT {self.what}\n        → {self.remedy}"


def examine(path: Path) -> Iterator[Finding]:
    """Look at everything, in the order in which one part needs the other; a broken one ends its chain."""
    try:
        settings = load(path)
    except CallbackError as error:
        yield Finding(ok=False, what=str(error), remedy="mend these and run the doctor again")
        return
    yield Finding(ok=True, what=f"settings in {path}: {_switched(settings)}")
    yield from _database(settings)
    yield from asyncio.run(_pbx(settings))


def number_lines(settings: Settings, signalled: str) -> Iterator[str]:
    """What each trunk makes of a signalled number: E.164 and what is dialled, or why it is not called back."""
    for name, trunk in settings.trunks.items():
        read = phone.read(signalled, trunk)
        if isinstance(read, phone.Number):
            yield f"{name}: {signalled} is {read.e164}, dialled as {phone.dial_string(read.e164, trunk)}"
        else:
            yield f"{name}: {signalled} is not called back: {read.reason}"


def _switched(settings: Settings) -> str:
    on = [name for name, queue in settings.rules.queues.items() if queue.calls == "on"]
    return f"calls are on for {', '.join(on)}" if on else "watching only: calls are on for no queue"


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        store = Store(settings.database.url)
        with store.read() as connection:
            found = schema.current(connection)
    except CallbackError as error:
        yield Finding(ok=False, what="database", remedy=str(error))
        return
    except DatabaseError as error:
        yield Finding(
            ok=False,
            what=f"database: {error.orig}",
            remedy="[database] url must name a database of ours, or none yet",
        )
        return
    if found not in (None, schema.newest()):
        yield Finding(ok=False, what=f"database has schema {found}", remedy="start `callback run` once: it migrates")
        return
    yield Finding(
        ok=True,
        what=f"database {store.where}: {f'schema {found}' if found else 'new, made at the first run'}",
    )


async def _pbx(settings: Settings) -> list[Finding]:
    """Log in and look; every finding of the PBX."""
    heard: asyncio.Queue[Message] = asyncio.Queue()
    up, down = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def on_message(message: Message, _at: int) -> None:
        if b"LCR_PROBE" in message.raw or b"lcr-doctor" in message.raw:
            await heard.put(message)

    async def on_up() -> None:
        up.set()

    async def on_down(reason: str) -> None:
        if not down.done():
            down.set_result(reason)

    wiring = settings.pbx
    where = f"{wiring.host}:{wiring.port}"
    client = Client(
        wiring.host,
        wiring.port,
        wiring.username,
        wiring.secret,
        on_message=on_message,
        on_up=on_up,
        on_down=on_down,
    )
    running = asyncio.create_task(client.run())
    try:
        await asyncio.wait(
            [running, asyncio.ensure_future(up.wait()), down], timeout=30, return_when=asyncio.FIRST_COMPLETED
        )
        if running.done() and isinstance(error := running.exception(), LoginRefused):
            return [Finding(ok=False, what=f"manager login at {where} as {wiring.username}", remedy=str(error))]
        if not up.is_set():
            why = down.result() if down.done() else "no answer within 30 s"
            remedy = "start Asterisk, and see [pbx] host and port and bindaddr in manager.conf"
            return [Finding(ok=False, what=f"manager at {where}: {why}", remedy=remedy)]
        found = [Finding(ok=True, what=f"manager login at {where} as {wiring.username}")]
        return found + [finding async for finding in _look(client, settings, heard)]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _look(client: Client, settings: Settings, heard: asyncio.Queue[Message]) -> AsyncIterator[Finding]:
    yield await _clock(client)
    yield await _contexts(client)
    yield await _probe(client, heard)
    yield await _originate(client)
    yield await _ticket(client)
    async for finding in _queues(client, settings):
        yield finding


async def _clock(client: Client) -> Finding:
    stamp = (await client.ping()).get("Timestamp")
    off = float(stamp) - time.time() if stamp else 0.0
    what = f"clock of the PBX is {off:+.1f} s off ours"
    return Finding(abs(off) <= CLOCK_MAY_BE_OFF_S, what, "run an NTP client on both machines: nothing is dialled now")


async def _contexts(client: Client) -> Finding:
    missing = []
    for context in CONTEXTS:
        try:
            steps = await client.listing("ShowDialPlan", [("Context", context)])
            if not any(step.name == "ListDialplan" for step in steps):
                missing.append(context)
        except ActionFailed:
            missing.append(context)
    if missing:
        remedy = "copy telephony/dialplan/extensions_lcr.conf beside extensions.conf, #include it, `dialplan reload`"
        return Finding(ok=False, what=f"dialplan contexts missing: {', '.join(missing)}", remedy=remedy)
    return Finding(ok=True, what=f"dialplan contexts {', '.join(CONTEXTS)}")


async def _probe(client: Client, heard: asyncio.Queue[Message]) -> Finding:
    """Run our doctor's context, which rings nobody, and see which classes of events arrive."""
    token = f"doctor{secrets.token_hex(4)}"
    headers = [
        ("Channel", "Local/s@lcr-doctor/n"),
        ("Application", "Wait"),
        ("Data", "1"),
        ("ChannelId", f"lcr-{token}-1"),
        ("OtherChannelId", f"lcr-{token}-2"),
        ("Variable", f"__LCR_ID={token}"),
        ("Async", "true"),
    ]
    wanted = {"Newchannel": "call", "VarSet": "dialplan", "UserEvent": "user"}
    try:
        await client.action("Originate", headers)
        async with asyncio.timeout(PATIENCE_S):
            while wanted:
                wanted.pop((await heard.get()).name, None)
    except (TimeoutError, TelephonyError) as error:
        classes = ", ".join(wanted.values())
        why = f" ({error})" if str(error) else ""
        remedy = "manager.conf: read = system,call,agent,user,dialplan,reporting and no eventfilter against these"
        return Finding(ok=False, what=f"no events of class {classes} arrive{why}", remedy=remedy)
    return Finding(ok=True, what="events of classes system, call, dialplan and user arrive (agent: seen with a call)")


async def _originate(client: Client) -> Finding:
    """Ask for an extension that does not exist: refused for that reason, the right is there and nothing rings."""
    headers = [
        ("Channel", "Local/s@lcr-agent/n"),
        ("Context", "lcr-nowhere"),
        ("Exten", "s"),
        ("Priority", "1"),
    ]
    try:
        await client.action("Originate", [*headers, ("Async", "true")])
    except ActionFailed as error:
        ok = "does not exist" in error.message.get("Message")
        what = "right to originate" if ok else f"no right to originate ({error.message.get('Message')})"
        return Finding(ok, what, "manager.conf: write = call,originate,reporting")
    return Finding(ok=False, what="originating nowhere was accepted", remedy="remove the context lcr-nowhere")


async def _ticket(client: Client) -> Finding:
    """Read a ticket that does not exist: refused for that reason, the right is there."""
    try:
        await client.listing("DBGet", [("Family", "lcr"), ("Key", "doctor")])
    except ActionFailed as error:
        ok = "not found" in error.message.get("Message").lower()
        what = "right to read tickets (DBGet)" if ok else f"tickets cannot be read ({error.message.get('Message')})"
        return Finding(ok, what, "manager.conf: read or write must hold reporting and system")
    return Finding(ok=True, what="right to read tickets (DBGet)")


async def _queues(client: Client, settings: Settings) -> AsyncIterator[Finding]:
    status = await client.listing("QueueStatus")
    known = {message.get("Queue") for message in status if message.name == "QueueParams"}
    for name in settings.rules.queues:
        members = sum(1 for m in status if m.name == "QueueMember" and m.get("Queue") == name)
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            remedy = f"[rules.queues.{name}] must be named as in queues.conf; this PBX has: {listed}"
            yield Finding(ok=False, what=f"queue {name} is not on this PBX", remedy=remedy)
        elif members == 0:
            yield Finding(ok=False, what=f"queue {name} has no member", remedy="log an agent in, or add members")
        else:
            yield Finding(ok=True, what=f"queue {name} with {members} members")
