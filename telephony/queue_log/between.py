"""The calls that ended in a period, by Asterisk's queue_log: file or table.

log = open_log("/var/log/asterisk/queue_log")      # or the SQLAlchemy URL of a database with a table queue_log
told = calls_between(log, since, until, pbx="main")
told.calls, told.why_not
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final, Protocol

from telephony.calls.call import Call, Judged, moment
from telephony.ids import SECOND
from telephony.queue_log.calls import QUIET_S
from telephony.queue_log.entries import Entry, Faults
from telephony.queue_log.files import DAMAGED, LogFiles, LogUnreadable
from telephony.queue_log.table import LogTable
from telephony.queue_log.verdicts import LogCalls

LOOKBACK_S: Final = 12 * 3600


class Log(Protocol):
    """A queue_log: files or a table. `progress` is told how much more of its `size` was read.

    `forgeable`: callers can write lines into it.
    """

    progress: Callable[[int], None]
    forgeable: bool

    def size(self) -> int:
        """Give how much there is to read, in bytes or rows. Raises LogUnreadable."""

    def begins_at(self) -> int | None:
        """Give the instant of the oldest line, None where there is none. Raises LogUnreadable."""

    def between(self, since: int, until: int, faults: Faults) -> Iterator[Entry]:
        """Give the entries from `since` to `until` (µs), oldest first. Raises LogUnreadable."""


@dataclass(frozen=True, slots=True)
class LogExtract:
    """The calls that ended in a period by the log, once each, in that order.

    `why_not` is empty if the log covers the whole period, else a sentence that says what is missing. `unfinished`
    had begun, and no end was written: they are alive, or ended unnoticed. `restarts` are when the PBX started, or
    rather when it first wrote something after that. `faults` are lines that were left out; `doubts` counts what was
    not believed.
    """

    calls: tuple[Judged, ...]
    why_not: str
    unfinished: tuple[Call, ...]
    restarts: tuple[int, ...]
    faults: Faults
    doubts: dict[str, int]


def open_log(where: str | Path, zone: tzinfo = UTC) -> Log:
    """Give the log at a path, or in the table `queue_log` of the database at a URL (`postgresql+psycopg://…`).

    `zone` is that of local times in a table; a file's are seconds since the epoch.
    """
    return LogTable(where, zone=zone) if isinstance(where, str) and "://" in where else LogFiles(where, zone)


def calls_between(
    log: Log,
    since: int,
    until: int,
    *,
    pbx: str,
    lookback_s: float = LOOKBACK_S,
    restarted_at: int | None = None,
) -> LogExtract:
    """Give the calls that ended after `since` and by `until` (µs of the PBX's clock). Never raises for what a log is.

    Beginnings are found up to `lookback_s` earlier. As a log may tell whole seconds only, a call that ended in the
    second of `since` is among them. `restarted_at` is when the PBX is known to have started last; a call that was cut
    off by a restart ended when that was written, or then.
    """
    faults, calls = Faults(), LogCalls(pbx)
    since -= since % SECOND
    found: list[Judged] = []
    try:
        begins_at = log.begins_at()
        entries = log.between(since - round(lookback_s * SECOND), until + QUIET_S * SECOND, faults)
        found.extend(calls.judged(entries))
        found.extend(calls.finish(restarted_at))
    except LogUnreadable as error:
        return LogExtract((), str(error), (), (), faults, {})
    return LogExtract(
        tuple(judged for judged in found if since <= calls.over_at(judged[0]) <= until),
        _uncovered(log, begins_at, since, faults),
        calls.unfinished,
        tuple(at for at in calls.restarts if since <= at <= until),
        faults,
        dict(calls.counts),
    )


def _uncovered(log: Log, begins_at: int | None, since: int, faults: Faults) -> str:
    if begins_at is None:
        return f"{log} holds no line. Check queue_log in logger.conf, and that this is where this PBX writes it."
    if begins_at > since:
        return f"{log} begins at {moment(begins_at)} only: what was before is not in it. Keep rotated logs for longer."
    damaged = [fault.place for fault in faults if fault.why == DAMAGED]
    return f"{', '.join(damaged)}: {DAMAGED}. Unpack it by hand, and look what is missing." if damaged else ""
