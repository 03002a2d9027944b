"""Tells what happened, line by line: to people on standard output, to programs as JSON lines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, Any, Final
from zoneinfo import ZoneInfo

from callback import events as e
from callback.events import Happened
from callback.logs.masking import masked, masked_facts, masked_text
from callback.logs.printable import as_json, printable
from callback.service.sentences import plainly, words
from scheduler.clock import MINUTE, local

log = logging.getLogger(__name__)

EARLIER_US: Final = MINUTE
"""An event that is older than this when it is told says so."""


class Narrator:
    """Writes each event as one line, without whole numbers unless asked for; safe to call from any thread."""

    def __init__(
        self,
        zone: ZoneInfo,
        people: IO[str],
        programs: IO[str] | None = None,
        *,
        full_numbers: bool = False,
        now: Callable[[], int] | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Take where to write; with `now` each line says when it was written, so that they never run backwards.

        With `about` people's lines are JSON too, with these facts in each.
        """
        self._about = about
        self._now = now
        self._zone, self._people, self._programs, self._full_numbers = zone, people, programs, full_numbers
        self._lock = threading.Lock()
        self._deaf: list[IO[str]] = []

    def tell(self, happened: Iterable[Happened]) -> None:
        """Write the events in order and flush. A stream that takes no more stops nothing: it is logged, once."""
        with self._lock:
            for one in self.shown(happened):
                self._write(self._people, self._line(one) if self._about is None else self._object(one, self._about))
                self._write(self._programs, as_json(record(one)))

    def shown(self, happened: Iterable[Happened]) -> list[Happened]:
        """Give the events as they may leave the service."""
        return [
            one if self._full_numbers or one.number is None else replace(one, number=masked(one.number))
            for one in happened
        ]

    def _write(self, stream: IO[str] | None, line: str) -> None:
        if stream is None or stream in self._deaf:
            return
        try:
            stream.write(f"{line}\n")  # at once: between a line and its end another thread's line would stand
            stream.flush()
        except (OSError, ValueError) as error:
            self._deaf.append(stream)
            log.error("%s takes no more events: %s", getattr(stream, "name", stream), error)  # noqa: TRY400

    def _object(self, one: Happened, about: Mapping[str, str]) -> str:
        """Give the line as one JSON object beside the log's, with its sentence and its ids."""
        level = "warning" if one.event.ALARMING else "info"
        written_at = datetime.fromtimestamp((self._now() if self._now else one.at) / 1e6, UTC)
        facts = record(one) if self._full_numbers else masked_facts(record(one))
        says = self.sentence(one) if self._full_numbers else masked_text(self.sentence(one))
        head = {"time": written_at.isoformat(timespec="milliseconds"), "level": level, "log": "events", "says": says}
        return as_json({**facts, **head, **about})

    def _line(self, one: Happened) -> str:
        """Give the line; what it tells of lies earlier where it had to be found out, and then that is said."""
        written_at = self._now() if self._now else one.at
        earlier = f" (at {self._time(one.at, written_at)})" if written_at - one.at >= EARLIER_US else ""
        return f"{self._time(written_at, written_at)}  {one.name:<15} {self.sentence(one)}{earlier}"

    def sentence(self, one: Happened) -> str:
        """One event in words, on one line; an event of another version, which may mean its facts otherwise, plainly."""
        try:
            said = words(one, lambda at: self._time(at, one.at))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            said = plainly(one)
        return printable(" ".join(said.split()))

    def _time(self, at: int, seen_at: int) -> str:
        """A time as it is read at another: of another day it comes with its day."""
        said, seen = local(at, self._zone), local(seen_at, self._zone)
        return f"{said:%H:%M:%S}" if said.date() == seen.date() else f"{said:%m-%d %H:%M:%S}"


def record(one: Happened) -> dict[str, Any]:
    """An event as programs read it; a call says also that its caller has no number that is known."""
    of_a_call = isinstance(one.event, e.CallJudged | e.NotRecovered)
    number = {"number": one.number} if of_a_call or one.number is not None else {}
    return {"event": one.name, "at": one.at, **number, **one.facts}
