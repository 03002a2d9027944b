"""What a trunk's last callers came like, and which setting it speaks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from callback.customers import signalling
from callback.operations.doctor.numbers import callers, number_lines, of_trunks
from callback.settings.sections import Signals, Trunk
from tests.callback.world import NOON, US, World, call

AMERICA = Trunk(region="US")


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, trunks={"main": AMERICA})
    yield made
    made.close()


@pytest.mark.parametrize(
    ("signalled", "letter"),
    [
        ("+12125550123", "+"),
        ("011525547898478", "0"),
        ("2125550123", "n"),
        ("525547898478", "e"),
        ("12125550123", "="),
        ("3215551234", "a"),
        ("911", "-"),
    ],
)
def test_each_caller_is_kept_as_a_letter(signalled: str, letter: str) -> None:
    assert signalling.letter(signalled, AMERICA) == letter


@pytest.mark.parametrize(
    ("lately", "said", "advice"),
    [
        ("+" * 50, "", ""),
        ("n" * 50 + "a", "", 'signals = "national"'),
        ("e" * 50 + "a", "", 'signals = "e164-no-plus"'),
        ("n" * 9, "", "ask the carrier"),  # too few
        ("a" * 20, "", "ask the carrier"),
        ("n" * 50 + "e", "", "it mixes two forms"),
        ("n" * 50 + "e", "national", ""),
        ("n" * 50 + "o", "national", ""),
        ("n" * 50 + "o" * 10, "national", 'do not fit signals = "national"'),
        ("-" * 60 + "n" * 40, "", "`region`"),
        ("-" * 5, "", ""),
    ],
)
def test_what_they_speak_for(lately: str, said: Signals, advice: str) -> None:
    told = signalling.advice(lately, said)
    assert advice in told
    assert bool(told) == bool(advice)


def test_the_last_two_hundred_are_kept_and_outlive_a_restart(world: World) -> None:
    with world.store.write() as connection:
        for _ in range(signalling.LAST):
            signalling.keep(connection, "main", "main", "e")
    with world.store.write() as connection:
        for _ in range(signalling.LAST - 1):
            signalling.keep(connection, "main", "main", "n")
    with world.store.read() as connection:
        assert signalling.kept(connection, "main") == {"main": "e" + "n" * (signalling.LAST - 1)}


def test_a_trunk_that_always_signals_alike_costs_no_write_for_each_call(world: World) -> None:
    with world.store.write() as connection:
        for _ in range(signalling.LAST):
            signalling.keep(connection, "main", "main", "+")
    written: list[str] = []
    event.listen(world.store.engine, "before_cursor_execute", lambda *heard: written.append(heard[2]))
    updates = []
    for came in "+0":
        with world.store.write() as connection:
            signalling.keep(connection, "main", "main", came)
        updates.append(len([statement for statement in written if statement.startswith("UPDATE")]))
    assert updates == [0, 1]
    with world.store.read() as connection:
        assert signalling.kept(connection, "main") == {"main": "+" * (signalling.LAST - 1) + "0"}


def test_the_doctor_says_what_the_last_callers_came_like_and_what_to_write(world: World) -> None:
    for n in range(12):
        world.hear(call(f"21255501{n:02}", ended_at=NOON + n * US))
    settings = world.settings.model_copy(
        update={
            "database": world.settings.database.model_copy(
                update={"url": world.store.engine.url.render_as_string(hide_password=False)}
            )
        }
    )
    (found,) = callers(settings)
    assert found.level == "warning"
    assert found.what == "trunk main (US): of the last 12 callers' numbers 12 came national as digits alone"
    assert found.remedy == '[trunks.main] signals = "national", if the carrier says so too'


def test_a_trunk_without_callers_is_asked_what_it_signals() -> None:
    asked, said = of_trunks({"new": AMERICA, "old": Trunk(region="US", signals="national")}, {})
    assert (asked.level, said.level) == ("warning", "ok")
    assert '[trunks.new] signals = "national"' in asked.remedy


def test_a_number_that_may_be_two_peoples_is_shown_as_both_with_the_setting_that_tells(world: World) -> None:
    (line,) = number_lines(world.settings.trunks, "3215551234")
    assert "ambiguous-number (+3215551234 or +13215551234)" in line
    assert line.endswith('[trunks.main] signals = "national" or "e164-no-plus"')
