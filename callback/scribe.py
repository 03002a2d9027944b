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
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from callback.errors import CallbackError, StoreError
from callback.news import News
from callback.sending import two_way_of
from callback.settings import Settings
from callback.shift import shift_of
from callback.store.engine import Store
from callback.store.lease import Lease
from callback.writer import Writer
from telephony.pbx import Heard

END_S: Final = 5.0
_MAIN: Final = f"from {__name__} import main; main()"
_LENGTH: Final = struct.Struct("!Q")
_Answer = tuple[list[News], CallbackError | None]


@dataclass(frozen=True, slots=True)
class Task:
    """For whom to commit: the PBX of these settings, under this version of its rules, as the holder of the lease."""

    settings: Settings
    version: int
    held: Lease
    journal_id: str


class Scribe:
    """Commits for one PBX, or for several on one store; begins when it is first needed, and again when it has died."""

    def __init__(self, tasks: Sequence[Task], tell: Callable[[list[News]], None]) -> None:
        self._tasks, self._tell = tasks, tell
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def begin(self) -> None:
        """Begin the process, if it is not at work, and wait until it is: that takes a second or two."""
        async with self._turn:
            await self._begun()

    async def commit(self, batch: list[Heard], task: int = 0) -> list[News]:
        """Commit a batch as `Writer.commit` does, and raise what it raises; StoreError too where the process died."""
        async with self._turn:
            try:
                process = await self._begun()
                told, why_not = await _ask(process, (task, batch))
            except (asyncio.IncompleteReadError, OSError) as error:
                await self.close()
                raise StoreError("the process that commits has ended, what it said last says why") from error
        if why_not is not None:
            self._tell(told)
            raise why_not
        return told

    async def close(self) -> None:
        """End the process, once it has done what it is at."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None  # noqa: S101 - for the type checker
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()

    async def _begun(self) -> asyncio.subprocess.Process:
        if self._process is None:
            pipe = asyncio.subprocess.PIPE
            self._process = await asyncio.create_subprocess_exec(sys.executable, "-c", _MAIN, stdin=pipe, stdout=pipe)
            await _ask(self._process, self._tasks)
        return self._process


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
    told: list[News] = []
    with closing(Store(tasks[0].settings.database.url)) as store:
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
    shift = shift_of(task.settings, task.version, two_way_of(task.settings))
    parts = (task.held, task.journal_id, lambda: time.time_ns() // 1000)
    return Writer(store, shift, *parts, told.extend, lambda _: None)


def main() -> None:
    """Commit until standard input ends: whoever stops the service stops it alone, and lets this finish."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)  # whatever else is printed here is for people
        _work(sys.stdin.buffer, sink)
