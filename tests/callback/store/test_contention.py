"""What a service's and a person's transactions do to each other on a real server, each stopped where it may hurt."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text, update

from callback.decisions import actions
from callback.errors import Contended
from callback.service.committer import Committer
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from telephony.calls.call import Call
from telephony.pbx import Stretch
from tests.callback.contention import PATIENCE_S, wait_until_somebody_waits
from tests.callback.world import NOON, ON, US, World, call, judged, picture, rules

ANNA = By("anna", "the customer wrote to us")


@pytest.fixture
def world(migrated_postgres: tuple[str, Store]) -> Iterator[World]:
    """Two queues of one group, and three one-ring calls of a block are a burst."""
    made = World(migrated_postgres[0], rules(one_ring_numbers=3))
    yield made
    made.close()


@contextmanager
def before(store: Store, words: str, do: Callable[[], None]) -> Iterator[None]:
    """Do something once, just before the first statement of this thread that has these words in it."""
    mine, done = threading.get_ident(), [False]

    def look(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not done[0] and threading.get_ident() == mine and words in statement:
            done[0] = True
            do()

    event.listen(store.engine, "before_cursor_execute", look)
    try:
        yield
        assert done[0], f"no statement with {words!r} was made"
    finally:
        event.remove(store.engine, "before_cursor_execute", look)


def writer_of(world: World) -> Committer:
    parts = (world.store, world.sites, world.held, "j1", lambda: NOON + 600 * US, lambda _offset: None)
    return Committer(*parts)


def lost(*calls: Call) -> list[Stretch]:
    return [Stretch(tuple((one, judged(one, "abandoned")) for one in calls), (), 0)]


def test_a_batch_with_a_burst_in_it_and_a_persons_decision_do_not_wait_for_each_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The batch holds whom the guard found and then meets the caller whom a person decides about just now."""
    caplog.set_level(logging.INFO)
    world.hear(call("09012345001", NOON, 6))
    world.hear(call("09012345002", NOON + US, 6))
    world.hear(call("09087654321", NOON + 2 * US))
    batch = lost(call("09012345003", NOON + 400 * US, 6), call("09087654321", NOON + 500 * US))
    with ThreadPoolExecutor(1) as other:
        begun: list[Future[None]] = []

        def meanwhile() -> None:
            begun.append(other.submit(writer_of(world).commit, batch))
            wait_until_somebody_waits(world.store)

        with before(world.store, "audit_head", meanwhile), world.store.write() as connection:
            actions.hold(world.work(connection, NOON + 600 * US), 3, ANNA)
        begun[0].result(PATIENCE_S)
    assert [row.state for row in world.reservations()] == ["held", "held", "held", "refused"]
    assert world.reservations()[2].losses == 2
    assert [row.who for row in world.rows(t.audit)] == ["anna", "service", "service"]
    assert "in the way" not in caplog.text
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None


@pytest.mark.parametrize("reached", [1, 2])
def test_who_is_reached_in_one_queue_and_blocked_meanwhile_is_locked_in_one_order(
    world: World, caplog: pytest.LogCaptureFixture, reached: int
) -> None:
    caplog.set_level(logging.INFO)
    world.site = replace(world.site, rules=rules(queues={"support": ON, "sales": ON}))
    for place, queue in enumerate(("support", "sales")):
        world.hear(call(ended_at=NOON + place * US, queue=queue))
    agents = {("support", "sales")[reached - 1]: {"PJSIP/agent1"}}
    order = world.claim(NOON + 2 * US, picture(free=agents))
    assert order is not None
    with ThreadPoolExecutor(1) as other:
        begun: list[Future[Any]] = []

        def blocked() -> None:
            with world.store.write() as connection:
                actions.block(world.work(connection, NOON + 30 * US), "+819012345678", calls=True, texts=True, by=ANNA)

        def meanwhile() -> None:
            begun.append(other.submit(blocked))
            wait_until_somebody_waits(world.store)

        with before(world.store, "UPDATE attempt", meanwhile):
            world.end(order.attempt, "reached", NOON + 20 * US)
        begun[0].result(PATIENCE_S)
    assert {row.state for row in world.reservations()} == {"reached", "returned"}
    assert "in the way" not in caplog.text


def crossing(world: World, first: int, then: int, met: threading.Barrier) -> Callable[[Connection], int]:
    """Work that locks two reservations, the other way round than its counterpart does."""
    times = iter((True,))

    def work(connection: Connection) -> int:
        _lose_once_more(connection, first)
        if next(times, False):
            met.wait(PATIENCE_S)
        _lose_once_more(connection, then)
        return first

    return work


def _lose_once_more(connection: Connection, reservation: int) -> None:
    r = t.reservation
    connection.execute(update(r).where(r.c.id == reservation).values(losses=r.c.losses + 1))


def test_of_two_that_stand_in_each_others_way_both_are_done_once(world: World) -> None:
    for place in range(2):
        world.hear(call(f"0901234500{place}", NOON + place * US))
    met = threading.Barrier(2)
    with ThreadPoolExecutor(2) as both:
        begun = [both.submit(world.store.transact, crossing(world, *ids, met)) for ids in ((1, 2), (2, 1))]
        assert [one.result(PATIENCE_S) for one in begun] == [1, 2]
    assert [row.losses for row in world.reservations()] == [3, 3]


def test_what_is_done_once_more_lets_the_other_go_first(world: World) -> None:
    """The other's server process is stopped meanwhile: it cannot take its row at once."""
    for place in range(2):
        world.hear(call(f"0901234500{place}", NOON + place * US))
    begun: list[Future[None]] = []
    process: list[int] = []

    def other(connection: Connection) -> None:
        connection.execute(text("SET LOCAL deadlock_timeout = '20s'"))
        _lose_once_more(connection, 1)
        process.append(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        _lose_once_more(connection, 2)

    def work(connection: Connection) -> None:
        _lose_once_more(connection, 2)
        if not begun:
            connection.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
            begun.append(aside.submit(world.store.transact, other))
            wait_until_somebody_waits(world.store)
            os.kill(process[0], signal.SIGSTOP)
            threading.Timer(0.15, os.kill, (process[0], signal.SIGCONT)).start()
        _lose_once_more(connection, 1)

    with ThreadPoolExecutor(1) as aside:
        world.store.transact(work)
        begun[0].result(PATIENCE_S)
    assert [row.losses for row in world.reservations()] == [3, 3]


@pytest.mark.parametrize(
    ("hinder", "why"),
    [
        ("SET LOCAL lock_timeout = '50ms'", "waited too long for a lock"),
        ("SET LOCAL statement_timeout = '50ms'", "took too long"),
    ],
)
def test_a_database_where_somebody_else_is_in_the_way_is_not_said_to_be_away(
    world: World, hinder: str, why: str
) -> None:
    world.hear(call())
    tried: list[int] = []

    def decide(connection: Connection) -> None:
        tried.append(1)
        connection.execute(text(hinder))
        actions.hold(world.work(connection, NOON + US), 1, ANNA)

    with world.store.write() as other:
        other.execute(select(t.reservation).with_for_update())
        with pytest.raises(Contended, match=rf"{why}.*try again") as said:
            world.store.transact(decide)
    assert len(tried) == 2, "once more, and no oftener"
    assert "[database] url" not in str(said.value)
    assert [row.state for row in world.reservations()] == ["waiting"]
    assert world.rows(t.audit) == []
