"""What is dear to read is read once for all who want it, and is old as soon as something happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from callback.errors import CallbackError
from callback.events import Stopped
from callback.site.work import Work
from callback.web.console.now.recent import FRESH_S, OLD_S, SHARE, Recent
from scheduler.clock import SECOND
from tests.callback.world import NOON, World

WAIT_S = 10.0


class Reads:
    """Counts what is read; each takes `lasts_s` of a clock that the test moves."""

    def __init__(self, world: World, lasts_s: float = 0.01) -> None:
        self.world, self.lasts_s, self.seconds, self.now = world, lasts_s, 100.0, NOON
        self.many = 0
        self.recent = Recent[int](self._read, lambda: self.seconds)
        self.waits: Callable[[], object] = lambda: None

    def _read(self, _work: Work, _key: Any) -> int:
        self.waits()
        self.many += 1
        self.seconds += self.lasts_s
        return self.many

    def get(self, key: str = "a", *, last: bool = False) -> int:
        with self.world.store.read() as connection:
            work = self.world.work(connection, self.now)
            return self.recent.last(work, key) if last else self.recent.get(work, key)

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds
        self.now += round(seconds * SECOND)


def happen(world: World) -> None:
    with world.store.write() as connection:
        world.work(connection, NOON).tell(Stopped())


def test_while_nothing_happens_it_is_read_again_when_it_is_old(world: World) -> None:
    reads = Reads(world)
    assert [reads.get(), reads.get()] == [1, 1]
    reads.pass_(FRESH_S - 0.1)
    assert reads.get() == 1
    reads.pass_(0.2)
    assert reads.get() == 2


def test_what_happens_makes_it_old_but_never_is_most_of_the_time_spent_on_reading(world: World) -> None:
    reads = Reads(world, lasts_s=0.1)
    assert reads.get() == 1
    happen(world)
    assert reads.get() == 1, "it took a tenth of a second, so it stands for one"
    reads.pass_(0.1 * SHARE + 0.01)
    assert reads.get() == 2


def test_each_key_is_read_by_itself(world: World) -> None:
    reads = Reads(world)
    assert [reads.get("a"), reads.get("b"), reads.get("a")] == [1, 2, 1]


def test_a_clock_that_jumps_makes_it_old(world: World) -> None:
    reads = Reads(world)
    reads.get()
    reads.now += round((FRESH_S + 1) * SECOND)
    assert reads.get() == 2


def test_what_somebody_else_reads_is_given_as_it_was_until_it_is_too_old(world: World) -> None:
    reads = Reads(world)
    assert reads.get(last=True) == 1
    reads.pass_(OLD_S - 1)
    assert reads.get(last=True) == 1
    reads.pass_(2)
    assert reads.get(last=True) == 2


@pytest.mark.parametrize("known", [True, False])
def test_while_one_reads_the_others_have_what_was_known_or_wait(world: World, known: bool) -> None:
    reads = Reads(world)
    if known:
        reads.get()
        reads.pass_(FRESH_S + 1)
    began, may_end, told = threading.Event(), threading.Event(), list[int]()

    def wait() -> None:
        began.set()
        assert may_end.wait(WAIT_S)

    reads.waits = wait
    first = threading.Thread(target=lambda: told.append(reads.get()))
    first.start()
    assert began.wait(WAIT_S)
    second = threading.Thread(target=lambda: told.append(reads.get()))
    second.start()
    if known:
        second.join(WAIT_S)
        assert told == [1], "it did not wait"
    may_end.set()
    for thread in (first, second):
        thread.join(WAIT_S)
    assert sorted(told) == ([1, 2] if known else [1, 1])


def test_a_read_that_fails_leaves_nothing_locked(world: World) -> None:
    reads = Reads(world)

    def fail() -> None:
        raise CallbackError("away")

    reads.waits = fail
    with pytest.raises(CallbackError, match="away"):
        reads.get()
    reads.waits = lambda: None
    assert reads.get() == 1
