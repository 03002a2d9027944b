"""The site's keys: one for each purpose, the same for everybody who asks, however many ask first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from callback.store import tables as t
from callback.store.engine import Store
from callback.store.keys import site_key
from tests.callback.world import World

ASKING = 4


def test_each_purpose_has_its_own_key_and_keeps_it(world: World) -> None:
    with world.store.write() as connection:
        keys = [site_key(connection, purpose) for purpose in ("block", "link", "block")]
    assert keys[0] == keys[2] != keys[1]
    assert [len(key) for key in keys] == [32, 32, 32]
    with world.store.read() as connection:
        assert site_key(connection, "link") == keys[1]


def test_whoever_asks_first_all_have_the_same_key(world: World) -> None:
    begun = Barrier(ASKING)

    def ask(_: int) -> bytes:
        store = Store(world.store.url)
        begun.wait()
        with store.write() as connection:
            key = site_key(connection, "link")
        store.close()
        return key

    with ThreadPoolExecutor(ASKING) as pool:
        assert len(set(pool.map(ask, range(ASKING)))) == 1
    assert len(world.rows(t.site_key)) == 1


def test_a_key_that_only_a_look_asked_for_is_not_kept(world: World) -> None:
    with world.store.write() as connection:
        connection.execute(t.site_key.delete())
    with world.store.read() as connection:
        site_key(connection, "link")
    assert world.rows(t.site_key) == []


def test_the_root_is_there_once_the_service_has_started(world: World) -> None:
    """Whoever only looks first (the web server, a command) finds the key that stays."""
    (made,) = world.rows(t.site_key)
    with world.store.read() as connection:
        looked = site_key(connection, "link")
    with world.store.write() as connection:
        assert site_key(connection, "link") == looked
    assert world.rows(t.site_key) == [made]
