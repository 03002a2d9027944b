"""How busy those are who serve a queue: who shares agents, how many call lately, and what calls were like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import event

from callback.attempts import forecast, load, snapshot
from callback.attempts.load import Seen, Traffic, groups
from scheduler.policy import QueueLoad
from telephony.agents import AgentsView
from telephony.events import QueueMember
from tests.callback.attempts.test_lanes import plan, scans
from tests.callback.world import MINUTE, NOON, US, World, call, picture

ANN = QueueMember(NOON, "support", "PJSIP/ann", "Ann", "PJSIP/ann", 1, False, False, 0, 0, False)
BOB = replace(ANN, interface="PJSIP/bob", name="Bob", state_interface="PJSIP/bob")
CARL = replace(ANN, queue="sales", interface="Local/carl@agents", name="Carl", state_interface="PJSIP/carl")


@pytest.fixture
def world(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(load, "ENOUGH", 2)
    made = World(migrated_url)
    yield made
    made.close()


def view(*members: QueueMember) -> AgentsView:
    agents = AgentsView()
    for member in members:
        agents.feed(member)
    return agents


def heard(world: World) -> Traffic:
    """Two served callers of support who talked 100 s each after 20 s, one who hung up after 50 s; one of sales."""
    for number in (1, 2):
        world.hear(call(f"0901234560{number}", waited_s=20, talked_s=100), "served")
    world.hear(call("09012345603", waited_s=50))
    world.hear(call("09012345604", waited_s=5, talked_s=10, queue="sales"), "served")
    traffic = Traffic(NOON)
    with world.store.read() as connection:
        traffic.learn(connection, "main", NOON + MINUTE)
    return traffic


def test_what_the_last_weeks_calls_were_like(world: World) -> None:
    heard(world)
    with world.store.read() as connection:
        assert load.seen(connection, "main", NOON + MINUTE) == {
            "support": Seen(2, 1, talked_s=200, waited_s=90),
            "sales": Seen(1, 0, talked_s=10, waited_s=5),
        }
        assert load.seen(connection, "main", NOON + load.WEEKS + MINUTE) == {}
        assert load.seen(connection, "other", NOON + MINUTE) == {}


def test_the_load_of_a_queue(world: World) -> None:
    traffic = heard(world)
    for minute in (0, 8, 9):
        traffic.joins("support", NOON + minute * MINUTE)
    agents = view(ANN, replace(BOB, status=2), CARL)
    expected = QueueLoad(2, 1, calls_s=2 / 600, handle_s=100, patience_s=90, pool=frozenset({"support"}))
    assert traffic.loads(agents, NOON + 12 * MINUTE) == {"support": expected}, "too few calls of sales were seen"
    assert traffic.handle_s == {"support": 100}


def test_queues_that_share_agents_have_one_load(world: World) -> None:
    traffic = heard(world)
    traffic.joins("sales", NOON)
    both = view(ANN, BOB, CARL, replace(ANN, queue="sales", interface="Local/ann@agents"))
    loads = traffic.loads(both, NOON + 2 * MINUTE)
    pool = frozenset({"support", "sales"})
    one = QueueLoad(3, 3, calls_s=1 / 120, handle_s=pytest.approx(70), patience_s=95, pool=pool)  # type: ignore[arg-type]
    assert loads == {"support": one, "sales": one}


@pytest.mark.parametrize("away", [replace(BOB, paused=True), replace(BOB, status=5), replace(BOB, gone=True)])
def test_who_is_away_serves_nobody(world: World, away: QueueMember) -> None:
    agents = view(ANN, BOB, away)
    (found,) = heard(world).loads(agents, NOON + MINUTE).values()
    assert (found.staffed, found.idle) == (1, 1)


def test_an_agent_has_one_phone_by_whatever_name_a_queue_calls_him() -> None:
    agents = view(ANN, replace(ANN, queue="sales", interface="Local/ann@agents"))
    assert load.free(agents, "support", NOON) == load.free(agents, "sales", NOON) == {"PJSIP/ann"}


def test_queues_are_one_group_by_however_many_steps() -> None:
    found = groups({"a": ["1"], "b": ["2"], "c": ["1", "3"], "d": ["3", "2"], "e": ["4"], "f": []})
    assert sorted(sorted(group) for group in found) == [["a", "b", "c", "d"], ["e"]]


def test_nothing_is_read_from_end_to_end(world: World) -> None:
    asked = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        asked.append((statement, values))

    with world.store.write() as connection:
        event.listen(world.store.engine, "before_cursor_execute", note)
        load.seen(connection, "main", NOON)
        event.remove(world.store.engine, "before_cursor_execute", note)
        (statement, values) = asked[0]
        assert [line for line in plan(connection, statement, values) if scans(line)] == []


def test_the_load_is_in_the_picture_that_is_kept(world: World) -> None:
    pool = frozenset({"support", "sales"})
    loads = dict.fromkeys(pool, QueueLoad(2, 1, 0.01, 100.0, 90.0, pool))
    seen = replace(picture(), loads=loads, handle_s={"support": 100.0})
    with world.store.write() as connection:
        snapshot.store(connection, "main", seen, NOON + US)
        found = snapshot.recall(connection, "main")
    assert found is not None
    assert (found[0].loads, found[0].handle_s) == (loads, {"support": 100.0})
    both = {"support": {"a", "b"}, "sales": {"a", "b"}}
    assert forecast.crews(both, found[0].loads, world.site) == forecast.crews(both, loads, world.site)
