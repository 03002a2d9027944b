"""One process's way to Redis. Nobody waits for it longer than a tenth of a second, and it is said once that it is away.

A thread of its own asks, one question after the other; whoever waits for an answer goes on without one in time. After
a failure nothing is asked for a while, then one question finds out.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from typing import Final, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from callback.cluster.standing import Standing

T = TypeVar("T")

WAIT_S: Final = 0.1
"""So long anybody waits: for a connection, for each answer, and for all of it."""
RESTS_S: Final = (1.0, 2.0, 5.0, 15.0, 30.0)
"""After so many failures in a row nothing is asked for so long."""
WELL_S: Final = 60.0
"""Who was well for so long begins with the shortest rest again."""
WAITING: Final = 100
"""Questions that may wait; more are not asked."""


def client_of(url: str, wait_s: float = WAIT_S) -> redis.Redis:
    """Give a client that waits so long and tries nothing twice.

    It says nothing of itself when it connects: that would be more commands to allow, and more answers to wait for.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=wait_s,
        socket_connect_timeout=wait_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
        decode_responses=True,
        encoding_errors="replace",  # whoever writes to it must not make us fail
    )


def away(url: str, wait_s: float) -> str:
    """Why this Redis does not answer within that time; empty where it does."""
    try:
        with closing(client_of(url, wait_s)) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        return type(error).__name__
    return ""


class Link:
    """Asks one Redis. From any thread; `standing` is told how that goes."""

    def __init__(self, url: str, standing: Standing, seconds: Callable[[], float] = time.monotonic) -> None:
        self.url, self.standing, self._seconds = url, standing, seconds
        self._client = client_of(url)
        self._questions: queue.Queue[Callable[[], None] | None] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._failures, self._failed_at, self._rests_until, self._well_since = 0, -math.inf, 0.0, 0.0
        self._rests = self._closed = False
        self._thread = threading.Thread(target=self._run, name="redis", daemon=True)
        self._thread.start()

    def ask(self, question: Callable[[redis.Redis], T]) -> T | None:
        """Ask something, and give the answer; None where there is none in time."""
        if not self._may_ask():
            return None
        answer = Future[T]()
        try:
            self._questions.put_nowait(lambda: _answer(answer, question, self._client))
            found = answer.result(WAIT_S)
        except Exception as error:  # noqa: BLE001 - whatever it is: who asks goes on without
            answer.cancel()
            self._fails(_said(error))
            return None
        self._works()
        return found

    def again(self) -> None:
        """Ask at once, whatever failed: somebody has seen that Redis is there."""
        with self._lock:
            self._rests_until = 0.0
        self.ask(lambda client: client.ping())

    def close(self) -> None:
        """Ask nothing more."""
        with self._lock:
            self._closed = True
        with suppress(queue.Full):  # then it hangs, and its thread ends with the process
            self._questions.put_nowait(None)

    def _may_ask(self) -> bool:
        """While Redis is away, one question finds out from time to time, and the others do not wait for that."""
        with self._lock:
            now_s = self._seconds()
            if self._closed or now_s < self._rests_until:
                return False
            if self._rests:
                self._rests_until = now_s + RESTS_S[0]
            return True

    def _fails(self, why: str) -> None:
        with self._lock:
            now_s = self._seconds()
            if now_s - self._failed_at > 2 * WAIT_S:  # else others waited for the same answer
                self._rests_until = now_s + RESTS_S[min(self._failures, len(RESTS_S) - 1)]
                self._failures += 1
            self._failed_at, self._rests = now_s, True
        self.standing.fails("asks", why)

    def _works(self) -> None:
        with self._lock:
            now_s = self._seconds()
            if self._rests:
                self._rests, self._rests_until, self._well_since = False, 0.0, now_s
            elif self._failures and now_s - self._well_since > WELL_S:
                self._failures = 0
        self.standing.works("asks")

    def _run(self) -> None:
        while (question := self._questions.get()) is not None:
            question()
        self._client.close()


def _answer(answer: Future[T], question: Callable[[redis.Redis], T], client: redis.Redis) -> None:
    if answer.set_running_or_notify_cancel():  # else nobody waits any more
        try:
            answer.set_result(question(client))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answer.set_exception(error)


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError | redis.TimeoutError | queue.Full):
        return f"no answer within {WAIT_S * 1000:.0f} ms"
    return str(error) or type(error).__name__
