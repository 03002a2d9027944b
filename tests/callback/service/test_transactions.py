"""What a unit of work told is told once, and only when it is committed; and only the lease's holder writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import select, text, update

from callback.errors import Contended, NotOurs
from callback.events import AuditHead
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store import lease
from callback.store import tables as t
from tests.callback.world import NOON, World, call, fed, fed_so_far

SAID = AuditHead("0:0")


def of(world: World, committed: Callable[[], None]) -> Transactions:
    return Transactions(world.store, world.sites, world.held, lambda: NOON, committed)


def hold_all(work: Work) -> int:
    work.tell(SAID)
    return work.connection.execute(update(t.reservation).values(state="held")).rowcount


@pytest.fixture
def since(world: World) -> int:
    """A reservation waits; what is fed after this is what a test tells."""
    world.hear(call())
    return fed_so_far(world.store)


def test_what_is_written_is_kept_with_what_was_told_and_that_is_said_after_the_commit(world: World, since: int) -> None:
    seen: list[tuple[str, list[str]]] = []

    def committed() -> None:
        told = [happened.name for happened in fed(world.store, since)]
        seen.append((world.reservations()[0].state, told))

    assert asyncio.run(of(world, committed).write(hold_all)) == 1
    assert seen == [("held", [SAID.NAME])]


def test_what_told_nothing_is_not_said(world: World) -> None:
    said: list[None] = []
    asyncio.run(of(world, lambda: said.append(None)).write(lambda _work: None))
    assert said == []


def test_what_is_undone_is_not_told(world: World, since: int) -> None:
    said: list[None] = []

    def fails(work: Work) -> None:
        hold_all(work)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(of(world, lambda: said.append(None)).write(fails))
    assert (said, fed(world.store, since)) == ([], [])
    assert [row.state for row in world.reservations()] == ["waiting"]


def test_what_is_done_once_more_is_told_once(world: World, since: int) -> None:
    said: list[None] = []
    tries: list[int] = []

    def contended_at_first(work: Work) -> None:
        tries.append(hold_all(work))
        if len(tries) == 1:
            raise Contended("another transaction was in the way")

    asyncio.run(of(world, lambda: said.append(None)).transact(contended_at_first))
    assert (tries, said) == ([1, 1], [None])
    assert [happened.event for happened in fed(world.store, since)] == [SAID]


def test_who_has_lost_the_lease_writes_nothing_but_may_read(world: World, since: int) -> None:
    with world.store.write() as connection:
        connection.execute(update(t.lease).values(fence=t.lease.c.fence + 1, owner="another"))
    transactions = of(world, lambda: None)
    for way in (transactions.write, transactions.transact):
        with pytest.raises(NotOurs):
            asyncio.run(way(hold_all))
    assert fed(world.store, since) == []
    read = transactions.read(lambda work: work.connection.execute(select(t.reservation.c.state)).scalar_one())
    assert asyncio.run(read) == "waiting"


@pytest.mark.parametrize("migrated_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_who_renews_the_lease_waits_for_nobody_who_only_looked_at_it(world: World) -> None:
    """Else two of them would wait for each other, and the server would end one: a lease nearer to lapsing."""

    def look() -> None:
        with world.store.write() as other:
            other.execute(text("SET LOCAL lock_timeout = 100"))
            lease.guard(other, world.held)

    def looks(_work: Work) -> None:
        with pytest.raises(Contended):
            look()

    asyncio.run(of(world, lambda: None).renew(looks))
