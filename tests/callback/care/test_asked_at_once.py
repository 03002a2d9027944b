"""One customer is asked about one service only, also where two were over at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from callback.customers.persons import person_of
from callback.store import tables as t
from callback.store.engine import Store
from callback.texts import asking
from callback.texts.asking import Service
from tests.callback.care.asked import CUSTOMER
from tests.callback.care.asked import asking as a_site_that_asks
from tests.callback.world import NOON, World

WAITS_S = 0.5


@pytest.fixture
def world(migrated_postgres: tuple[str, Store]) -> Iterator[World]:
    made = a_site_that_asks(World(migrated_postgres[0]))
    yield made
    made.close()


def ask_about(world: World, call: str, person: int) -> bool:
    with world.store.write() as connection:
        work = world.work(connection, NOON)
        if not asking.may_be_asked(work, person):
            return False
        service = Service(kind="call", about=f"call/{call}", queue="support", person=person, e164=CUSTOMER, agent=None)
        return asking.ask(work, service) is not None


def test_two_services_of_one_customer_at_once_are_asked_about_once(world: World) -> None:
    with world.store.write() as connection:
        person = person_of(connection, CUSTOMER, NOON)
    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as connection:
            work = world.work(connection, NOON)
            assert asking.may_be_asked(work, person)
            begun = pool.submit(ask_about, world, "2", person)
            wait([begun], WAITS_S)
            service = Service(kind="call", about="call/1", queue="support", person=person, e164=CUSTOMER, agent=None)
            assert asking.ask(work, service)
        assert not begun.result(timeout=10)
    assert [row.about for row in world.rows(t.survey)] == ["call/1"]
