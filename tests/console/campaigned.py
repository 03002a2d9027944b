"""A campaign after its day, with two samples that were scored: before the text, and afterwards."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, update

from callback.campaigns.sample import Wish
from callback.decisions.campaigns import sampling
from callback.store import tables as t
from scheduler.clock import DAY
from tests.callback.campaigns.crowd import CARE, audience
from tests.callback.campaigns.told import BY, do
from tests.callback.world import NOON, World

NOW: Final = NOON + 6 * DAY
SEGMENTS: Final = {"fibre": 2_100, "mobile": 1_400, "business": 160}
BEFORE: Final = (10, 10, 9, 9, 8, 8, 8, 7, 6, 5, 3)
AFTER: Final = (10, 10, 10, 10, 9, 10, 9, 10, 8, 10, 7)
"""Scores, one after the other; every fifth customer was not reached."""


def after_the_outage(url: str) -> World:
    """Make it."""
    world = World(url, CARE, now=NOON)
    number = audience(world, SEGMENTS, state="ready", started_at=None)
    do(world, sampling.draw, number, Wish(seed=1_961_507), BY)
    with world.store.write() as connection:
        connection.execute(update(t.campaign).values(state="done", started_at=NOON, ended_at=NOON + DAY, told=3_660))
    do(world, sampling.draw, number, Wish(seed=77_301_482), BY, now=NOON + 2 * DAY)
    _score(world, number, 0, BEFORE)
    _score(world, number, 1, AFTER)
    return world


def _score(world: World, number: int, of: int, scores: tuple[int, ...]) -> None:
    asked = t.campaign_asked.c
    with world.store.write() as connection:
        theirs = select(asked.person_id).where(asked.campaign_id == number, asked.round == of)
        people = list(connection.execute(theirs.order_by(asked.call_from_at)).scalars())
        rows = [
            {"whom": person, "state": "blank", "score": None, "why_not": "not-reached"}
            if n % 5 == 4
            else {"whom": person, "state": "scored", "score": scores[n % len(scores)], "why_not": ""}
            for n, person in enumerate(people)
        ]
        keep = update(t.campaign_asked).where(asked.round == of, asked.person_id == bindparam("whom"))
        connection.execute(keep, rows)
