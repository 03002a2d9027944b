"""Commits run in a child process, because the GIL would delay the AMI reader.

What was heard goes there batch by batch, of all PBXs; what has come while it committed is one transaction. Nothing is
kept there: until it has answered, a batch is not committed, and it is given again when the process has died; so
whatever it commits twice must change nothing, as after any crash. The lease guards it like any writer, and it ends with
its connection to the service.
"""

from __future__ import annotations

import asyncio
import pickle
import signal
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Final

from callback.clock import now_us
from callback.cluster.nodes import name_here
from callback.errors import CallbackError, StoreAway, StoreError
from callback.events import CommitterDied
from callback.garbage import gc_seldom
from callback.logs.structured import log_as
from callback.service.child_process import end
from callback.service.commits import Commits, Heard, Listener
from callback.service.watching.deaths import Deaths
from callback.settings.sections import Settings
from callback.site.context import Sites
from callback.store.keys import check, store_of
from callback.store.lease import Lease
from callback.texts.send import two_way_of
from telephony.pbx import Stretch

AGAIN_S: Final = 5.0
PROGRAM: Final = f"from {__name__} import main; main()"
_STDERR: Final = 2
_LENGTH: Final = 4  # bytes that say how long a message is
_AT_ONCE: Final = 1 << 18
"""Bytes that are read at once, and so committed together: about 250 calls. Other writers wait for them."""


@dataclass(frozen=True, slots=True)
class Task:
    """For whom to commit: the PBX of these settings, as the holder of the lease."""

    settings: Settings
    held: Lease
    journal_id: str


class CommitProcess:
    """Commits for one PBX, or for several on one store, while `at_work`: a second or two after `run` began.

    When its process dies, another is begun; until that is at work, whoever has something to commit does it themselves.
    """

    def __init__(
        self, tasks: Sequence[Task], tell: Callable[[CommitterDied], None], deaths: Deaths | None = None
    ) -> None:
        self._tasks, self._tell, self._deaths = tasks, tell, deaths
        self._process: asyncio.subprocess.Process | None = None
        self._line: _Line | None = None
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
            self._tell(
                CommitterDied(f"the process that commits {why}", AGAIN_S)
            )  # meanwhile the service commits itself
            if self._deaths is not None:
                self._deaths.ended(why)
            await asyncio.sleep(AGAIN_S)

    async def _once(self) -> str:
        process, line = await _begin()
        try:
            with suppress(StoreError):
                await line.ask(self._tasks)
                self._process, self._line = process, line
                self.at_work.set()
                if self._deaths is not None:
                    self._deaths.began()
            return f"ended with status {await process.wait()}"
        finally:
            self.at_work.clear()
            self._process = self._line = None
            line.close()
            await end(process)

    def commit(self, batch: list[Stretch], task: int = 0) -> Awaitable[None] | None:
        """Commit a batch as `Committer.commit` does, and raise what it raises, StoreError too when the process dies.

        None while it is not at work.
        """
        return self._line.ask((task, batch)) if self._line else None


class _Line(asyncio.Protocol):
    """Our end of the connection to the process. It answers in order; the event loop never waits for it.

    A thread that waits would be woken for each answer, and has to get the GIL from the reader: up to 5 ms each time.
    """

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._asked: deque[asyncio.Future[None]] = deque()
        self._answers = Messages()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport

    def ask(self, question: object) -> asyncio.Future[None]:
        """Ask; what is answered with an error raises it, and what is not answered StoreError."""
        answer = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._transport.write(message(question))
        if self._transport.is_closing():
            self.connection_lost(None)
        return answer

    def data_received(self, data: bytes) -> None:
        """Hand on what is answered."""
        for why_not in self._answers.fed(data):
            _settle(self._asked.popleft(), why_not)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to all who wait."""
        while self._asked:
            error = StoreError("the process that commits has ended in the midst of it")
            error.__cause__ = exc
            _settle(self._asked.popleft(), error)

    def close(self) -> None:
        """Let the process finish what it is at."""
        self._transport.close()


def _settle(answer: asyncio.Future[None], why_not: CallbackError | None) -> None:
    if answer.done():
        return  # nobody waits for it any more
    if why_not is None:
        answer.set_result(None)
    else:
        answer.set_exception(why_not)


async def _begin() -> tuple[asyncio.subprocess.Process, _Line]:
    """Start the process with our connection as its standard input; what it prints is for people, as our errors are."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = (sys.executable, "-c", PROGRAM)
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=theirs.fileno(), stdout=_STDERR)
        except BaseException:
            ours.close()
            raise
    _, line = await asyncio.get_running_loop().create_connection(_Line, sock=ours)
    return process, line


def message(content: object) -> bytes:
    """A message on the connection: a pickle, and before it how long it is."""
    pickled = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return len(pickled).to_bytes(_LENGTH, "big") + pickled


class Messages:
    """Messages out of the bytes that came."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def fed(self, data: bytes) -> list[Any]:
        """Take more bytes, and give the messages that are whole by now."""
        self._bytes += data
        whole: list[Any] = []
        begin = 0
        while (after := begin + _LENGTH) <= len(self._bytes):
            end = after + int.from_bytes(self._bytes[begin:after], "big")
            if end > len(self._bytes):
                break
            whole.append(pickle.loads(self._bytes[after:end]))  # noqa: S301 - from a process of ours
            begin = end
        del self._bytes[:begin]
        return whole


def _work(service: socket.socket) -> None:
    """Be the process, until there is no more service."""
    asked = _questions(service)
    tasks: list[Task] = next(asked)[0]
    _log_as(tasks[0].settings)
    with closing(store_of(tasks[0].settings.database)) as store:
        with suppress(StoreAway):  # then each transaction asks for the key itself
            check(store)
        commits, listeners = Commits(store, now_us), [_listener(task) for task in tasks]
        gc_seldom()
        service.sendall(message(None))
        for batches in asked:
            answers = commits.together([Heard.from_stretches(listeners[task], batch) for task, batch in batches])
            service.sendall(b"".join(map(message, answers)))


def _log_as(settings: Settings) -> None:
    about = {"pbx": settings.pbx.name, "node": name_here(settings.cluster.node)}
    log_as(settings.logs.form, about | {"role": "commit"}, full_numbers=settings.logs.numbers == "full")


def _questions(service: socket.socket) -> Iterator[list[Any]]:
    """Give what the service asks, all at once that has come by then, until it is gone, be it amid a question."""
    asked = Messages()
    while data := service.recv(_AT_ONCE):
        if questions := asked.fed(data):
            yield questions


def _listener(task: Task) -> Listener:
    return Listener(Sites(task.settings, two_way_of(task.settings)), task.held, task.journal_id)


def main() -> None:
    """Commit until standard input, the connection to the service, ends.

    Whoever stops the service stops it alone, and lets this finish.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(StopIteration, ConnectionError), socket.socket(fileno=sys.stdin.fileno()) as service:
        _work(service)
