"""Handling times: how long a call takes an agent, by queue and hour of the day."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.staffing.halfhours import half_hour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from scheduler.staffing.learning.fresh import PastCall

USUAL_S = 180.0
_AS_MANY = 25  # calls for which the queue's own mean counts in each of its hours


@dataclass(frozen=True, slots=True)
class Handling:
    """Mean talk and wrap-up in seconds by queue and hour; an hour of few calls is shrunk towards its queue's mean.

    All of it rests on so many `talks`. A queue whose talks lasted no second is like one of which nothing is known.
    """

    by_hour: Mapping[tuple[str, int], float]
    by_queue: Mapping[str, float]
    site_s: float
    talks: int = 0

    def seconds(self, queue: str, number: int) -> float:
        """Give the mean handling time of `queue` in half hour `number`; where it is unknown, the queue's or site's."""
        return self.by_hour.get((queue, number // 2), self.by_queue.get(queue, self.site_s))


class HandlingEstimator:
    """Measures handling times call by call; `wrap_up_s` is added to each, for logs that do not tell it."""

    def __init__(self, zone: ZoneInfo, wrap_up_s: float = 0.0) -> None:
        self._zone, self._wrap_up_s = zone, wrap_up_s
        self._hours: defaultdict[tuple[str, int], list[float]] = defaultdict(lambda: [0, 0.0])  # calls, seconds

    def add(self, call: PastCall) -> None:
        """Take a call."""
        if call.handled_s is not None and not call.own:
            row = self._hours[call.queue, half_hour(call.at, self._zone)[1] // 2]
            row[0] += 1
            row[1] += call.handled_s + self._wrap_up_s

    def handling(self) -> Handling:
        """Give the means so far."""
        queues: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0.0])
        for (queue, _), (number, seconds) in self._hours.items():
            queues[queue][0] += number
            queues[queue][1] += seconds
        means = {queue: seconds / number for queue, (number, seconds) in queues.items() if seconds}
        talks = sum(int(number) for queue, (number, _) in queues.items() if queue in means)
        return Handling(
            {
                (queue, hour): (seconds + _AS_MANY * means[queue]) / (number + _AS_MANY)
                for (queue, hour), (number, seconds) in self._hours.items()
                if queue in means
            },
            means,
            math.fsum(seconds for _, seconds in queues.values()) / talks if talks else USUAL_S + self._wrap_up_s,
            talks,
        )


def handling(calls: Iterable[PastCall], zone: ZoneInfo, wrap_up_s: float = 0.0) -> Handling:
    """Measure handling times as `HandlingEstimator` does."""
    timing = HandlingEstimator(zone, wrap_up_s)
    for call in calls:
        timing.add(call)
    return timing.handling()
