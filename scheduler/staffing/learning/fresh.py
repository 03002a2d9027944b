"""Fresh demand: calls without the redials of lost callers and without our own callbacks.

A lost caller dials again, and each try is one more call in the log: staffing for all of them would count the same
demand several times, and more often the worse a day went. So a call is left out if the same caller was lost within the
hour before and has not been served since. Callers without a number cannot be followed: of their calls the share that
is fresh among the known callers' calls counts, and the result says how many they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from scheduler.clock import SECOND
from scheduler.staffing.halfhours import A_DAY, Day, half_hour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

REDIAL_S = 3600


class PastCall(NamedTuple):
    """One call that wanted a queue.

    `at` is the instant it came, `caller` a key of the caller (empty: unknown). `waited_s` is the wait until it
    was answered or lost; `hung_up` says that the caller ended the wait; `handled_s` is talk and wrap-up, None if it
    was not answered or nobody knows. `own` calls are our callbacks.
    """

    at: int
    queue: str
    caller: str
    lost: bool
    waited_s: float = 0.0
    hung_up: bool = False
    handled_s: float | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Fresh:
    """A site's fresh demand by day and half hour.

    `calls` are first tries; `losses` those of them that were lost. `redial_share` of the known callers' calls were
    redials; `unknown_share` of all calls came without a number, so that their
    redials are imputed.
    """

    calls: Mapping[date, Day]
    losses: Mapping[date, Day]
    redial_share: float
    unknown_share: float


class DemandSorter:
    """Counts fresh calls and losses call by call, each caller's calls in their order; it remembers the lost callers."""

    def __init__(self, zone: ZoneInfo, redial_s: float = REDIAL_S) -> None:
        self._zone, self._redial_us = zone, redial_s * SECOND
        self._lost_at: dict[str, int] = {}
        self._known_calls: Counter[bool] = Counter()
        self._seen: dict[tuple[bool, bool], Counter[tuple[date, int]]] = {
            (known, lost): Counter() for known in (True, False) for lost in (True, False)
        }

    def add(self, call: PastCall) -> bool:
        """Take the next call; say whether it is fresh."""
        at, _, caller, lost, *_, own = call
        if own:
            return False
        if caller:
            self._known_calls[lost] += 1
            before = self._lost_at.pop(caller, None)
            if lost:
                self._lost_at[caller] = at
            if before is not None and at - before <= self._redial_us:
                return False
        self._seen[bool(caller), lost][half_hour(at, self._zone)] += 1
        return True

    def fresh(self) -> Fresh:
        """Give the fresh demand so far."""
        return _joined(self._seen, self._known_calls)


def fresh(calls: Iterable[PastCall], zone: ZoneInfo, redial_s: float = REDIAL_S) -> Fresh:
    """Count the fresh calls and losses; `calls` may come in any order."""
    sorting = DemandSorter(zone, redial_s)
    for call in sorted(calls, key=lambda call: call.at):
        sorting.add(call)
    return sorting.fresh()


def together(parts: Iterable[Fresh]) -> Fresh:
    """Add up the demand of several queues; the shares are of all their fresh calls."""
    every = list(parts)
    tables: list[dict[date, Day]] = []
    for name in ("calls", "losses"):
        rows: dict[date, list[float]] = {}
        for part in every:
            for day, counts in getattr(part, name).items():
                row = rows.setdefault(day, [0.0] * A_DAY)
                row[:] = [have + more for have, more in zip(row, counts, strict=True)]
        tables.append({day: tuple(row) for day, row in sorted(rows.items())})
    weights = [sum(map(sum, part.calls.values())) for part in every]
    total = sum(weights) or 1.0
    shares = (sum(w * getattr(p, name) for w, p in zip(weights, every, strict=True)) / total for name in _SHARES)
    return Fresh(tables[0], tables[1], *shares)


_SHARES = ("redial_share", "unknown_share")


def observed(fresh_calls: float, lost_share: float, again_share: float) -> float:
    """Give the calls that come of `fresh_calls` when `lost_share` of all are lost and `again_share` of those return."""
    return fresh_calls / (1 - lost_share * again_share)


def _joined(seen: Mapping[tuple[bool, bool], Counter[tuple[date, int]]], known_calls: Mapping[bool, int]) -> Fresh:
    """Add the unknown callers' calls, each lost or served one for the share of its known likes that is fresh."""
    calls: dict[date, list[float]] = {}
    losses: dict[date, list[float]] = {}
    for (known, lost), marks in seen.items():
        weight = 1.0 if known or not known_calls[lost] else seen[True, lost].total() / known_calls[lost]
        for (day, number), times in marks.items():
            rows = [table.setdefault(day, [0.0] * A_DAY) for table in (calls, losses)]
            rows[0][number] += weight * times
            rows[1][number] += weight * times * lost
    all_known = sum(known_calls.values())
    known_fresh = seen[True, True].total() + seen[True, False].total()
    unknown = seen[False, True].total() + seen[False, False].total()
    return Fresh(
        {day: tuple(row) for day, row in sorted(calls.items())},
        {day: tuple(row) for day, row in sorted(losses.items())},
        1 - known_fresh / all_known if all_known else 0.0,
        unknown / (unknown + all_known) if unknown else 0.0,
    )
