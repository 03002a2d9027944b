"""The rates of a day by group: counted by the database as they are measured one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from callback.reports import rates
from callback.reports.rates import Rates
from callback.reports.rates_by_group import rates_by_group, together
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.attempts.test_lanes import plan, scans
from tests.callback.reports.test_rates import LATER, lose, tried
from tests.callback.world import MINUTE, NOON, ON, World, call, rules


@pytest.fixture
def grouped(migrated_url: str) -> Iterator[World]:
    """Two queues in a group, and one apart."""
    far = ON.model_copy(update={"group": "far"})
    made = World(migrated_url, rules(queues={"support": ON, "sales": ON, "far": far}))
    yield made
    made.close()


def by_group(world: World, since: int, now: int) -> dict[str, Rates]:
    with world.store.read() as connection:
        return rates_by_group(world.work(connection, now), since)


def test_groups_add_up_to_the_site_and_numberless_losses_are_their_queues(grouped: World) -> None:
    for number, queue in enumerate(("support", "sales", "far")):
        row = lose(grouped, number, queue=queue)
        tried(grouped, row, 10, 12 if queue == "far" else None)
    grouped.hear(call(None, NOON, queue="far"))
    found = by_group(grouped, NOON - MINUTE, LATER)
    assert {group: (one.valid, one.reached_30, one.numberless) for group, one in found.items()} == {
        "site": (2, 0, 0),
        "far": (1, 1, 1),
    }
    with grouped.store.read() as connection:
        (whole, *_) = rates.rates(connection, "main", NOON - MINUTE, LATER)
    assert together(found.values()) == whole
    assert together([]) == Rates("", *[0] * 13)


def test_nothing_is_read_from_end_to_end_for_the_rates_of_a_day(world: World) -> None:
    asked = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        asked.append((statement, values))

    with world.store.read() as connection:
        event.listen(world.store.engine, "before_cursor_execute", note)
        rates_by_group(world.work(connection, NOON), NOON - MINUTE)
        event.remove(world.store.engine, "before_cursor_execute", note)
        plans = [plan(connection, *one) for one in asked if "promise" in one[0]]
        assert plans
        assert [line for lines in plans for line in lines if scans(line)] == []


STATES = st.sampled_from(["waiting", "reached", "returned", "expired", "refused", "withdrawn", "cancelled", "given-up"])
MINUTES = st.one_of(st.none(), st.integers(0, 90))
PROMISES = st.lists(
    st.tuples(st.sampled_from(["window", "evening", "carried-over", "slot", "apology"]), st.integers(0, 60)),
    min_size=1,
    max_size=3,
)
ROWS = st.lists(st.tuples(STATES, MINUTES, MINUTES, PROMISES, st.booleans()), min_size=6, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(0, 200))
def test_what_the_database_counts_is_what_is_measured_one_by_one(
    lost: World, drawn: list[tuple[str, int | None, int | None, list[tuple[str, int]], bool]], after_min: int
) -> None:
    now = NOON + after_min * MINUTE
    with lost.store.write() as connection:
        connection.execute(t.promise.delete())
        for row, one in zip(lost.reservations(), drawn, strict=True):
            write(connection, lost, row, *one)
        counted = rates_by_group(lost.work(connection, now), NOON - MINUTE)
        whole, *by_queue = rates.rates(connection, "main", NOON - MINUTE, now)
        connection.rollback()
    assert together(counted.values()) == whole
    assert counted["far"] == replace(next(one for one in by_queue if one.queue == "far"), queue="far")


@pytest.fixture
def lost(grouped: World) -> World:
    for number in range(6):
        lose(grouped, number, queue="far" if number < 2 else "support")
    return grouped


def write(
    connection: Connection,
    world: World,
    row: Any,
    state: str,
    dialled: int | None,
    reached: int | None,
    promises: list[tuple[str, int]],
    by_hand: bool,
) -> None:
    """Let a reservation have come to this, so many minutes after noon."""
    at = NOON + (reached or 30) * MINUTE
    changed = t.reservation.update().where(t.reservation.c.id == row.id)
    connection.execute(changed.values(state=state, open=state == "waiting", state_since_at=at))
    for number, (reason, clock_min) in enumerate(promises, 1):
        clock = NOON + clock_min * MINUTE
        times = {"clock_starts_at": clock, "aim_at": clock + 30 * MINUTE, "deadline_at": clock + 60 * MINUTE}
        made = {"made_at": NOON + number * MINUTE, "reason": reason, "rules_version": world.site.version, **times}
        connection.execute(t.promise.insert().values(reservation_id=row.id, number=number, pbx="main", **made))
    if dialled is not None:
        answered_at = None if reached is None else NOON + reached * MINUTE
        attempt = {"number": 1, "in_flight": False, "fence": 1, "pbx_boot": "b", "decision": {}, "claimed_at": NOON}
        came = {"customer_dialled_at": NOON + dialled * MINUTE, "customer_answered_at": answered_at}
        outcome = "no-answer" if reached is None else "reached"
        whose = {"reservation_id": row.id, "person_id": row.person_id, "pbx": "main", "id": f"a{row.id}"}
        facts = {"rules_version": world.site.version, "ring_until_at": NOON, "outcome": outcome, "ended_at": at}
        connection.execute(t.attempt.insert().values(**attempt, **came, **whose, **facts))
    if by_hand:
        audit.add(connection, "main", By("agent", "rang"), "called-by-hand", row.id, {}, NOON)
