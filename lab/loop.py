"""One thread in which all phones of a process live: no phone ever waits for another, none needs a lock."""

import asyncio
import atexit
import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An asyncio loop in a daemon thread; what phones do runs here, whoever asks for it."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda _loop, context: self._fault(context))
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab-phones", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    def call(self, act: Callable[[], T]) -> T:
        """Run `act` in the loop and return what it returns; at once where we are in the loop already."""
        if threading.current_thread() is self._thread:
            return act()

        async def run() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout=30)

    def later(self, delay_s: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        """Run `act` after `delay_s`, unless the handle is cancelled before. Only from within the loop."""
        return self._loop.call_later(delay_s, act)

    def now(self) -> float:
        """Monotonic seconds of the loop."""
        return self._loop.time()

    def watch(self, fd: int, act: Callable[[], object]) -> None:
        """Run `act` whenever `fd` can be read. Only from within the loop."""
        self._loop.add_reader(fd, act)

    def unwatch(self, fd: int) -> None:
        """Watch `fd` no longer. Only from within the loop."""
        self._loop.remove_reader(fd)

    def _fault(self, context: dict[str, Any]) -> None:
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=2)
        if not self._thread.is_alive():
            self._loop.close()


@functools.cache
def shared() -> Loop:
    """Give the loop of this process."""
    return Loop()
