"""Where numbers are looked up for texts: a database that goes away is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.store.engine import Store
from callback.texts.send import address_book
from sms.gateway import Unsent
from tests.callback.world import World, call


def test_numbers_are_looked_up_in_the_database(world: World) -> None:
    world.hear(call())
    with address_book(world.store, world.site) as number:
        assert number("reservation/1") == "+819012345678"


def test_a_database_that_is_away_sends_nothing_and_says_why(sqlite_world: World, tmp_path: Path) -> None:
    away = Store(f"sqlite:///{tmp_path}/none/calls.db")
    with (
        pytest.raises(Unsent, match=r"the number could not be looked up: .*calls\.db"),
        address_book(away, sqlite_world.site),
    ):
        pass


def test_a_database_that_goes_away_meanwhile_sends_nothing(sqlite_world: World) -> None:
    nowhere = Store("sqlite://")  # where there is no table
    with address_book(nowhere, sqlite_world.site) as number, pytest.raises(Unsent, match="the database was away"):
        number("reservation/1")
