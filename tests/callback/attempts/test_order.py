"""Who comes first in a callback, and what the agent's phone shows."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update

from callback.attempts import settle
from callback.attempts.order import agent_reads
from callback.store import tables as t
from scheduler.severity import MOST
from telephony.dialling.dialler import safe_value
from tests.callback.world import MINUTE, NOON, ON, US, World, call, rules

CUSTOMER_FIRST = rules(queues={"support": ON.model_copy(update={"first": "customer"}), "sales": ON})


@pytest.fixture
def first_world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, CUSTOMER_FIRST)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("kind", "losses", "since_s", "shown"),
    [
        ("silent", 2, 14 * 60 + 59, "CB silent x2 14min"),
        ("abandoned", 1, 0, "CB abandoned 0min"),
        ("dropped", 1, -3, "CB dropped 0min"),  # a clock was set back
        ("requested", 1, 3600, "CB requested 1h"),
        ("blocked", 12, 3 * 86_400, "CB blocked x12 3d"),
    ],
)
def test_the_agent_reads_why_how_often_and_for_how_long(kind: str, losses: int, since_s: int, shown: str) -> None:
    row: Any = SimpleNamespace(kind=kind, losses=losses, made_at=NOON)
    assert agent_reads(row, NOON + since_s * US) == shown
    assert safe_value(shown)
    assert len(shown) <= 20


def test_an_order_says_what_the_agent_reads_and_that_he_comes_first(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON + 2 * MINUTE)
    assert order is not None
    assert (order.first, order.agent_reads) == ("agent", "CB abandoned 2min")


def wait_in_vain(world: World, attempt: str, now: int) -> None:
    """Let the customer answer, and no agent come."""
    with world.store.write() as connection:
        for step in ("customer_dialled_at", "customer_answered_at"):
            settle.progress(world.work(connection, NOON), attempt, step, now)
    world.end(attempt, "agent-no-answer", now)


def test_the_customer_comes_first_where_his_queue_asks_for_it_until_he_has_waited_in_vain(first_world: World) -> None:
    first_world.hear(call())
    order = first_world.claim(NOON)
    assert order is not None
    assert order.first == "customer"
    first_world.end(order.attempt, "busy", NOON + MINUTE)
    order = first_world.claim(NOON + 10 * MINUTE)
    assert order is not None
    assert order.first == "customer", "nobody had answered us"
    wait_in_vain(first_world, order.attempt, NOON + 11 * MINUTE)
    order = first_world.claim(NOON + 20 * MINUTE)
    assert order is not None
    assert order.first == "agent", "he is not made to wait twice"


def test_who_waited_in_vain_is_raised_at_no_cost_to_him_but_never_above_the_worst(first_world: World) -> None:
    first_world.hear(call())
    order = first_world.claim(NOON)
    assert order is not None
    wait_in_vain(first_world, order.attempt, NOON + MINUTE)
    (row,) = first_world.reservations()
    assert (row.state, row.tries, row.severity) == ("waiting", 0, 1)
    for number in range(2, 5):
        with first_world.store.write() as connection:
            connection.execute(update(t.reservation).values(severity=MOST))
        order = first_world.claim(NOON + number * 10 * MINUTE)
        assert order is not None
        wait_in_vain(first_world, order.attempt, NOON + number * 10 * MINUTE)
        assert first_world.reservations()[0].severity == MOST


def test_an_agent_who_did_not_come_raises_nobody_whose_phone_never_rang(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON)
    assert order is not None
    world.end(order.attempt, "agent-no-answer", NOON + MINUTE)
    assert world.reservations()[0].severity == 0
