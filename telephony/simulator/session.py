"""One client of the simulator: its actions, the answers to them, and the events sent to it."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from datetime import datetime
from typing import Protocol

from telephony.ami.protocol import Message, Parser
from telephony.simulator.pbx_state import Pairs, PbxState
from telephony.simulator.recording import Recording

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
SYSTEM_NAME = "recorded-streams"

_LEGS = re.compile(r"(lcr-.+)-1 \1-2")


class Host(Protocol):
    """What a session needs of the server that it belongs to."""

    write_timeout_s: float
    account: tuple[str, str]
    started_at: datetime
    actions: deque[Message]
    state: PbxState
    tickets: dict[str, str]
    callback: Recording | None

    def welcome(self) -> None:
        """Say that somebody has logged in."""

    def originate(self, action: Message, attempt: str) -> None:
        """Begin the recorded callback under the attempt's name."""

    async def send(self, *events: bytes) -> None:
        """Send events to everybody who listens."""


class Session:
    """One client: answers its actions, and sends events to it."""

    def __init__(self, simulator: Host, writer: asyncio.StreamWriter) -> None:
        self.logged_in = False
        self.listens = False
        self.ended = asyncio.Event()
        self._leaving = False
        self._simulator = simulator
        self._writer = writer

    async def part(self) -> None:
        """End the connection once everything is sent; at once from a client that does not read."""
        self._writer.close()
        try:
            async with asyncio.timeout(self._simulator.write_timeout_s):
                await self._writer.wait_closed()
        except (TimeoutError, ConnectionError):
            self.cut()

    def cut(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    async def send(self, *messages: bytes) -> None:
        """Send bytes; a client that does not read for too long is cut off."""
        if self._writer.is_closing():
            return
        self._writer.write(b"".join(messages))
        try:
            async with asyncio.timeout(self._simulator.write_timeout_s):
                await self._writer.drain()
        except (TimeoutError, ConnectionError):
            self.cut()

    async def live(self, reader: asyncio.StreamReader) -> None:
        """Answer until the client goes or is sent away."""
        await self.send(BANNER)
        parser = Parser()
        while data := await reader.read(65536):
            for action in parser.feed(data):
                self._simulator.actions.append(action)
                await self._answer(action)
                if self._leaving:
                    return

    async def _answer(self, action: Message) -> None:
        name = action.get("Action").lower()
        if not self.logged_in and name not in {"login", "logoff"}:
            await self._reply(action, "Error", ("Message", "Permission denied"))
        elif (answer := _ANSWERS.get(name)) is None:
            sentence = f"Invalid/unknown command: {action.get('Action')}. This simulator knows {len(_ANSWERS)}."
            await self._reply(action, "Error", ("Message", sentence))
        else:
            await answer(self, action)

    # Answers, by the action's name

    async def login(self, action: Message) -> None:
        """Log in a client with the right account; answer the others with an error, and close the connection."""
        if (action.get("Username"), action.get("Secret")) != self._simulator.account:
            await self._reply(action, "Error", ("Message", "Authentication failed"))
            self._leaving = True
            return
        self.logged_in = True
        self.listens = action.get("Events", "on").lower() != "off"
        await self._reply(action, "Success", ("Message", "Authentication accepted"))
        booted = [
            ("Privilege", "system,all"),
            ("Uptime", "0"),
            ("LastReload", "0"),
            ("Status", "Fully Booted"),
        ]
        await self.send(_bytes([("Event", "FullyBooted"), *booted]))
        self._simulator.welcome()

    async def logoff(self, action: Message) -> None:
        """Say goodbye."""
        await self._reply(action, "Goodbye", ("Message", "Thanks for all the fish."))
        self._leaving = True

    async def ping(self, action: Message) -> None:
        """Give the clock."""
        await self._reply(action, "Success", ("Ping", "Pong"), ("Timestamp", f"{time.time():.6f}"))

    async def events(self, action: Message) -> None:
        """Begin or cease to send events."""
        self.listens = action.get("EventMask").lower() != "off"
        await self._reply(action, "Success", ("Events", "On" if self.listens else "Off"))

    async def core_status(self, action: Message) -> None:
        """Give when this began, as an Asterisk in this time zone would."""
        date, clock = (self._simulator.started_at.strftime(form) for form in ("%Y-%m-%d", "%H:%M:%S"))
        await self._reply(
            action,
            "Success",
            *(("CoreStartupDate", date), ("CoreStartupTime", clock)),
            *(("CoreReloadDate", date), ("CoreReloadTime", clock)),
            ("CoreCurrentCalls", str(len(self._simulator.state.channels))),
            ("SystemName", SYSTEM_NAME),
        )

    async def core_settings(self, action: Message) -> None:
        """Say who this is."""
        who = ("AsteriskVersion", "none: a simulator that plays recorded streams")
        await self._reply(action, "Success", ("AMIversion", "11.0.0"), who, ("SystemName", SYSTEM_NAME))

    async def core_show_channels(self, action: Message) -> None:
        """List the channels that are alive in what is played."""
        items = self._simulator.state.core_show_channels(time.time())
        await self._list(action, "CoreShowChannel", "Channels", [("CoreShowChannel", item) for item in items])

    async def queue_status(self, action: Message) -> None:
        """List queues, members and waiting callers."""
        items = self._simulator.state.queue_status(time.time(), action.get("Queue"))
        await self._list(action, "QueueStatus", "Queue status", items)

    async def db_get(self, action: Message) -> None:
        """Give a callback's ticket."""
        key = action.get("Key")
        value = self._simulator.tickets.get(key) if action.get("Family") == "lcr" else None
        if value is None:
            await self._reply(action, "Error", ("Message", "Database entry not found"))
        else:
            item = [("Family", "lcr"), ("Key", key), ("Val", value)]
            await self._list(action, "DBGet", "Result", [("DBGetResponse", item)])

    async def set_var(self, action: Message) -> None:
        """Accept a variable for a channel that is alive, or a global one."""
        channel = action.get("Channel")
        if not channel or self._simulator.state.alive(channel):
            await self._reply(action, "Success", ("Message", "Variable Set"))
        else:
            await self._reply(action, "Error", ("Message", "No such channel"))

    async def originate(self, action: Message) -> None:
        """Play the recorded callback as the attempt named; no other Originate is possible."""
        legs = (action.get("ChannelId"), action.get("OtherChannelId"))
        if self._simulator.callback is None or _LEGS.fullmatch(" ".join(legs)) is None:
            sentence = "This simulator has no recording of such a call"
            await self._reply(action, "Error", ("Message", sentence))
            return
        await self._reply(action, "Success", ("Message", "Originate successfully queued"))
        if any(self._simulator.state.alive(leg) for leg in legs):
            await self._simulator.send(_refused(action, legs[0]))
        else:
            self._simulator.originate(action, legs[0].removeprefix("lcr-").removesuffix("-1"))

    async def _reply(self, action: Message, response: str, *pairs: tuple[str, str]) -> None:
        await self.send(_bytes([("Response", response), *_echo(action), *pairs]))

    async def _list(self, action: Message, name: str, what: str, items: list[tuple[str, Pairs]]) -> None:
        """Answer with a list, its ActionIDs where Asterisk puts them, in one piece: no event comes between."""
        first = [("EventList", "start"), ("Message", f"{what} will follow")]
        last = [("EventList", "Complete"), ("ListItems", str(len(items)))]
        await self.send(
            _bytes([("Response", "Success"), *_echo(action), *first]),
            *(_bytes([("Event", event), *_item(action, event, pairs)]) for event, pairs in items),
            _bytes([("Event", f"{name}Complete"), *_echo(action), *last]),
        )


_ANSWERS = {
    "login": Session.login,
    "logoff": Session.logoff,
    "ping": Session.ping,
    "events": Session.events,
    "corestatus": Session.core_status,
    "coresettings": Session.core_settings,
    "coreshowchannels": Session.core_show_channels,
    "queuestatus": Session.queue_status,
    "dbget": Session.db_get,
    "setvar": Session.set_var,
    "originate": Session.originate,
}


def _echo(action: Message) -> Pairs:
    action_id = action.get("ActionID")
    return [("ActionID", action_id)] if action_id else []


def _item(action: Message, event: str, pairs: Pairs) -> Pairs:
    return [*_echo(action), *pairs] if event == "CoreShowChannel" else [*pairs, *_echo(action)]


def _bytes(pairs: Pairs) -> bytes:
    return b"".join(f"{key}: {value}\r\n".encode() for key, value in pairs) + b"\r\n"


def _refused(action: Message, leg: str) -> bytes:
    """Give what follows an Originate with the ChannelId of a live channel (Asterisk 22, measured)."""
    stamp = ("Timestamp", f"{time.time():.6f}")
    copied = [(key, action.get(key)) for key in ("Channel", "Context", "Exten")]
    head = [("Event", "OriginateResponse"), ("Privilege", "call,all"), stamp, *_echo(action)]
    return _bytes([*head, ("Response", "Failure"), *copied, ("Reason", "0"), ("Uniqueid", leg)])
