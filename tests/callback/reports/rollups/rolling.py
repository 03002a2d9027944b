"""The service's job on a world, and what it keeps beside what there is to count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from callback.attempts import settle
from callback.reports.rollups.counting import count
from callback.reports.rollups.spans import day_begins
from callback.service.jobs.rollups import keep, look
from callback.store import tables as t
from callback.store.tables.rollups import COUNTS, FIRST_TRY, HEAT, OF_AGENTS, REACH
from tests.callback.world import US, World

FIGURES = (*COUNTS, *FIRST_TRY, *REACH)


def nothing() -> None:
    """Nothing happens."""


def roll_up(world: World, now: int, meanwhile: Callable[[], None] = nothing) -> int:
    """Roll up all that there is; `meanwhile` happens between what is read first and what is kept of it."""
    pieces = 0
    while True:
        with world.store.read() as connection:
            piece = look(world.work(connection, now))
        if piece is None:
            return pieces
        meanwhile()
        meanwhile, pieces = nothing, pieces + 1
        with world.store.write() as connection:
            keep(world.work(connection, now), piece)


def kept(world: World, table: Any, counted: tuple[str, ...]) -> dict[tuple[Any, ...], Counter[str]]:
    """What a table of figures holds, by what it is of; what is 0 is left out."""
    found = {}
    for row in world.rows(table):
        of = row._mapping  # noqa: SLF001 - a row as a mapping
        key = tuple(of[column.name] for column in table.primary_key if column.name != "pbx")
        found[key] = Counter({name: of[name] for name in counted if of[name]})
    return {key: one for key, one in found.items() if one}


def must_be_rolled_up(world: World, now: int) -> None:
    """What is kept is what there is to count, half hour by half hour, and each day is the sum of its half hours."""
    (state,) = world.rows(t.rollup_state)
    assert state.since_at == 0
    with world.store.read() as connection:
        fresh = count(world.work(connection, now), 0, state.until_at)
    halves = kept(world, t.rollup_half_hour, FIGURES)
    assert halves == {tuple(of): +one for of, one in fresh.figures.items() if +one}
    agents = kept(world, t.rollup_agent_half_hour, OF_AGENTS)
    assert agents == {tuple(of): +one for of, one in fresh.agents.items() if +one}
    for those, table, counted in ((halves, t.rollup_day, FIGURES), (agents, t.rollup_agent_day, OF_AGENTS)):
        days: dict[tuple[Any, ...], Counter[str]] = {}
        for (begins_at, *of), one in those.items():
            day = day_begins(begins_at, world.site.hours.zone)
            days[day, *of] = days.get((day, *of), Counter()) + one
        assert kept(world, table, counted) == days
    groups: dict[tuple[Any, ...], Counter[str]] = {}
    for (begins_at, group, *_), one in halves.items():
        shown = Counter({name: one[name] for name in HEAT if one[name]})
        groups[begins_at, group] = groups.get((begins_at, group), Counter()) + shown
    assert kept(world, t.rollup_heat, HEAT) == {of: one for of, one in groups.items() if one}
    assert world.rows(t.rollup_mark) == []


def ring(world: World, attempt: str, outcome: str, now: int) -> None:
    """Let an attempt come as far as its outcome says: an agent, a phone that rings, an answer; a second each."""
    steps = {"agent-no-answer": 0, "reached": 3}.get(outcome, 2)
    for place, step in enumerate(("agent_connected_at", "customer_dialled_at", "customer_answered_at")[:steps]):
        with world.store.write() as connection:
            at = now + place * US
            settle.progress(world.work(connection, at), attempt, step, at, "PJSIP/a")
