"""The channels that are alive on one PBX, and the numbers signalled on them, as events tell. Pure."""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from telephony.calls.open_call import OPENS_NOTHING
from telephony.events import (
    ChannelEvent,
    CoreShowChannel,
    DialBegin,
    Hangup,
    NewCallerid,
    Newchannel,
    QueueCallerJoin,
    QueueEntry,
    kinds,
)
from telephony.ids import NO_CALL, SECOND, attempt_of, dialled_numbers, usable

_TELLS_A_NUMBER: Final = kinds(Newchannel, NewCallerid, QueueCallerJoin, QueueEntry, CoreShowChannel, DialBegin)
_NAMES: Final = kinds(Newchannel, NewCallerid)
LATE_S: Final = 600.0
"""No event of a channel comes later than this after its Hangup; of its call, a transferred talk may tell for hours."""
_NAMED_BY: Final = 8
_NUMBERS: Final = 32


@dataclass(slots=True)
class LiveChannel:
    """A channel that is alive, as far as was heard; `attempt` is ours that it belongs to, if it does."""

    uniqueid: str
    linkedid: str
    channel: str
    attempt: str | None
    seen_at: int
    heard_at: int = 0
    offset: int | None = None
    named_by: list[ChannelEvent] = field(default_factory=list)  # the first few that said its number
    numbers: set[str] = field(default_factory=set)


class Tombstones:
    """Remembers the last `limit` ids that were laid to rest, with a word about each, for `age_s` at most."""

    def __init__(self, limit: int, age_s: float) -> None:
        self._limit = limit
        self._age = int(age_s * SECOND)
        self._rest: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._rest

    def __len__(self) -> int:
        return len(self._rest)

    def bury(self, key: str, now: int, word: str = "") -> None:
        """Add an id; the oldest go."""
        rest = self._rest
        rest.pop(key, None)
        rest[key] = (now, word)
        while len(rest) > self._limit or now - next(iter(rest.values()))[0] > self._age:
            rest.popitem(last=False)

    def get(self, key: str) -> tuple[int, str] | None:
        """Give when an id was buried, and the word about it; None if it is not here."""
        return self._rest.get(key)


class LiveChannels:
    """Which channels are alive. An event of a channel that is gone does not bring it back.

    The one exception is a Newchannel under another name: an Originate may use an old ChannelId again.
    """

    def __init__(self, *, tombstones: int, age_s: float) -> None:
        self._live: OrderedDict[str, LiveChannel] = OrderedDict()
        self._attempts: Counter[str] = Counter()  # live channels of each attempt of ours
        self._gone = Tombstones(tombstones, min(age_s, LATE_S))
        self._age = int(age_s * SECOND)

    def __len__(self) -> int:
        return len(self._live)

    def get(self, uniqueid: str) -> LiveChannel | None:
        """Give a live channel."""
        return self._live.get(uniqueid)

    def of_call(self, linkedid: str) -> list[LiveChannel]:
        """Give the live channels of a call."""
        return [channel for channel in self._live.values() if channel.linkedid == linkedid]

    def note(self, event: ChannelEvent, now: int, offset: int | None = None) -> None:
        """Take what an event says about its channel; an answer of ours, or a report, says nothing of it."""
        kind = type(event)
        if kind in OPENS_NOTHING:
            return
        if kind is Hangup:
            self._forget(event.uniqueid)
            self._gone.bury(event.uniqueid, now, event.channel)
            return
        channel = self._live.get(event.uniqueid) or self._open(event, now, offset)
        if channel is None:
            return
        channel.linkedid, channel.heard_at = event.linkedid, now
        if kind in _NAMES and len(channel.named_by) < _NAMED_BY:
            channel.named_by.append(event)
        if kind in _TELLS_A_NUMBER and len(channel.numbers) < _NUMBERS:
            channel.numbers.update(_numbers(event))

    def keep_only(self, present: Iterable[str], now: int, since: int) -> None:
        """Forget the channels that a listing of all does not show, and of which nothing was heard since."""
        present = set(present)
        absent = [key for key, c in self._live.items() if key not in present and c.heard_at < since]
        for uniqueid in absent:
            self._gone.bury(uniqueid, now, self._live[uniqueid].channel)
            self._forget(uniqueid)

    def ended_since(self, uniqueid: str, since: int) -> bool:
        """Tell whether a channel's end was heard at that time or later."""
        buried = self._gone.get(uniqueid)
        return buried is not None and buried[0] >= since and uniqueid not in self._live

    def expire(self, now: int) -> None:
        """Forget channels whose Hangup must have been lost; if one lives, its next event brings it back."""
        live = self._live
        while live and now - next(iter(live.values())).seen_at > self._age:
            self._forget(next(iter(live)))

    def attempts(self) -> set[str]:
        """Give our attempts that have a live channel."""
        return set(self._attempts)

    def phones_of_attempts(self) -> set[str]:
        """Give what is called on the live channels of our attempts: PJSIP/1004 of the channel PJSIP/1004-0000001f."""
        if not self._attempts:
            return set()
        return {channel.channel.rpartition("-")[0] for channel in self._live.values() if channel.attempt is not None}

    def numbers(self) -> dict[str, dict[str, str]]:
        """Give each number signalled on a live channel, with those channels: Uniqueid to Linkedid."""
        found: dict[str, dict[str, str]] = {}
        for channel in self._live.values():
            for number in channel.numbers:
                found.setdefault(number, {})[channel.uniqueid] = channel.linkedid
        return found

    def _open(self, event: ChannelEvent, now: int, offset: int | None) -> LiveChannel | None:
        buried = self._gone.get(event.uniqueid)
        again = isinstance(event, Newchannel) and buried is not None and event.channel != buried[1]
        if event.channel == NO_CALL or not (buried is None or again or isinstance(event, CoreShowChannel)):
            return None
        attempt = attempt_of(event.uniqueid) or attempt_of(event.linkedid)
        channel = LiveChannel(event.uniqueid, event.linkedid, event.channel, attempt, seen_at=now, offset=offset)
        self._live[event.uniqueid] = channel
        if attempt is not None:
            self._attempts[attempt] += 1
        return channel

    def _forget(self, uniqueid: str) -> None:
        channel = self._live.pop(uniqueid, None)
        if channel is not None and channel.attempt is not None:
            self._attempts[channel.attempt] -= 1
            if not self._attempts[channel.attempt]:
                del self._attempts[channel.attempt]


def _numbers(event: ChannelEvent) -> list[str]:
    if isinstance(event, DialBegin):
        return dialled_numbers(event.dial_string)
    if isinstance(event, (Newchannel, NewCallerid, QueueCallerJoin, QueueEntry, CoreShowChannel)):
        number = usable(event.number)
        return [] if number is None else [number]
    return []
