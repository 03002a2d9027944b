"""`callback user …`, `wall …` and `token …`: secrets are shown once, each fault has its remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from callback.accounts import passwords, tokens, users, wall_tokens
from callback.accounts.roles import ROLES
from callback.store import audit, audit_words
from callback.store import tables as t
from tests.callback.cli.conftest import Typed
from tests.callback.cli.test_main import SETTINGS
from tests.callback.world import World

Said = Callable[..., tuple[int, str]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(f"sqlite:///{tmp_path / 'calls.db'}")


@pytest.fixture
def said(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed) -> Said:
    """Run `callback …`; give the status and what it printed."""
    path = tmp_path / "callback.toml"
    path.write_text(SETTINGS.format(database=world.store.engine.url.database, folder=tmp_path), encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("CALLBACK_SETTINGS", str(path))

    def run(*words: str) -> tuple[int, str]:
        status, out, err = typed(*words)
        return status, out + err

    return run


def password_in(told: str) -> str:
    found = re.search(r"signs in with ([a-z2-9-]{17})\n", told)
    assert found is not None
    return found.group(1)


def test_the_first_person_has_every_role_and_the_password_shown_opens(world: World, said: Said) -> None:
    assert "`callback user add NAME`" in said("user")[1]
    status, told = said("user", "add", "anna", "--called", "Anna Sato", "--by", "root")
    assert status == 0
    with world.store.read() as connection:
        kept = users.kept_password(connection, "anna")
        anna = users.find(connection, "anna")
    assert anna is not None
    assert passwords.proved(kept, password_in(told))
    assert (anna.profile.display_name, anna.profile.roles) == ("Anna Sato", frozenset(ROLES))
    assert "24 hours" in told
    shown = said("user", "list")[1]
    assert "Anna Sato" in shown
    assert "one-time password" in shown
    assert password_in(told) not in shown


def test_the_next_person_has_the_roles_and_groups_that_are_said(world: World, said: Said) -> None:
    said("user", "add", "anna")
    status, told = said("user", "add", "bo")
    assert (status, "--role once for each role: agent, supervisor" in told) == (2, True)
    assert said("user", "add", "bo", "--role", "agent", "--role", "auditor", "--group", "site")[0] == 0
    status, told = said("user", "add", "cleo", "--role", "agent", "--group", "night")
    assert (status, told) == (2, "callback: no queue is in the group night; there are site\n")
    assert said("user", "roles", "bo", "--role", "manager") == (0, "bo is manager now, and signs in anew\n")
    with world.store.read() as connection:
        bo = users.find(connection, "bo")
        assert bo is not None
        assert (bo.profile.roles, bo.profile.groups) == (frozenset({"manager"}), frozenset({"site"}))
    said("user", "roles", "bo", "--role", "manager", "--group", "all")
    with world.store.read() as connection:
        bo = users.find(connection, "bo")
        assert bo is not None
        assert bo.profile.groups is None
    assert said("user", "roles", "bo")[0] == 2


def test_a_person_is_locked_unlocked_and_given_another_password(world: World, said: Said) -> None:
    first = password_in(said("user", "add", "anna")[1])
    said("user", "add", "bo", "--role", "supervisor")
    assert said("user", "lock", "bo", "--why", "left us") == (
        0,
        "bo is locked; `callback user unlock bo` takes it back\n",
    )
    assert "locked" in said("user")[1]
    assert said("user", "unlock", "bo")[0] == 0
    second = password_in(said("user", "reset", "anna")[1])
    assert first != second
    assert [row.action for row in world.rows(t.audit)] == [
        "user-added",
        "user-added",
        "user-locked",
        "user-unlocked",
        "user-reset",
    ]
    assert world.rows(t.audit)[2].why == "left us"
    assert not any(secret in str(world.rows(t.audit)) for secret in (first, second))
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("user", "lock", "anna"), "last administrator"),
        (("user", "roles", "anna", "--role", "agent"), "`callback user roles`"),
        (("user", "reset", "bo"), "`callback user list`"),
        (("user", "add", "anna", "--role", "agent"), "`callback user reset anna`"),
        (("user", "add", "Bo!", "--role", "agent"), "small letters"),
        (("wall", "revoke", "7"), "`callback wall list`"),
        (("wall", "add", " "), "where it hangs"),
        (("token", "revoke", "7"), "`callback token list`"),
        (("token", "rotate", "7"), "`callback token list`"),
        (("token", "add", " ", "--scope", "health:read"), "which program"),
    ],
)
def test_a_fault_is_one_sentence_with_its_remedy(said: Said, words: tuple[str, ...], told: str) -> None:
    said("user", "add", "anna")
    status, line = said(*words)
    assert status == 2
    assert line.startswith("callback: ")
    assert line.count("\n") == 1
    assert told in line


def test_before_the_first_start_the_remedy_is_to_start(world: World, said: Said) -> None:
    database = Path(str(world.store.engine.url.database))
    world.store.close()
    database.rename(database.with_suffix(".away"))
    for words in (("user",), ("user", "add", "anna"), ("wall", "list")):
        status, told = said(*words)
        assert (status, "start `callback run`" in told) == (2, True)


def test_a_display_has_an_address_that_is_shown_once_and_revoked(world: World, said: Said) -> None:
    assert "callback wall add" in said("wall", "list")[1]
    found = re.search(r"/wall/(\S{43})\n", said("wall", "add", "hall, left", "--group", "site")[1])
    assert found is not None
    with world.store.read() as connection:
        wall = wall_tokens.find(connection, found.group(1))
        assert wall is not None
        assert wall.groups == frozenset({"site"})
    shown = said("wall", "list")[1]
    assert ("hall, left" in shown, "in use" in shown, found.group(1) in shown) == (True, True, False)
    assert said("wall", "revoke", "1") == (0, "display 1 shows nothing any more\n")
    assert "revoked" in said("wall", "list")[1]


def test_a_token_is_shown_once_rotated_and_revoked(world: World, said: Said) -> None:
    assert "callback token add" in said("token", "list")[1]
    told = [said("token", "add", "CRM", "--scope", "reservations:read", "--group", "site")[1]]
    told.append(said("token", "rotate", "1")[1])
    first, second = (found.group() for one in told for found in [re.search(r"lcr_1_\S{43}", one)] if found is not None)
    now = world.rows(t.api_token)[0].made_at
    with world.store.read() as connection:
        assert [tokens.find(connection, one, now) is not None for one in (first, second)] == [True, True]
    shown = said("token", "list")[1]
    assert ("reservations:read" in shown, "good until" in shown, second in shown) == (True, True, False)
    assert said("token", "revoke", "1") == (0, "token 1 opens nothing any more\n")
    assert "revoked" in said("token", "list")[1]
    with world.store.read() as connection:
        assert tokens.find(connection, second, now) is None


def test_the_audit_says_whose_account_was_changed() -> None:
    facts = {"user": "bo", "roles": ["agent", "auditor"], "groups": None}
    assert audit_words.words("user-added", facts, str) == "user-added bo, agent, auditor of all groups"
    assert audit_words.words("user-locked", {"user": "bo"}, str) == "user-locked bo"
    assert audit_words.words("user-groups", {"user": "bo", "groups": ["sales"]}, str) == "user-groups bo of sales"
    added = {"token": 3, "name": "CRM", "scopes": ["events:read"], "groups": None}
    assert audit_words.words("token-added", added, str) == "token-added 3 for CRM, events:read of all groups"
    assert audit_words.words("token-revoked", {"token": 3}, str) == "token-revoked 3"
