"""The ledger: every broken promise by name, with its cause; and none that was kept."""

from __future__ import annotations

from random import Random
from typing import Any

from sqlalchemy import event

from callback.decisions import actions
from callback.reports import misses
from callback.reports.kept import kept
from callback.reports.misses import CAUSES, UNSEEN, Asked, Move, Place, Wait
from callback.reservations import promises, waits
from callback.site.work import Work
from callback.store.audit import By
from scheduler.promise import Promise
from tests.callback.attempts.test_lanes import plan
from tests.callback.reports.test_rates import closed, lose, tried
from tests.callback.world import MINUTE, NOON, US, World

NO_TABLE = ("SCAN CONSTANT ROW", "SCAN (")
LATER = NOON + 3 * 60 * MINUTE
ALL = Asked(NOON - 24 * 60 * MINUTE, NOON + 24 * 60 * MINUTE)


def page(world: World, asked: Asked = ALL, most: int = 100, after: Place | None = None) -> misses.Page:
    with world.store.read() as connection:
        return misses.page(world.work(connection, LATER), asked, most, after)


def waited(world: World, at: int, words: dict[int, str], seconds: int = 10) -> None:
    with world.store.write() as connection:
        waits.add(world.work(connection, at), words, seconds)


def test_a_promise_is_listed_once_it_is_broken_and_not_before(world: World) -> None:
    row = lose(world, 1)
    with world.store.read() as connection:
        assert misses.page(world.work(connection, row.deadline_at), ALL).rows == ()
        (missed,) = misses.page(world.work(connection, row.deadline_at + 65 * US), ALL).rows
    assert (missed.reservation, missed.number, missed.late_s) == (row.id, "+819012340001", 65)
    assert (missed.dialled_at, missed.reached_at, missed.state) == (None, None, "waiting")


def test_who_was_rung_too_late_is_listed_and_who_was_rung_in_time_is_not(world: World) -> None:
    late, kept_, returned, withdrawn = (lose(world, n) for n in range(4))
    tried(world, late, 65, 70)
    closed(world, late, "reached", 71)
    tried(world, kept_, 59, None)
    closed(world, kept_, "expired", 130)
    closed(world, returned, "returned", 40)
    closed(world, withdrawn, "withdrawn", 90)
    (missed,) = page(world).rows
    assert (missed.reservation, missed.late_s) == (late.id, 5 * 60)
    assert (missed.dialled_at, missed.reached_at) == (NOON + 65 * MINUTE, NOON + 70 * MINUTE)


def test_it_is_said_what_it_waited_for_and_how_long_nobody_looked(world: World) -> None:
    row = lose(world, 1)
    tried(world, row, 65, 70)
    closed(world, row, "reached", 71)
    waited(world, NOON + 10 * US, {row.id: "pacing"}, 60)
    for n in range(2):
        waited(world, NOON + (70 + n) * US, {row.id: "no-free-agent"}, 14 * 60)
    (missed,) = page(world).rows
    unseen_s = 65 * 60 - 60 - 28 * 60
    assert missed.waits == (Wait("pacing", 60), Wait("no-free-agent", 28 * 60), Wait(UNSEEN, unseen_s))
    assert (missed.cause, missed.first_cause) == ("no-free-agent", "pacing")


def test_who_moved_it_and_who_was_at_work_is_said(world: World) -> None:
    row = lose(world, 1)
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON + MINUTE), row.id, By("Anna", "a meeting"))
        waits.keep_crews(world.work(connection, NOON + MINUTE), {"support": frozenset({"Ann"}), "sales": frozenset()})
    with world.store.write() as connection:
        waits.keep_crews(world.work(connection, NOON + 2 * MINUTE), {"support": frozenset({"Bo"})})
        waits.keep_crews(world.work(connection, NOON + 61 * MINUTE), {"support": frozenset({"Cy"})})
    (missed,) = page(world).rows
    assert missed.moves == (Move("Anna", "held", NOON + MINUTE),)
    assert missed.agents == ("Ann", "Bo", "Cy")


def test_pages_follow_each_other_and_filters_leave_others_out(world: World) -> None:
    rows = [lose(world, n, NOON + n // 2 * MINUTE, ("support", "sales")[n % 2]) for n in range(9)]
    waited(world, NOON + 10 * MINUTE, {rows[0].id: "quiet-hours", rows[1].id: "quiet-hours", rows[2].id: "pacing"})
    seen: list[int] = []
    after = None
    while True:
        found = page(world, most=2, after=after)
        seen += [row.reservation for row in found.rows]
        if (after := found.after) is None:
            break
    assert seen == [row.id for row in sorted(rows, key=lambda row: (row.made_at, row.id), reverse=True)]
    some = Asked(ALL.since_at, ALL.until_at, queue="sales", cause="quiet-hours")
    assert [row.reservation for row in page(world, some).rows] == [rows[1].id]
    assert page(world, Asked(ALL.since_at, ALL.until_at, groups=frozenset({"others"}))).rows == ()
    with world.store.read() as connection:
        cells = misses.counts(world.work(connection, LATER), ALL)
    assert {(cell.queue, cell.cause): cell.many for cell in cells} == {
        ("support", "quiet-hours"): 1,
        ("support", "pacing"): 1,
        ("support", UNSEEN): 3,
        ("sales", "quiet-hours"): 1,
        ("sales", UNSEEN): 3,
    }
    assert {cell.cause for cell in cells} <= set(CAUSES)


def test_the_ledger_has_what_the_rates_call_missed_whatever_happened(world: World) -> None:
    random = Random(3)  # noqa: S311 - nothing secret
    for n in range(80):
        row = lose(world, n, NOON + random.randrange(60) * MINUTE)
        _live(world, row, random, n)
    with world.store.read() as connection:
        missed = {one.reservation for one in kept(connection) if one.valid and one.missed(LATER)}
    assert {row.reservation for row in page(world).rows} == missed
    assert 10 < len(missed) < 70


def _live(world: World, row: Any, random: Random, n: int) -> None:
    """Something becomes of a reservation."""
    if random.random() < 0.6:
        tried(world, row, random.randrange(100), random.choice([None, 101]))
    if random.random() < 0.6:
        state = random.choice(["reached", "returned", "given-up", "expired", "cancelled", "withdrawn", "refused"])
        closed(world, row, state, random.randrange(30, 120))
    if n % 3 == 0:
        at = row.made_at + random.randrange(90) * MINUTE
        reason = random.choice(["slot", "apology", "carried-over", "window"])
        with world.store.write() as connection:
            new = Promise(at, at + 30 * MINUTE, at + 40 * MINUTE, at + 60 * MINUTE, reason)
            promises.add(world.work(connection, at), row.id, new)


def test_people_are_named_who_took_a_promise_out_of_the_rates(world: World) -> None:
    first, second, third = (lose(world, n) for n in range(3))
    for row, act, who in ((first, actions.not_lost, "Anna"), (second, actions.not_lost, "Bo")):
        with world.store.write() as connection:
            act(world.work(connection, NOON + MINUTE), row.id, By(who, "a test call"))
    with world.store.write() as connection:
        actions.cancel(world.work(connection, NOON + MINUTE), third.id, By("customer", "by text"))
    with world.store.read() as connection:
        told = misses.levers(world.work(connection, LATER), ALL)
    assert [(one.action, one.who, one.many) for one in told] == [("withdrawn", "Anna", 1), ("withdrawn", "Bo", 1)]


def test_where_nothing_was_missed_the_last_one_before_is_known(world: World) -> None:
    row = lose(world, 1)
    later = Asked(row.made_at + 1, LATER)
    with world.store.read() as connection:
        work = world.work(connection, LATER)
        assert misses.page(work, later).rows == ()
        assert misses.last_before(work, later) == row.made_at
        assert misses.last_before(work, ALL) is None


def test_the_ledger_reads_no_table_from_end_to_end(world: World) -> None:
    for n in range(20):
        closed(world, lose(world, n), "reached", n * 10)
    asked: dict[str, Any] = {}

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked[statement] = values

    event.listen(world.store.engine, "before_cursor_execute", note)
    with world.store.read() as connection:
        _look(world.work(connection, LATER))
        event.remove(world.store.engine, "before_cursor_execute", note)
        plans = {statement: plan(connection, statement, values) for statement, values in asked.items()}
    assert len(plans) > 5
    lines = [line.strip("-> ") for one in plans.values() for line in one]
    assert [line for line in lines if line.startswith(("SCAN ", "Seq Scan")) and not line.startswith(NO_TABLE)] == []
    assert any("ix_reservation_missable" in line for line in lines)


def _look(work: Work) -> None:
    for asked in (ALL, Asked(ALL.since_at, ALL.until_at, frozenset({"site"}), "support", "pacing")):
        misses.page(work, asked, 1, Place(NOON + 10, 10))
        misses.counts(work, asked)
        misses.levers(work, asked)
