"""A trunk that fails is not dialled over for a while: derived from the attempts, asked at each claim, told, shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from callback.attempts import settle, snapshot
from callback.cli.tables import queue as queue_table
from callback.events import Happened
from callback.settings.sections import Trunk
from callback.site.context import site_of
from callback.store import tables as t
from scheduler.breaker import IN_A_ROW
from tests.callback import queue_shown
from tests.callback.world import MINUTE, NOON, US, World, call, picture

FREE = picture(free={"support": {f"PJSIP/agent{n}" for n in range(9)}})
NAMES = {"main": "PJSIP/trunk", "other": "PJSIP/second"}


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    """A site with two trunks, and callers lost over each."""
    made = World(migrated_url)
    trunks = {name: Trunk(channel=channel, region="JP", form="national") for name, channel in NAMES.items()}
    made.settings = made.settings.model_copy(update={"trunks": trunks})
    made.site = site_of(made.settings, made.site.version)
    yield made
    made.close()


def lose(world: World, *lasts: int, trunk: str = "main") -> None:
    for last in lasts:
        world.hear(replace(call(f"0901234560{last}"), channel=f"{NAMES[trunk]}-00000001"))


def attempt(world: World, outcome: str, now: int) -> list[Happened]:
    order = world.claim(now, FREE)
    assert order is not None
    return world.end(order.attempt, outcome, now + 2 * US)


def fail(world: World, now: int, times: int = IN_A_ROW) -> list[Happened]:
    """Let callbacks fail one after the other, in less than a minute; gives what was told in the end."""
    told: list[Happened] = []
    for n in range(times):
        told = attempt(world, "trunk-failure", now + 5 * n * US)
    return told


RESTED = NOON + (10 + 2 + 30) * US  # the third of them failed at 12:00:12


def test_several_failures_in_a_row_let_the_trunk_rest_and_cost_nobody_a_try(world: World) -> None:
    lose(world, 1, 2, 3, 4)
    outcome, resting = fail(world, NOON)
    assert (outcome.name, resting.name) == ("outcome", "trunk-resting")
    assert resting.facts == {"trunk": "main", "until_at": RESTED, "again": False}
    assert world.claim(RESTED - 1, FREE) is None
    assert [row.tries for row in world.reservations()] == [0, 0, 0, 0]
    assert {row.trunk for row in world.attempts()} == {"main"}


def test_then_one_trial_at_a_time_by_somebody_else_and_what_it_proves_counts(world: World) -> None:
    lose(world, 1, 2, 3, 4)
    fail(world, NOON)
    trial = world.claim(RESTED + 2 * MINUTE, FREE)
    assert trial is not None
    assert trial.agent_sees != "+819012345603", "he failed last"
    assert world.claim(RESTED + 2 * MINUTE + US, FREE) is None, "a second one before the first tells"
    told = world.end(trial.attempt, "busy", RESTED + 2 * MINUTE + 9 * US)
    assert [news.name for news in told] == ["outcome", "trunk-back"]
    assert world.claim(RESTED + 2 * MINUTE + 10 * US, FREE) is not None
    assert world.claim(RESTED + 2 * MINUTE + 10 * US, FREE) is not None


def test_a_trial_that_fails_doubles_the_rest(world: World) -> None:
    lose(world, 1, 2, 3, 4)
    fail(world, NOON)
    now = RESTED + MINUTE
    *_, told = attempt(world, "trunk-failure", now)
    assert told.facts == {"trunk": "main", "until_at": now + (2 + 60) * US, "again": True}
    assert world.claim(now + 61 * US, FREE) is None
    assert world.claim(now + 62 * US, FREE) is not None


def test_one_bad_number_does_not_keep_a_trunk_shut_to_all(world: World) -> None:
    lose(world, 1)
    for n in range(IN_A_ROW):
        attempt(world, "trunk-failure", NOON + 2 * n * MINUTE)
    now = NOON + 6 * MINUTE
    lose(world, 2)
    trial = world.claim(now, FREE)
    assert trial is not None
    assert trial.agent_sees == "+819012345602"


def test_alone_he_is_his_trunks_trial_himself(world: World) -> None:
    lose(world, 1)
    for n in range(IN_A_ROW):
        attempt(world, "trunk-failure", NOON + 2 * n * MINUTE)
    assert world.claim(NOON + 6 * MINUTE, FREE) is not None


def test_another_trunk_goes_on(world: World) -> None:
    lose(world, 1, 2, 3, 4)
    lose(world, 7, trunk="other")
    fail(world, NOON)
    order = world.claim(NOON + 20 * US, FREE)
    assert order is not None
    assert order.agent_sees == "+819012345607"
    assert world.attempts()[-1].trunk == "other"
    assert world.claim(NOON + 20 * US, FREE) is None


@pytest.mark.parametrize("outcome", ["agent-no-answer", "agent-cancelled", "unknown"])
def test_what_says_nothing_of_the_trunk_neither_opens_nor_closes_it(world: World, outcome: str) -> None:
    lose(world, *range(9))
    fail(world, NOON, IN_A_ROW - 1)
    attempt(world, outcome, NOON + 20 * US)
    assert [news.name for news in attempt(world, "trunk-failure", NOON + 30 * US)] == ["outcome", "trunk-resting"]


def test_the_queue_says_which_trunk_rests_and_until_when(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lose(world, 1, 2, 3, 4)
    fail(world, NOON)
    now = NOON + 20 * US
    with world.store.write() as connection:
        snapshot.store(connection, "main", FREE, now)
    monkeypatch.setattr(time, "time_ns", lambda: now * 1000)
    monkeypatch.setenv("COLUMNS", "250")
    lines = queue_shown.open_reservations(world)
    waits = {line.number: (line.why_not, line.until_at) for line in lines}
    assert waits["+819012345604"] == ("trunk-rests", RESTED)
    queue_table.show(lines, world.site.hours.zone)
    assert "trunk main is resting until 12:00" in capsys.readouterr().out


def test_asking_is_a_scan_of_an_index(world: World) -> None:
    with world.store.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            ask = "EXPLAIN"
        else:
            ask = "EXPLAIN QUERY PLAN"
        words = str(t.TELLING)
        plan: list[Any] = list(
            connection.exec_driver_sql(
                f"{ask} SELECT id FROM attempt WHERE pbx = 'main' AND trunk = 'main' AND {words}"  # noqa: S608
                " ORDER BY claimed_at DESC LIMIT 3"
            )
        )
    assert any("ix_attempt_trunk" in str(line) for line in plan), plan
    assert not any("SORT" in str(line).upper() or "TEMP" in str(line) for line in plan), plan


def test_trials_that_find_no_agent_let_the_others_wait_no_more(world: World) -> None:
    """They never come to the trunk; after three of them it is agents who are missing."""
    lose(world, 1, 2, 3, 4, 5, 6)
    fail(world, NOON)
    for n in range(IN_A_ROW):
        assert world.claim(RESTED + 10 * n * US, FREE) is not None
        assert world.claim(RESTED + 10 * n * US + US, FREE) is None, "one trial at a time"
        attempt_id = next(row.id for row in world.attempts() if row.in_flight)
        world.end(attempt_id, "agent-no-answer", RESTED + 10 * n * US + 2 * US)
    order = world.claim(RESTED + 90 * US, FREE)  # the queue has rested
    assert order is not None
    with world.store.write() as connection:
        settle.progress(
            world.work(connection, NOON), order.attempt, "agent_connected_at", RESTED + 91 * US, "Agent One"
        )
    assert world.claim(RESTED + 92 * US, FREE) is not None


def test_who_was_not_tried_since_is_still_tried_one_at_a_time_after_hours(world: World) -> None:
    lose(world, 1, 2, 3, 4)
    fail(world, NOON)
    assert world.claim(RESTED + 50 * MINUTE, FREE) is not None
    assert world.claim(RESTED + 50 * MINUTE + US, FREE) is None


def test_a_pbx_that_refuses_to_place_anything_says_nothing_of_the_trunk(world: World) -> None:
    lose(world, 1, 2, 3, 4, 5)
    told = [news.name for n in range(IN_A_ROW + 1) for news in attempt(world, "refused-late", NOON + 5 * n * US)]
    assert set(told) == {"outcome"}
    assert {row.tries for row in world.reservations()} == {0}
    assert world.claim(NOON + MINUTE, FREE) is not None
