"""Each department that wants it is told how its last week was: once, in numbers, without a customer in it."""

from __future__ import annotations

import re

import pytest

from callback.service.jobs.care import weekly
from callback.settings.care import Care, Department
from callback.store import tables as t
from scheduler.clock import DAY
from tests.callback.reports.care.histories import history
from tests.callback.world import NOON, ON, World, at, rules

CARE = Care(
    topics={
        "billing": "The bill",
        "billing/wrong-amount": "A wrong amount",
        "billing/late": "Late",
        "delivery": "Parcels",
    },
    departments={
        "billing": Department(mail="billing@example.org", report=True),
        "field": Department(mail="field@example.org"),
        "sales": Department(report=True),
    },
)


def told(world: World, now: int) -> int:
    with world.store.write() as connection:
        return weekly.write(world.work(connection, now))


@pytest.mark.parametrize("language", ["en", "zh-Hans", "zh-Hant"])
def test_a_week_is_told_once_to_whom_it_is_for(world: World, language: str) -> None:
    spoken = ON.model_copy(update={"language": language})
    world = World(world.store.url, rules(queues={"support": spoken, "sales": spoken}, care=CARE), now=NOON - 90 * DAY)
    history(world, 5, cases=240, lost=2)
    assert told(world, NOON) == 1
    assert told(world, NOON + DAY) == 0, "it is Monday to Sunday, once"
    (letter,) = world.rows(t.care_letter)
    assert (letter.cause, letter.department, letter.address, letter.case_id) == (
        "report/billing/main/2026-W47", "billing", "billing@example.org", None,
    )  # fmt: skip
    since, until = at("00:00", 16), at("00:00", 23)
    cases = [one for one in world.rows(t.care_case) if one.department == "billing" and since <= one.opened_at < until]
    assert f"{len(cases)}" in letter.body
    assert cases
    assert any(title in letter.body for title in ("The bill", "A wrong amount", "Late", "Parcels"))
    assert not re.search(r"https?://|\+\d|\d{7,}", letter.body), "no link, no number"
    assert told(world, NOON + 7 * DAY) == 1
    assert len({row.cause for row in world.rows(t.care_letter)}) == 2


def test_a_week_without_a_case_is_told_too(sqlite_world: World) -> None:
    world = World(sqlite_world.store.url, rules(care=CARE))
    assert told(world, NOON) == 1
    (letter,) = world.rows(t.care_letter)
    assert letter.body.startswith("No case came to you in this week.")
