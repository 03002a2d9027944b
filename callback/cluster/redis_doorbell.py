"""The doorbell over Redis: publish and subscribe, with a thread for each. It keeps nothing in Redis."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from typing import Final, get_args

import redis
from redis.client import PubSub

from callback.cluster.doorbell import Heard, Topic
from callback.cluster.link import RESTS_S, Link, client_of

log = logging.getLogger(__name__)

GAP_S: Final = 0.02
"""No more often is anything rung, or heard: what comes meanwhile is one ring at the end of it."""
LISTENS_S: Final = 0.5
"""So long a listener waits before it looks whether it is to end."""
QUIET_S: Final = 5.0
"""After so long without a word Redis is asked whether it is there still."""
ANSWERS_S: Final = 2.0
"""So long it may take to answer that, and to let us subscribe."""
AT_ONCE: Final = 1000
"""No more rings are taken together: whoever rings without end must not keep us from hearing."""
MOST: Final = 100
"""Characters of a ring that are looked at."""
TOPICS: Final[Collection[Topic]] = get_args(Topic)


class RedisDoorbell:
    """Rings by `link`, and listens by a connection of its own. Rings of this very process are not heard."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link, self._us = link, secrets.token_hex(8)
        self._channel = f"{prefix}:bell"
        self._heard: dict[Topic, list[Heard]] = {topic: [] for topic in TOPICS}
        self._lock = threading.Lock()
        self._to_ring: set[Topic] = set()
        self._rung, self._closed = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._ring_on, name="doorbell-rings", daemon=True),
            threading.Thread(target=self._listen_on, name="doorbell-hears", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def ring(self, *topics: Topic) -> None:
        """Ring, at once and without waiting for anything; what cannot be told is not."""
        with self._lock:
            self._to_ring.update(topics)
        self._rung.set()

    def on(self, topic: Topic, heard: Heard) -> Callable[[], None]:
        """Call `heard` when another process rings, and when rings may have been missed; give what ends that."""
        with self._lock:
            self._heard[topic].append(heard)

        def end() -> None:
            with self._lock:
                self._heard[topic].remove(heard)

        return end

    def close(self) -> None:
        """Ring what is still to be rung, and end."""
        self._closed.set()
        self._rung.set()
        for thread in self._threads:
            thread.join(ANSWERS_S + LISTENS_S)

    def _ring_on(self) -> None:
        while not self._closed.is_set():
            self._rung.wait()
            self._rung.clear()
            with self._lock:
                topics, self._to_ring = self._to_ring, set()
            if topics:
                words = " ".join([self._us, *topics])
                self._link.ask(lambda client, words=words: client.publish(self._channel, words))  # type: ignore[misc] # bound while it is of this turn
            self._closed.wait(GAP_S)

    def _listen_on(self) -> None:
        failures = 0
        while not self._closed.is_set():
            try:
                with closing(client_of(self._link.url, ANSWERS_S)) as client, closing(_pubsub(client)) as subscribed:
                    subscribed.subscribe(self._channel)
                    self._confirmed(subscribed)
                    failures = 0
                    self._link.standing.works("hears")
                    self._link.again()
                    self._tell(TOPICS)  # what was rung before is not known
                    self._listen(subscribed)
            except Exception as error:  # whatever it is: who listens goes on looking by the clock
                if not self._closed.is_set():
                    log.debug("the doorbell hears nothing", exc_info=error)
                    self._link.standing.fails("hears", str(error) or type(error).__name__)
            self._closed.wait(RESTS_S[min(failures, len(RESTS_S) - 1)])
            failures += 1

    def _confirmed(self, subscribed: PubSub) -> None:
        """Wait until it is subscribed to; redis.TimeoutError where that takes too long."""
        if subscribed.get_message(timeout=ANSWERS_S) is None:
            raise redis.TimeoutError(f"no subscription within {ANSWERS_S:g} s")

    def _listen(self, subscribed: PubSub) -> None:
        spoke_s = asked_s = time.monotonic()
        while not self._closed.is_set():
            rung, spoke = self._taken(subscribed)
            now_s = time.monotonic()
            if spoke:
                spoke_s = now_s
            elif now_s - spoke_s > QUIET_S + ANSWERS_S:
                raise redis.TimeoutError(f"not a word within {QUIET_S + ANSWERS_S:g} s")
            elif now_s - max(spoke_s, asked_s) > QUIET_S:
                subscribed.ping()
                asked_s = now_s
            if rung:
                self._tell(rung)
                self._closed.wait(GAP_S)

    def _taken(self, subscribed: PubSub) -> tuple[set[Topic], bool]:
        """Wait for a ring, and take what has come with it; tell too whether Redis said anything."""
        rung, spoke = set[Topic](), False
        for turn in range(AT_ONCE):
            message = subscribed.get_message(timeout=0.0 if turn else LISTENS_S)
            if message is None:
                break
            spoke = True
            if message["type"] == "message":
                who, *topics = str(message["data"])[:MOST].split(" ")
                rung.update(topic for topic in TOPICS if topic in topics and who != self._us)
        return rung, spoke

    def _tell(self, topics: Collection[Topic]) -> None:
        with self._lock:
            listeners = [heard for topic in topics for heard in self._heard[topic]]
        for heard in listeners:
            with suppress(RuntimeError):  # its event loop has ended
                heard()


def _pubsub(client: redis.Redis) -> PubSub:
    subscribed: PubSub = client.pubsub()  # type: ignore[no-untyped-call]
    return subscribed
