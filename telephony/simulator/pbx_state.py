"""The state of the simulated PBX, from the events it has played: channels, queues, members, waiting callers. Pure.

Only the simulator uses it, with recordings that it can trust; `telephony.calls` follows the stream of a real PBX.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from telephony.ami.protocol import Message
from telephony.simulator.recording import Recording

Pairs = list[tuple[str, str]]

_CHANNEL_KEYS = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum"),
    *("ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid"),
)
_CHANNEL_EVENTS = frozenset({"Newchannel", "Newstate", "Newexten", "NewCallerid", "NewConnectedLine"})
_ENTRY_KEYS = ("Channel", "Uniqueid", "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")
_FREE = {"InCall": "0", "Status": "1", "Paused": "0", "PausedReason": ""}
_MEMBER = {
    **dict.fromkeys(("Name", "Location", "StateInterface"), ""),
    "Membership": "static",
    **dict.fromkeys(("Penalty", "CallsTaken", "LastCall", "LastPause", "LoginTime", "Wrapuptime"), "0"),
    **_FREE,
}
_MEMBER_ALSO = {"MemberName": "Name", "Interface": "Location"}
_QUEUE = {
    "Max": "0",
    "Strategy": "rrmemory",
    **dict.fromkeys(("Calls", "Holdtime", "TalkTime", "Completed", "Abandoned", "ServiceLevel"), "0"),
    **dict.fromkeys(("ServicelevelPerf", "ServicelevelPerf2"), "0.0"),
    "Weight": "0",
}


@dataclass(slots=True)
class ChannelState:
    """A live channel: when it was made (epoch seconds), and its headers in the last event about it."""

    since_s: float
    headers: dict[str, str]
    application: str = ""
    data: str = ""
    bridge: str = ""


@dataclass(slots=True)
class PbxState:
    """Channels by Uniqueid; members and waiting callers by queue and id."""

    channels: dict[str, ChannelState] = field(default_factory=dict)
    queues: dict[str, None] = field(default_factory=dict)
    members: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    waiting: dict[tuple[str, str], tuple[float, dict[str, str]]] = field(default_factory=dict)

    def learn(self, recording: Recording) -> None:
        """Add the queues and members of a recording; members not known yet are free."""
        for _, event in recording.events:
            if queue := event.get("Queue"):
                self.queues.setdefault(queue)
                if interface := event.get("Interface"):
                    known = self.members.setdefault((queue, interface), _MEMBER | {"Location": interface})
                    known.update(_of_member(event, known.keys() - _FREE.keys()))

    def free(self, recording: Recording) -> None:
        """Set the members of a recording free: it is over, even if it was cut in the middle of a call."""
        for _, event in recording.events:
            if (known := self.members.get((event.get("Queue"), event.get("Interface")))) is not None:
                known.update(_FREE)

    def clear(self) -> None:
        """Forget calls whose end was not recorded."""
        self.channels.clear()
        self.waiting.clear()

    def feed(self, event: Message, now_s: float) -> None:
        """Take an event that happens now."""
        name, uniqueid = event.name, event.get("Uniqueid")
        place = (event.get("Queue"), uniqueid)
        if name == "QueueCallerJoin":
            self.waiting[place] = (now_s, {key: event.get(key) for key in _ENTRY_KEYS})
        elif name in {"QueueCallerLeave", "QueueCallerAbandon"}:
            self.waiting.pop(place, None)
        elif name == "QueueMemberStatus" and (queue := event.get("Queue")):
            self.members.setdefault((queue, event.get("Interface")), dict(_MEMBER)).update(
                _of_member(event, _MEMBER.keys())
            )
        elif name == "Hangup":
            self.channels.pop(uniqueid, None)
            for left in [place for place in self.waiting if place[1] == uniqueid]:
                del self.waiting[left]
        else:
            self._feed_channel(name, uniqueid, event, now_s)

    def _feed_channel(self, name: str, uniqueid: str, event: Message, now_s: float) -> None:
        if name == "Newchannel":
            self.channels[uniqueid] = ChannelState(now_s, {})
        if (channel := self.channels.get(uniqueid)) is None:
            return
        if name in _CHANNEL_EVENTS:
            channel.headers = {key: event.get(key) for key in _CHANNEL_KEYS}
        if name == "Newexten":
            channel.application, channel.data = event.get("Application"), event.get("AppData")
        if name in {"BridgeEnter", "BridgeLeave"}:
            channel.bridge = event.get("BridgeUniqueid") if name == "BridgeEnter" else ""

    def alive(self, name: str) -> bool:
        """Tell whether a channel of that name or Uniqueid is alive."""
        return name in self.channels or any(name == channel.headers["Channel"] for channel in self.channels.values())

    def core_show_channels(self, now_s: float) -> list[Pairs]:
        """Give the items of CoreShowChannels."""
        return [
            [
                *channel.headers.items(),
                ("Application", channel.application),
                ("ApplicationData", channel.data),
                ("Duration", _clock(now_s - channel.since_s)),
                ("BridgeId", channel.bridge),
            ]
            for channel in self.channels.values()
        ]

    def queue_status(self, now_s: float, only: str = "") -> list[tuple[str, Pairs]]:
        """Give the items of QueueStatus with their events' names, queue by queue."""
        items: list[tuple[str, Pairs]] = []
        for queue in self.queues:
            if only not in {"", queue}:
                continue
            entries = [entry for (where, _), entry in self.waiting.items() if where == queue]
            calls = {"Calls": str(len(entries))}
            items.append(("QueueParams", [("Queue", queue), *(_QUEUE | calls).items()]))
            for (where, _), member in self.members.items():
                if where == queue:
                    items.append(("QueueMember", [("Queue", queue), *member.items()]))
            for position, (since, headers) in enumerate(entries, 1):
                wait = [("Wait", str(int(now_s - since))), ("Priority", "0")]
                place = [("Queue", queue), ("Position", str(position))]
                items.append(("QueueEntry", [*place, *headers.items(), *wait]))
        return items


def _of_member(event: Message, keys: Collection[str]) -> dict[str, str]:
    """Give what an event says of a member, under the keys that QueueMember uses."""
    renamed = ((_MEMBER_ALSO.get(key, key), value) for key, value in event.headers)
    return {key: value for key, value in renamed if key in keys}


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
