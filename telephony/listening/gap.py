"""What came and went while nobody listened: told by queue_log, and joined with what was known before.

A gap is said, never guessed: where no log covers it, why not is said too.
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
from telephony.listening.proof import Known
from telephony.listening.wiring import Wiring
from telephony.queue_log.between import Log, calls_between
from telephony.queue_log.sieve import FORGED, HEADLESS

NO_LOG: Final = "no queue_log is configured: set [pbx] queue_log"

NEAR_S: Final = 60.0
"""So much of the log before a gap is read in any case: times of lines, and clocks, differ by less."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody listened from `since` to `until`. `calls` of customers ended in it, as the log tells; or `why_not`.

    `forged` lines of the log were written by callers, as far as can be seen; `unproved` calls stand in it that nothing
    else tells of. `recorded`: call records told who came to no queue.
    """

    since: int
    until: int
    calls: int
    why_not: str
    forged: int = 0
    unproved: int = 0
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """The calls that ended in a gap as call records tell: all of them, and how those went that came to no queue."""

    call_ids: frozenset[str] = frozenset()
    calls: tuple[Judged, ...] = ()
    read: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A gap, the calls that ended in it, and the ids of those of which a call record tells."""

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
    """Ask the log for the calls that ended since somebody listened last. Reads files, or a table: may be slow.

    It is read from where it was left: how the calls began that are `known` was heard. Only where another one lacks its
    beginning is looked for that further back. `restarted`: the PBX has started since. Whom that cut off stands in the
    log without an end: it was by now.
    """
    if log is None:
        return Gap(since, until, 0, NO_LOG), ()
    try:
        told = calls_between(log, since, until, pbx=pbx, lookback_s=NEAR_S) if not restarted else None
        if told is None or any(not (call.complete or known(call.call_id)) for call, _ in told.calls):
            told = calls_between(log, since, until, pbx=pbx, restarted_at=until if restarted else None)
    except Exception as error:  # what is wrong with a log must not keep anybody from listening
        logger.exception("the queue_log could not be read")
        return Gap(since, until, 0, f"{log} could not be read: {error!r}"), ()
    customers = sum(verdict.kind != "callback" for _, verdict in told.calls)
    forged = told.faults.counts[FORGED] + told.faults.counts[HEADLESS]
    return Gap(since, until, customers, told.why_not, forged), told.calls


def recorded(cdr: Cdr | None, pbx: str, trunks: tuple[str, ...], since: int, until: int) -> Records:
    """Ask the call records too, where there are any; one that cannot be read is said."""
    if cdr is None:
        return Records()
    try:
        records = cdr.between(since - since % SECOND, until)
    except OSError as error:
        logger.warning("%s cannot be read (%s): let the service read it, or mend [pbx] cdr", cdr, error.strerror)
        return Records()
    ids = frozenset(record.uniqueid for record in records)
    return Records(ids, tuple(calls_of(records, pbx, trunks)), read=True)


def joined(told: Iterable[Judged], found: Gap, records: Records) -> tuple[tuple[Judged, ...], Gap]:
    """Add the calls of which the records tell to those of the log, which knows more of whom it knows."""
    told = tuple(told)
    known = {call.call_id for call, _ in told}
    more = tuple(judged for judged in records.calls if judged[0].call_id not in known)
    return (*told, *more), replace(found, calls=found.calls + len(more), recorded=records.read)


def ask(wiring: Wiring, since: int, until: int, *, restarted: bool, known: Callable[[str], bool]) -> Told:
    """Ask the log and the call records of a PBX what came and went. Reads files, or a table: may be slow."""
    found, told = look_back(wiring.log, wiring.name, since, until, restarted=restarted, known=known)
    records = recorded(wiring.cdr, wiring.name, wiring.trunks, since, until)
    calls, both = joined(told, found, records)
    return Told(both, calls, records.call_ids)


def weighed(told: Told, known: Known) -> Told:
    """Mark the calls of which nothing but the log tells, and say how many there are."""
    calls = proof.weighed(told.calls, known)
    return replace(told, calls=calls, gap=replace(told.gap, unproved=sum(call.doubtful for call, _ in calls)))


def explained(seen: Iterable[Judged], told: Iterable[Judged], alive: Container[str]) -> list[Judged]:
    """Give one verdict for each call that ended: the better of what was seen and what the log tells.

    `seen` are calls that a snapshot missed, `alive` those that go on, whatever the log says of a part of them. The
    log knows neither channel nor DID: what was known of a call before the gap is kept.
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
