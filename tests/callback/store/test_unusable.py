"""A database that cannot be used: each fault has its own remedy, and only what passes by itself is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url

from callback.errors import Contended, StoreAway, StoreError
from callback.store import engine
from callback.store.engine import Store
from lab import postgres
from tests.callback.world import World, call, migrated


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements and locks time out at once."""
    impatient = "-c idle_in_transaction_session_timeout=5s -c lock_timeout=300ms -c statement_timeout=600ms"
    monkeypatch.setitem(engine._POSTGRESQL, "options", impatient)  # noqa: SLF001


@pytest.fixture
def server_url(postgres_server: postgres.Server) -> Iterator[str]:
    yield postgres_server.create("unusable")
    postgres_server.drop("unusable")


def refused(store: Store, statement: str) -> StoreError:
    with pytest.raises(StoreError) as said, store.write() as connection:
        connection.execute(text(statement))
    store.close()
    assert "\n" not in str(said.value)
    return said.value


def test_a_full_disk_asks_for_room(tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path}/test.db")
    world.store.engine.dispose()
    event.listen(world.store.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(StoreAway, match=r"the disk is full .*make room"):
        _lose(world, 1000)
    world.close()


def _lose(world: World, calls: int) -> None:
    for number in range(calls):
        world.hear(call(f"0901234{number:04d}"))


def test_a_file_that_may_only_be_read_does_not_pass_by_itself(tmp_path: Path) -> None:
    migrated(f"sqlite:///{tmp_path}/test.db").close()
    said = refused(Store(f"sqlite:///file:{tmp_path}/test.db?mode=ro&uri=true"), "UPDATE lease SET fence = 1")
    assert not isinstance(said, StoreAway)
    assert "may not be written" in str(said)
    assert "chown" in str(said)


def test_an_empty_file_says_what_to_do_first(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    assert "start `callback run` once" in str(
        refused(Store(f"sqlite:///{tmp_path}/new.db"), "UPDATE lease SET fence = 1")
    )


def test_a_file_that_may_not_even_be_looked_at_is_no_new_database(tmp_path: Path) -> None:
    assert "cannot be opened" in str(refused(Store(f"sqlite:///{tmp_path}/{'x' * 300}"), "SELECT 1"))


def test_who_merely_looks_makes_no_file_that_the_service_could_not_write(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/new.db")
    for look in (store.read, store.write):
        with pytest.raises(StoreError, match=r"new\.db is empty: start `callback run`"), look():
            pass
    assert not list(tmp_path.iterdir())
    migrated(store.url).close()
    with store.read():
        pass
    store.close()


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("setting", "statement", "words", "passes"),
    [
        ("default_transaction_read_only = on", "CREATE TABLE t (x int)", "may only be read", False),
        ("work_mem = '4MB'", "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$", "make room", True),
        ("work_mem = '4MB'", "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$", "a deadlock", True),
        ("work_mem = '4MB'", "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '42501'; END $$", "own the tables", False),
        ("work_mem = '4MB'", "SELECT pg_terminate_backend(pg_backend_pid())", "start the server", True),
    ],
)
def test_what_a_server_says_has_its_remedy(
    server_url: str, setting: str, statement: str, words: str, *, passes: bool
) -> None:
    store = Store(server_url)
    with store.write() as connection:
        name = make_url(server_url).database
        connection.execute(text(f'ALTER DATABASE "{name}" SET {setting}'))
    store.engine.dispose()
    said = refused(store, statement)
    assert words in str(said)
    assert isinstance(said, StoreAway) is passes


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("part", "instead", "passes"), [("database", "nowhere", False), ("username", "nobody", False), ("port", 1, True)]
)
def test_a_server_that_is_away_may_come_back_and_one_that_refuses_us_will_not(
    server_url: str, part: str, instead: object, *, passes: bool
) -> None:
    url = make_url(server_url).set(**{part: instead})  # type: ignore[arg-type]
    said = refused(Store(url.render_as_string(hide_password=False)), "SELECT 1")
    assert isinstance(said, StoreAway) is passes, said


@pytest.mark.postgresql
@pytest.mark.usefixtures("_impatient")
def test_a_statement_that_takes_too_long_is_no_matter_of_the_url(server_url: str) -> None:
    said = refused(Store(server_url), "SELECT pg_sleep(5)")
    assert isinstance(said, Contended)
    assert "took too long" in str(said)
    assert "url" not in str(said)


@pytest.mark.postgresql
@pytest.mark.usefixtures("_impatient")
def test_a_migration_takes_the_time_that_it_needs(server_url: str) -> None:
    """An index on a large site, or the wait for a lock: no limit of the service's short transactions is one of it."""
    store = Store(server_url)
    with store.migration() as connection:
        connection.execute(text("SELECT pg_sleep(0.9)"))
        limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        assert [connection.execute(text(f"SHOW {limit}")).scalar_one() for limit in limits] == ["0", "0", "0"]
    with store.read() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "600ms"
    store.close()
