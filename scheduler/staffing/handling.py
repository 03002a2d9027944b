"""How long a call keeps an agent, by queue and hour of the day."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.staffing.halfhours import half_hour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from scheduler.staffing.fresh import PastCall

USUAL_S = 180.0
_AS_MANY = 25  # calls for which the queue's own mean counts in each of its hours


@dataclass(frozen=True, slots=True)
class Handling:
    """Mean talk and wrap-up in seconds by queue and hour; an hour of few calls is drawn to its queue's mean."""

    by_hour: Mapping[tuple[str, int], float]
    by_queue: Mapping[str, float]
    site_s: float

    def seconds(self, queue: str, number: int) -> float:
        """Give the mean handling time of `queue` in half hour `number`; where it is unknown, the queue's or site's."""
        return self.by_hour.get((queue, number // 2), self.by_queue.get(queue, self.site_s))


def handling(calls: Iterable[PastCall], zone: ZoneInfo, wrap_up_s: float = 0.0) -> Handling:
    """Measure handling times; `wrap_up_s` is added to each call, for logs that do not tell it."""
    hours: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    queues: defaultdict[str, list[float]] = defaultdict(list)
    for call in calls:
        if call.handled_s is not None and not call.own:
            hours[call.queue, half_hour(call.at, zone)[1] // 2].append(call.handled_s + wrap_up_s)
            queues[call.queue].append(call.handled_s + wrap_up_s)
    means = {queue: math.fsum(rows) / len(rows) for queue, rows in queues.items()}
    number = sum(map(len, queues.values()))
    site_s = math.fsum(map(math.fsum, queues.values())) / number if number else USUAL_S + wrap_up_s
    return Handling(
        {
            (queue, hour): (math.fsum(rows) + _AS_MANY * means[queue]) / (len(rows) + _AS_MANY)
            for (queue, hour), rows in hours.items()
        },
        means,
        site_s,
    )
