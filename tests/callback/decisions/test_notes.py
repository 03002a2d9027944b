"""Notes, and numbers that are shown: each is a row of the audit, for those whose reservation it is."""

from __future__ import annotations

import pytest

from callback.decisions import actions, notes, reveal
from callback.decisions.actions import NoSuchPerson, NoSuchReservation
from callback.errors import CallbackError
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import NOON, World, call

ANNA = By("anna", "calls on Mondays only")


@pytest.fixture
def lost(world: World) -> World:
    world.hear(call("09012345678", NOON))
    return world


def audited(world: World) -> list[tuple[str, str, int, str]]:
    return [(row.action, row.who, row.reservation_id, row.why) for row in world.rows(t.audit)]


def test_a_note_is_kept_also_of_what_is_closed(lost: World) -> None:
    with lost.store.write() as connection:
        notes.note(lost.work(connection, NOON), 1, ANNA)
    with lost.store.write() as connection:
        actions.cancel(lost.work(connection, NOON), 1, By("bo", "asked"))
    with lost.store.write() as connection:
        notes.note(lost.work(connection, NOON), 1, ANNA)
    assert [row[:3] for row in audited(lost)] == [("note", "anna", 1), ("cancelled", "bo", 1), ("note", "anna", 1)]
    with lost.store.read() as connection:
        assert audit.broken_at(connection) is None
    (row,) = lost.reservations()
    assert row.state == "cancelled"


def test_a_number_that_somebody_wrote_down_is_not_kept_for_good(lost: World) -> None:
    with lost.store.write() as connection:
        work = lost.work(connection, NOON)
        notes.note(work, 1, By("Anna", "请打 09012345678, or +81 90-1234-5678"))
    (row,) = lost.rows(t.audit)
    assert row.why == "请打 090…78, or +81…78"
    with lost.store.read() as connection:
        assert audit.broken_at(connection) is None


def test_a_note_changes_nothing_of_the_reservation(lost: World) -> None:
    before = lost.reservations()
    with lost.store.write() as connection:
        notes.note(lost.work(connection, NOON), 1, ANNA)
    assert lost.reservations() == before


def test_a_number_is_shown_and_whoever_saw_it_is_kept(lost: World) -> None:
    with lost.store.write() as connection:
        assert reveal.reveal(lost.work(connection, NOON), 1, By("anna", "asked for")) == "+819012345678"
    assert audited(lost) == [("reveal", "anna", 1, "asked for")]
    assert all("9012345678" not in str(row.facts) for row in lost.rows(t.happened))


def test_who_was_erased_has_no_number(lost: World) -> None:
    with lost.store.write() as connection:
        actions.erase(lost.work(connection, NOON), "+819012345678", By("bo", "asked"))
    with pytest.raises(NoSuchPerson), lost.store.write() as connection:
        reveal.reveal(lost.work(connection, NOON), 1, ANNA)
    assert "reveal" not in {row.action for row in lost.rows(t.audit)}


@pytest.mark.parametrize(("number", "groups"), [(2, None), (1, frozenset({"theirs"})), (1, frozenset())])
def test_another_groups_reservation_is_like_one_that_there_is_not(
    lost: World, number: int, groups: frozenset[str] | None
) -> None:
    for act in (notes.note, reveal.reveal):
        with (
            pytest.raises(NoSuchReservation, match=f"there is no reservation {number}"),
            lost.store.write() as connection,
        ):
            act(lost.work(connection, NOON), number, ANNA, groups)
    assert audited(lost) == []


@pytest.mark.parametrize("text", ["", "  ", "x" * 401])
def test_a_note_says_something_and_not_too_much(text: str) -> None:
    with pytest.raises(CallbackError, match="must say something"):
        By("anna", text)
