"""Each event is counted once: over restarts, by whichever node, in whatever order transactions are committed."""

from __future__ import annotations

import pytest

from callback.events import AgentsBack, Returned
from callback.operations.metrics import counting
from callback.operations.metrics.counting import OTHER, counters
from callback.operations.metrics.families import BY_NAME
from callback.store import tables as t
from callback.store import tally
from callback.store.engine import Store, write_now
from callback.store.tally import Counter
from tests.callback.world import NOON, US, World, call


def counted(world: World, now: int = NOON) -> dict[Counter, int]:
    with world.store.write() as connection:
        while counting.count(connection, now):
            pass
    with world.store.read() as connection:
        return tally.totals(connection, "main")


def of(name: str, *labels: str) -> Counter:
    return Counter("main", f"lcr_{name}_total", labels)


def test_a_loss_is_counted_by_its_queue_and_kind_and_once(world: World) -> None:
    counted(world)
    world.hear(call())
    world.hear(call("09012345602", queue="sales"), "silent")
    world.hear(call("09012345603", talked_s=60), "served")
    for _ in range(2):
        found = counted(world)
        assert found[of("lost_calls", "support", "abandoned")] == 1
        assert found[of("lost_calls", "sales", "silent")] == 1
        assert found[of("calls_judged", "support", "served")] == 1
        assert of("lost_calls", "support", "served") not in found
        assert found[of("reservations_made", "support", "abandoned")] == 1


def test_counts_begin_when_they_are_first_asked_for(world: World) -> None:
    world.hear(call())
    assert counted(world) == {}
    world.hear(call("09012345602"))
    assert counted(world)[of("events", "reserved")] == 1


def test_a_count_that_is_undone_is_made_again(world: World) -> None:
    counted(world)
    world.hear(call())
    with world.store.read() as connection:  # whatever is written in it is undone
        counting.count(connection, NOON)
    assert counted(world)[of("events", "reserved")] == 1


def test_counts_outlive_the_events(world: World) -> None:
    counted(world)
    for n in range(3):
        world.hear(call(f"0901234560{n}"))
    before = counted(world)
    with world.store.write() as connection:
        connection.execute(t.happened.delete())
    assert counted(world) == before
    world.hear(call("09012345605"))  # on SQLite the feed numbers its rows from one again
    assert counted(world)[of("events", "reserved")] == 4


@pytest.mark.parametrize("undone", [True, False])
def test_what_is_committed_late_is_counted_too(migrated_postgres: tuple[str, Store], undone: bool) -> None:
    world = World(migrated_postgres[0])
    counted(world)
    world.hear(call())
    world.hear(call("09012345602"))
    with world.store.engine.connect() as connection:
        connection.begin()
        world.work(connection, NOON).tell(Returned(1))
        write_now(connection)  # so its place in the feed comes before the other's
        with world.store.write() as other:
            world.work(other, NOON).tell(AgentsBack("sales"))
        found = counted(world)
        assert found[of("events", "agents-back")] == 1
        assert of("events", "returned") not in found
        if undone:
            connection.rollback()
        else:
            connection.commit()
    assert counted(world, NOON + 30 * US).get(of("events", "returned"), 0) == (0 if undone else 1)
    counted(world, NOON + 120 * US)
    (place,) = world.rows(t.tally_place)
    assert place.missing == {}  # it is not looked for for ever
    world.close()


def test_two_nodes_that_count_at_once_count_once(migrated_url: str) -> None:
    one, other = World(migrated_url), World(migrated_url)
    counted(one)
    one.hear(call())
    with one.store.write() as connection:
        counting.count(connection, NOON)
    assert counted(other)[of("events", "reserved")] == 1
    one.close()
    other.close()


def test_a_sentence_and_an_unknown_event_make_no_counters_of_their_own() -> None:
    names = {
        one.labels for one in counters("main", "expired", {"queue": "support", "why": "nobody answered 0901 2345"})
    }
    assert names == {("expired",), ("support", OTHER)}
    assert counters("main", "of-a-later-version", {}) == [Counter("main", "lcr_events_total", (OTHER,))]


def test_each_counter_is_a_declared_metric_with_its_labels() -> None:
    facts = {"queue": "support", "kind": "silent", "why": "blocked", "outcome": "reached", "code": "30007"}
    for event in ("call", "not-recovered", "expired", "outcome", "text-failed", "put-aside", "alarm"):
        for one in counters("main", event, facts):
            assert len(one.labels) == len(BY_NAME[one.name].labels), one
