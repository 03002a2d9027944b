"""The queue's lanes and lists: each open reservation is in one, in the dispatcher's order, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from callback.reports.queue import lanes
from callback.reports.queue.board import Queue, in_list
from callback.reports.queue.lanes import LANES, LISTS, Sort
from callback.reports.queue.wanted import EVERYBODY, Wanted
from tests.callback.reports.queue.many import fill
from tests.callback.world import MINUTE, NOON, World, call, picture

MANY = 120
BINDS = 5 * MINUTE
Row = Mapping[str, Any]


def lane_of(row: Row) -> str:
    """By the sentences of the rule, not by its SQL."""
    if row["state"] in {"held", "calling"}:
        return str(row["state"])
    if row["not_before_at"] > NOON:
        return "later"
    if row["deadline_at"] < NOON:
        return "late"
    if row["deadline_at"] - NOON <= BINDS:
        return "binds"
    return "aim" if row["aim_at"] >= NOON else "window"


ORDER: dict[str, Callable[[Row], Any]] = {
    "calling": lambda row: (row["state_since_at"], row["id"]),
    "aim": lambda row: (-row["severity"], row["aim_at"], row["id"]),
    "binds": lambda row: (row["aim_at"], row["id"]),
    "window": lambda row: (-row["severity"], -row["made_at"], -row["id"]),
    "late": lambda row: (-row["severity"], row["aim_at"], row["id"]),
    "later": lambda row: (row["not_before_at"], row["id"]),
    "held": lambda row: (row["deadline_at"], row["id"]),
    Sort.DEADLINE: lambda row: (row["deadline_at"], row["id"]),
    Sort.NEWEST: lambda row: (-row["made_at"], -row["id"]),
    Sort.LOSSES: lambda row: (-row["losses"], -row["id"]),
}


def expected(rows: list[dict[str, Any]], of: str, wanted: Callable[[Row], bool]) -> list[int]:
    in_it = [row for row in rows if wanted(row) and (of not in LANES or lane_of(row) == of)]
    return [row["id"] for row in sorted(in_it, key=ORDER[of])]


FILTERS: dict[str, tuple[Wanted, Callable[[Row], bool]]] = {
    "everybody": (EVERYBODY, lambda _row: True),
    "groups": (Wanted(groups=frozenset({"trade"})), lambda row: row["queue_group"] == "trade"),
    "no group": (Wanted(groups=frozenset()), lambda _row: False),
    "queue and kind": (
        Wanted(queues=frozenset({"desk", "sales"}), kinds=frozenset({"silent"})),
        lambda row: row["queue"] in {"desk", "sales"} and row["kind"] == "silent",
    ),
    "nobody's or anna's": (Wanted(whose=frozenset({"", "anna"})), lambda row: row["assigned_to"] in {None, "anna"}),
    "overdue": (Wanted(overdue=True), lambda row: row["deadline_at"] < NOON),
    "tries": (Wanted(tries=frozenset({0, 2})), lambda row: row["tries"] in {0, 2}),
    "some": (Wanted(ids=frozenset(range(1, 50))), lambda row: row["id"] < 50),
}


@pytest.mark.parametrize("by", FILTERS)
def test_pages_of_every_list_are_the_list(world: World, by: str) -> None:
    rows = fill(world, MANY)
    wanted, is_wanted = FILTERS[by]
    with world.store.read() as connection:
        queue = Queue(world.work(connection, NOON))
        found = {of: paged(queue, of, wanted) for of in LISTS}
    assert found == {of: expected(rows, of, is_wanted) for of in LISTS}
    assert sorted(one for lane in LANES for one in found[lane]) == sorted(found["deadline"])


def paged(queue: Queue, of: str, wanted: Wanted) -> list[int]:
    """All rows of a list, seven at a time."""
    page = queue.page(of, wanted, 7)
    found = [row.reservation for row in page.rows]
    while page.after is not None:
        assert len(page.rows) == 7
        page = queue.page(of, wanted, 7, page.after)
        found += [row.reservation for row in page.rows]
    return found


@pytest.mark.parametrize("by", FILTERS)
def test_counts_are_those_of_the_rows(world: World, by: str) -> None:
    rows = fill(world, MANY)
    wanted, is_wanted = FILTERS[by]
    of_them = [row for row in rows if is_wanted(row)]
    with world.store.read() as connection:
        counts = Queue(world.work(connection, NOON)).counts(wanted)
    assert counts.by_lane == {lane: sum(lane_of(row) == lane for row in of_them) for lane in LANES}
    assert counts.every == sum(counts.by_lane.values()) == len(of_them)
    assert counts.overdue == sum(row["deadline_at"] < NOON for row in of_them)
    assert counts.soon == sum(NOON <= row["deadline_at"] <= NOON + 15 * MINUTE for row in of_them)
    assert counts.within_hour == sum(
        lane_of(row) == "later" and row["not_before_at"] <= NOON + 60 * MINUTE for row in of_them
    )


def test_the_first_rows_of_all_lanes_are_the_first_of_their_pages(world: World) -> None:
    fill(world, MANY)
    with world.store.read() as connection:
        queue = Queue(world.work(connection, NOON))
        for wanted, _ in FILTERS.values():
            shown = queue.first_pages(wanted, 3)
            assert {lane: page.rows for lane, page in shown.items()} == {
                lane: queue.page(lane, wanted, 3).rows for lane in LANES
            }


def test_choices_of_a_filter_are_what_the_viewer_may_see(world: World) -> None:
    rows = fill(world, MANY)
    with world.store.read() as connection:
        census = Queue(world.work(connection, NOON)).census
    every = {queue: sum(row["queue"] == queue for row in rows) for queue in ("desk", "sales", "support")}
    assert census.choices("queue", None) == every
    assert census.choices("queue", frozenset({"trade"})) == {"sales": every["sales"]}
    assert list(census.choices("whose", None)) == ["anna", "bert", None]


def test_a_list_of_all_goes_lane_by_lane(world: World) -> None:
    rows = fill(world, MANY)
    with world.store.read() as connection:
        queue = Queue(world.work(connection, NOON))
        found = [row.reservation for row in in_list(queue, EVERYBODY, Sort.DISPATCHER, 1000)]
        some = [row.reservation for row in in_list(queue, EVERYBODY, Sort.DISPATCHER, 40)]
    assert found == [one for lane in LANES for one in expected(rows, lane, lambda _row: True)]
    assert some == found[:40]


def test_lanes_go_as_the_dispatcher_claims(world: World) -> None:
    """Not by a second opinion: those who may be called are claimed in the very order in which they are shown."""
    for n, minutes in enumerate((0, 8, 20, 33, 40)):
        world.hear(call(f"0901234560{n}", NOON - 50 * MINUTE + minutes * MINUTE))
    world.hear(call("09012345603", NOON - 5 * MINUTE))  # lost twice: the worst of its lane
    with world.store.read() as connection:
        shown = Queue(world.work(connection, NOON)).first_pages()
    by_lane = {lane: [row.number[-1] for row in page.rows] for lane, page in shown.items() if page.rows}
    agents = picture(free={"support": {f"a{n}" for n in range(9)}})
    claimed = [order.agent_sees[-1] for order in world.claims(NOON, agents)]
    assert claimed == [number for lane in lanes.MAY_BE_CALLED for number in by_lane.get(lane, [])]
    assert len(claimed) == 5
