"""What is decided by a command, on the page or by text reaches the service's own lines, and so programs and alarms."""

from __future__ import annotations

import pytest

from callback.decisions import actions
from callback.events import News
from callback.losses import incidents
from callback.service.alerts import ALARMING
from callback.service.elsewhere import Decided
from callback.site import links
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from callback.web import customer_page
from tests.callback.world import MINUTE, NOON, ON, US, World, call, rules

ANNA = By("anna", "the customer wrote to us")


def begun(world: World) -> Decided:
    with world.store.read() as connection:
        return Decided(connection, "main")


def told(world: World, decided: Decided) -> list[News]:
    with world.store.read() as connection:
        news = decided.news(connection)
    decided.told()
    return news


def test_each_decision_is_told_once_whoever_made_it(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), 1, ANNA)
    service = begun(world)
    assert told(world, service) == [], "decided before the service began"
    with world.store.write() as connection:
        actions.resume(world.work(connection, NOON + US), 1, ANNA)
        token = links.token(connection, 1, NOON + 90 * MINUTE)
    with world.store.write() as connection:
        customer_page.act(connection, {"main": world.site}, token, {"do": "call-now"}, NOON + 2 * US)
    first, second = told(world, service)
    assert (first.event, first.at, first.facts["action"]) == ("decided", NOON + US, "resumed")
    assert (first.facts["who"], first.facts["reservation"], first.facts["why"]) == ("anna", 1, ANNA.why)
    assert (second.facts["action"], second.facts["who"]) == ("call-now", audit.CUSTOMER)
    assert told(world, service) == []


def test_what_could_not_be_told_is_told_the_next_time(world: World) -> None:
    world.hear(call())
    service = begun(world)
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), 1, ANNA)
    with world.store.read() as connection:
        assert len(service.news(connection)) == 1  # and then the transaction fails
    assert len(told(world, service)) == 1


def test_what_a_person_decides_about_an_incident_is_an_alarm(migrated_url: str) -> None:
    world = World(migrated_url, rules(incident_losses=2))
    for n in range(3):
        world.hear(call(f"0901234560{n}", NOON + n * US))
    service = begun(world)
    with world.store.write() as connection:
        incidents.decide(world.work(connection, NOON + MINUTE), 1, "released", ANNA)
    (news,) = told(world, service)
    assert (news.event, news.facts["state"], news.facts["who"]) == ("incident", "released", "anna")
    assert news.event in ALARMING
    world.close()


def test_what_the_service_itself_did_is_told_by_it_alone(migrated_url: str) -> None:
    world = World(migrated_url, rules(one_ring_numbers=2, queues={"support": ON}))
    service = begun(world)
    for n in range(3):
        world.hear(call(f"0901234560{n}", NOON + n * US, 6))
    assert [row.who for row in world.rows(t.audit)] == [audit.SERVICE]
    assert told(world, service) == []
    world.close()


@pytest.mark.parametrize("undone", [True, False])
def test_a_decision_that_is_not_committed_is_not_told(migrated_postgres: tuple[str, Store], undone: bool) -> None:
    world = World(migrated_postgres[0])
    world.hear(call())
    service = begun(world)
    with world.store.engine.connect() as connection:
        connection.begin()
        actions.hold(world.work(connection, NOON), 1, ANNA)
        assert told(world, service) == []
        if undone:
            connection.rollback()
        else:
            connection.commit()
    assert len(told(world, service)) == (not undone)
    world.close()
