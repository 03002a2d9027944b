"""The lab's customers are people whom the service calls back, however long `make run` goes on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from callback.events import Happened
from callback.settings.sections import load
from lab import people
from lab.people import Customer
from lab.service import PbxAccess, settings
from tests.callback.world import MINUTE, NOON, US, World, call

WAVE = 35 * US
AN_HOUR = 60 * MINUTE // WAVE


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[World]:
    """Use cases under the lab's own settings."""
    file = tmp_path / "callback.toml"
    file.write_text(settings(tmp_path, PbxAccess(5038, "lcr", "word"), "Asia/Tokyo"))
    world = World(f"sqlite:///{tmp_path / 'lost-calls.db'}", load(file, {}).rules, load(file, {}).trunks)
    yield world
    world.close()


def told_of(world: World, waves: Iterator[list[Customer]]) -> list[Happened]:
    """Let everybody of these waves call who hangs up soon, as all do who are lost."""
    told = []
    for number, wave in enumerate(waves):
        for customer in (one for one in wave if one.patience_s < 8):
            lost_at = NOON + number * WAVE
            told += world.hear(call(customer.number, lost_at, customer.patience_s), now=lost_at)
    return told


def test_nobody_who_is_lost_in_the_lab_is_refused_or_held(centre: World) -> None:
    told = told_of(centre, islice(people.customers(), AN_HOUR))
    assert len(told) > AN_HOUR
    assert {news.name for news in told} <= {"reserved", "call", "text-queued"}
    assert {row.state for row in centre.reservations()} == {"waiting"}


def test_recorded_customers_are_not_refused_either(centre: World) -> None:
    recorded = ([Customer(number, 6)] for number in islice(people.mobiles(), 200))
    told_of(centre, recorded)
    assert {row.state for row in centre.reservations()} == {"waiting"}


def test_of_one_block_of_numbers_they_would_be(centre: World) -> None:
    alike = ([Customer(f"0901234{line}", 6)] for line in itertools.count(5601))
    told_of(centre, islice(alike, 20))
    assert {row.state for row in centre.reservations()} == {"held", "refused"}
