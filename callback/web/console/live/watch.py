"""The thread that watches: it notices what was committed, has rendered what that concerns, and sends the difference."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import Connection

from callback.events import Event
from callback.logs.failing import Failing
from callback.site.work import Work
from callback.store import feed
from callback.store.changes import Changes
from callback.web.console.live.channels import LATEST_S, SHARE, Channel
from callback.web.console.live.frames import named
from callback.web.console.live.hub import Hub, Line, Taken
from callback.web.console.live.serving import Serving
from callback.web.console.live.standing import Layer, Pulse
from callback.web.console.live.viewers import Viewer, Visitor
from callback.web.console.live.views import Look

log = logging.getLogger(__name__)

POLL_S: Final = 0.25
REST_S: Final = 0.05
"""Between two looks, however often it is rung: what is rendered for one ring is rendered for those soon after it."""
SLOW_S: Final = 1.0
"""Time alone changes a view: it is rendered so often, or more seldom where that costs too much."""
SLICE_S: Final = 0.2
"""No snapshot is held longer: SQLite can shorten its log only while nobody reads."""
BEAT_S: Final = 5.0
PULSE_S: Final = 1.0
CHECK_S: Final = 2.0
"""So often it is asked whether the sessions still stand."""

Snapshot = Callable[[], AbstractContextManager[Work]]
Fallen = Callable[[Work, Collection[Visitor]], Iterable[Visitor]]
"""Gives those whose session has ended, or has other rights by now."""


def nobody(_work: Work, _visitors: Collection[Visitor]) -> Iterable[Visitor]:
    """Let every session stand."""
    return ()


class Pace:
    """Says when something is to be done again."""

    def __init__(self, every_s: float) -> None:
        self._every_s, self._done_s = every_s, -math.inf

    def is_due(self, now_s: float) -> bool:
        """Whether it is time."""
        return now_s - self._done_s >= self._every_s

    def take(self, now_s: float) -> bool:
        """Whether it is time; then it counts as done."""
        due = self.is_due(now_s)
        if due:
            self._done_s = now_s
        return due


class Follower:
    """Follows the feed of one PBX from when it began."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._reader: feed.Reader | None = None
        self._is_behind = True

    def is_behind(self) -> bool:
        """Whether there may be something to read. StoreError where nobody can tell."""
        self._is_behind |= self._changes.may_have_been()
        return self._is_behind

    def read(self, connection: Connection, pbx: str) -> list[Event]:
        """What is new."""
        if self._reader is None:
            self._reader = feed.Reader(pbx, feed.end(connection))
        told: list[Event] = []
        while page := self._reader.read(connection):
            told += (one.event for one in page)
        self._is_behind = False
        return told

    def close(self) -> None:
        """Follow no more."""
        self._changes.close()


class Watch:
    """Watches for one hub. All but `start` and `stop` happens in its thread."""

    def __init__(self, hub: Hub, changes: Changes, snapshot: Snapshot, fallen: Fallen, now: Callable[[], int]) -> None:
        self._hub, self._snapshot, self._fallen, self._now = hub, snapshot, fallen, now
        self._follower, self._serving = Follower(changes), Serving(hub)
        self._pulse, self._failing = Pulse(now()), Failing(log)
        self._beats, self._pulses, self._checks = Pace(BEAT_S), Pace(PULSE_S), Pace(CHECK_S)
        self._stale: Layer | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, line: Line) -> None:
        """Begin to watch, and to send by this line."""
        self._thread = threading.Thread(target=self._run, args=(line,), name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that."""
        self._stopping.set()
        self._hub.somebody_came.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, line: Line) -> None:
        while not self._stopping.is_set():
            self._hub.somebody_came.wait(POLL_S - REST_S)
            self._hub.somebody_came.clear()
            self._tick(line)
            self._stopping.wait(REST_S)
        self._follower.close()

    def _tick(self, line: Line) -> None:
        """Look once. Whatever goes wrong, the next time is another try."""
        waiting = deque(self._hub.take())
        came = {viewer for one in waiting for viewer in one.fresh}
        try:
            self._look(waiting, line)
        except Exception as error:  # noqa: BLE001 - a StoreError is told in one line, anything else by its traceback
            self._failing.fails("live pages", error)
            for one in waiting:
                self._hub.again(one)
        else:
            self._failing.works("live pages")
        self._beat(came, line)

    def _look(self, waiting: deque[Taken], line: Line) -> None:
        """Serve those that wait; whoever is served waits no more."""
        began_s = time.monotonic()
        self._serving.begin(began_s)
        channels = [one.channel for one in waiting]
        slow_s = min(LATEST_S, max(SLOW_S, SHARE * sum(channel.took_s for channel in channels)))
        must = self._follower.is_behind() or (bool(channels) and self._pulses.is_due(began_s))
        while must or any(one.channel.is_due(began_s, slow_s) for one in waiting):
            must, end_s = False, time.monotonic() + SLICE_S
            with self._snapshot() as work:
                self._read(work, channels, line)
                look, v = Look(work), feed.end(work.connection)
                for one in [one for one in waiting if one.channel.is_due(began_s, slow_s)]:
                    if time.monotonic() > end_s:
                        break
                    line.send(self._serving.render(one, look, v))
                    waiting.remove(one)
        while waiting:
            line.send(self._serving.present(waiting.popleft()))

    def _read(self, work: Work, channels: Sequence[Channel], line: Line) -> None:
        """Learn what happened, and whom it concerns; ask what is asked from time to time."""
        told = self._follower.read(work.connection, work.pbx)
        self._pulse.readable(self._now())
        for event in told:
            self._serving.learn(event)
            for channel in channels:
                channel.concerned = channel.concerned or channel.view.concerns(event)
        if self._pulses.take(time.monotonic()):
            self._pulse.look(work)
        if self._checks.is_due(time.monotonic()):
            line.dismiss(self._hub.of(frozenset(self._fallen(work, self._hub.visitors))), "session")
            self._checks.take(time.monotonic())

    def _beat(self, came: Collection[Viewer], line: Line) -> None:
        """Tell how old the data is: from time to time, at once where that changed, and to those who came."""
        standing = self._pulse.standing(self._now())
        every = self._beats.take(time.monotonic()) or standing.stale != self._stale
        self._stale = standing.stale
        told = self._hub.viewers if every else came
        if told:
            event = named("beat", standing.as_json())
            line.send([(viewer, event) for viewer in told])
