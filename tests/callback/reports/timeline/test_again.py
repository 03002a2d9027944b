"""A loss judged again: what the rules of today would make of it, as far as that is known, and else why not."""

from __future__ import annotations

from typing import Any

import pytest

from callback.decisions import actions, corrections
from callback.decisions.corrections import Correction
from callback.reports.timeline import again, story
from callback.reports.timeline.again import Again
from callback.reports.timeline.entries import Judged
from callback.site.context import take_over
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, World, call, rules

ANNA = By("anna", "asked")


def new_rules(world: World, **changes: Any) -> None:
    """From now on these rules hold."""
    settings = world.settings.model_copy(update={"rules": rules(**changes)})
    with world.store.write() as connection:
        world.site = take_over(connection, settings, NOON)


def judged_again(world: World, now: int = NOON + 5 * MINUTE) -> Again:
    with world.store.read() as connection:
        work = world.work(connection, now)
        found = story.of_reservation(work, 1)
        assert found is not None
        newest = [entry for entry in found.entries if isinstance(entry, Judged) and entry.newest]
        return again.judge(work, found.reservation, newest[-1])


def test_by_other_rules_another_time_would_be_promised(world: World) -> None:
    world.hear(call("09012345678", NOON))
    new_rules(world, window_min=20, aim_min=10)
    assert judged_again(world) == Again(2, 1, None, None, NOON + 10 * MINUTE, NOON + 20 * MINUTE)


def test_by_other_rules_nobody_would_be_called_back(world: World) -> None:
    world.hear(call("09012345678", NOON, waited_s=20))
    new_rules(world, short_abandon_s=30)
    assert judged_again(world) == Again(2, 1, no_callback="short-abandon")


def test_a_phone_that_may_never_ring_is_not_called(world: World) -> None:
    world.hear(call("09012345678", NOON))
    new_rules(world, opening={"monday": "09:00-18:00"}, countries={"JP": {"days": ("sunday",)}})
    assert judged_again(world).no_callback == "never-in-hours"


@pytest.mark.parametrize("why", ["same-rules", "by-a-person", "erased", "not-lost"])
def test_where_it_is_not_known_it_is_said_why(world: World, why: str) -> None:
    heard = call("09012345678", NOON)
    world.hear(heard, source="log")
    if why != "same-rules":
        new_rules(world, window_min=20, aim_min=10)
    with world.store.write() as connection:
        work = world.work(connection, NOON + MINUTE)
        if why == "by-a-person":
            corrections.correct(work, Correction(heard.call_id, "blocked", None), ANNA)
        elif why == "erased":
            actions.erase(work, "+819012345678", ANNA)
    if why == "not-lost":
        world.hear(heard, "served", now=NOON + MINUTE)
    assert judged_again(world).why_not == why
