"""What the database tells, looked at in a thread, never by two at once, and kept for a moment.

A database that gives no answer holds up nobody: whoever asks is told so after a moment, and the look goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from callback.errors import CallbackError
from callback.operations.metrics import site as of_site
from callback.operations.metrics.sample import Sample
from callback.settings.sections import Settings
from callback.site.context import Sites, current
from callback.site.work import Work
from callback.store.engine import Store
from callback.web.watching import promises

FRESH_S: Final = 2.0
"""A look is not older, unless the database takes longer."""
PATIENCE_S: Final = 3.0
PROMISES_S: Final = 15.0
"""How promises go is read no oftener, for it is dear on a large site."""
SHARE: Final = 10.0
"""Nor oftener than so many times as long as the last reading took."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen at `at_s`, which took `took_s`; `fault`: why nothing could be."""

    samples: tuple[Sample, ...] = ()
    at_s: float = 0.0
    took_s: float = 0.0
    fault: str = ""

    @property
    def picture_age_s(self) -> float | None:
        """How old the picture of the PBX was; None: there is none."""
        return self._value("lcr_picture_age_seconds")

    @property
    def line_age_s(self) -> float | None:
        """How long ago it was known who is on the line; None: it never was."""
        return self._value("lcr_line_age_seconds")

    def _value(self, family: str) -> float | None:
        return next((one.value for one in self.samples if one.family == family), None)


class Looks:
    """Looks at one database. It belongs to one event loop."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        now: Callable[[], int],
        seconds: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._settings, self._store, self._now, self._seconds = settings, store, now, seconds
        self._patience_s = patience_s
        self._sites: Sites | None = None
        self._last: Looked | None = None
        self._looking: asyncio.Task[Looked] | None = None
        self._promises: tuple[Sample, ...] = ()
        self._promises_until_s = 0.0

    async def take(self) -> Looked:
        """Give what was seen a moment ago, or what is seen now; where there is no answer, that."""
        if self._last is not None and self._seconds() - self._last.at_s < FRESH_S:
            return self._last
        if self._looking is None:
            self._looking = asyncio.create_task(asyncio.to_thread(self._look))
            self._looking.add_done_callback(self._over)
        looking = self._looking
        done, _ = await asyncio.wait([looking], timeout=self._patience_s)
        if not done:
            return Looked(at_s=self._seconds(), fault=f"the database has not answered for {self._patience_s:g} s")
        return looking.result()

    def age_s(self, looked: Looked) -> float:
        """How long ago that was seen."""
        return max(0.0, self._seconds() - looked.at_s)

    def _over(self, looking: asyncio.Task[Looked]) -> None:
        self._looking = None
        if not looking.cancelled():
            self._last = looking.result()

    def _look(self) -> Looked:
        began = self._seconds()
        try:
            with self._store.read() as connection:
                now = self._now()
                if self._sites is None:
                    current(connection, self._settings, now)
                    self._sites = Sites(self._settings)
                work = Work(connection, self._sites.at(connection, now), now)
                samples = (*of_site.look(work), *self._of_promises(work))
        except CallbackError as error:
            return Looked(at_s=self._seconds(), fault=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who ask must hear of it
            return Looked(at_s=self._seconds(), fault=f"{type(error).__name__}: {error}")
        took_s = self._seconds() - began
        return Looked((*samples, Sample("lcr_sample_seconds", took_s)), self._seconds(), took_s)

    def _of_promises(self, work: Work) -> tuple[Sample, ...]:
        began = self._seconds()
        if began >= self._promises_until_s:
            self._promises = tuple(promises.look(work))
            took_s = self._seconds() - began
            self._promises_until_s = began + max(PROMISES_S, SHARE * took_s)
        return self._promises
