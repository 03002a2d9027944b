"""What Now and reports need that takes long to read: kept for all pages, and the day read in the background."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from callback.accounts.roles import Groups
from callback.reports.now import look
from callback.reports.now.day import Day, DayReader
from callback.reports.now.look import Dangers, Head, Now, Rated
from callback.reports.period import report as reporting
from callback.reports.period.report import Report, Wish
from callback.reports.queue import census
from callback.reports.queue.board import Queue
from callback.reports.queue.census import Census
from callback.site.work import Work
from callback.web.console.now.recent import Recent

log = logging.getLogger(__name__)

DAY_EVERY_S: Final = 60.0
RATES_EVERY_S: Final = 1.0
AGAIN_S: Final = 5.0
"""After the day could not be read."""
DEAR: Final = 30.0
"""What grows with the site is read no more often than takes a thirtieth of a processor, for each group of viewers."""
REST: Final = 4.0
"""So many times as long as a piece of the day's reading took, it rests: a fifth of a processor, and no more."""
WANTED_S: Final = 60.0
"""Nothing is read in the background for a page that nobody has looked at for so long."""


class Keeper:
    """Gives Now and the head of every page; from `start` to `stop` a thread reads what takes longest."""

    def __init__(self) -> None:
        self._dangers = Recent[Dangers](look.dangers, share=DEAR)
        self._rated = Recent[Rated](lambda work, _key: look.rated(work), share=DEAR)
        self._census = Recent[Census](lambda work, _key: census.take(work), share=0)
        self._heads = Recent[Head](self._head, share=0)
        self._reports = Recent[Report](reporting.read, share=DEAR)
        self._day: Day | None = None
        self._wanted_s = -WANTED_S
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def now(self, work: Work, groups: Groups) -> Now:
        """Read the page; of what is dear to read, what was read a moment ago."""
        self._wanted_s = time.monotonic()
        rated = self._rated.last if self._thread is not None else self._rated.get
        counted = self._census.get(work, None)
        return look.look(work, groups, self._dangers.get(work, groups), rated(work, None), self._day, counted)

    def queue(self, work: Work) -> Queue:
        """Give the queue of this snapshot; what is open is counted once for all."""
        return Queue(work, self._census.get(work, None))

    def head(self, work: Work, groups: Groups) -> Head:
        """Give the figures above every page."""
        return self._heads.get(work, groups)

    def report(self, work: Work, wish: Wish) -> Report:
        """Read a report, or give what was read a moment ago for somebody who wished for the same."""
        return self._reports.get(work, wish)

    def _head(self, work: Work, groups: Groups) -> Head:
        return look.head(work, groups, self._dangers.get(work, groups), self._census.get(work, None))

    def start(self, snapshot: Callable[[Callable[[Work], Any]], Any]) -> None:
        """Begin to read in the background; `snapshot` does some reading in a snapshot of its own."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, args=(snapshot,), name="keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read no more."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, snapshot: Callable[[Callable[[Work], Any]], Any]) -> None:
        reader, day_at_s = DayReader(snapshot, self._rest), 0.0
        while not self._stopped.wait(RATES_EVERY_S):
            if time.monotonic() - self._wanted_s > WANTED_S:
                continue
            try:
                snapshot(lambda work: self._rated.get(work, None))
                if time.monotonic() >= day_at_s:
                    day_at_s = time.monotonic() + AGAIN_S
                    self._day = reader.read()
                    day_at_s = time.monotonic() + DAY_EVERY_S
            except _Stopped:
                return
            except Exception as error:  # noqa: BLE001 - pages go on with what was read last, and this is read again
                log.warning("the rates or the day could not be read: %s", error)
                reader = DayReader(snapshot, self._rest)

    def _rest(self, took_s: float) -> None:
        """Let pages be made: weeks of calls take long, and an interpreter lets one thread run at a time."""
        if self._stopped.wait(REST * took_s):
            raise _Stopped


class _Stopped(Exception):
    """Nobody needs any more what is being read."""
