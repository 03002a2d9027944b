"""A call centre without an Asterisk: recorded streams, played again and again to the service that logs in."""

import asyncio
import itertools
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

from lab.errors import LabError
from lab.people import mobiles
from lab.service import PbxAccess
from telephony.simulator.server import CallbackPlay, Simulator

Say = Callable[[str], None]

_STREAMS = Path(__file__).parents[1] / "tests" / "streams"
_RECORDED = b"09012345678"
_PLAYED = {
    "03a-abandon-ringing": "gives up after 4 s",
    "01-normal-caller-hangs-up": "is served",
    "04a-queue-timeout": "is thrown out of the queue after 5 s",
    "03b-abandon-before-answer-CANCEL": "gives up after 3 s",
}
_CALLBACK = _STREAMS / "callbacks" / "reached.ami.gz"
_DECIDED_S = 4  # by then the service has asked for a callback, if it will


class RecordedCentre:
    """Plays calls to whoever logs in, as a context manager; every callback that is asked for reaches its customer.

    It is no Asterisk, and no phone rings.
    """

    def __init__(self, say: Say) -> None:
        if not _CALLBACK.exists():
            raise LabError(f"the recorded streams are not there: {_STREAMS}. Run the lab from a checkout.")
        self._say = say
        self._secret = secrets.token_hex(12)
        self._port: Future[int] = Future()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="lab-recorded", daemon=True)
        self._playing: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._port.result(timeout=10)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.call_soon_threadsafe(lambda: self._playing and self._playing.cancel())
        self._thread.join(timeout=10)

    @property
    def access(self) -> PbxAccess:
        """Where the service logs in. Recorded callers wait shortly."""
        return PbxAccess(self._port.result(timeout=10), "lcr", self._secret, short_abandon_s=2)

    def begin(self) -> None:
        """Let customers call: they do, from the service's log-in on."""

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._playing = self._loop.create_task(self._serve())
            self._loop.run_until_complete(self._playing)
        self._loop.close()

    async def _serve(self) -> None:
        paths = {_STREAMS / f"{name}.ami.gz": course for name, course in _PLAYED.items()}
        simulator = Simulator(
            account=("lcr", self._secret),
            recordings=list(paths),
            callback=CallbackPlay(_CALLBACK),
        )
        async with simulator:
            self._port.set_result(simulator.port)
            await simulator.somebody()
            for number, (path, course) in zip(mobiles(), itertools.cycle(paths.items())):
                self._say(f"(recorded) {number} calls, and {course}")
                await simulator.play(path, rename=partial(_renamed, number.encode()))
                await asyncio.sleep(_DECIDED_S)
                await simulator.idle()  # the recorded agent can do one thing at a time


def _renamed(number: bytes, event: bytes) -> bytes:
    return event.replace(_RECORDED, number)
