"""Numbers that were known before there were tails get theirs while the service runs, piece by piece, and once."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from callback.service.jobs import tails
from callback.service.transactions import Transactions
from callback.store import tables as t
from tests.callback.world import NOON, World, call


def test_every_number_gets_its_tail_and_then_the_job_rests(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "PIECE", 2)
    world = sqlite_world
    for n in range(5):
        world.hear(call(f"0901234560{n}", NOON + n))
    known = [row.tail for row in world.rows(t.person)]
    with world.store.write() as connection:
        connection.execute(update(t.person).values(tail=None))
    job = tails.FillTails(Transactions(world.store, world.sites, world.held, lambda: NOON, lambda: None))
    for turn in range(1, 6):
        asyncio.run(job.run())
        assert sum(row.tail is not None for row in world.rows(t.person)) == min(5, 2 * turn)
    assert [row.tail for row in world.rows(t.person)] == known
