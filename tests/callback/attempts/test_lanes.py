"""Who goes first, and that looking for him stays cheap however many have been called before."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from callback.attempts import lanes
from callback.losses import intake, redials
from callback.reports.queue.board import Queue
from callback.reports.queue.lanes import LISTS
from callback.reservations import deadlines
from callback.store import tables as t
from callback.texts import compose
from scheduler.candidate import IN_AIM, IN_WINDOW, OVERDUE
from scheduler.order import BINDS
from tests.callback.world import MINUTE, NOON, ON, US, World, call, judged, picture, rules

AGENTS = {f"PJSIP/agent{n}" for n in range(9)}


def test_lanes_go_by_promise_in_aim_oldest_then_in_window_newest_then_overdue_oldest(world: World) -> None:
    lost_after = (0, 20, 40, 50, 70, 80)
    numbers = {f"+8190123456{minutes:02}": minutes for minutes in lost_after}
    for number, minutes in numbers.items():
        world.hear(call(number, ended_at=NOON + minutes * MINUTE))
    seen = picture(free={"support": AGENTS})
    called = [world.claim(NOON + 85 * MINUTE, seen) for _ in numbers]
    assert [numbers[order.agent_sees] for order in called if order] == [70, 80, 50, 40, 0, 20]  # aim 30, window 60


@pytest.fixture
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane of five rows is as easily filled as one of fifty."""
    monkeypatch.setattr(lanes, "LANE", 5)
    monkeypatch.setattr(lanes, "AT_FIRST", 2)


@pytest.mark.usefixtures("_narrow")
@pytest.mark.parametrize("hindrance", [{"texts": "watch", "calls": "watch"}, {"only_numbers": ("+819087654321",)}])
def test_those_who_may_not_be_called_do_not_stand_in_the_way(migrated_url: str, hindrance: dict[str, Any]) -> None:
    """A lane has so many rows: as many who are only watched must not fill it, be they older or newer than he is."""
    world = World(migrated_url, rules(queues={"sales": ON, "support": ON.model_copy(update=hindrance)}))
    with world.store.write() as connection:
        for n in range(2 * lanes.LANE + 1):
            queue = "sales" if n == lanes.LANE else "support"
            world.hear_in(connection, call(f"0901234{n:04}", NOON + n, queue=queue))
    order = world.claim(NOON + MINUTE, picture(free={"support": AGENTS, "sales": AGENTS}))
    assert order is not None
    assert order.queue == "sales"
    world.close()


@pytest.mark.usefixtures("_narrow")
@pytest.mark.parametrize(("minutes", "first"), [(6, 0), (45, 11), (90, 0)])
def test_of_more_than_a_page_who_were_let_down_alike_the_lane_says_who_is_first(
    world: World, minutes: int, first: int
) -> None:
    with world.store.write() as connection:
        for n in range(24):
            world.hear_in(connection, call(f"0901234{n % 12:04}", NOON + n * US))  # each is lost twice
    order = world.claim(NOON + minutes * MINUTE, picture(free={"support": AGENTS}))
    assert order is not None
    assert order.agent_sees == f"+81901234{first:04}"


@pytest.mark.usefixtures("_narrow")
def test_a_switchboard_that_is_being_called_does_not_stand_in_the_way(world: World) -> None:
    """Each of its callers waits for a callback of his own, and one of them is called at a time."""
    world.hear(call("0312340000"), "served")
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
        for n in range(2 * lanes.LANE):
            world.hear_in(connection, call("0312340000", NOON + n))
        world.hear_in(connection, call("09012345678", NOON + MINUTE))
    called = [world.claim(NOON + MINUTE, picture(free={"support": AGENTS})) for _ in range(2)]
    assert [order.agent_sees for order in called if order] == ["+81312340000", "+819012345678"]


@pytest.mark.usefixtures("_narrow")
def test_an_unstaffed_queue_does_not_stand_in_the_way(world: World) -> None:
    with world.store.write() as connection:
        for n in range(2 * lanes.LANE + 1):
            queue = "sales" if n == lanes.LANE else "support"
            world.hear_in(connection, call(f"0901234{n:04}", NOON + n, queue=queue))
    order = world.claim(NOON + MINUTE, picture(free={"support": set(), "sales": AGENTS}))
    assert order is not None
    assert order.queue == "sales"


def _look(connection: Connection, world: World) -> None:
    """Everything that asks for open reservations or attempts in flight again and again."""
    open_lanes = {name: ["support", "sales"] for name in (IN_AIM, BINDS, IN_WINDOW, OVERDUE)}
    wanted = lanes.Wanted(open_lanes, {"sales": ("+819012345678",)}, ["+819012345679"], ["spare"], 300, 3600)
    list(lanes.due(connection, "main", NOON, lambda: wanted))
    deadlines.passed(connection, "main", NOON)
    shown = Queue(world.work(connection, NOON))
    shown.first_pages()
    for of in LISTS:
        shown.page(of)
    lanes.in_flight(connection)
    lanes.in_flight(connection, "main")
    compose.hold_back(world.work(connection, NOON), ["+819012345678"])
    redials.served(world.work(connection, NOON), call(talked_s=9), "support", 1)
    intake.record(world.work(connection, NOON), lost := call(), judged(lost, "abandoned"))


def test_no_look_at_what_is_open_scans_what_is_closed(world: World) -> None:
    """SQLite uses a partial index only for a query in its own words; PostgreSQL is asked what it could do at best."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT") and ("FROM reservation" in statement or "FROM attempt" in statement):
            asked.append((statement, values))

    event.listen(world.store.engine, "before_cursor_execute", note)
    with world.store.write() as connection:
        _look(connection, world)
        event.remove(world.store.engine, "before_cursor_execute", note)
        plans = [plan(connection, statement, values) for statement, values in asked]
    assert len(plans) >= len(
        ("seven lanes", *range(6), "overdue", "open", "in flight twice", "held back", "served", "standing")
    )
    assert [line for one in plans for line in one if scans(line)] == []


def plan(connection: Connection, statement: str, values: Any) -> list[str]:
    if connection.dialect.name == "sqlite":
        return [str(row.detail) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)]


def scans(line: str) -> bool:
    """Whether a line of a plan reads a table from end to end; of what is open or in flight there is an index."""
    bare = line.split("  (cost", maxsplit=1)[0].strip("-> ")
    whole = {f"{how} {table}" for table in ("reservation", "attempt") for how in ("SCAN", "Seq Scan on")}
    return bare in whole or bare.startswith(("SCAN person", "SCAN call", "SCAN queue_visit", "Seq Scan on person"))
