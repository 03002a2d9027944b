"""No page of the queue reads a table from end to end, however many reservations are settled."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from callback.reports.queue import closed, search
from callback.reports.queue.board import Queue
from callback.reports.queue.closed import SETTLED, TABS, Span
from callback.reports.queue.lanes import LISTS
from callback.reports.queue.wanted import Wanted
from callback.reports.refused import refused
from callback.reports.unreserved import unreserved
from callback.site.work import Work
from tests.callback.attempts.test_lanes import plan
from tests.callback.reports.queue.many import fill, settle
from tests.callback.world import NOON, World

SMALL = ("live_view", "shift_rules", "site_key", "audit_head", "incident")
"""Tables with a row or few."""
WANTED = (
    Wanted(),
    Wanted(groups=frozenset({"site"})),
    Wanted(queues=frozenset({"support"}), kinds=frozenset({"silent"}), whose=frozenset({""}), overdue=True),
    Wanted(texts=frozenset({"delivered"}), tries=frozenset({0})),
    Wanted(ids=frozenset({1, 2}), incidents=frozenset({1})),
)


def _look(work: Work) -> None:
    for wanted in WANTED:
        queue = Queue(work)
        queue.counts(wanted)
        queue.first_pages(wanted)
        for of in LISTS:
            page = queue.page(of, wanted, 2)
            if page.after is not None:
                queue.page(of, wanted, 2, page.after)
        for tab in TABS:
            page_of_tab = closed.page(work, tab, wanted, 2)
            if page_of_tab.after is not None:
                closed.page(work, tab, wanted, 2, Span(NOON, NOON + 10**12), page_of_tab.after)
    closed.counts(work, SETTLED, Span(NOON, NOON + 10**12))
    for said in ("5678", "+819012300001"):
        for groups in (None, frozenset({"site"})):
            search.find(Queue(work), said, groups)


def _look_beside(work: Work) -> None:
    """The lists beside the queue."""
    for groups in (None, frozenset({"site"})):
        for before in (None, (NOON, "1.1")):
            unreserved(work, NOON - 10**12, 3, groups, before)
        for last in (None, (NOON, 1)):
            refused(work, 3, groups, last)


def test_no_page_of_the_queue_reads_a_table_from_end_to_end(world: World) -> None:
    fill(world, 60)
    settle(world, list(range(1, 20)))
    asked: dict[str, Any] = {}

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked[statement] = values

    event.listen(world.store.engine, "before_cursor_execute", note)
    with world.store.read() as connection:
        _look(world.work(connection, NOON))
        _look_beside(world.work(connection, NOON))
        event.remove(world.store.engine, "before_cursor_execute", note)
        plans = {statement: plan(connection, statement, values) for statement, values in asked.items()}
    assert len(plans) > 60
    assert [(line, statement) for statement, one in plans.items() for line in one if _scans(line)] == []


def _scans(line: str) -> bool:
    """Whether a line of a plan reads a whole table, or a whole index other than those of what is open."""
    bare = line.split("  (cost", maxsplit=1)[0].strip("-> ")
    if not bare.startswith(("SCAN ", "Seq Scan on ")):
        return False
    rest = bare.removeprefix("SCAN ").removeprefix("Seq Scan on ")
    return not rest.startswith((*SMALL, *_OF_OPEN, "CONSTANT ROW"))


_OF_OPEN = tuple(
    f"reservation USING {how}ix_reservation_{of}" for how in ("INDEX ", "COVERING INDEX ") for of in ("lane", "list")
)


def test_what_is_open_is_read_from_an_index_of_what_is_open(sqlite_world: World) -> None:
    """SQLite knows nothing of how many are settled: of two indexes it takes the one of which more columns are given."""
    asked: dict[str, Any] = {}

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if "reservation.open" in statement and "NOT reservation.open" not in statement:
            asked[statement] = values

    event.listen(sqlite_world.store.engine, "before_cursor_execute", note)
    with sqlite_world.store.read() as connection:
        queue = Queue(sqlite_world.work(connection, NOON))
        queue.first_pages()
        queue.counts(Wanted(texts=frozenset({"sent"})))
        search.find(queue, "5678", None)
        event.remove(sqlite_world.store.engine, "before_cursor_execute", note)
        plans = [line for statement, values in asked.items() for line in plan(connection, statement, values)]
    ours = [line for line in plans if line.startswith(("SEARCH reservation", "SCAN reservation"))]
    assert len(ours) > 10
    assert [line for line in ours if not any(name in line for name in _NAMES)] == []


_NAMES = ("ix_reservation_lane_", "ix_reservation_list_", "INTEGER PRIMARY KEY", "ix_reservation_person")
