"""Commits run in a child process, because the GIL would delay the AMI reader.

What was heard goes there batch by batch. Nothing is kept there: until it has answered, a batch is not committed, and it
is given again when the process has died; so whatever it commits twice must change nothing, as after any crash. The
lease guards it like any writer, and it ends with its connection to the service.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import Any, Final

from callback.clock import now_us
from callback.errors import CallbackError, StoreAway, StoreError
from callback.events import CommitterDied
from callback.logs.masking import log_to_stderr
from callback.service.child_process import end
from callback.service.committer import Committer
from callback.settings.sections import Settings
from callback.site.context import site_of
from callback.store.engine import Store
from callback.store.keys import check, store_of
from callback.store.lease import Lease
from callback.texts.send import two_way_of
from telephony.pbx import Stretch

AGAIN_S: Final = 5.0
PROGRAM: Final = f"from {__name__} import main; main()"
_STDERR: Final = 2
_GONE: Final = (EOFError, OSError)
_Answer = CallbackError | None


@dataclass(frozen=True, slots=True)
class Task:
    """For whom to commit: the PBX of these settings, under this version of its rules, as the holder of the lease."""

    settings: Settings
    version: int
    held: Lease
    journal_id: str


class CommitProcess:
    """Commits for one PBX, or for several on one store, while `at_work`: a second or two after `run` began.

    When its process dies, another is begun; until that is at work, whoever has something to commit does it themselves.
    """

    def __init__(self, tasks: Sequence[Task], tell: Callable[[CommitterDied], None]) -> None:
        self._tasks, self._tell = tasks, tell
        self._child: _Child | None = None
        self.at_work = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process that commits, while there is one."""
        return self._child.process.pid if self._child else None

    async def run(self) -> None:
        """Keep the process until cancelled, and let it finish then what it is at."""
        while True:
            try:
                why = await self._once()
            except OSError as error:
                why = f"could not be started ({error.strerror})"
            self._tell(
                CommitterDied(f"the process that commits {why}", AGAIN_S)
            )  # meanwhile the service commits itself
            await asyncio.sleep(AGAIN_S)

    async def _once(self) -> str:
        child = await _begin()
        try:
            with suppress(*_GONE):
                await child.ask(self._tasks)
                self._child = child
                self.at_work.set()
            return f"ended with status {await child.process.wait()}"
        finally:
            self.at_work.clear()
            self._child = None
            await child.end()

    def commit(self, batch: list[Stretch], task: int = 0) -> Coroutine[Any, Any, None] | None:
        """Commit a batch as `Committer.commit` does, and raise what it raises, StoreError too when the process dies.

        None while it is not at work.
        """
        return self._commit(batch, task) if self.at_work.is_set() else None

    async def _commit(self, batch: list[Stretch], task: int) -> None:
        if self._child is None:
            raise StoreError("the process that commits is not at work")
        try:
            why_not = await self._child.ask((task, batch))
        except _GONE as error:
            raise StoreError("the process that commits has ended in the midst of it") from error
        if why_not is not None:
            raise why_not


@dataclass(frozen=True, slots=True)
class _Child:
    """The process, and the one thread in which it is asked, a question after the other: the event loop never waits."""

    process: asyncio.subprocess.Process
    connection: Connection
    thread: ThreadPoolExecutor

    async def ask(self, question: object) -> _Answer:
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._answer_to, question)

    def _answer_to(self, question: object) -> _Answer:
        self.connection.send(question)
        answer: _Answer = self.connection.recv()
        return answer

    async def end(self) -> None:
        """Let it answer first what it was asked; it is killed where that takes long."""
        self.thread.submit(self.connection.close)
        self.thread.shutdown(wait=False)
        await end(self.process)


async def _begin() -> _Child:
    """Start the process with our connection as its standard input; what it prints is for people, as our errors are."""
    ours, theirs = Pipe()
    with theirs:
        command = (sys.executable, "-c", PROGRAM)
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=theirs.fileno(), stdout=_STDERR)
        except BaseException:
            ours.close()
            raise
    return _Child(process, ours, ThreadPoolExecutor(1, "commit-process"))


def _work(service: Connection) -> None:
    """Be the process, until there is no more service."""
    tasks: list[Task] = service.recv()
    log_to_stderr(full_numbers=tasks[0].settings.logs.numbers == "full")
    with closing(store_of(tasks[0].settings.database)) as store:
        with suppress(StoreAway):  # then each transaction asks for the key itself
            check(store)
        writers = [_writer(store, task) for task in tasks]
        service.send(None)
        for which, batch in _questions(service):
            why_not: CallbackError | None = None
            try:
                writers[which].commit(batch)
            except CallbackError as error:
                why_not = error
            service.send(why_not)


def _questions(service: Connection) -> Iterator[tuple[int, list[Stretch]]]:
    """Give what the service asks until it is gone, be it in the midst of a question."""
    with suppress(*_GONE):
        while True:
            yield service.recv()


def _writer(store: Store, task: Task) -> Committer:
    site = site_of(task.settings, task.version, two_way_of(task.settings))
    parts = (task.held, task.journal_id, now_us)
    return Committer(store, site, *parts, lambda _checkpoint: None)


def main() -> None:
    """Commit until standard input, the connection to the service, ends.

    Whoever stops the service stops it alone, and lets this finish.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, ConnectionError), Connection(sys.stdin.fileno()) as service:
        _work(service)
