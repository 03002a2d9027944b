"""The link in a text opens one reservation for a while, and nothing else opens any."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from callback.site import links, tokens
from callback.site.tokens import LinkExpired, NoSuchLink
from scheduler.clock import HOUR
from tests.callback.world import NOON, World

UNTIL = NOON + 5 * HOUR
together = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def token(world: World, reservation: int = 7, until: int = UNTIL) -> str:
    with world.store.write() as connection:
        return links.token(connection, reservation, until)


def opened(world: World, token: str, now: int = NOON) -> int:
    with world.store.read() as connection:
        return links.opened(connection, token, now)


def test_it_opens_its_reservation_until_its_time_is_over(world: World) -> None:
    made = token(world)
    assert (len(made), opened(world, made, UNTIL - 1)) == (tokens.LENGTH, 7)
    with pytest.raises(LinkExpired):
        opened(world, made, UNTIL)


@together
@given(st.integers(0, 2**40 - 1))
def test_every_reservation_has_one_that_stands_in_a_url_as_it_is(sqlite_world: World, reservation: int) -> None:
    made = token(sqlite_world, reservation)
    assert opened(sqlite_world, made) == reservation
    assert made.replace("-", "").replace("_", "").isalnum()


@together
@given(st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9_-]{24}", fullmatch=True))
@example("")
@example("=" * 24)
@example("A" * 24)
def test_nothing_else_opens_anything(sqlite_world: World, guessed: str) -> None:
    with pytest.raises(NoSuchLink):
        opened(sqlite_world, guessed)


@together
@given(st.integers(0, tokens.LENGTH - 1), st.sampled_from("ABCDwxyz0189-_"))
def test_a_changed_one_opens_nothing(sqlite_world: World, place: int, character: str) -> None:
    made = token(sqlite_world)
    changed = made[:place] + character + made[place + 1 :]
    if changed != made:
        with pytest.raises(NoSuchLink):
            opened(sqlite_world, changed)


def test_that_of_another_site_opens_nothing(sqlite_world: World) -> None:
    made = token(sqlite_world)
    with sqlite_world.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM site_key")
    token(sqlite_world)
    with pytest.raises(NoSuchLink):
        opened(sqlite_world, made)
