"""Saved views: nine for each person, without numbers of customers."""

from __future__ import annotations

import pytest

from callback.accounts import saved_views
from callback.accounts.saved_views import SavedView
from callback.errors import CallbackError
from tests.callback.accounts.people import made
from tests.callback.world import World

NIGHT = SavedView(2, "Night", "queue=support&made=night")


def test_views_are_kept_for_each_person_by_number_and_replaced(world: World) -> None:
    made(world, "anna")
    made(world, "bo")
    with world.store.write() as connection:
        saved_views.keep(connection, "anna", NIGHT)
        saved_views.keep(connection, "anna", SavedView(1, "Mine", "whose=me"))
        saved_views.keep(connection, "bo", SavedView(2, "No text", "text=none"))
        saved_views.keep(connection, "anna", SavedView(1, "Late", "lane=late"))
        assert saved_views.listed(connection, "anna") == [SavedView(1, "Late", "lane=late"), NIGHT]
        saved_views.remove(connection, "anna", 2)
        assert [view.number for view in saved_views.listed(connection, "anna")] == [1]
        assert saved_views.listed(connection, "bo") == [SavedView(2, "No text", "text=none")]


@pytest.mark.parametrize(
    "view",
    [
        SavedView(0, "Night", ""),
        SavedView(10, "Night", ""),
        SavedView(1, " ", ""),
        SavedView(1, "n" * 101, ""),
        SavedView(1, "Night", "q" * 1001),
        SavedView(1, "+81 90 1234 5678", ""),
        SavedView(1, "Night", "find=09012345678"),
        SavedView(1, "Night", "find=090-1234-5678"),
    ],
)
def test_a_view_that_has_no_key_no_name_or_a_number_of_a_customer_is_refused(world: World, view: SavedView) -> None:
    made(world, "anna")
    with pytest.raises(CallbackError), world.store.write() as connection:
        saved_views.keep(connection, "anna", view)
    with world.store.read() as connection:
        assert saved_views.listed(connection, "anna") == []
