"""One listener per PBX: the row lease, its fencing number, and the database's clock."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from callback.errors import CallbackError, NotOurs, StoreAway, StoreError
from callback.store import lease
from callback.store import tables as t
from callback.store.engine import Store, clock
from callback.store.lease import Lease
from tests.callback.world import US, migrated

NAME = "pbx:main"


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    made = migrated(migrated_url)
    yield made
    made.close()


def take(store: Store, owner: str, *, host: str = "here", ttl_s: float = 60) -> Lease | None:
    with store.write() as connection:
        return lease.acquire(connection, NAME, owner, host, ttl_s)


def held_by(store: Store, owner: str, *, ttl_s: float = 60) -> Lease:
    held = take(store, owner, ttl_s=ttl_s)
    assert held is not None
    return held


def guard(store: Store, held: Lease) -> None:
    with store.write() as connection:
        lease.guard(connection, held)


def renew(store: Store, held: Lease) -> None:
    with store.write() as connection:
        lease.renew(connection, held)


def until(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(t.lease.select()).one().until_at)


def test_the_first_one_gets_it_and_the_second_does_not(store: Store) -> None:
    first = held_by(store, "first")
    assert take(store, "second") is None
    guard(store, first)


def test_two_pbxs_are_two_leases(store: Store) -> None:
    held_by(store, "first")
    with store.write() as connection:
        assert lease.acquire(connection, "pbx:branch", "second", "here", 60) is not None


def test_it_lapses_by_the_clock_of_the_database(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with store.write() as connection:
        begun = clock(connection)
    held_by(store, "first", ttl_s=60)
    assert begun + 60 * US <= until(store) <= store.now() + 60 * US
    assert abs(store.now() - begun) < 60 * US


def test_renewing_holds_it_for_another_term(store: Store) -> None:
    held = held_by(store, "first", ttl_s=5)
    before = until(store)
    renew(store, replace(held, ttl_s=60))
    assert until(store) > before + 50 * US


def test_a_lapsed_lease_passes_to_the_next_with_a_higher_number(store: Store) -> None:
    first = held_by(store, "first", ttl_s=0)
    second = held_by(store, "second")
    assert second.fence > first.fence
    guard(store, second)


def test_who_lost_it_can_neither_write_nor_renew(store: Store) -> None:
    first = held_by(store, "first", ttl_s=0)
    second = held_by(store, "second")
    before = until(store)
    with pytest.raises(NotOurs, match="nothing was written"):
        guard(store, first)
    with pytest.raises(NotOurs, match="stops deciding"):
        renew(store, first)
    assert until(store) == before
    guard(store, second)


def test_a_lapsed_lease_that_nobody_took_is_still_ours(store: Store) -> None:
    held = held_by(store, "first", ttl_s=0)
    guard(store, held)
    renew(store, replace(held, ttl_s=60))
    assert take(store, "second") is None


def test_taking_ones_own_again_leaves_what_was_begun_before_without_the_right(store: Store) -> None:
    before = held_by(store, "first")
    after = held_by(store, "first")
    guard(store, after)
    with pytest.raises(NotOurs):
        guard(store, before)


def test_it_is_given_back_at_the_end_without_waiting_for_it_to_lapse(store: Store) -> None:
    first = held_by(store, "first")
    with store.write() as connection:
        lease.release(connection, first)
    held_by(store, "second")


def test_who_lost_it_does_not_give_back_what_another_holds(store: Store) -> None:
    first = held_by(store, "first", ttl_s=0)
    held_by(store, "second")
    with store.write() as connection:
        lease.release(connection, first)
    assert take(store, "third") is None


def test_a_lease_nobody_ever_took_is_nobodys(store: Store) -> None:
    with pytest.raises(NotOurs):
        guard(store, Lease(NAME, "me", 1, 60))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    store = migrated(f"sqlite:///{tmp_path}/test.db")
    yield store
    store.close()


def test_sqlite_refuses_another_host_even_when_the_lease_is_free(sqlite: Store) -> None:
    held_by(sqlite, "first", ttl_s=0)
    with pytest.raises(StoreError, match=r"on host 'here', this is 'there'.*`callback lease take`.*PostgreSQL") as no:
        take(sqlite, "second", host="there")
    assert not isinstance(no.value, StoreAway)  # it does not pass by itself
    held_by(sqlite, "third")


def test_a_host_that_was_renamed_goes_on_with_its_own_journal(sqlite: Store) -> None:
    held_by(sqlite, "first")
    with sqlite.write() as connection:
        renamed = lease.acquire(connection, NAME, "second", "there", 60, dead=["first"].__contains__)
    assert renamed is not None
    assert take(sqlite, "third", host="there") is None


def test_a_person_lets_another_host_take_over_once_the_lease_has_lapsed(sqlite: Store) -> None:
    first = held_by(sqlite, "first")
    with sqlite.write() as connection, pytest.raises(CallbackError, match=r"'here' \(first\) holds the lease for"):
        lease.hand_over(connection, "main", "there")
    with sqlite.write() as connection:
        lease.release(connection, first)
        assert lease.hand_over(connection, "main", "there") == "here"
    second = take(sqlite, "second", host="there")
    assert second is not None
    assert second.fence > first.fence


@pytest.mark.parametrize("host", ["here", "there"])
def test_there_is_nothing_to_take_over_where_the_lease_passes_by_itself(store: Store, host: str) -> None:
    if host == "there" and store.dialect == "sqlite":
        pytest.skip("that is what it is for")
    held_by(store, "first", ttl_s=0)
    with store.write() as connection, pytest.raises(CallbackError, match="nothing to take over"):
        lease.hand_over(connection, "main", host)


@pytest.mark.postgresql
def test_postgresql_serves_several_hosts(migrated_postgres: tuple[str, Store]) -> None:
    _, store = migrated_postgres
    held_by(store, "first", ttl_s=0)
    assert take(store, "second", host="there") is not None


# Competing


def test_of_many_who_come_at_once_one_gets_it(store: Store, migrated_url: str) -> None:
    crowd = 4
    ready = threading.Barrier(crowd)

    def compete(owner: int) -> Lease | None:
        own = Store(migrated_url)
        try:
            with own.read():
                ready.wait(20)
            return take(own, f"process {owner}")
        finally:
            own.close()

    with ThreadPoolExecutor(crowd) as pool:
        got = [held for held in pool.map(compete, range(crowd)) if held is not None]
    assert len(got) == 1
    guard(store, got[0])


def test_a_takeover_waits_for_the_write_that_is_under_way(store: Store, migrated_url: str) -> None:
    """Either the old one's write comes first as a whole, or it is not made at all."""
    first = held_by(store, "first", ttl_s=0)
    own = Store(migrated_url)
    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            lease.guard(connection, first)
            following = pool.submit(take, own, "second")
            _wait_until_it_waits(store)
            assert not following.done()
        second = following.result(20)
    own.close()
    assert second is not None
    with pytest.raises(NotOurs):
        guard(store, first)


def _wait_until_it_waits(store: Store) -> None:
    """PostgreSQL tells who waits for a lock; on SQLite there is one writer, whoever else may come."""
    if store.dialect == "sqlite":
        return
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with store.read() as connection:
            if connection.execute(waiting).scalar_one():
                return
    pytest.fail("the takeover did not wait for the write")


_PROCESS = """
import sys
from callback.store import lease
from callback.store.engine import Store
store = Store(sys.argv[1])
with store.write() as connection:
    held = lease.acquire(connection, "pbx:main", sys.argv[2], "here", 60)
print("held" if held else "standby", flush=True)
sys.stdin.readline()
with store.write() as connection:
    if held:
        lease.guard(connection, held)
"""


@pytest.mark.postgresql
def test_of_two_processes_one_listens_and_takes_over_nothing(migrated_postgres: tuple[str, Store]) -> None:
    url, store = migrated_postgres
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, url, f"process {number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
        )
        for number in (1, 2)
    ]
    said = sorted((process.stdout.readline().strip() if process.stdout else "") for process in processes)
    for process in processes:
        process.communicate("go on\n", timeout=20)
    assert said == ["held", "standby"]
    assert [process.returncode for process in processes] == [0, 0]
    assert take(store, "process 3") is None


def test_of_one_host_name_neither_overthrows_the_other(store: Store) -> None:
    """Two containers may have the same name; who is dead is known by the journal alone."""
    first = held_by(store, "first")
    with store.write() as connection:
        assert lease.acquire(connection, NAME, "second", "here", 60, dead=["its own past"].__contains__) is None
    guard(store, first)


def test_who_knows_that_the_holder_is_dead_need_not_wait(store: Store) -> None:
    dead = take(store, "process 1")
    assert dead is not None
    assert take(store, "process 2") is None
    with store.write() as connection:
        heir = lease.acquire(connection, "pbx:main", "process 2", "here", 60, dead=["process 1"].__contains__)
    assert heir is not None
    assert heir.fence == dead.fence + 1
    with pytest.raises(NotOurs), store.write() as connection:
        lease.guard(connection, dead)
