"""One examination by the doctor at a time, beside the pages: what it has found so far is there to be shown."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from callback.operations.doctor.finding import Finding

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found from `began_at` on; `ended_at` is None while the doctor still looks. `failed`: it broke off."""

    began_at: int
    findings: tuple[Finding, ...] = ()
    ended_at: int | None = None
    failed: bool = False


class Examination:
    """The last examination. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Examined | None = None

    @property
    def last(self) -> Examined | None:
        """The one that goes on, else the last one; None before the first."""
        return self._last

    def begin(self, examine: Callable[[], Iterable[Finding]], now: Callable[[], int]) -> bool:
        """Let the doctor look in a thread of its own; False where one looks already."""
        with self._lock:
            if self._last is not None and self._last.ended_at is None:
                return False
            self._last = Examined(now())
        threading.Thread(target=self._run, args=(examine, now), name="doctor", daemon=True).start()
        return True

    def _run(self, examine: Callable[[], Iterable[Finding]], now: Callable[[], int]) -> None:
        failed = False
        try:
            for finding in examine():
                self._keep(partial(_with, finding))
        except Exception:  # whatever it is, the page must not say for ever that somebody looks
            log.exception("the doctor broke off")
            failed = True
        self._keep(lambda seen: replace(seen, ended_at=now(), failed=failed))

    def _keep(self, change: Callable[[Examined], Examined]) -> None:
        with self._lock:
            if self._last is not None:
                self._last = change(self._last)


def _with(finding: Finding, seen: Examined) -> Examined:
    return replace(seen, findings=(*seen.findings, finding))
