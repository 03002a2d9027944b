"""Every ten seconds it is seen for what each callback waits whose promise runs, until somebody is rung."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from callback.attempts import snapshot
from callback.attempts.agent_states import Agent
from callback.attempts.snapshot import Live
from callback.decisions import actions
from callback.reports.queue import waits as waiting
from callback.service.jobs.waits import MOST_S, SampleWaits
from callback.service.transactions import Transactions
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, US, World, call, picture


class Service:
    """The job, by a clock that the test moves."""

    def __init__(self, world: World) -> None:
        self.world, self.now, self.live = world, NOON + US, picture(free={})
        self.job = SampleWaits(Transactions(world.store, world.sites, world.held, lambda: self.now, lambda: None))

    def shows(self, live: Live) -> None:
        with self.world.store.write() as connection:
            snapshot.store(connection, "main", live, self.now)

    def look(self, after_s: int = 10) -> None:
        self.now += after_s * US
        self.shows(self.live)
        asyncio.run(self.job.run())

    def waits(self) -> dict[tuple[int, str], int]:
        return {(row.reservation_id, row.word): row.seconds for row in self.world.rows(t.wait_cause)}


def test_what_each_waits_for_is_added_up_until_it_is_rung(world: World) -> None:
    service = Service(world)
    for n in range(3):
        world.hear(call(f"0901234000{n}", NOON + n))
    first, second, third = (row.id for row in world.reservations())
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON + US), third, By("Anna", "a meeting"))
    service.look()
    service.look()
    nobody_free = {(first, "no-free-agent"): 20, (second, "no-free-agent"): 20, (third, "held"): 20}
    assert service.waits() == nobody_free
    service.live = picture()
    order = world.claim(service.now)
    assert order is not None
    service.look(12)
    assert service.waits() == {
        **nobody_free,
        (first, "being-called"): 12,
        (second, "pacing"): 12,
        (third, "held"): 32,
    }
    with world.store.write() as connection:
        dialled = t.attempt.update().values(customer_dialled_at=service.now)
        connection.execute(dialled)
    service.look()
    assert service.waits()[first, "being-called"] == 12
    assert service.waits()[second, "pacing"] == 22


def test_a_promise_whose_time_has_not_come_waits_for_nothing(world: World) -> None:
    service = Service(world)
    world.hear(call(ended_at=NOON))
    with world.store.write() as connection:
        work = world.work(connection, NOON + US)
        actions.choose_slot(work, 1, NOON + 120 * MINUTE, By("Anna", "asked"))
    service.look()
    assert service.waits() == {}


def test_what_nobody_saw_is_not_added(world: World) -> None:
    service = Service(world)
    world.hear(call(ended_at=NOON))
    service.look()
    service.look(600)
    assert service.waits() == {(1, "no-free-agent"): 10 + MOST_S}


def test_only_so_many_are_looked_at_those_whose_promise_ends_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST", 2)
    service = Service(world)
    for n in range(4):
        world.hear(call(f"0901234000{n}", NOON + n * US))
    service.look()
    assert sorted(number for number, _ in service.waits()) == [1, 2]


def test_who_is_at_work_is_kept_for_each_half_hour(world: World) -> None:
    service = Service(world)
    ann, bo = Agent("PJSIP/1", "Ann", ("support", "sales"), "talking", None), Agent("PJSIP/2", "Bo", (), "free", None)
    service.live = replace(picture(), agents=(ann, replace(bo, queues=("support",), state="paused")))
    service.look()
    service.live = replace(picture(), agents=(replace(bo, queues=("support",)),))
    service.look()
    service.look(30 * 60)
    assert [(row.queue, row.half_hour_at, row.agents) for row in world.rows(t.crew)] == [
        ("sales", NOON, ["Ann"]),
        ("support", NOON, ["Ann", "Bo"]),
        ("support", NOON + 30 * MINUTE, ["Bo"]),
    ]
