"""A call to nobody: what is heard of it proves which events arrive, and what can be done to a channel."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from callback.operations.doctor import eventfilter
from callback.operations.doctor.finding import Finding, fault, sound, warning
from callback.operations.doctor.rights import READ
from telephony.ami.client import ActionFailed, Client
from telephony.ami.protocol import Message
from telephony.errors import TelephonyError

PATIENCE_S: Final = 8.0
MARK: Final = b"lcr-doctor"
"""What every message about the probe holds."""
QUEUE: Final = "lcr-doctor"
"""The queue without members that queues_lcr.conf brings: the one way to hear a queue's events and ring nobody."""
OWN: Final = "lcr-doctor"  # the context in which the probe's call lives
KEY: Final = frozenset({"lcr-exit", "lcr-exit-open", "lcr-requested"})  # those on the way of key 1
NUMBER: Final = "000"  # what the probe's caller id shows: nobody's

WANTED: Final[Mapping[str, tuple[str, ...]]] = {
    "call": ("Newchannel", "Hangup"),
    "dialplan": ("VarSet",),
    "user": ("UserEvent",),
    "agent": ("QueueCallerJoin", "QueueCallerAbandon"),
}
"""By class, the events of the probe that the service reads too."""
SIBLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "call": ("Newstate", "LocalBridge", "HangupRequest", "DialBegin", "DialEnd"),
    "dialplan": ("Newexten",),
    "user": (),
    "agent": ("QueueCallerLeave",),
}
"""By class, what else the probe brings: if only this is heard, it is no right that is missing."""


@dataclass(slots=True)
class Heard:
    """What arrived of the probe."""

    names: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)  # of UserEvents
    variables: set[tuple[str, str]] = field(default_factory=set)  # of VarSets, with their values
    untimed: set[str] = field(default_factory=set)  # events without a Timestamp
    over: bool = False

    def feed(self, message: Message) -> None:
        """Take a message of the probe."""
        variable = (message.get("Variable"), message.get("Value"))
        if message.name == "VarSet":
            self.variables.add(variable)
        if message.name != "VarSet" or variable == eventfilter.NEEDED:
            self.names.add(message.name)
        self.words |= {message.get("UserEvent")} - {""}
        if not message.get("Timestamp"):
            self.untimed.add(message.name)
        self.over = self.over or (message.name == "Hangup" and message.get("Uniqueid").endswith("-2"))


async def look(client: Client, heard: asyncio.Queue[Message], contexts: Collection[str] | None) -> list[Finding]:
    """Make the call and listen; `heard` brings every message that holds MARK.

    `contexts` are those of ours that are there, None where nobody can tell: what needs one that is missing proves
    nothing, and no other cause is looked for.
    """
    if contexts is not None and OWN not in contexts:
        return [_not_proved("which events arrive, whether silence can be heard, and what key 1 does are")]
    token = f"doctor{secrets.token_hex(4)}"
    try:
        await _offered(client)
        await client.action("Originate", _originate(token))
    except TelephonyError as error:
        return [fault(f"the doctor's own call cannot be made ({error})", "mend the rights and contexts above first")]
    talk = asyncio.create_task(_talk_detect(client, f"lcr-{token}-2"))
    got = await _listen(client, heard, token, talk)
    has_queue = any(message.get("Queue") == QUEUE for message in await client.listing("QueueStatus"))
    events = of_events(got, has_queue=has_queue)
    return [*events, *eventfilter.look(got.variables), await talk, of_key(got, contexts)]


def of_events(heard: Heard, *, has_queue: bool) -> Iterator[Finding]:
    """Judge by what was heard which classes arrive, and whether a filter or a missing right keeps the rest away."""
    classes = [name for name in WANTED if name != "agent" or has_queue]
    deaf = [name for name in classes if not heard.names & {*WANTED[name], *SIBLINGS[name]}]
    filtered = [event for name in classes if name not in deaf for event in WANTED[name] if event not in heard.names]
    if deaf:
        remedy = f"manager.conf: read = {READ}, no eventfilter but the two of manager_lcr.conf, then `manager reload`"
        yield fault(f"no events of class {', '.join(deaf)} arrive", remedy)
    if filtered:
        yield fault(f"events {', '.join(filtered)} are filtered away", eventfilter.REMEDY)
    if not (deaf or filtered):
        yield sound(
            f"events of classes system, {', '.join(classes)} arrive (reporting: comes with a call's voice alone)"
        )
    if not has_queue:
        remedy = "#include queues_lcr.conf in queues.conf, `queue reload all`: its queue lcr-doctor rings nobody"
        yield warning("class agent is not proved: there is no queue lcr-doctor", remedy)
    if heard.untimed:
        remedy = "manager.conf: [general] timestampevents = yes, then `manager reload`"
        yield warning("events carry no Timestamp: times are those of arrival, and wrong after any delay", remedy)


async def _listen(client: Client, heard: asyncio.Queue[Message], token: str, talk: asyncio.Task[Finding]) -> Heard:
    """Hear the probe to its end, which is ours to make once it has shown everything, or as long as patience lasts.

    `talk` tries something on the channel too: it is not hung up before that is over.
    """
    got = Heard()
    with contextlib.suppress(TimeoutError):  # what did not come is told by whoever judges
        async with asyncio.timeout(PATIENCE_S):
            while not got.over:
                message = await heard.get()
                if token.encode() not in message.raw:
                    continue
                got.feed(message)
                if message.get("UserEvent") == "LcrRequested":
                    await asyncio.wait([talk])
                    with contextlib.suppress(TelephonyError):
                        await client.action("Hangup", [("Channel", f"lcr-{token}-2")])
    return got


async def _offered(client: Client) -> None:
    """Let a callback be offered in the doctor's queue, as the service does for a real one."""
    now = (await client.action("Getvar", [("Variable", "EPOCH")])).get("Value")
    until = str(int(now or 0) + 20)
    await client.action("Setvar", [("Variable", f"LCR_OFFER_{QUEUE}"), ("Value", until)])


def _originate(token: str) -> Iterable[tuple[str, str]]:
    return [
        ("Channel", "Local/s@lcr-doctor/n"),
        ("Application", "Wait"),
        ("Data", "1"),
        ("CallerID", NUMBER),
        ("ChannelId", f"lcr-{token}-1"),
        ("OtherChannelId", f"lcr-{token}-2"),
        ("Variable", f"__LCR_ID={token}"),
        *eventfilter.originated(),
        ("Async", "true"),
    ]


async def _talk_detect(client: Client, channel: str) -> Finding:
    """Switch the detector on, as is done for every answered call; the channel may be a moment in coming."""
    headers = [("Channel", channel), ("Variable", "TALK_DETECT(set)"), ("Value", "")]
    why = ""
    for _ in range(20):
        try:
            await client.action("Setvar", headers)
            return sound("silence can be heard (TALK_DETECT)")
        except ActionFailed as error:
            why = error.message.get("Message")
            if "no such channel" not in why.lower():
                break
            await asyncio.sleep(0.05)
        except TelephonyError as error:
            why = str(error)
            break
    return warning(f"silent calls cannot be told: TALK_DETECT ({why})", "asterisk -rx 'module load func_talkdetect.so'")


def of_key(heard: Heard, contexts: Collection[str] | None) -> Finding:
    """Whether key 1 leads a waiting caller to a callback: tried on the probe itself."""
    if "LcrRequested" in heard.words:
        return sound("key 1 in a queue with context = lcr-exit asks for a callback while one is offered")
    if contexts is not None and not set(contexts) >= KEY:
        return _not_proved("what key 1 in a queue does is")
    remedy = "asterisk -rx 'module load pbx_loopback.so', and the newest extensions_lcr.conf"
    return warning("key 1 in a queue does nothing: the way through lcr-exit was tried", remedy)


def _not_proved(what: str) -> Finding:
    remedy = "mend the contexts above, then run the doctor again"
    return warning(f"{what} not proved, because contexts are missing", remedy)
