"""A callback is offered only where the promise would be kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from callback.errors import NotOurs, StoreError
from callback.service.jobs.offer import LASTS_S, Offer
from callback.service.transactions import Transactions
from callback.store import tables as t
from callback.store.engine import Store
from scheduler.clock import HOUR, SECOND
from telephony.simulator.server import Simulator
from tests.callback.service.jobs.parts import Parts, actions, now_us, parts, rules, run
from tests.callback.world import ON, World

OFF = ON.model_copy(update={"texts": "watch", "calls": "watch"})
TRIED = ON.model_copy(update={"only_numbers": ("+819012345678",)})


@pytest.fixture
def site(migrated_url: str) -> Iterator[World]:
    """Calls are on in one queue for everybody, in one for a few numbers, and off in one."""
    queues = {"support": ON, "tried": TRIED, "off": OFF}
    made = World(migrated_url, rules(queues), now=now_us())
    yield made
    made.close()


def offer(made: Parts) -> Offer:
    return Offer(made.pbx, made.transactions, made.snapshots)


def test_it_is_offered_for_a_while_where_calls_are_on_for_everybody(site: World, tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator() as simulator, parts(site, tmp_path, simulator) as made:
            await offer(made).run()
            (offered,) = actions(simulator, "Setvar")
            assert offered.get("Variable") == "LCR_OFFER_support"
            assert abs(int(offered.get("Value")) - now_us() / SECOND - LASTS_S) < 15

    run(main())


def test_it_is_not_offered_while_nobody_would_be_called(site: World, tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator() as simulator, parts(site, tmp_path, simulator, clock_off_us=HOUR) as made:
            await offer(made).run()
            assert actions(simulator, "Setvar") == []

    run(main())


def test_it_is_not_offered_once_the_lease_is_lost_though_nothing_is_to_be_written(site: World, tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator() as simulator, parts(site, tmp_path, simulator) as made:
            await made.snapshots.caught_up()
            with site.store.write() as connection:
                connection.execute(update(t.lease).values(fence=t.lease.c.fence + 1, owner="another"))
            with pytest.raises(NotOurs):
                await offer(made).run()
            assert actions(simulator, "Setvar") == []

    run(main())


def test_it_is_not_offered_while_the_database_takes_no_reservation(site: World, tmp_path: Path) -> None:
    if site.store.dialect != "sqlite":
        pytest.skip("a file that may only be read")
    only_read = Store(f"sqlite:///file:{site.store.url.removeprefix('sqlite:///')}?mode=ro&uri=true")

    async def main() -> None:
        async with Simulator() as simulator, parts(site, tmp_path, simulator) as made:
            transactions = Transactions(only_read, site.sites, site.held, now_us, lambda: None)
            with pytest.raises(StoreError, match="may not be written"):
                await Offer(made.pbx, transactions, made.snapshots).run()
            assert actions(simulator, "Setvar") == []

    run(main())
    only_read.close()
