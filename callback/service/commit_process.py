"""Commits in a process of its own: an interpreter lets one thread run at a time, and the ear needs all of it.

What was heard goes there by a pipe, batch by batch, and comes back as what is to be told. Nothing is kept there: until
it has answered, a batch is not committed, and it is given again when the process has died; so whatever it commits
twice must change nothing, as after any crash. The lease guards it like any writer, and it ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from callback.clock import now_us
from callback.errors import CallbackError, StoreAway, StoreError
from callback.events import News
from callback.logs.masking import log_to_stderr
from callback.service.child_process import end
from callback.service.committer import Writer
from callback.settings.sections import Settings
from callback.site.context import site_of
from callback.store.engine import Store
from callback.store.keys import check, store_of
from callback.store.lease import Lease
from callback.texts.send import two_way_of
from telephony.pbx import Heard

AGAIN_S: Final = 5.0
_MAIN: Final = f"from {__name__} import main; main()"
_LENGTH: Final = struct.Struct("!Q")
_GONE: Final = (asyncio.IncompleteReadError, OSError)
_Answer = tuple[list[News], CallbackError | None]


@dataclass(frozen=True, slots=True)
class Task:
    """For whom to commit: the PBX of these settings, under this version of its rules, as the holder of the lease."""

    settings: Settings
    version: int
    held: Lease
    journal_id: str


class Scribe:
    """Commits for one PBX, or for several on one store, while `at_work`: a second or two after `run` began.

    When its process dies, another is begun; until that is at work, whoever has something to commit does it himself.
    """

    def __init__(self, tasks: Sequence[Task], tell: Callable[[list[News]], None]) -> None:
        self._tasks, self._tell = tasks, tell
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self.at_work = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process that commits, while there is one."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Keep the process until cancelled, and let it finish then what it is at."""
        while True:
            try:
                why = await self._once()
            except OSError as error:
                why = f"could not be started ({error.strerror})"
            facts = {"why": f"the process that commits {why}", "again_in_s": AGAIN_S}
            self._tell([News("committer-died", now_us(), facts)])  # meanwhile the service commits itself
            await asyncio.sleep(AGAIN_S)

    async def _once(self) -> str:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", _MAIN, stdin=pipe, stdout=pipe)
        try:
            with suppress(*_GONE):
                await _ask(process, self._tasks)
                self._process = process
                self.at_work.set()
            return f"ended with status {await process.wait()}"
        finally:
            self.at_work.clear()
            self._process = None
            await end(process)

    def commit(self, batch: list[Heard], task: int = 0) -> Coroutine[Any, Any, list[News]] | None:
        """Commit a batch as `Writer.commit` does, and raise what it raises, StoreError too when the process dies.

        None while it is not at work.
        """
        return self._commit(batch, task) if self.at_work.is_set() else None

    async def _commit(self, batch: list[Heard], task: int) -> list[News]:
        async with self._turn:
            if self._process is None:
                raise StoreError("the process that commits is not at work")
            try:
                told, why_not = await _ask(self._process, (task, batch))
            except _GONE as error:
                raise StoreError("the process that commits has ended in the midst of it") from error
        if why_not is not None:
            self._tell(told)
            raise why_not
        return told


async def _ask(process: asyncio.subprocess.Process, question: object) -> _Answer:
    assert process.stdin is not None  # noqa: S101 - for the type checker
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(_framed(question))
    await process.stdin.drain()
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    answer: _Answer = pickle.loads(await process.stdout.readexactly(length))  # noqa: S301 - our own process's
    return answer


def _framed(message: object) -> bytes:
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def _read(source: BinaryIO) -> Any:  # noqa: ANN401 - whatever our own service says
    """Give the next message; None at the end, also in the midst of a message: then whoever wrote it is gone."""
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = source.read(length)
    return pickle.loads(body) if len(body) == length else None  # noqa: S301


def _work(source: BinaryIO, sink: BinaryIO) -> None:
    """Be the process."""
    tasks: list[Task] = _read(source)
    log_to_stderr(full_numbers=tasks[0].settings.logs.numbers == "full")
    told: list[News] = []
    with closing(store_of(tasks[0].settings.database)) as store:
        with suppress(StoreAway):  # then each transaction asks for the key itself
            check(store)
        writers = [_writer(store, task, told) for task in tasks]
        _answer(sink, told, None)
        while (question := _read(source)) is not None:
            told.clear()
            which, batch = question
            why_not: CallbackError | None = None
            try:
                told += writers[which].commit(batch)
            except CallbackError as error:
                why_not = error
            _answer(sink, told, why_not)


def _answer(sink: BinaryIO, told: list[News], why_not: CallbackError | None) -> None:
    sink.write(_framed((told, why_not)))
    sink.flush()


def _writer(store: Store, task: Task, told: list[News]) -> Writer:
    site = site_of(task.settings, task.version, two_way_of(task.settings))
    parts = (task.held, task.journal_id, now_us)
    return Writer(store, site, *parts, told.extend, lambda _: None)


def main() -> None:
    """Commit until standard input ends: whoever stops the service stops it alone, and lets this finish."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as sink:  # the service was killed
        os.dup2(2, 1)  # whatever else is printed here is for people
        _work(sys.stdin.buffer, sink)
