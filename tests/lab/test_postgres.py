"""The PostgreSQL of the tests: fresh databases, and nothing left behind."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from lab import postgres
from tests.children import child

if TYPE_CHECKING:
    from collections.abc import Callable

KILLED_WHILE_SERVING = """
import signal
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from lab import postgres
with postgres.serve(postgres.Binaries(Path({folder!r}), {libraries!r})) as server:
    print(server.folder, (server.folder / "data/postmaster.pid").read_text().split()[0], flush=True)
    signal.pause()
"""


def test_a_database_is_fresh_and_takes_statements(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    assert sa.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE person (name TEXT)"))
        connection.execute(sa.text("INSERT INTO person VALUES ('王')"))
        assert connection.execute(sa.text("SELECT name FROM person")).scalar_one() == "王"
    engine.dispose()


@pytest.mark.postgresql
def test_a_database_is_copied_from_a_template(postgres_server: postgres.Server) -> None:
    engine = sa.create_engine(postgres_server.create("original"))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE person (name TEXT)"))
    engine.dispose()
    copy = sa.create_engine(postgres_server.create("copy", template="original"))
    assert sa.inspect(copy).get_table_names() == ["person"]
    postgres_server.drop("copy")  # though somebody is still connected
    copy.dispose()


@pytest.mark.postgresql
def test_a_killed_owner_leaves_no_server(postgres_binaries: postgres.Binaries) -> None:
    folder, libraries = str(postgres_binaries.folder), postgres_binaries.libraries
    code = KILLED_WHILE_SERVING.format(folder=folder, libraries=libraries)
    with child([sys.executable, "-c", code]) as owner:
        assert owner.stdout
        left, server = owner.stdout.readline().split()
        owner.kill()
    _until(lambda: not _alive(int(server)))
    postgres.sweep()
    assert Path(left).exists(), "it may be one whose owner is still to lock it"
    _age(Path(left))
    postgres.sweep()
    assert not Path(left).exists()


@pytest.mark.postgresql
def test_a_server_that_runs_keeps_its_folder(postgres_server: postgres.Server) -> None:
    _age(postgres_server.folder)
    postgres.sweep()
    assert postgres_server.folder.exists()


@pytest.mark.postgresql
def test_a_server_that_does_not_start_says_why(
    postgres_binaries: postgres.Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres.SETTINGS, "shared_buffers", "nonsense")
    with (
        pytest.raises(postgres.PostgresError, match=r"shared_buffers.*nonsense"),
        postgres.serve(postgres_binaries),
    ):
        pass


def _age(folder: Path) -> None:
    """Make a folder look older than any start lasts."""
    long_ago = folder.stat().st_mtime - 2 * postgres.START_DEADLINE_S
    os.utime(folder, (long_ago, long_ago))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _until(happened: Callable[[], bool], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)


def test_it_is_killed_begun_again_frozen_and_its_sessions_ended(postgres_binaries: postgres.Binaries) -> None:
    with postgres.serve(postgres_binaries, durable=True) as server:
        engine = sa.create_engine(server.create("kept"), pool_pre_ping=True)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE kept AS SELECT 1 AS one"))
        server.stop()
        with pytest.raises(sa.exc.OperationalError):
            engine.connect()
        server.start()
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT one FROM kept")).scalar_one() == 1
            assert server.end_sessions() == 1
            with pytest.raises(sa.exc.DBAPIError):
                connection.execute(sa.text("SELECT 1"))
            connection.invalidate()
        with ThreadPoolExecutor(1) as pool, engine.connect() as connection:
            server.freeze()
            asked = pool.submit(connection.execute, sa.text("SELECT 1"))
            assert not wait([asked], 0.3).done
            server.thaw()
            assert asked.result(10).scalar_one() == 1
        engine.dispose()
