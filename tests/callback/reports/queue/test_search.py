"""A caller is found by the number or its last four digits, open or settled, and by nobody who may not see the group."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from callback.customers import persons
from callback.decisions import actions
from callback.reports.queue import search
from callback.reports.queue.board import Queue
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, World, call

SETTLED, OPEN, OTHER, ALIKE = "09012345678", "09087655678", "09011112222", "09099995678"


@pytest.fixture
def known(world: World) -> World:
    """One settled and two open ones end in 5678, one of them in another group; one ends otherwise."""
    for place, (number, queue) in enumerate(
        ((SETTLED, "support"), (OPEN, "support"), (OTHER, "support"), (ALIKE, "sales"))
    ):
        world.hear(call(number, NOON + place, queue=queue))
    with world.store.write() as connection:
        actions.cancel(world.work(connection, NOON + MINUTE), 1, By("anna", "asked"))
    return world


def found(world: World, said: str, groups: frozenset[str] | None = None) -> list[int]:
    with world.store.read() as connection:
        hits = search.find(Queue(world.work(connection, NOON + MINUTE)), said, groups)
    assert not hits.more
    return [row.reservation for row in hits.rows]


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ("5678", [2, 4, 1]),
        ("090-1234-5678", [1]),
        ("+819087655678", [2]),
        ("2222", [3]),
        ("0000", []),
        ("678", []),
        ("", []),
        ("'; DROP TABLE person", []),
        ("%5678", [2, 4, 1]),
    ],
)
def test_by_the_number_or_its_last_four_digits(known: World, said: str, ids: list[int]) -> None:
    assert found(known, said) == ids


def test_nobody_of_another_group_is_found(known: World) -> None:
    assert found(known, "5678", frozenset({"site"})) == [2, 1]
    assert found(known, "+819099995678", frozenset({"site"})) == []
    assert found(known, "5678", frozenset()) == []


def test_who_was_erased_is_found_no_more(known: World) -> None:
    with known.store.write() as connection:
        actions.erase(known.work(connection, NOON + MINUTE), "+819012345678", By("anna", "asked"))
    assert found(known, "5678") == [2, 4]
    assert [row.tail for row in known.rows(t.person) if row.number.startswith(persons.ERASED)] == [None]


def test_numbers_of_before_there_were_tails_get_theirs(known: World) -> None:
    tails = [row.tail for row in known.rows(t.person)]
    assert len(set(tails)) == 2
    assert not any(digits in tail for tail in tails for digits in ("5678", "2222"))
    with known.store.write() as connection:
        connection.execute(update(t.person).values(tail=None))
    assert found(known, "5678") == [2, 4], "open ones are found all the same"
    after: int | None = 0
    turns = 0
    while after is not None:
        with known.store.write() as connection:
            after = persons.fill_tails(connection, after, 2)
        turns += 1
    assert [row.tail for row in known.rows(t.person)] == tails
    assert turns == 3
    assert found(known, "5678") == [2, 4, 1]
