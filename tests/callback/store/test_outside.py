"""The site's key outside of its database: what a copy of it tells, and what happens while, and after, it is moved."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import event, make_url, select, text

from callback.customers import blocks
from callback.errors import StoreError
from callback.settings.sections import Database
from callback.site import links
from callback.store import keys
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from callback.store.keys import site_key, store_of
from callback.store.outside import Outside, fresh_root
from scheduler.clock import HOUR
from tests.callback.world import NOON, World, migrated

NUMBER = "+819012345678"
MOVERS = 4


class Site:
    """A database whose service ran with its key inside: a number is blocked there, and a text with a link is out."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.file = url, folder / "elsewhere" / "site.key"
        with closing(Store(url)) as store, store.write() as connection:
            keys.make_root(connection)
            self.root: str = connection.execute(select(t.site_key.c.root)).scalar_one()
            blocks.block(connection, "main", NUMBER, By("anna", "asked"), NOON, calls=True)
            self.token = links.token(connection, 7, NOON + HOUR)

    def opened(self, *, value: str = "", outside: bool = True) -> Store:
        """The database as a process opens it that is told where the key is."""
        file = self.file if outside and not value else None
        return store_of(Database(url=self.url, key_file=file, key=value))

    def start(self, store: Store) -> list[bool]:
        """Do as the service does when it starts; give whether it told that the key is inside."""
        keys.check(store)
        return [one.inside for one in keys.take_out(store)]

    def refused(self, store: Store) -> str:
        """Start it where it must not start; what stands in the database and outside is untouched."""
        before = self.kept(), self.file.read_bytes() if self.file.is_file() else None
        with closing(store), pytest.raises(StoreError) as said:
            self.start(store)
        assert (self.kept(), self.file.read_bytes() if self.file.is_file() else None) == before
        return str(said.value)

    def holds(self, store: Store) -> bool:
        """Whether the block stands and the link opens."""
        with store.read() as connection:
            stands = blocks.blocked(connection, NUMBER).calls and not blocks.blocked(connection, f"{NUMBER}9").calls
            return stands and links.opened(connection, self.token, NOON) == 7

    def kept(self) -> list[str]:
        with closing(Store(self.url)) as store, store.read() as connection:
            return list(connection.execute(select(t.site_key.c.root)).scalars())

    def put_back(self, *rows: str) -> None:
        """Let the database keep this again, and nothing be outside."""
        for file in self.file.parent.glob("*") if self.file.parent.exists() else ():
            file.unlink()
        for stray in self.file.parent.glob(".*") if self.file.parent.exists() else ():
            stray.unlink()
        with closing(Store(self.url)) as store, store.write() as connection:
            connection.execute(t.site_key.delete())
            for row in rows:
                connection.execute(t.site_key.insert().values(id=1, root=row, made_at=NOON))


@pytest.fixture
def site(world: World, tmp_path: Path) -> Site:
    return Site(world.store.url, tmp_path)


def bytes_of(url: str) -> Iterator[bytes]:
    """What lies on the disk of a database: all files of SQLite; of a server its tables, when it has written them."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        yield from (path.read_bytes() for path in Path(str(address.database)).parent.glob("*") if path.is_file())
        return
    with closing(Store(url)) as store, store.engine.connect() as connection:
        autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
        autocommit.execute(text("CHECKPOINT"))
        oid = autocommit.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
    yield from (path.read_bytes() for path in Path(str(address.query["host"]), "data", "base", str(oid)).glob("*"))


def test_after_it_was_moved_no_byte_of_the_database_tells_it(database_url: str, tmp_path: Path) -> None:
    """Also while other processes have the database open, so that SQLite's log of changes stays beside it."""
    folder = tmp_path / "of-the-key"
    with closing(migrated(database_url)) as other:
        site = Site(database_url, folder)
        assert any(site.root.encode() in part for part in bytes_of(database_url))
        with closing(site.opened()) as store:
            assert site.start(store) == [False]
            with other.read() as connection:
                connection.execute(select(t.site_key)).all()
            assert not any(site.root.encode() in part for part in bytes_of(database_url))
            assert site.holds(store)
    assert not any(site.root.encode() in part for part in bytes_of(database_url))
    assert (site.file.read_text(), site.file.stat().st_mode & 0o777) == (f"{site.root}\n", 0o600)


def test_a_new_database_never_holds_it(database_url: str, tmp_path: Path) -> None:
    migrated(database_url).close()
    file = tmp_path / "of-the-key" / "site.key"
    with closing(store_of(Database(url=database_url, key_file=file))) as store:
        keys.check(store)
        assert keys.take_out(store) == []
        root = file.read_text().strip()
        assert len(root) == 64
        assert not any(root.encode() in part for part in bytes_of(database_url))


def test_a_log_that_somebody_read_while_it_was_moved_is_emptied_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callback.store.engine.BUSY_TIMEOUT_S", 0.1)
    url = f"sqlite:///{tmp_path / 'base' / 'test.db'}"
    (tmp_path / "base").mkdir()
    with closing(migrated(url)) as other:
        site = Site(url, tmp_path)
        with closing(site.opened()) as store:
            with other.read() as connection:
                connection.execute(select(t.site_key)).all()
                site.start(store)
            assert site.start(store) == []
            assert not any(site.root.encode() in part for part in bytes_of(url))


def test_blocks_and_links_from_before_hold_after(site: Site) -> None:
    with closing(site.opened()) as store:
        assert (site.start(store), site.start(store)) == ([False], [])
        assert site.holds(store)
    with closing(site.opened()) as command:  # a process that only asks
        assert site.holds(command)
    with closing(site.opened(value=site.root)) as environment:
        assert site.start(environment) == []
        assert site.holds(environment)


def test_a_process_that_has_it_goes_on_with_it_whatever_becomes_of_the_file(site: Site) -> None:
    with closing(site.opened(outside=False)) as old, closing(site.opened()) as new:
        assert site.start(old) == [True]
        site.start(new)
        site.file.unlink()
        assert site.holds(old)
        assert site.holds(new)


def test_before_it_was_moved_commands_with_the_new_settings_work_and_move_nothing(site: Site) -> None:
    with closing(site.opened()) as command:
        keys.check(command)
        assert site.holds(command)
    assert (site.kept(), site.file.exists()) == ([site.root], False)


def test_without_a_setting_it_stays_and_that_is_told_at_each_start(site: Site) -> None:
    with closing(site.opened(outside=False)) as store:
        (told,) = keys.take_out(store)
        assert "whoever copies it can find blocked numbers out" in told.why
        assert "[database] key_file" in told.why
    assert site.kept() == [site.root]


def in_its_place(file: Path) -> None:
    file.unlink()
    file.mkdir()


REFUSED: dict[str, tuple[Callable[[Site], object], str]] = {
    "nothing is set": (lambda _: None, "say where it is, by [database] key_file or CALLBACK_DATABASE__KEY"),
    "missing": (lambda site: site.file.unlink(), "put it back from its backup"),
    "short": (lambda site: site.file.write_text(site.root[:-1]), "64 hexadecimal digits"),
    "empty": (lambda site: site.file.write_text(""), "64 hexadecimal digits"),
    "long": (lambda site: site.file.write_text(f"{site.root}00"), "64 hexadecimal digits"),
    "bytes": (lambda site: site.file.write_bytes(b"\xff\x00" * 32), "64 hexadecimal digits"),
    "a folder": (lambda site: in_its_place(site.file), "cannot be read (Is a directory)"),
    "another site's": (lambda site: site.file.write_text(fresh_root()), "is the key of another site"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_without_the_right_key_it_does_not_start_and_says_which_setting_and_what_helps(site: Site, case: str) -> None:
    with closing(site.opened()) as store:
        site.start(store)
    done, says = REFUSED[case]
    done(site)
    store = site.opened(outside=case != "nothing is set")
    said = site.refused(store)
    assert says in said
    assert "[database] key" in said
    assert site.root not in said
    if site.file.is_dir():
        site.file.rmdir()
    site.file.write_text(f" {site.root.upper()}\n\n")  # as a person may paste it
    with closing(site.opened()) as mended:
        site.start(mended)
        assert site.holds(mended)


def test_that_of_another_site_is_not_taken_for_one_that_stands_in_the_database(site: Site) -> None:
    site.file.parent.mkdir()
    site.file.write_text(fresh_root())
    assert "name a key_file that is not there yet" in site.refused(site.opened())
    assert "[database] key (CALLBACK_DATABASE__KEY)" in site.refused(site.opened(value=fresh_root()))


def test_that_of_another_site_opens_nothing_in_a_command_either(site: Site) -> None:
    with closing(site.opened()) as store:
        site.start(store)
    with closing(site.opened(value=fresh_root())) as command, pytest.raises(StoreError, match="of another site"):
        site.holds(command)


def test_where_the_file_cannot_be_made_the_key_stays_where_it_was(site: Site) -> None:
    site.file = Path("/proc/none/site.key")  # where not even root may make one
    said = site.refused(site.opened())
    assert "cannot be made" in said
    assert "[database] key_file /proc/none/site.key" in said
    with closing(site.opened(outside=False)) as store:
        assert site.start(store) == [True]
        assert site.holds(store)


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user without rights, where the tests are root's."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_file_that_may_not_be_read_and_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    secret = Outside(tmp_path / "site.key")
    root = secret.keep(fresh_root())
    (tmp_path / "site.key").chmod(0o000)
    tmp_path.chmod(0o500)
    try:
        with nobody(), pytest.raises(StoreError, match=r"cannot be read \(Permission denied\): let the service's user"):
            secret.read()
        with nobody(), pytest.raises(StoreError, match=r"cannot be made \(Permission denied\): name a file"):
            Outside(tmp_path / "another.key").keep(root)
    finally:
        tmp_path.chmod(0o700)
    assert [path.name for path in tmp_path.iterdir()] == ["site.key"]


@pytest.mark.parametrize("inside", [True, False])
def test_several_that_start_at_once_have_the_same_key(site: Site, *, inside: bool) -> None:
    for _ in range(5):
        site.put_back(*([site.root] if inside else []))
        begun = Barrier(MOVERS)

        def start(_: int, begun: Barrier = begun) -> bytes:
            with closing(site.opened()) as store:
                begun.wait()
                site.start(store)
                with store.read() as connection:
                    return site_key(connection, "link")

        with ThreadPoolExecutor(MOVERS) as pool:
            assert len(set(pool.map(start, range(MOVERS)))) == 1
        assert (site.file.read_text() == f"{site.root}\n") is inside
        assert [path.name for path in site.file.parent.iterdir()] == ["site.key"]
        (kept,) = site.kept()
        assert kept.startswith("outside ")


def killed(site: Site, step: int) -> bool:
    """Start in a process of its own that kill -9 ends before a step on the disk or in the database; whether it did."""
    pid = os.fork()
    if pid == 0:
        left = [step]

        def burn(*_: object) -> None:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def on_disk(what: str, arguments: tuple[object, ...]) -> None:
            if what.startswith(("open", "os.", "tempfile.")) and str(site.file.parent) in str(arguments):
                burn()

        try:
            store = site.opened()
            for what in ("before_cursor_execute", "after_cursor_execute", "commit"):
                event.listen(store.engine, what, burn)
            sys.addaudithook(on_disk)
            site.start(store)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("inside", [True, False])
def test_wherever_it_is_killed_the_next_start_goes_on(site: Site, *, inside: bool) -> None:
    step = 0
    while killed(site, step):
        with closing(site.opened()) as store:
            site.start(store)
            with store.read() as connection:
                key = site_key(connection, "block")
            assert not inside or site.holds(store)
        (kept,) = site.kept()
        assert kept.startswith("outside ")
        with closing(site.opened()) as again, again.read() as connection:
            assert site_key(connection, "block") == key
        step += 1
        site.put_back(*([site.root] if inside else []))
    assert step > 10
