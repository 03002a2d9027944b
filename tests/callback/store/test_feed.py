"""The feed holds what happened, once it is committed, without anybody's number, and is read once and in order."""

from __future__ import annotations

import itertools
import json

import pytest
import sqlalchemy

from callback.decisions import actions
from callback.errors import StoreError
from callback.events import KINDS, AgentsBack, Decided, Event, Other, PbxDown, Returned, restored
from callback.losses import incidents
from callback.site import links
from callback.store import audit, feed
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store, write_now
from callback.web import customer_page
from tests.callback.world import MINUTE, NOON, US, World, call, fed, rules

ROOM = 32  # characters, of the column
ANNA = By("anna", "the customer wrote to us")


def read(world: World, reader: feed.Reader) -> list[str]:
    with world.store.read() as connection:
        return [happened.name for happened in reader.read(connection)]


def begun(world: World) -> feed.Reader:
    with world.store.read() as connection:
        return feed.Reader("main", feed.end(connection))


def test_each_decision_stands_in_it_whoever_made_it(world: World) -> None:
    world.hear(call())
    reader = begun(world)
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), 1, ANNA)
        actions.resume(world.work(connection, NOON + US), 1, ANNA)
        token = links.token(connection, 1, NOON + 90 * MINUTE)
    with world.store.write() as connection:
        customer_page.act(world.work(connection, NOON + 2 * US), token, {"do": "call-now"})
    with world.store.read() as connection:
        told = reader.read(connection)
    decided = [one.event for one in told if isinstance(one.event, Decided)]
    assert [(one.action, one.who, one.reservation) for one in decided] == [
        ("held", "anna", 1),
        ("resumed", "anna", 1),
        ("call-now", audit.CUSTOMER, 1),
    ]
    assert [one.at for one in told] == [NOON, NOON + US, NOON + 2 * US]
    assert read(world, reader) == []


def test_what_a_person_decides_about_an_incident_stands_in_it(migrated_url: str) -> None:
    world = World(migrated_url, rules(incident_losses=2))
    for n in range(3):
        world.hear(call(f"0901234560{n}", NOON + n * US))
    reader = begun(world)
    with world.store.write() as connection:
        incidents.decide(world.work(connection, NOON + MINUTE), 1, "released", ANNA)
    with world.store.read() as connection:
        (told,) = reader.read(connection)
    assert (told.name, told.facts["state"], told.facts["who"]) == ("incident", "released", "anna")
    assert told.event.ALARMING
    world.close()


@pytest.mark.parametrize("undone", [True, False])
def test_what_is_not_committed_never_happened(migrated_postgres: tuple[str, Store], undone: bool) -> None:
    """Also where a later event is committed first: the earlier one is read when it is there."""
    world = World(migrated_postgres[0])
    world.hear(call())
    world.hear(call("09012345602"))
    reader = begun(world)
    with world.store.engine.connect() as connection:
        connection.begin()
        work = world.work(connection, NOON)
        work.tell(Returned(1))
        write_now(connection)  # so its place in the feed comes before the other's
        with world.store.write() as other:
            world.work(other, NOON).tell(AgentsBack("sales"))
        assert read(world, reader) == ["agents-back"]
        if undone:
            connection.rollback()
        else:
            connection.commit()
    assert read(world, reader) == ([] if undone else ["returned"])
    assert read(world, reader) == []
    world.close()


@pytest.mark.parametrize("committed", [True, False])
def test_what_is_told_is_committed_with_its_transaction_whoever_ends_that(world: World, committed: bool) -> None:
    """Nor does the next transaction of the same connection know of what was undone."""
    reader = begun(world)
    with world.store.engine.connect() as connection:
        connection.execution_options(lcr_write=True)
        connection.begin()
        world.work(connection, NOON).tell(AgentsBack("sales"))
        if committed:
            connection.commit()
        else:
            connection.rollback()
    with world.store.write() as connection:
        world.work(connection, NOON).tell(AgentsBack("support"))
    assert read(world, reader) == ["agents-back"] * (1 + committed)


def test_what_is_told_in_one_transaction_is_one_statement_in_that_order(world: World) -> None:
    reader, inserted = begun(world), list[bool]()

    def count(_connection: object, _cursor: object, statement: str, *more: object) -> None:
        if "INTO happened" in statement:
            inserted.append(bool(more[-1]))

    sqlalchemy.event.listen(world.store.engine, "before_cursor_execute", count)
    with world.store.write() as connection:
        for n in range(5):
            world.work(connection, NOON).tell(AgentsBack(str(n)))
    sqlalchemy.event.remove(world.store.engine, "before_cursor_execute", count)
    with world.store.read() as connection:
        assert [one.facts["queue"] for one in reader.read(connection)] == ["0", "1", "2", "3", "4"]
    assert inserted == [True]


def test_no_number_stands_in_it_yet_a_reader_knows_whose_it_is(world: World) -> None:
    world.hear(call("09012345678"))
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), 1, By("anna", "rang us from 0901 2345678, then +819012345678"))
    rows = [{"facts": row.facts} for row in world.rows(t.happened)]
    assert "12345678" not in json.dumps(rows).replace("1795", "")
    assert {one.number for one in fed(world.store)} == {"+819012345678"}
    with world.store.write() as connection:
        actions.erase(world.work(connection, NOON), "+819012345678", By("anna", "asked us to"))
    assert "+819012345678" not in {one.number for one in fed(world.store)}


def test_another_pbx_has_a_feed_of_its_own(world: World) -> None:
    with world.store.write() as connection:
        feed.append(connection, "other", AgentsBack("sales"), NOON, NOON)
    assert fed(world.store) == []


def test_what_others_add_is_not_looked_at_for_ever(world: World) -> None:
    seconds = iter((0.0, 1.0, feed.LASTS_S["postgresql"]))
    with world.store.read() as connection:
        reader = feed.Reader("main", feed.end(connection), seconds.__next__)
    with world.store.write() as connection:
        for n in range(20):
            feed.append(connection, "other", AgentsBack(str(n)), NOON, NOON)
        last = feed.end(connection)
    assert [read(world, reader) for _ in range(3)] == [[], [], []]
    assert reader.after == last


def test_of_a_long_feed_each_event_is_read_once(world: World) -> None:
    seconds = itertools.count(0.0, feed.LASTS_S["postgresql"] / 2)
    with world.store.read() as connection:
        reader = feed.Reader("main", feed.end(connection), lambda: next(seconds))
    told = []
    for page in range(6):
        with world.store.write() as connection:
            for n in range(4):
                feed.append(connection, "main" if n % 2 else "other", AgentsBack(f"{page}.{n}"), NOON, NOON)
        with world.store.read() as connection:
            told += [one.facts["queue"] for one in reader.read(connection)]
    assert told == [f"{page}.{n}" for page in range(6) for n in (1, 3)]


def test_it_is_read_on_where_there_is_more_than_a_page(world: World) -> None:
    reader = begun(world)
    with world.store.write() as connection:
        for n in range(feed.AT_ONCE + 3):
            feed.append(connection, "main", AgentsBack(str(n)), NOON + n, NOON)
    assert (len(read(world, reader)), len(read(world, reader)), len(read(world, reader))) == (feed.AT_ONCE, 3, 0)


def test_what_could_not_be_read_is_read_the_next_time(world: World) -> None:
    reader = begun(world)
    with world.store.write() as connection:
        world.work(connection, NOON).tell(AgentsBack("sales"))

    def breaks(_connection: object, _cursor: object, statement: str, *_about: object) -> None:
        if "facts" in statement:
            raise StoreError("the connection broke")

    sqlalchemy.event.listen(world.store.engine, "before_cursor_execute", breaks)
    with pytest.raises(StoreError):
        read(world, reader)
    sqlalchemy.event.remove(world.store.engine, "before_cursor_execute", breaks)
    assert read(world, reader) == ["agents-back"]
    assert read(world, reader) == []


def test_an_event_is_read_however_many_others_are_committed_before_it(migrated_postgres: tuple[str, Store]) -> None:
    world = World(migrated_postgres[0])
    reader = begun(world)
    with world.store.engine.connect() as connection:
        connection.begin()
        world.work(connection, NOON).tell(AgentsBack("sales"))
        write_now(connection)
        with world.store.write() as other:
            other.exec_driver_sql("SELECT setval(pg_get_serial_sequence('happened', 'id'), 5000)")  # so many others
            feed.append(other, "other", AgentsBack("last"), NOON, NOON)
        assert read(world, reader) == []
        connection.commit()
    assert read(world, reader) == ["agents-back"]
    assert read(world, reader) == []
    world.close()


def test_what_is_old_is_forgotten_and_the_rest_stays(world: World) -> None:
    with world.store.write() as connection:
        for stored_at in (1, 2, 3, 4):
            feed.append(connection, "main", AgentsBack(str(stored_at)), NOON, stored_at)
        assert [feed.forget(connection, 4, most=2) for _ in range(3)] == [2, 1, 0]
    assert [one.facts["queue"] for one in fed(world.store)] == ["4"]


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (PbxDown("main", "refused"), {"pbx": "main", "why": "refused"}),
        (Decided("slot", "anna", "asked", 7, {"slot_at": 5}), None),
        (Decided("erase", "anna", "asked", about={"cancelled": [7]}), None),
    ],
)
def test_an_event_comes_back_as_it_was(event: Event, facts: dict[str, object] | None) -> None:
    assert facts is None or event.facts() == facts
    assert restored(event.NAME, event.facts()) == event


def test_an_event_of_another_version_is_passed_on_as_it_was_stored() -> None:
    for name, facts in (("tomorrows", {"a": 1}), ("returned", {"a": 1})):
        other = restored(name, facts)
        assert isinstance(other, Other)
        assert (other.name, other.facts()) == (name, facts)


def test_every_event_has_a_name_of_its_own_that_fits_the_table() -> None:
    assert all(name == kind.NAME and 0 < len(name) <= ROOM for name, kind in KINDS.items())
