"""Who waits longest is next."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor

from callback.store.turns import Turns

PATIENCE_S = 20


def in_queue(turns: Turns, threads: ThreadPoolExecutor, names: str, came: list[str]) -> list[Future[None]]:
    """Let threads queue up in this order; each notes that its turn came, and hands it on."""

    def wait(name: str) -> None:
        assert turns.take(PATIENCE_S)
        came.append(name)
        turns.give()

    begun = []
    for place, name in enumerate(names):
        begun.append(threads.submit(wait, name))
        end_s = time.monotonic() + PATIENCE_S
        while turns.waiting <= place:
            assert time.monotonic() < end_s
            time.sleep(0.001)
    return begun


def test_the_turn_goes_to_whoever_waits_longest_and_not_to_who_gave_it_back() -> None:
    turns, came = Turns(), list[str]()
    assert turns.take(0)
    with ThreadPoolExecutor(5) as threads:
        begun = in_queue(turns, threads, "abcde", came)
        turns.give()
        assert turns.take(PATIENCE_S)
        came.append("again")
        turns.give()
        for one in begun:
            one.result(PATIENCE_S)
    assert came == [*"abcde", "again"]


def test_who_does_not_wait_any_longer_holds_nobody_up() -> None:
    turns, came = Turns(), list[str]()
    assert turns.take(0)
    assert not turns.take(0.01)
    assert turns.waiting == 0
    with ThreadPoolExecutor(1) as threads:
        begun = in_queue(turns, threads, "a", came)
        assert not turns.take(0.01)
        turns.give()
        begun[0].result(PATIENCE_S)
    assert turns.take(0)
    assert came == ["a"]
