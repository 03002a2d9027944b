"""Sessions: known by a hash, locked after an hour without an act, over after twelve."""

from __future__ import annotations

from callback.accounts import sessions, users
from callback.accounts.sessions import FRESH, IDLE, LONGEST
from callback.store import tables as t
from scheduler.clock import MINUTE
from tests.callback.accounts.people import change, made
from tests.callback.world import NOON, World


def begun(world: World, name: str = "anna", now: int = NOON) -> str:
    with world.store.write() as connection:
        return sessions.begin(connection, name, now)


def found(world: World, token: str, now: int = NOON) -> sessions.Session:
    with world.store.read() as connection:
        session = sessions.find(connection, token, now)
    assert session is not None
    return session


def test_a_session_is_found_by_its_cookie_and_kept_as_a_hash(world: World) -> None:
    made(world, "anna")
    token = begun(world)
    session = found(world, token)
    assert (session.user.name, session.active_at, session.until_at) == ("anna", NOON, NOON + LONGEST)
    assert len(token) == 43  # 256 bits
    assert token not in str(world.rows(t.login_session))
    with world.store.read() as connection:
        assert sessions.by_key(connection, session.key, NOON) == session
        for other in ("", token[:-1], session.key):
            assert sessions.find(connection, other, NOON) is None
    assert begun(world) != token


def test_after_an_hour_without_an_act_it_is_locked_until_the_password_is_given(world: World) -> None:
    made(world, "anna")
    token = begun(world)
    assert not found(world, token).locked(NOON + IDLE - 1)
    later = NOON + IDLE
    session = found(world, token, later)
    assert session.locked(later)
    assert not sessions.is_due(session, later)
    with world.store.write() as connection:
        sessions.seen(connection, session, later)
    assert found(world, token, later).locked(later)
    with world.store.write() as connection:
        sessions.prove(connection, session.key, later)
    opened = found(world, token, later)
    assert not opened.locked(later)
    assert opened.fresh(later + FRESH - 1)
    assert not opened.fresh(later + FRESH)


def test_it_is_over_after_twelve_hours_whatever_is_done_and_then_forgotten(world: World) -> None:
    made(world, "anna")
    token = begun(world)
    for minute in range(0, 12 * 60, 30):
        now = NOON + minute * MINUTE
        with world.store.write() as connection:
            sessions.seen(connection, found(world, token, now), now)
    with world.store.read() as connection:
        assert sessions.find(connection, token, NOON + LONGEST - 1)
        assert sessions.find(connection, token, NOON + LONGEST) is None
    begun(world, now=NOON + LONGEST)
    assert len(world.rows(t.login_session)) == 1


def test_that_somebody_does_something_is_written_at_most_once_a_minute(world: World) -> None:
    made(world, "anna")
    token = begun(world)
    session = found(world, token)
    assert not sessions.is_due(session, NOON + MINUTE - 1)
    assert sessions.is_due(session, NOON + MINUTE)
    with world.store.write() as connection:
        sessions.seen(connection, session, NOON + MINUTE)
    assert found(world, token).active_at == NOON + MINUTE
    with world.store.read() as connection:
        anna = users.find(connection, "anna")
        assert anna is not None
        assert anna.seen_at == NOON + MINUTE


def test_one_ends_or_the_others_or_all(world: World) -> None:
    made(world, "anna")
    made(world, "bo")
    first, second, third = (begun(world) for _ in range(3))
    of_bo = begun(world, "bo")

    def alive() -> list[bool]:
        with world.store.read() as connection:
            return [sessions.find(connection, token, NOON) is not None for token in (first, second, third, of_bo)]

    with world.store.write() as connection:
        assert sessions.counted(connection, NOON) == {"anna": 3, "bo": 1}
        sessions.end(connection, sessions.hashed(first))
    assert alive() == [False, True, True, True]
    with world.store.write() as connection:
        assert sessions.end_others(connection, "anna", sessions.hashed(second)) == 1
    assert alive() == [False, True, False, True]
    with world.store.write() as connection:
        assert sessions.end_others(connection, "anna") == 1
    assert alive() == [False, False, False, True]


def test_a_person_who_is_locked_has_no_session_whatever_the_table_says(world: World) -> None:
    made(world, "root", "administrator")
    made(world, "anna")
    with world.store.write() as connection:
        users.lock(change(connection), "anna")
        token = sessions.begin(connection, "anna", NOON)
        assert sessions.find(connection, token, NOON) is None


def test_many_sessions_are_asked_for_at_once(world: World) -> None:
    made(world, "root", "administrator")
    made(world, "anna")
    made(world, "bo")
    idle, active = (sessions.hashed(begun(world, now=at)) for at in (NOON - IDLE, NOON - IDLE + 1))
    over = sessions.hashed(begun(world, now=NOON - LONGEST))
    of_bo = sessions.hashed(begun(world, "bo"))
    keys = [idle, active, over, of_bo, "0" * 64]
    with world.store.write() as connection:
        assert sessions.alive(connection, keys, NOON) == {active, of_bo}
        users.lock(change(connection), "bo")
        assert sessions.alive(connection, keys, NOON) == {active}
        assert sessions.alive(connection, [], NOON) == set()
