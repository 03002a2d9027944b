"""Fresh demand: what people wanted, without what they did because they were lost.

A caller who was lost dials again, and each try is one more call in the log: staffing for all of them would count
the same wish twice, and more of them the worse a day went. So a call is left out if the same caller was lost
within the hour before and has not been served since; so are our own callbacks. Callers without a number cannot
be followed: of their calls the share that is fresh among the known ones counts, and the result says how many
they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.clock import SECOND
from scheduler.staffing.halfhours import A_DAY, Day, half_hour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

REDIAL_S = 3600


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call that wanted a queue.

    `at` is the instant it came, `caller` a word for who called (empty: unknown). `waited_s` is the wait until it
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

    `calls` are people who wanted something; `losses` those of them who were lost at the first try. `redial_share`
    of the known callers' calls were redials; `unknown_share` of all calls came without a number, so that their
    redials are imputed.
    """

    calls: Mapping[date, Day]
    losses: Mapping[date, Day]
    redial_share: float
    unknown_share: float


def fresh(calls: Iterable[PastCall], zone: ZoneInfo, redial_s: float = REDIAL_S) -> Fresh:
    """Sort out the fresh calls and losses; `calls` may come in any order."""
    lost_at: dict[str, int] = {}
    seen: dict[tuple[bool, bool], Counter[tuple[date, int]]] = {
        (known, lost): Counter() for known in (True, False) for lost in (True, False)
    }
    known_calls: Counter[bool] = Counter()
    for call in sorted((call for call in calls if not call.own), key=lambda call: call.at):
        redial = _redial(call, lost_at, redial_s)
        if call.caller:
            known_calls[call.lost] += 1
        if not redial:
            seen[bool(call.caller), call.lost][half_hour(call.at, zone)] += 1
    return _joined(seen, known_calls)


def observed(fresh_calls: float, lost_share: float, again_share: float) -> float:
    """Give the calls that come of `fresh_calls` when `lost_share` of all are lost and `again_share` of those return."""
    return fresh_calls / (1 - lost_share * again_share)


def _redial(call: PastCall, lost_at: dict[str, int], redial_s: float) -> bool:
    """Whether `call` is made because the last one was lost; keeps in `lost_at` who was lost when."""
    if not call.caller:
        return False
    before = lost_at.pop(call.caller, None)
    if call.lost:
        lost_at[call.caller] = call.at
    return before is not None and call.at - before <= redial_s * SECOND


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
