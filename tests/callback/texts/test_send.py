"""Where numbers are looked up for texts: a database that goes away is expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from callback.store import tables as t
from callback.store.engine import Store
from callback.texts.send import address_book
from sms.gateway import Refused, Unsent
from tests.callback.world import World, call


def test_numbers_are_looked_up_in_the_database(world: World) -> None:
    world.hear(call())
    found = address_book(world.store, lambda _: world.site, ["reservation/1", "reservation/2", "nonsense"])
    assert found["reservation/1"] == "+819012345678"
    assert [type(found[name]) for name in ("reservation/2", "nonsense")] == [LookupError, LookupError]


def test_one_that_cannot_be_read_keeps_no_other_from_its_text(world: World) -> None:
    world.hear(call())
    world.hear(call(number="09087654321"))
    with world.store.write() as connection:
        connection.execute(update(t.person).where(t.person.c.id == 2).values(number="+0"))
    found = address_book(world.store, lambda _: world.site, ["reservation/2", "reservation/1"])
    assert found["reservation/1"] == "+819012345678"
    assert not isinstance(found["reservation/2"], (str, Refused))


def test_a_database_that_is_away_sends_nothing_and_says_why(sqlite_world: World, tmp_path: Path) -> None:
    away = Store(f"sqlite:///{tmp_path}/none/calls.db")
    with pytest.raises(Unsent, match=r"the number could not be looked up: .*calls\.db"):
        address_book(away, lambda _: sqlite_world.site, ["reservation/1"])


def test_a_database_that_goes_away_meanwhile_sends_nothing(sqlite_world: World) -> None:
    nowhere = Store("sqlite://")  # where there is no table
    with pytest.raises(Unsent, match="the number could not be looked up: sqlite://"):
        address_book(nowhere, lambda _: sqlite_world.site, ["reservation/1"])
