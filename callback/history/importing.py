"""Read queue_logs of one PBX or several: each call once, in the order in which they ended, into a history.

A long log is read in a process of its own, which hands over calls by the thousand; the process that tells callers
apart and adds the calls up has a processor of its own. What waits between the two is bounded by the pipe.
"""

from __future__ import annotations

import marshal
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple

from callback.errors import CallbackError
from callback.garbage import without_gc
from callback.history.callers import caller
from callback.history.counts import History, in_order
from callback.processes import telling
from callback.settings.sections import Trunk
from scheduler.clock import SECOND
from telephony.errors import TelephonyError
from telephony.private import is_seen
from telephony.queue_log.between import Log
from telephony.queue_log.briefs import Brief, LogBriefs
from telephony.queue_log.entries import Entry, Faults
from telephony.queue_log.files import DAMAGED, TORN, NamedFiles
from telephony.queue_log.logins import Stint
from telephony.queue_log.sieve import HEADLESS
from telephony.queue_log.table import LogTable

EVER: Final = (10**9 * SECOND, (10**10 - 10**6) * SECOND)  # as early and as late as a log's times can be
LONG: Final = 8 << 20
"""Bytes of a log that is worth a process of its own."""
_BATCH: Final = 1000
_NO_REFERENCES: Final = 2  # the version of marshal that looks for no value that comes twice
_MOST_CALLERS: Final = 1 << 17  # remembered: of others the number is read each time
_OF_PBX: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,31})=(.+)")
_PBX: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")

_new_tuple: Final[Callable[..., Any]] = tuple.__new__

Keep = Callable[[Brief], None]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """One PBX's log: files, whatever they overlap, or the URL of a database; `zone` is that of local times in it.

    `trunks` say how callers' numbers are read, where they are known.
    """

    pbx: str
    names: tuple[str, ...]
    zone: tzinfo
    trunks: tuple[Trunk, ...] = ()

    def log(self) -> Log:
        """Open it. Raises LogUnreadable where the URL is none."""
        if "://" in self.names[0]:
            return LogTable(self.names[0], zone=self.zone)
        return NamedFiles([Path(name) for name in self.names], self.zone)

    @property
    def long(self) -> bool:
        """Whether it takes so many seconds to read that a process of its own is worth it."""
        return "://" not in self.names[0] and sum(Path(name).stat().st_size for name in self.names) > LONG


@dataclass(slots=True)
class Imported:
    """What was read: good `lines`, `faults`, and `doubts`, what was not believed, by why. `stints` by PBX.

    So many calls into queues were `agents_calls`, by agents themselves, and left out.
    """

    lines: int = 0
    agents_calls: int = 0
    faults: Faults = field(default_factory=Faults)
    doubts: Counter[str] = field(default_factory=Counter)
    stints: dict[str, list[Stint]] = field(default_factory=dict)

    @property
    def all_lines(self) -> int:
        """How many lines there were, bad ones too; some faults are of files, or of lines that are good but for them."""
        counts = self.faults.counts
        return self.lines + counts.total() - counts[TORN] - counts[DAMAGED] - counts[HEADLESS]


class _Callers(dict[str | None, str | None]):
    """What stands for the caller, by the number in the log; of nobody, nothing."""

    def __init__(self, trunks: tuple[Trunk, ...]) -> None:
        super().__init__({None: None})
        self._trunks = trunks

    def __missing__(self, number: str) -> str:
        found = caller(number, self._trunks)
        if len(self) < _MOST_CALLERS:
            self[number] = found
        return found


class _Batch(NamedTuple):
    """Some calls of a log (or their plain values), how much of it was read, and in the last batch what else it told."""

    done: int
    calls: Sequence[tuple[Any, ...]]
    rest: Imported | None = None


def sources(names: Sequence[str], pbx: str, zone: tzinfo, trunks: tuple[Trunk, ...] = ()) -> list[Source]:
    """Sort the names of files and URLs by PBX: one may say whose it is, as in `east=queue_log`; else it is `pbx`'s."""
    if not _PBX.fullmatch(pbx):
        raise CallbackError(f"--pbx {pbx}: name it in small letters, digits and dashes, as in the settings")
    found: dict[str, list[str]] = {}
    for name in names:
        marked = _OF_PBX.fullmatch(name) if not is_seen(Path(name)) else None
        whose, where = marked.groups() if marked else (pbx, name)
        found.setdefault(whose, []).append(where)
    for whose, several in found.items():
        if len(several) > 1 and any("://" in name for name in several):
            raise CallbackError(f"{whose}: name either files or one table, for both would count calls twice")
    return [Source(whose, tuple(several), zone, trunks) for whose, several in found.items()]


def read(
    wanted: Sequence[Source],
    history: History,
    limit: int,
    keep: Keep | None = None,
    progress: Progress = lambda _: None,
) -> Imported:
    """Read all logs into `history`, and hand each call to `keep`; `limit` bad lines are kept to be shown."""
    imported = Imported(faults=Faults(limit))
    streams = [_calls(source, imported, progress) for source in wanted]
    for call in in_order(streams):
        history.add(call)
        if keep is not None:
            keep(call)
    for stints in imported.stints.values():
        for stint in stints:
            history.logged_in(stint)
    return imported


def _calls(source: Source, imported: Imported, progress: Progress) -> Iterator[Brief]:
    limit = imported.faults.limit
    callers = _Callers(source.trunks)
    for done, calls, rest in _apart(source, limit) if source.long else _batches(source, limit):
        progress(done)
        for pbx, call_id, number, *more in calls:
            yield _new_tuple(Brief, (pbx, call_id, callers[number], *more))  # in half the time of Brief(…)
        if rest is not None:
            imported.lines += rest.lines
            imported.agents_calls += rest.agents_calls
            imported.doubts.update(rest.doubts)
            imported.stints |= rest.stints
            imported.faults.join(rest.faults)


def _batches(source: Source, limit: int) -> Iterator[_Batch]:
    """Read a log to its end."""
    log, briefs, rest = source.log(), LogBriefs(source.pbx), Imported(faults=Faults(limit))
    done, calls = Counter[str](), list[Brief]()
    log.progress = lambda more: done.update(read=more)
    for call in _told(briefs, log.between(*EVER, rest.faults)):
        calls.append(call)
        if len(calls) >= _BATCH:
            yield _Batch(done.pop("read", 0), calls)
            calls = []
    rest.lines, rest.doubts, rest.agents_calls = briefs.entries, briefs.counts, briefs.agents_calls
    rest.stints[source.pbx] = briefs.logins.until(briefs.now)
    yield _Batch(done["read"], calls, rest)


def _told(briefs: LogBriefs, entries: Iterator[Entry]) -> Iterator[Brief]:
    yield from briefs.over(entries)
    yield from briefs.finish()
    yield from briefs.unfinished()


def _apart(source: Source, limit: int) -> Iterator[_Batch]:
    """Read a log in a process of its own."""
    rest = None
    try:
        with telling(_send, source, limit) as reader:
            while rest is None:
                told = reader.recv()
                if isinstance(told, str):
                    raise CallbackError(told)
                done, calls, rest = told
                yield _Batch(done, marshal.loads(calls), rest)  # noqa: S302 - from a process of our own
    except EOFError as error:
        raise CallbackError(f"{', '.join(source.names)}: reading it was stopped from outside; try again") from error


def _send(source: Source, limit: int, there: Connection) -> None:
    try:
        with without_gc():
            for done, calls, rest in _batches(source, limit):
                # Plain tuples by marshal take a fifth of the time that named ones take by pickle
                there.send((done, marshal.dumps(list(map(tuple, calls)), _NO_REFERENCES), rest))
    except TelephonyError as error:
        there.send(str(error))
    except (BrokenPipeError, KeyboardInterrupt):
        return  # nobody listens any more
