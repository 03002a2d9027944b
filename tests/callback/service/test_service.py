"""Whose turn it is to listen: real processes of the service, on a PBX that does not answer."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from callback.cli import main as cli
from callback.events import AgentsBack
from callback.store import audit, feed
from callback.store import tables as t
from callback.store.engine import Store
from tests.callback.world import fed, migrated

PATIENCE_S = 60.0
LONG_S = 300  # nobody waits for such a lease to lapse


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    made = migrated(migrated_url)
    yield made
    made.close()


class Run:
    """`callback run` in a folder of its own; what it tells is read from its events."""

    def __init__(
        self, folder: Path, url: str, journal: Path, *, lease_s: int = 1, key_file: str = "", account: bool = True
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.alarms = folder / "alarms.jsonl"
        self.settings, self._events = folder / "callback.toml", folder / "events.jsonl"
        manager = 'username = "u"\nsecret = "s"\n' if account else ""
        outside = f'key_file = "{key_file}"\n' if key_file else ""
        self.settings.write_text(
            f'[database]\nurl = "{url}"\n{outside}[pbx]\nport = 1\n{manager}'
            f'journal = "{journal}"\nlease_s = {lease_s}\n[trunks.main]\nregion = "JP"\n'
            f'[alarms]\ncommand = ["/bin/sh", "-c", "awk 1 >> {self.alarms}"]\n'
            '[rules]\nzone = "Asia/Tokyo"\n'
        )
        self._process: subprocess.Popen[str] | None = None
        self._from = 0

    def start(self, *more: str) -> Run:
        self._from = len(self.told())
        options = ["run", "-s", str(self.settings), "--events-json", str(self._events), *more]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "callback", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def told(self) -> list[dict[str, Any]]:
        lines = self._events.read_text().splitlines() if self._events.exists() else []
        return [json.loads(line) for line in lines]

    def wait(self, event: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [piece for piece in self.told()[self._from :] if piece["event"] == event]
            return bool(found) or not self.alive

        wait(there)
        assert found, f"no {event}; it told {self.told()[self._from :]}"
        return found[0]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Signal it, unless it has ended, and give its status and what it complained of."""
        assert self._process is not None
        if self.alive:
            self._process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        assert self._process is not None
        _, complaints = self._process.communicate(timeout=PATIENCE_S)
        return self._process.returncode, complaints


def wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def run(tmp_path: Path, store: Store) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []

    def make(name: str, journal: str, *, lease_s: int = 1, key_file: str = "") -> Run:
        made.append(Run(tmp_path / name, store.url, tmp_path / journal, lease_s=lease_s, key_file=key_file).start())
        return made[-1]

    yield make
    for one in made:
        if one.alive:
            one.end(signal.SIGKILL)


def lease_of(store: Store) -> Any:
    with store.read() as connection:
        return connection.execute(select(t.lease).where(t.lease.c.name == "pbx:main")).one()


def let_lapse(store: Store, **also: str) -> None:
    with store.write() as connection:
        connection.execute(update(t.lease).values(until_at=0, **also))


def test_two_services_of_one_host_with_journals_apart_leave_each_other_alone(
    run: Callable[..., Run], store: Store
) -> None:
    """As two containers of one host name on one database do."""
    first = run("first", "journal of the first")
    first.wait("started")
    fence = lease_of(store).fence
    second = run("second", "journal of the second")
    why = second.wait("standby")["why"]
    assert socket.gethostname() in why
    assert "takes its place if it ends" in why
    seen = lease_of(store).until_at
    wait(lambda: not first.alive or lease_of(store).until_at > seen + 3_000_000)  # it was renewed for three terms
    assert first.alive
    assert lease_of(store).fence == fence
    with store.write() as connection:
        feed.append(connection, "main", AgentsBack("sales"), 0, 0)
    first.wait("agents-back")
    assert "standby" not in [piece["event"] for piece in first.told()]
    first.end(signal.SIGKILL)
    second.wait("started")
    assert [piece["event"] for piece in second.told()][:2] == ["standby", "started"], "nothing of the first one's"
    assert second.end()[0] == 0


def test_who_has_the_journal_of_the_dead_need_not_wait(run: Callable[..., Run], store: Store) -> None:
    first = run("first", "journal", lease_s=LONG_S)
    first.wait("started")
    first.end(signal.SIGKILL)
    again = run("first", "journal", lease_s=LONG_S)
    again.wait("started")
    assert again.alive


def test_who_has_a_copy_of_the_journal_waits_like_anybody(
    run: Callable[..., Run], store: Store, tmp_path: Path
) -> None:
    """A machine that was copied with its journal does not overthrow the one that works."""
    first = run("first", "journal", lease_s=LONG_S)
    first.wait("started")
    shutil.copytree(tmp_path / "journal", tmp_path / "copy")  # while it works
    run("second", "copy").wait("standby")
    assert first.alive


def test_a_second_one_on_the_same_journal_is_told_to_wait_not_to_get_one_of_its_own(run: Callable[..., Run]) -> None:
    run("first", "journal").wait("started")
    why = run("second", "journal").wait("standby")["why"]
    assert "takes its place when it ends" in why
    assert "directory of its own" not in why


def test_a_renamed_host_goes_on_where_its_journal_is(run: Callable[..., Run], store: Store) -> None:
    first = run("first", "journal")
    first.wait("started")
    first.end()
    let_lapse(store, host="elsewhere")
    run("first", "journal").wait("started")
    assert lease_of(store).host == socket.gethostname()


def test_a_new_host_without_the_journal_is_refused_until_a_person_lets_it(
    run: Callable[..., Run], store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if store.dialect != "sqlite":
        pytest.skip("a server serves several hosts")
    first = run("first", "journal")
    first.wait("started")
    first.end()
    let_lapse(store, host="elsewhere")
    second = run("second", "another journal")
    status, complaint = second.ended()
    assert (status, "`callback lease take`" in complaint, "'elsewhere'" in complaint) == (2, True, True)
    monkeypatch.setattr(sys, "argv", ["callback", "lease", "take", "--why", "renamed", "-s", str(second.settings)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert (end.value.code, "'elsewhere'" in capsys.readouterr().out) == (0, True)
    run("second", "another journal").wait("started")
    with store.read() as connection:
        assert connection.execute(select(t.audit.c.action, t.audit.c.why)).all() == [("lease-take", "renamed")]


@pytest.mark.parametrize("obstacle", ["journal/main", "journal/main/journal.lock", "journal/main/journal.id"])
def test_a_journal_that_can_never_be_used_ends_the_service(
    run: Callable[..., Run], tmp_path: Path, obstacle: str
) -> None:
    path = tmp_path / obstacle
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch() if obstacle == "journal/main" else path.mkdir()
    status, complaint = run("first", "journal").ended()
    assert status == 2
    assert "cannot be used" in complaint
    assert "Traceback" not in complaint


def test_who_loses_the_lease_says_so_to_those_who_do_not_look(run: Callable[..., Run], store: Store) -> None:
    """It is the last that the service says: it gets through before the service ends."""
    first = run("first", "journal")
    first.wait("started")
    with store.write() as connection:
        connection.execute(update(t.lease).values(fence=t.lease.c.fence + 1, owner="another"))
        stood = feed.end(connection)
    status, complaint = first.ended()
    assert (status, "was taken by another process" in complaint) == (2, True)
    assert "lease-lost" in [json.loads(line)["event"] for line in first.alarms.read_text().splitlines()]
    assert "lease-lost" not in [one.name for one in fed(store, stood)], "the next one would pass it on too"


def test_the_end_of_the_audit_is_said_outside_of_the_database(run: Callable[..., Run], store: Store) -> None:
    first = run("first", "journal")
    with store.read() as connection:
        end = audit.head(connection)
    assert first.wait("audit-head")["anchor"] == f"{end.rows}:{end.hash}"
    wait(lambda: first.alarms.exists() and "audit-head" in first.alarms.read_text())


def test_the_sites_key_is_moved_at_a_start_and_who_has_not_the_right_one_ends_at_once(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    """Also who would stand by: a wrong key does not pass by itself, and is not to be found out when it is needed."""
    first = run("first", "journal")
    assert first.wait("site-key")["inside"] is True
    first.end()
    second = run("second", "journal", key_file="../of-the-key/site.key")
    assert second.wait("site-key")["inside"] is False
    second.wait("started")
    for name, key_file, says in (
        ("third", "", "say where it is, by [database] key_file"),
        ("fourth", "../none.key", "put it back from its backup"),
        ("fifth", "callback.toml", "holds no key"),
    ):
        status, complaint = run(name, "another journal", key_file=key_file).ended()
        assert (status, says in complaint, "Traceback" in complaint) == (2, True, False), complaint
    sixth = run("sixth", "another journal", key_file=str(tmp_path / "of-the-key" / "site.key"))
    sixth.wait("standby")
    assert [one.end()[0] for one in (sixth, second)] == [0, 0]
