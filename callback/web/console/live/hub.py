"""The hub: all streams of one console process. What is rendered for one viewer is rendered for all who see the same."""

from __future__ import annotations

import asyncio
import re
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from callback.errors import CallbackError
from callback.web.console.live.channels import Channel, Key
from callback.web.console.live.presence import Presence
from callback.web.console.live.viewers import Viewer, Visitor, Why, admit
from callback.web.console.live.views import Audience, View

VIEWS: Final = 16  # of one stream, which all tabs of a browser share
KEPT_S: Final = 300.0
"""So long it is known what a viewer who was away has missed."""
IDLE: Final = 200
"""No more channels than that are kept for viewers who may come back."""

_NAME: Final = re.compile(r"/[a-z]+/([a-z]+)")
_NUMBER: Final = re.compile("[0-9]{1,15}")

Make = Callable[[str, Audience], View]
"""Makes the view of an address, `/stream/queue?lane=binds`; CallbackError where there is none."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A channel as it was taken to be served: with those who listen, and those who came since the last time."""

    channel: Channel
    viewers: frozenset[Viewer]
    fresh: Mapping[Viewer, int]


class Hub:
    """Opens streams and hands them what the watch thread renders. Its methods may be called from any thread."""

    def __init__(
        self, make: Make, seconds: Callable[[], float] = time.monotonic, personal: Collection[str] = ()
    ) -> None:
        self._make, self._seconds, self._personal = make, seconds, personal
        self._epoch = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._channels: dict[Key, Channel] = {}
        self._viewers: dict[Viewer, tuple[Channel, ...]] = {}
        self._ended = False
        self.presence = Presence(seconds)
        self.somebody_came = threading.Event()

    def open(self, visitor: Visitor, addresses: Collection[str], last: str = "") -> Viewer:
        """Begin a stream of these views; `last` is the id of the frame that was read last.

        TooMany, or CallbackError where an address names no view. Whoever opens it must `leave`.
        """
        if not 1 <= len(set(addresses)) <= VIEWS:
            raise CallbackError(f"a stream carries 1 to {VIEWS} views")
        keys = [Key(address, self._audience(address, visitor)) for address in dict.fromkeys(addresses)]
        made = {key: self._make(key.address, key.audience) for key in keys if key not in self._channels}
        viewer, read = Viewer(visitor, len(keys)), self._number(last)
        with self._lock:
            admit(visitor, (one.visitor for one in self._viewers))
            channels = tuple(self._channel(key, made) for key in keys)
            for channel in channels:
                channel.viewers.add(viewer)
                channel.fresh[viewer] = read
            self._viewers[viewer] = channels
            ended = self._ended
        if ended:
            viewer.end("ended")
        self.somebody_came.set()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """The stream is over."""
        with self._lock:
            for channel in self._viewers.pop(viewer, ()):
                channel.viewers.discard(viewer)
                channel.fresh.pop(viewer, None)
                channel.left_s = self._seconds()
            is_last = all(one.visitor.session != viewer.visitor.session for one in self._viewers)
        if is_last:
            self.presence.left(viewer.visitor.session)

    def end(self) -> None:
        """Tell every stream, and each that still comes, to end. In the event loop."""
        with self._lock:
            self._ended = True
            viewers = list(self._viewers)
        for viewer in viewers:
            viewer.end("ended")

    @property
    def visitors(self) -> frozenset[Visitor]:
        """Whose streams are open."""
        with self._lock:
            return frozenset(viewer.visitor for viewer in self._viewers)

    @property
    def viewers(self) -> list[Viewer]:
        """The open streams."""
        with self._lock:
            return list(self._viewers)

    def of(self, visitors: Collection[Visitor]) -> list[Viewer]:
        """The open streams of these."""
        with self._lock:
            return [viewer for viewer in self._viewers if viewer.visitor in visitors]

    def id_of(self, n: int) -> str:
        """The id of frame `n`: of another process it means nothing."""
        return f"{self._epoch}-{n}"

    def take(self) -> list[Taken]:
        """The channels that somebody sees; those who came must be served, or given back by `again`."""
        now_s = self._seconds()
        with self._lock:
            self._forget(now_s)
            taken = []
            for channel in self._channels.values():
                if channel.viewers:
                    taken.append(Taken(channel, frozenset(channel.viewers - channel.fresh.keys()), channel.fresh))
                    channel.fresh = {}
            return taken

    def again(self, taken: Taken) -> None:
        """Those who came to this channel could not be served: the next time."""
        with self._lock:
            still = {viewer: n for viewer, n in taken.fresh.items() if viewer in taken.channel.viewers}
            taken.channel.fresh = still | taken.channel.fresh

    def _audience(self, address: str, visitor: Visitor) -> Audience:
        """With whom the visitor shares this view: with nobody, where it is one person's alone."""
        name = _NAME.match(address)
        is_personal = name is not None and name[1] in self._personal
        return replace(visitor.audience, user=visitor.user) if is_personal else visitor.audience

    def _channel(self, key: Key, made: Mapping[Key, View]) -> Channel:
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(key, made[key] if key in made else self._make(*_parts(key)))
        return channel

    def _forget(self, now_s: float) -> None:
        idle = sorted((one for one in self._channels.values() if not one.viewers), key=lambda one: one.left_s)
        for place, channel in enumerate(reversed(idle)):
            if place >= IDLE or now_s - channel.left_s > KEPT_S:
                del self._channels[channel.key]

    def _number(self, last: str) -> int:
        """The number of the last frame that was read; 0 where there was none, -1 where that means nothing here."""
        if not last:
            return 0
        epoch, _, number = last.partition("-")
        return int(number) if epoch == self._epoch and _NUMBER.fullmatch(number) else -1


def deliver(events: Iterable[tuple[Viewer, bytes]]) -> None:
    """Hand each viewer its event. In the event loop."""
    for viewer, event in events:
        viewer.put(event)


def dismiss(viewers: Iterable[Viewer], why: Why) -> None:
    """End these streams. In the event loop."""
    for viewer in viewers:
        viewer.end(why)


class Line:
    """The way from the thread that watches into the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def send(self, events: list[tuple[Viewer, bytes]]) -> None:
        """Let the loop deliver."""
        if events:
            self._loop.call_soon_threadsafe(deliver, events)

    def dismiss(self, viewers: list[Viewer], why: Why) -> None:
        """Let the loop end these streams."""
        if viewers:
            self._loop.call_soon_threadsafe(dismiss, viewers, why)


def _parts(key: Key) -> tuple[str, Audience]:
    return key.address, key.audience
