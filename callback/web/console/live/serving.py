"""Renders channels, and makes the events that their viewers get. It belongs to the thread that watches."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Mapping

from callback.errors import StoreError
from callback.events import Event
from callback.logs.failing import Failing
from callback.web.console.live.channels import Channel
from callback.web.console.live.frames import RESYNC, frame
from callback.web.console.live.hub import KEPT_S, Hub, Taken
from callback.web.console.live.outcomes import Outcomes
from callback.web.console.live.viewers import Viewer
from callback.web.console.live.views import Look

log = logging.getLogger(__name__)

Events = list[tuple[Viewer, bytes]]


class Serving:
    """Numbers the frames, and knows which numbers are too old to go on from."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._outcomes, self._failing = Outcomes(), Failing(log)
        self._n = 0
        self._numbers = deque([(-math.inf, 0)])  # from when on there is the next frame: the first one is known no more
        self._who: Mapping[int, list[str]] = {}

    def begin(self, now_s: float) -> None:
        """Begin a round: what is too old is forgotten."""
        self._who = self._hub.presence.who()
        if self._numbers[-1][1] != self._n:
            self._numbers.append((now_s, self._n))
        while len(self._numbers) > 1 and self._numbers[1][0] < now_s - KEPT_S:
            self._numbers.popleft()

    def learn(self, event: Event) -> None:
        """Take what an event tells of how a reservation ended."""
        self._outcomes.take(event)

    def render(self, one: Taken, look: Look, v: int) -> Events:
        """Render a channel; give what that changed, and all of it to those who came."""
        channel = one.channel
        what, began_s = str(channel.key), time.monotonic()
        channel.rendered_s = began_s
        try:
            channel.render(look, self._next(), v, self._outcomes)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the other channels go on
            self._failing.fails(what, error)
            self._hub.again(one)
            return []
        finally:
            channel.took_s = time.monotonic() - began_s
        self._failing.works(what)
        channel.shown.forget(self._numbers[0][1])
        channel.look(self._who, self._n)
        return self._tell(one, self._n) + self.greet(one)

    def present(self, one: Taken) -> Events:
        """Give who has what open here by now, where that changed; and what there is to those who came."""
        changed = one.channel.look(self._who, self._n + 1)
        told = self._tell(one, self._next()) if changed else []
        return told + self.greet(one)

    def greet(self, one: Taken) -> Events:
        """Give those who came all that there is, or what they missed."""
        channel = one.channel
        if not channel.shown.born:
            self._hub.again(one)
            return []
        whole = frame(channel.facts(channel.shown.whole())) if 0 in one.fresh.values() else b""
        greeted = ((viewer, self._missed(channel, n) if n else whole) for viewer, n in one.fresh.items())
        return [(viewer, event) for viewer, event in greeted if event]

    def _missed(self, channel: Channel, n: int) -> bytes:
        """What changed since frame `n`, that one too: a stream may have broken off between two views of one moment."""
        if not max(self._numbers[0][1], channel.shown.born) <= n <= self._n:
            return RESYNC
        changed = channel.shown.since(n)
        return frame(channel.facts(changed), self._hub.id_of(self._n)) if changed else b""

    def _tell(self, one: Taken, n: int) -> Events:
        changed = one.channel.shown.since(n) if one.viewers else {}
        if not changed:
            return []
        event = frame(one.channel.facts(changed), self._hub.id_of(n))
        return [(viewer, event) for viewer in one.viewers]

    def _next(self) -> int:
        self._n += 1
        return self._n
