"""The lease is held on to, or its loss is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from callback.errors import NotOurs
from callback.service.jobs.lease import RenewLease
from callback.store import tables as t
from tests.callback.service.jobs.parts import parts, run
from tests.callback.world import World


def test_it_is_held_for_another_term(today: World, tmp_path: Path) -> None:
    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            job = RenewLease(made.transactions, today.held)
            await job.run()
            assert job.every_s == today.held.ttl_s / 3

    (before,) = today.rows(t.lease)
    run(main())
    (after,) = today.rows(t.lease)
    assert after.until_at > before.until_at
    assert (after.fence, after.owner) == (before.fence, before.owner)


def test_a_lease_that_another_process_has_is_not_renewed(today: World, tmp_path: Path) -> None:
    with today.store.write() as connection:
        connection.execute(update(t.lease).values(fence=t.lease.c.fence + 1, owner="another", until_at=7))

    async def main() -> None:
        async with parts(today, tmp_path, None) as made:
            with pytest.raises(NotOurs):
                await RenewLease(made.transactions, today.held).run()

    run(main())
    assert [row.until_at for row in today.rows(t.lease)] == [7]
