"""Failed sign-ins: the next one waits longer, for known and unknown names alike, and never for more than 30 s."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from callback.accounts import failures
from callback.accounts.failures import FREE_OF_ADDRESS, FREE_OF_NAME, LONGEST_S, wait_s
from callback.store import tables as t
from callback.store.engine import Store
from tests.callback.world import MINUTE, NOON, World


@given(st.integers(0, 10**6), st.integers(1, 20))
def test_the_wait_grows_and_ends_at_thirty_seconds(count: int, free: int) -> None:
    assert 0 <= wait_s(count, free) <= wait_s(count + 1, free) <= LONGEST_S
    assert (wait_s(count, free) == 0) == (count < free)
    assert wait_s(free + 5, free) == LONGEST_S


def waits(world: World, name: str, address: str, now: int = NOON) -> float:
    with world.store.read() as connection:
        return failures.wait_for(connection, name, address, now)


def fail(world: World, name: str, address: str, times: int = 1, now: int = NOON) -> int:
    counts = [0]
    for _ in range(times):
        with world.store.write() as connection:
            counts.append(failures.add(connection, name, address, now))
    return counts[-1]


def test_a_name_that_was_tried_often_waits_from_everywhere_and_no_other_does(world: World) -> None:
    assert fail(world, "anna", "192.0.2.1", FREE_OF_NAME) == FREE_OF_NAME
    assert waits(world, "anna", "198.51.100.9") == 1
    assert waits(world, "bo", "192.0.2.1") == 0
    fail(world, "anna", "192.0.2.1", 20)
    assert waits(world, "anna", "198.51.100.9") == LONGEST_S


def test_an_address_that_tried_many_names_waits_for_each(world: World) -> None:
    for number in range(FREE_OF_ADDRESS + 2):
        fail(world, f"name{number}", "192.0.2.1")
    assert waits(world, "new", "192.0.2.1") == 4
    assert waits(world, "new", "192.0.2.2") == 0


def test_who_signed_in_waits_no_more_but_the_address_does(world: World) -> None:
    fail(world, "anna", "192.0.2.1", FREE_OF_ADDRESS)
    with world.store.write() as connection:
        failures.clear(connection, "anna")
    assert waits(world, "anna", "192.0.2.2") == 0
    assert waits(world, "anna", "192.0.2.1") == 1


def test_an_hour_later_all_is_forgotten_and_the_rows_are_gone(world: World) -> None:
    fail(world, "anna", "192.0.2.1", 8)
    assert waits(world, "anna", "192.0.2.1", NOON + 60 * MINUTE - 1) > 0
    assert waits(world, "anna", "192.0.2.1", NOON + 60 * MINUTE) == 0
    assert fail(world, "bo", "192.0.2.2", now=NOON + 60 * MINUTE) == 1
    assert len(world.rows(t.login_failure)) == 2


def test_neither_name_nor_address_stands_in_the_table(world: World) -> None:
    fail(world, "my-password", "192.0.2.1")
    assert "my-password" not in str(world.rows(t.login_failure))
    assert "192.0.2.1" not in str(world.rows(t.login_failure))


def test_failures_at_the_same_time_are_all_counted(world: World) -> None:
    with world.store.write() as connection:
        failures.add(connection, "first", "192.0.2.9", NOON)  # the site's key is there

    def one(number: int) -> None:
        store = Store(world.store.url)
        try:
            store.transact(lambda connection: failures.add(connection, "anna", f"192.0.2.{number % 2}", NOON))
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(8)))
    assert fail(world, "anna", "192.0.2.1") == 9
