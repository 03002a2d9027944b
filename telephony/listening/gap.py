"""Calls that ended while the connection was away: from queue_log and call records, with what was known before.

A gap is reported, never guessed. If no log covers it, the report says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from typing import Final

from telephony.calls.call import Call, Judged
from telephony.cdr import Cdr, calls_of
from telephony.ids import SECOND
from telephony.listening import proof
from telephony.listening.proof import GapEvidence
from telephony.listening.wiring import Wiring
from telephony.queue_log.between import Log, calls_between
from telephony.queue_log.sieve import FORGED, HEADLESS

NO_LOG: Final = "no queue_log is configured: set [pbx] queue_log"

NEAR_S: Final = 60.0
"""The log is read from so long before a gap: the times of lines, and clocks, differ by less."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gap:
    """The connection was away from `since` to `until`. By the log, `calls` of customers ended in it; or `why_not`.

    `forged` lines of the log were written by callers, as far as that shows; `unproved` calls are in the log alone.
    `recorded`: call records told of callers who reached no queue.
    """

    since: int
    until: int
    calls: int
    why_not: str
    forged: int = 0
    unproved: int = 0
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class RecordedCalls:
    """By call records: the ids of the calls that ended in a gap, and the calls among them that reached no queue."""

    call_ids: frozenset[str] = frozenset()
    calls: tuple[Judged, ...] = ()
    read: bool = False


@dataclass(frozen=True, slots=True)
class GapCalls:
    """A gap, the calls that ended in it, and the ids of those that have a call record."""

    gap: Gap
    calls: tuple[Judged, ...]
    recorded: frozenset[str]


def look_back(
    log: Log | None,
    pbx: str,
    since: int,
    until: int,
    *,
    restarted: bool = False,
    known: Callable[[str], bool] = lambda _: False,
) -> tuple[Gap, tuple[Judged, ...]]:
    """Read from the log the calls that ended in the gap. Reads files, or a table: may be slow.

    Reading begins just before the gap, since the beginnings of `known` calls were heard; only if another call lacks
    its beginning is more of the log read. `restarted`: the PBX has started since; calls that it cut off have no end in
    the log, and ended by `until`.
    """
    if log is None:
        return Gap(since, until, 0, NO_LOG), ()
    try:
        told = calls_between(log, since, until, pbx=pbx, lookback_s=NEAR_S) if not restarted else None
        if told is None or any(not (call.complete or known(call.call_id)) for call, _ in told.calls):
            told = calls_between(log, since, until, pbx=pbx, restarted_at=until if restarted else None)
    except Exception as error:  # a fault in a log must not keep the service from listening
        logger.exception("the queue_log could not be read")
        return Gap(since, until, 0, f"{log} could not be read: {error!r}"), ()
    customers = sum(verdict.kind != "callback" for _, verdict in told.calls)
    forged = told.faults.counts[FORGED] + told.faults.counts[HEADLESS]
    return Gap(since, until, customers, told.why_not, forged), told.calls


def recorded_calls(cdr: Cdr | None, pbx: str, trunks: tuple[str, ...], since: int, until: int) -> RecordedCalls:
    """Read the call records of the gap; none where no file is set, or it cannot be read, which is logged."""
    if cdr is None:
        return RecordedCalls()
    try:
        records = cdr.between(since - since % SECOND, until)
    except OSError as error:
        logger.warning("%s cannot be read (%s): let the service read it, or mend [pbx] cdr", cdr, error.strerror)
        return RecordedCalls()
    ids = frozenset(record.uniqueid for record in records)
    return RecordedCalls(ids, tuple(calls_of(records, pbx, trunks)), read=True)


def with_recorded(told: Iterable[Judged], found: Gap, records: RecordedCalls) -> tuple[tuple[Judged, ...], Gap]:
    """Add to the calls of the log those that only the records have; the log knows more of a call."""
    told = tuple(told)
    known = {call.call_id for call, _ in told}
    more = tuple(judged for judged in records.calls if judged[0].call_id not in known)
    return (*told, *more), replace(found, calls=found.calls + len(more), recorded=records.read)


def ask_logs(wiring: Wiring, since: int, until: int, *, restarted: bool, known: Callable[[str], bool]) -> GapCalls:
    """Read the calls that ended in a gap from a PBX's log and call records. Reads files, or a table: may be slow."""
    found, told = look_back(wiring.log, wiring.name, since, until, restarted=restarted, known=known)
    records = recorded_calls(wiring.cdr, wiring.name, wiring.trunks, since, until)
    calls, gap = with_recorded(told, found, records)
    return GapCalls(gap, calls, records.call_ids)


def mark_doubtful(told: GapCalls, known: GapEvidence) -> GapCalls:
    """Mark the calls that are in the log alone as doubtful, and count them."""
    calls = proof.mark_doubtful(told.calls, known)
    return replace(told, calls=calls, gap=replace(told.gap, unproved=sum(call.doubtful for call, _ in calls)))


def best_verdicts(seen: Iterable[Judged], told: Iterable[Judged], alive: Container[str]) -> list[Judged]:
    """Give one verdict for each call that ended: the better of what was seen and what the log tells.

    `seen` are calls that a listing no longer shows, `alive` those that continue, whatever the log says. The log has
    neither channel nor DID: what was known of a call before the gap is kept.
    """
    best = {call.call_id: (call, verdict) for call, verdict in seen}
    for call, verdict in told:
        known = best.get(call.call_id)
        if call.call_id in alive or (known is not None and known[1].rank >= verdict.rank):
            continue
        best[call.call_id] = (call if known is None else _with_what_was_known(call, known[0]), verdict)
    return list(best.values())


def _with_what_was_known(call: Call, known: Call) -> Call:
    return replace(
        call,
        linkedid=known.linkedid,
        channel=known.channel,
        number=known.number or call.number,
        did=known.did,
        started_at=known.started_at,
        confirmed=known.confirmed,
    )
