"""A loss for which nobody is called back unasked is released once, whoever does it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from callback.decisions import actions
from callback.losses.release import NotReleased
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, US, World, call

LATE = NOON + 300 * MINUTE
ANNA = By("anna", "the customer asked for it")


@pytest.mark.parametrize("times", [2, 4])
def test_of_several_who_release_a_call_at_once_one_does(world: World, times: int) -> None:
    heard = call(ended_at=NOON)
    world.hear(heard, now=LATE)
    together = Barrier(times)

    def release(_: int) -> bool:
        together.wait()
        try:
            world.store.transact(lambda c: actions.release(world.work(c, LATE + US), heard.call_id, ANNA))
        except NotReleased:
            return False
        return True

    with ThreadPoolExecutor(times) as people:
        assert sorted(people.map(release, range(times))) == [False] * (times - 1) + [True]
    assert [row.losses for row in world.reservations()] == [1]
    assert [row.action for row in world.rows(t.audit)] == ["release"]
