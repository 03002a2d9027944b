"""Tokens of programs: found by their secret while they are in use, rotated without a gap, kept as hashes alone."""

from __future__ import annotations

import pytest

from callback.accounts import tokens
from callback.accounts.tokens import BOTH_GOOD, LONGEST, Terms, Token
from callback.errors import CallbackError
from callback.store import tables as t
from scheduler.clock import DAY, MINUTE
from tests.callback.accounts.people import change
from tests.callback.world import NOON, World

READ = Terms("CRM", frozenset({"reservations:read"}), frozenset({"sales"}), DAY)


def made(world: World, terms: Terms = READ) -> str:
    with world.store.write() as connection:
        return tokens.add(change(connection), terms)


def found(world: World, said: str, now: int = NOON) -> Token | None:
    with world.store.read() as connection:
        return tokens.find(connection, said, now)


def test_a_token_is_found_by_its_secret_and_nothing_of_that_is_kept(world: World) -> None:
    said = made(world)
    token = found(world, said)
    assert token is not None
    assert said.startswith(f"lcr_{token.id}_")
    assert len(said.split("_", 2)[2]) == 43
    assert (token.name, token.scopes, token.groups, token.user) == (
        "CRM", frozenset({"reservations:read"}), frozenset({"sales"}), f"CRM (token {token.id})"
    )  # fmt: skip
    assert (token.may("reservations:read"), token.may("numbers:read")) == (True, False)
    secret = said.split("_", 2)[2]
    assert secret not in str(world.rows(t.api_token) + world.rows(t.audit))
    assert [row.action for row in world.rows(t.audit)] == ["token-added"]


@pytest.mark.parametrize("end", ["", "x"])
def test_what_is_not_the_token_opens_nothing(world: World, end: str) -> None:
    said, other = made(world), made(world)
    number, secret = said.split("_", 2)[1:]
    wrong = (said[:-1] + end, f"lcr_{int(number) + 1}_{secret}", f"lcr_{'9' * 16}_{secret}", f"lcr_0_{secret}", "")
    assert [found(world, one) for one in wrong] == [None] * len(wrong)
    assert found(world, other) is not None


def test_a_token_is_over_at_its_end_and_after_it_was_revoked(world: World) -> None:
    first, second = made(world), made(world)
    assert found(world, first, NOON + DAY - 1) is not None
    assert found(world, first, NOON + DAY) is None
    with world.store.write() as connection:
        tokens.revoke(change(connection), 2)
    assert found(world, second) is None
    with world.store.read() as connection:
        assert [token.state(NOON + DAY) for token in tokens.listed(connection)] == ["over", "revoked"]
    assert [row.action for row in world.rows(t.audit)] == ["token-added", "token-added", "token-revoked"]


def test_both_secrets_are_good_for_a_day_after_a_rotation_and_no_third(world: World) -> None:
    first = made(world, Terms("CRM", READ.scopes, None, LONGEST))
    with world.store.write() as connection:
        second = tokens.rotate(change(connection), 1)
    later = NOON + BOTH_GOOD
    assert [found(world, one) is not None for one in (first, second)] == [True, True]
    assert [found(world, one, later) is not None for one in (first, second)] == [False, True]
    with world.store.write() as connection:
        third = tokens.rotate(change(connection), 1)
    assert [found(world, one) is not None for one in (first, second, third)] == [False, True, True]
    with world.store.write() as connection:
        tokens.revoke(change(connection), 1)
    assert [found(world, one) for one in (second, third)] == [None, None]


def test_what_is_not_in_use_is_neither_revoked_nor_rotated(world: World) -> None:
    made(world)
    with world.store.write() as connection:
        tokens.revoke(change(connection), 1)
    for act in (tokens.revoke, tokens.rotate):
        for token in (1, 2):
            with pytest.raises(CallbackError, match="callback token list"), world.store.write() as connection:
                act(change(connection), token)


def test_that_a_token_is_used_is_written_down_once_a_minute(world: World) -> None:
    said = made(world)
    token = found(world, said)
    assert token is not None
    assert tokens.is_due(token, NOON)
    with world.store.write() as connection:
        tokens.seen(connection, token, NOON)
    again = found(world, said)
    assert again is not None
    assert [tokens.is_due(again, NOON + after) for after in (MINUTE - 1, MINUTE)] == [False, True]


@pytest.mark.parametrize(
    ("name", "scopes", "groups", "lasts", "said"),
    [
        (" ", {"health:read"}, None, DAY, "which program"),
        ("CRM", set(), None, DAY, "at least one scope"),
        ("CRM", {"all"}, None, DAY, "no scope 'all'"),
        ("CRM", {"health:read"}, set(), DAY, "at least one group"),
        ("CRM", {"health:read"}, None, LONGEST + 1, "365 days"),
        ("CRM", {"health:read"}, None, 0, "365 days"),
    ],
)
def test_terms_that_are_none_are_refused(
    name: str, scopes: set[tokens.Scope], groups: set[str] | None, lasts: int, said: str
) -> None:
    with pytest.raises(CallbackError, match=said):
        Terms(name, frozenset(scopes), None if groups is None else frozenset(groups), lasts)
