"""What is committed in a process of its own: the same as here, and again when that process dies."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.errors import NotOurs
from callback.events import CommitterDied
from callback.service import commit_process as child
from callback.service import committer as writing
from callback.service.commit_process import CommitProcess, Task
from callback.service.committer import Committer
from callback.settings.sections import Database
from callback.store import lease
from callback.store import tables as t
from telephony.pbx import Stretch
from tests.callback.service.test_committer import checkpoint_of, lost, poison, stretch
from tests.callback.world import NOON, World, fed

TIMEOUT_S = 60
Work = Callable[["Office"], Awaitable[None]]


class Office:
    """A commit process at work on a world."""

    def __init__(self, world: World) -> None:
        settings = world.settings.model_copy(update={"database": Database(url=world.store.url)})
        self.world = world
        self.died: list[CommitterDied] = []
        self.world = world
        self.commit_process = CommitProcess([Task(settings, world.held, "j1")], self.died.append)

    def during(self, work: Work) -> None:
        asyncio.run(asyncio.wait_for(self._during(work), TIMEOUT_S))

    async def _during(self, work: Work) -> None:
        running = asyncio.ensure_future(self.commit_process.run())
        await self.commit_process.at_work.wait()
        await work(self)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def commit(self, *batch: Stretch) -> None:
        begun = self.commit_process.commit(list(batch))
        assert begun is not None
        await begun

    async def kill(self) -> None:
        assert self.commit_process.pid is not None
        os.kill(self.commit_process.pid, signal.SIGKILL)

    @property
    def calls(self) -> list[str | None]:
        return [one.number for one in fed(self.world.store) if one.name == "call"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "AGAIN_S", 0.001)
    monkeypatch.setattr(writing, "RETRY_S", 0.001)


def test_it_commits_and_tells_as_the_service_itself_would(world: World) -> None:
    async def work(office: Office) -> None:
        await office.commit(stretch(10, lost(1), poison(2)), stretch(20, lost(3)))

    office = Office(world)
    office.during(work)
    assert office.calls == ["+819012340001", "+819012340003"]
    assert "put-aside" in [one.name for one in fed(office.world.store)]
    assert len(world.rows(t.verdict)) == 2
    assert checkpoint_of(world) == 20


def test_it_commits_nothing_once_the_lease_has_passed_to_another(sqlite_world: World) -> None:
    async def work(office: Office) -> None:
        with office.world.store.write() as connection:
            lease.release(connection, office.world.held)
            assert lease.acquire(connection, "pbx:main", "another", "here", 60)
        with pytest.raises(NotOurs):
            await office.commit(stretch(10, lost(1)))

    Office(sqlite_world).during(work)
    assert sqlite_world.rows(t.verdict) == []


def test_when_it_dies_everything_is_committed_all_the_same_and_another_begins(sqlite_world: World) -> None:
    office = Office(sqlite_world)
    pids: list[int | None] = []

    async def work(office: Office) -> None:
        clock = lambda: NOON  # noqa: E731
        parts = (sqlite_world.store, sqlite_world.sites, sqlite_world.held, "j1", clock)
        writer = Committer(*parts, lambda _: None, elsewhere=office.commit_process.commit)
        running = asyncio.ensure_future(writer.run())
        for number in range(1, 31):
            await writer.put(stretch(number, lost(number)))
            if number in {10, 20}:
                pids.append(office.commit_process.pid)
                await office.kill()
                await writer.caught_up()
                await _other_than(office.commit_process, pids[-1])
        await writer.caught_up()
        running.cancel()

    office.during(work)
    assert len(set(pids)) == 2
    assert len(office.died) == 2  # an alarm each
    assert len(sqlite_world.rows(t.verdict)) == 30
    assert checkpoint_of(sqlite_world) == 30


async def _other_than(process: CommitProcess, pid: int | None) -> None:
    while process.pid in {pid, None}:  # noqa: ASYNC110 - that it died is no event of its own
        await asyncio.sleep(0.01)


def test_it_ends_with_the_service(sqlite_world: World) -> None:
    pids: list[int] = []

    async def work(office: Office) -> None:
        assert office.commit_process.pid is not None
        pids.append(office.commit_process.pid)

    office = Office(sqlite_world)
    office.during(work)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert (office.commit_process.pid, office.commit_process.commit([])) == (None, None)


def test_while_it_takes_nothing_in_the_service_goes_on(sqlite_world: World) -> None:
    async def work(office: Office) -> None:
        process = office.commit_process
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        begun = process.commit([stretch(number, lost(number)) for number in range(1, 1001)])  # more than a pipe holds
        assert begun is not None
        committing = asyncio.ensure_future(begun)
        _, waiting = await asyncio.wait([committing], timeout=0.5)
        assert waiting
        os.kill(process.pid, signal.SIGCONT)
        await committing

    office = Office(sqlite_world)
    office.during(work)
    assert len(office.calls) == 1000


def test_signals_are_left_to_the_service(sqlite_world: World) -> None:
    async def work(office: Office) -> None:
        assert office.commit_process.pid is not None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(office.commit_process.pid, number)
        await office.commit(stretch(10, lost(1)))

    Office(sqlite_world).during(work)
    assert checkpoint_of(sqlite_world) == 10


@given(st.lists(st.binary(max_size=300)), st.lists(st.integers(1, 200)))
def test_messages_come_whole_however_their_bytes_come(said: list[bytes], sizes: list[int]) -> None:
    sent, heard, messages = b"".join(map(child.message, said)), list[bytes](), child.Messages()
    for size in itertools.chain(sizes, itertools.repeat(1 << 16)):
        if not sent:
            break
        heard += messages.fed(sent[:size])
        sent = sent[size:]
    assert heard == said


@pytest.mark.parametrize("asked", [b"", b"\x00\x00", b"\x00\x00\x10\x00half a question"])
def test_it_ends_when_the_service_was_killed(sqlite_world: World, asked: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen([sys.executable, "-c", child.PROGRAM], stdin=theirs.fileno()) as process:
        theirs.close()
        settings = sqlite_world.settings.model_copy(update={"database": Database(url=sqlite_world.store.url)})
        ours.sendall(child.message([Task(settings, sqlite_world.held, "j1")]))
        assert child.Messages().fed(ours.recv(1 << 16)) == [None]
        ours.sendall(asked)
        ours.close()
        assert process.wait(TIMEOUT_S) == 0
