"""What if, held against what happens: an hour simulated call by call, in which the service's own rule chooses whom.

The forecast cuts the time into slots and never asks the rule (`scheduler/order.py`) that the service asks. The hour
here has no slots: each agent is free again when that talk has ended, and each time the rule is asked who is next.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from statistics import fmean
from typing import Final

import pytest

from callback.attempts import snapshot
from callback.decisions import actions
from callback.reports import breaking, what_if
from callback.reports.breaking import Breaking
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.store import tables as t
from callback.store.audit import By
from scheduler.candidate import Candidate
from scheduler.clock import DAY, HOUR, SECOND
from scheduler.order import AgentMatching, NextCall, QueueState, choose
from tests.callback.world import MINUTE, NOON, World, call, picture

SEEDS: Final = 30
OWED: Final = 40
AGENTS: Final = 3
HELP_US: Final = 30 * MINUTE
USUAL_S: Final = 265
"""What a callback takes where no call was seen: a talk, and the ringing before."""
WHY: Final = By("Anna", "asked for it")


@pytest.fixture
def world(sqlite_world: World) -> World:
    return sqlite_world


@dataclass(frozen=True)
class Hour:
    """Whom somebody owes a callback at `now`, and what is forecast of it."""

    seed: int
    now: int
    rows: Sequence[Reservation]
    seen: Breaking


def hours(world: World) -> Iterator[Hour]:
    """On as many days: forty callers, lost at random within the last three quarters of an hour."""
    for seed in range(SEEDS):
        now, chance = NOON + seed * DAY, random.Random(seed)  # noqa: S311 - the same numbers each time
        with world.store.write() as connection:
            for n in range(OWED):
                lost_at = now - round(chance.uniform(60, 45 * 60)) * SECOND
                world.hear_in(connection, call(f"090{1000 + seed}{n:04}", lost_at))
            phones = frozenset(f"PJSIP/{n}" for n in range(AGENTS))
            live = replace(picture(), at_work={"support": phones})
            snapshot.store(connection, "main", live, now)
            work = world.work(connection, now)
            seen = breaking.look(work, (live, now))["site"]
        yield Hour(seed, now, rows_since(world, now - HOUR), seen)


def rows_since(world: World, since_at: int) -> list[Reservation]:
    with world.store.read() as connection:
        made = RESERVATIONS.where(t.reservation.c.made_at >= since_at)
        return read(connection, made.order_by(t.reservation.c.id))


def missed(world: World, hour: Hour, helpers: int, until_at: int, *, varying: bool = False) -> int:
    """How many of them nobody began to call in time, with that many agents more until then."""
    return len(hour.rows) - len(in_time(hour, begun(world, hour, helpers, until_at, varying=varying)))


def in_time(hour: Hour, begun: Mapping[int, int]) -> set[int]:
    return {row.id for row in hour.rows if begun[row.id] <= row.deadline_at}


def begun(world: World, hour: Hour, helpers: int, until_at: int, *, varying: bool = False) -> dict[int, int]:
    """When each was called: whoever is free first asks the rule who is next."""
    chance = random.Random(-hour.seed)  # noqa: S311 - as above
    free: list[tuple[int, int]] = [(hour.now, agent) for agent in range(AGENTS + helpers)]
    waiting = {row.id: row for row in hour.rows}
    found: dict[int, int] = {}
    while waiting:
        at, agent = heappop(free)
        if agent >= AGENTS and at >= until_at:
            continue  # that one has gone
        one = chosen(world, waiting.values(), at)
        found[waiting.pop(one).id] = at
        takes_s = chance.gammavariate(6, USUAL_S / 6) if varying else USUAL_S
        heappush(free, (at + round(takes_s) * SECOND, agent))
    return found


def chosen(world: World, waiting: Collection[Reservation], at: int) -> int:
    """Whom the service would call then."""
    policy = world.site.rules.pacing.callback_policy()
    matching = AgentMatching(QueueState({"support": {"PJSIP/0"}}, {}, {}), policy)
    decision = choose([candidate(row) for row in waiting], matching, world.site.hours, at)
    assert isinstance(decision, NextCall), "all of them may be called, and there is somebody"
    return decision.candidate.reservation


def candidate(row: Reservation) -> Candidate:
    times = (row.clock_starts_at, row.aim_at, row.deadline_at, row.not_before_at)
    return Candidate(row.id, row.queue, row.kind, *times, severity=row.severity)


def test_what_more_agents_keep_is_what_they_keep_in_a_simulated_hour(world: World) -> None:
    told, came = list[int](), list[int]()
    for hour in hours(world):
        until_at = hour.now + HELP_US
        assert len(hour.rows) == OWED
        assert hour.seen.crew.handle_s == USUAL_S
        for one in what_if.more_agents(hour.seen, hour.now, until_at):
            assert abs(one.before - missed(world, hour, 0, until_at)) <= 1
            assert abs(one.after - missed(world, hour, one.more, until_at)) <= 1
            told.append(one.after)
            came.append(missed(world, hour, one.more, until_at, varying=True))
    assert len(told) == 3 * SEEDS
    assert 5 < fmean(told) < 30, "some are kept by it, and some are not"
    assert abs(fmean(told) - fmean(came)) <= 1, "also where no talk is as long as another"


def test_who_slips_for_whom_is_called_now_slips_in_a_simulated_hour(world: World) -> None:
    wrong, slips = 0, 0
    for hour in hours(world):
        one = hour.rows[hour.seed]
        with world.store.read() as connection:
            (told,) = what_if.call_now(world.work(connection, hour.now), [one.id])
        before = begun(world, hour, 0, hour.now)
        with world.store.write() as connection:
            actions.call_now(world.work(connection, hour.now), one.id, WHY)
        rows = rows_since(world, hour.now - HOUR)
        after = begun(world, replace(hour, rows=rows), 0, hour.now)
        assert told.at == after[one.id]
        broken = in_time(hour, before) - in_time(hour, after) - {one.id}
        wrong = max(wrong, len({slip.reservation for slip in told.breaks} ^ broken))
        slips += len(told.slips)
    assert wrong <= 1
    assert slips > SEEDS / 2, "calling one now costs others something"
