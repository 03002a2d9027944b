"""Redials after a loss, found in the record: the simulation decides itself whether a lost caller calls again."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from scheduler.clock import DAY, SECOND
from scheduler.simulation.record import Recorded
from scheduler.simulation.survival import Curve, fit

RETURNED = frozenset({"TT"})  # the bank's own calls to customers who had left a message: not redials


def curve(calls: Sequence[Recorded]) -> Curve:
    """Fit the time from a loss to the same customer's next call of that day, censored at midnight."""
    happened, stopped = [], []
    for lost, again in _pairs(calls):
        if again is None:
            stopped.append(max(0, lost.day + DAY - lost.waited_until) // SECOND)
        else:
            happened.append(max(0, again.at - lost.waited_until) // SECOND)
    return fit(happened, stopped, tail=False)


def find(calls: Sequence[Recorded], known: Curve, chance: Iterator[float]) -> frozenset[int]:
    """Give the lines of the calls that are redials after a loss.

    Where the lost customer is unknown, the time is drawn from the `known` curve, and the next call of an unknown
    customer in the same queue after it is taken as the redial.
    """
    found = {again.line for _, again in _pairs(calls) if again is not None}
    unknown: dict[tuple[int, str], list[Recorded]] = defaultdict(list)
    for call in calls:
        if call.customer is None:
            unknown[call.day, call.queue].append(call)
    for lost in calls:
        again_s = None if lost.served or lost.customer else known.draw(chance)
        if again_s is not None:
            after = lost.waited_until + round(again_s * SECOND)
            found.update(_next(unknown[lost.day, lost.queue], after, found))
    return frozenset(found)


def _next(calls: list[Recorded], after: int, found: set[int]) -> list[int]:
    """Give the line of the first call after an instant that is not found yet, if there is one."""
    index = bisect_right(calls, after, key=lambda call: call.at)
    return next(([call.line] for call in calls[index:] if call.line not in found), [])


def _pairs(calls: Sequence[Recorded]) -> Iterator[tuple[Recorded, Recorded | None]]:
    """Give every lost call of a known customer, with the customer's next call that day."""
    by_customer: dict[tuple[int, str], list[Recorded]] = defaultdict(list)
    for call in calls:
        if call.customer is not None and call.queue not in RETURNED:
            by_customer[call.day, call.customer].append(call)
    for line in by_customer.values():
        for index, call in enumerate(line):
            if not call.served:
                yield call, (line[index + 1] if index + 1 < len(line) else None)
