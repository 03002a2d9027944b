"""Wall displays: an address is found by its secret until it is revoked, and the secret is kept as a hash."""

from __future__ import annotations

import pytest

from callback.accounts import wall_tokens
from callback.errors import CallbackError
from callback.store import tables as t
from tests.callback.accounts.people import change
from tests.callback.world import NOON, World


def test_a_display_is_found_by_its_secret_until_it_is_revoked(world: World) -> None:
    with world.store.write() as connection:
        hall = wall_tokens.add(change(connection), "hall", frozenset({"sales"}))
        office = wall_tokens.add(change(connection), "office", None)
        first = wall_tokens.find(connection, hall)
        second = wall_tokens.find(connection, office)
        assert first is not None
        assert second is not None
        assert (first.name, first.groups, first.made_by, second.groups) == ("hall", frozenset({"sales"}), "root", None)
        assert wall_tokens.listed(connection) == [first, second]
        for wrong in ("", hall[:-1], hall + "x", str(first.id)):
            assert wall_tokens.find(connection, wrong) is None
        wall_tokens.revoke(change(connection), first.id)
        assert wall_tokens.find(connection, hall) is None
        assert wall_tokens.find(connection, office) == second
        assert [wall.revoked_at for wall in wall_tokens.listed(connection)] == [NOON, None]
    assert hall not in str(world.rows(t.wall_token) + world.rows(t.audit))
    assert [row.action for row in world.rows(t.audit)] == ["wall-added", "wall-added", "wall-revoked"]


def test_what_is_not_in_use_cannot_be_revoked(world: World) -> None:
    with world.store.write() as connection:
        wall_tokens.add(change(connection), "hall", None)
        wall_tokens.revoke(change(connection), 1)
    for wall in (1, 2):
        with pytest.raises(CallbackError, match="callback wall list"), world.store.write() as connection:
            wall_tokens.revoke(change(connection), wall)


def test_a_display_has_a_name(world: World) -> None:
    for name in (" ", "n" * 101):
        with pytest.raises(CallbackError, match="where it hangs"), world.store.write() as connection:
            wall_tokens.add(change(connection), name, None)
    assert world.rows(t.wall_token) == []
