"""People: made once, changed and locked in the audit's sight, and always somebody left who can make others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from argon2 import PasswordHasher

from callback.accounts import passwords, sessions, users
from callback.accounts.change import Change
from callback.accounts.users import ONE_TIME, Profile
from callback.errors import CallbackError
from callback.store import audit
from callback.store import tables as t
from callback.store.engine import Store
from tests.callback.accounts.people import change, made
from tests.callback.world import NOON, World


def find(world: World, name: str) -> users.User:
    with world.store.read() as connection:
        found = users.find(connection, name)
    assert found is not None
    return found


def test_a_person_is_made_with_a_one_time_password_that_is_kept_as_a_hash(world: World) -> None:
    with world.store.read() as connection:
        assert not users.is_anybody(connection)
    password = made(world, "anna", "supervisor", "auditor", groups=frozenset({"sales", "support"}))
    anna = find(world, "anna")
    assert anna.profile == Profile(frozenset({"supervisor", "auditor"}), "anna", frozenset({"sales", "support"}))
    assert (anna.one_time_until_at, anna.locked, anna.made_by, anna.seen_at) == (NOON + ONE_TIME, False, "root", None)
    with world.store.read() as connection:
        kept = users.kept_password(connection, "anna")
        assert passwords.proved(kept, password)
        assert users.kept_password(connection, "bo") is None
        assert users.is_anybody(connection)
    (told,) = world.rows(t.audit)
    assert (told.action, told.who, told.facts) == (
        "user-added",
        "root",
        {"user": "anna", "roles": ["auditor", "supervisor"], "groups": ["sales", "support"]},
    )
    assert password not in str(world.rows(t.user_account) + world.rows(t.audit))


def test_a_name_is_given_once(world: World) -> None:
    made(world, "anna")
    with pytest.raises(CallbackError, match="callback user reset anna"):
        made(world, "anna", "manager")
    assert find(world, "anna").profile.roles == {"supervisor"}


@pytest.mark.parametrize("name", ["", "Anna", "an na", "-anna", "a" * 65, "customer", "service", "anna\n", "安娜"])
def test_a_name_that_could_be_taken_for_another_is_refused(world: World, name: str) -> None:
    with pytest.raises(CallbackError, match="no name to sign in with"):
        made(world, name)
    assert world.rows(t.user_account) == []


def test_a_person_has_a_role_and_groups_or_all(world: World) -> None:
    with pytest.raises(CallbackError, match="at least one role"):
        Profile(frozenset())
    with pytest.raises(CallbackError, match="at least one group"):
        Profile(frozenset({"agent"}), groups=frozenset())
    made(world, "anna", groups=frozenset({"sales"}))
    with world.store.write() as connection:
        users.change_groups(change(connection), "anna", None)
    assert find(world, "anna").profile.groups is None


def test_another_role_or_password_and_a_lock_end_the_sessions(world: World) -> None:
    made(world, "root", "administrator")
    made(world, "anna")
    acts: list[Callable[[Change], object]] = [
        lambda work: users.change_roles(work, "anna", frozenset({"auditor"})),
        lambda work: users.change_groups(work, "anna", frozenset({"sales"})),
        lambda work: users.reset(work, "anna"),
        lambda work: users.own_password(work, "anna", "hash"),
        lambda work: users.lock(work, "anna"),
    ]
    for act in acts:
        with world.store.write() as connection:
            token = sessions.begin(connection, "anna", NOON)
            assert sessions.find(connection, token, NOON)
            act(change(connection))
            assert sessions.find(connection, token, NOON) is None
            users.unlock(change(connection), "anna")
            assert sessions.find(connection, token, NOON) is None
    anna = find(world, "anna")
    assert (anna.profile.roles, anna.profile.groups) == (frozenset({"auditor"}), frozenset({"sales"}))
    assert anna.one_time_until_at is None
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None


def test_the_last_administrator_is_neither_locked_nor_made_something_else(world: World) -> None:
    made(world, "anna", "administrator", "manager")
    made(world, "bo")
    acts: list[Callable[[Change], None]] = [
        lambda work: users.lock(work, "anna"),
        lambda work: users.change_roles(work, "anna", frozenset({"manager"})),
    ]
    for act in acts:
        with pytest.raises(CallbackError, match="last administrator"), world.store.write() as connection:
            act(change(connection))
    made(world, "cleo", "administrator")
    with world.store.write() as connection:
        users.lock(change(connection), "anna")
    with pytest.raises(CallbackError, match="last administrator"), world.store.write() as connection:
        users.lock(change(connection), "cleo")
    with world.store.write() as connection:
        users.change_roles(change(connection), "cleo", frozenset({"administrator", "agent"}))
    assert find(world, "cleo").is_administrator


def test_where_there_is_no_administrator_others_are_changed_all_the_same(world: World) -> None:
    made(world, "anna")
    with world.store.write() as connection:
        users.change_roles(change(connection), "anna", frozenset({"auditor"}))
        users.lock(change(connection), "anna")
    assert find(world, "anna").locked


def test_two_administrators_who_lock_each_other_at_the_same_time_do_not_both_succeed(world: World) -> None:
    made(world, "anna", "administrator")
    made(world, "bo", "administrator")
    ready = Barrier(2)

    def lock(name: str) -> bool:
        store = Store(world.store.url)
        try:
            ready.wait()
            store.transact(lambda connection: users.lock(change(connection), name))
        except CallbackError:
            return False
        finally:
            store.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lock, ("anna", "bo")))
    assert sorted(done) == [False, True]
    assert [find(world, name).is_administrator for name in ("anna", "bo")].count(True) == 1


@pytest.mark.parametrize("act", [users.reset, users.lock, users.unlock])
def test_who_is_not_there_is_said_with_where_to_look(world: World, act: Callable[[Change, str], object]) -> None:
    made(world, "root", "administrator")
    with pytest.raises(CallbackError, match="callback user list"), world.store.write() as connection:
        act(change(connection), "nobody")


def test_language_and_theme_are_kept_and_what_is_not_named_stays(world: World) -> None:
    made(world, "anna")
    with world.store.write() as connection:
        token = sessions.begin(connection, "anna", NOON)
        users.choose(connection, "anna", language="zh_Hans")
        users.choose(connection, "anna", theme="dark")
        users.choose(connection, "anna")
        assert sessions.find(connection, token, NOON)
    anna = find(world, "anna")
    assert (anna.profile.language, anna.theme) == ("zh_Hans", "dark")


def test_a_hash_is_renewed_unless_another_password_was_set_meanwhile(world: World) -> None:
    password = made(world, "anna")
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(password)
    with world.store.write() as connection:
        connection.execute(t.user_account.update().values(password=weaker))
        users.renew_hash(connection, "anna", weaker, passwords.hashed(password))
        kept = users.kept_password(connection, "anna")
        assert kept is not None
        assert not passwords.outdated(kept)
        assert passwords.proved(kept, password)
        users.renew_hash(connection, "anna", weaker, "another hash")
        assert users.kept_password(connection, "anna") == kept
