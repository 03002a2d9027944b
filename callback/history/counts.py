"""A site's past calls added up as they are read: how they went, who called again, and what the queues are like.

Nothing is kept of a call but counts, and of the last weeks when it came and how long it talked. Callers are told
apart by their number alone, whichever PBX they called; what is given here as one stands for all of its forms
(callers.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from heapq import merge
from typing import Any, Final
from zoneinfo import ZoneInfo

from scheduler.clock import SECOND
from scheduler.staffing.learning.attendance import Attendance, AttendanceRecorder
from scheduler.staffing.learning.fresh import Fresh, PastCall, together
from scheduler.staffing.planning.queue import Queue, QueueLearner
from scheduler.staffing.planning.replay import AGAIN_WITHIN_S, PastDays
from telephony.calls.call import LOST, Kind
from telephony.queue_log.briefs import Brief
from telephony.queue_log.logins import Stint

WINDOWS_MIN: Final = (10, 30, 60)
_OWED: Final = LOST | {"requested"}
_UNKNOWN: Final = frozenset({"unknown", "unfinished"})


@dataclass(slots=True)
class Counts:
    """How calls went: every call has one kind and reason.

    `callers` are distinct numbers. Of `lost_known` lost calls the number was known, and so many were `redialled`: the
    same number called within so many minutes.
    """

    outcomes: Counter[tuple[Kind, str]] = field(default_factory=Counter)  # by kind and reason
    callers: set[str] = field(default_factory=set)
    lost_known: int = 0
    redialled: Counter[int] = field(default_factory=lambda: Counter(dict.fromkeys(WINDOWS_MIN, 0)))

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return self.outcomes.total()

    @property
    def again_share(self) -> float:
        """The share of lost callers who call again within the hour."""
        return self.redialled[WINDOWS_MIN[-1]] / self.lost_known if self.lost_known else 0.0

    @property
    def lost(self) -> int:
        """How many were lost for certain."""
        return sum(self.of(kind) for kind in LOST)

    def of(self, kind: Kind) -> int:
        """Give how many calls were of a kind."""
        return sum(number for (one, _), number in self.outcomes.items() if one == kind)

    def reasons(self, kind: Kind) -> dict[str, int]:
        """Give a kind's calls by reason, the most first."""
        return {reason: number for (one, reason), number in self.outcomes.most_common() if one == kind}

    def join(self, other: Counts) -> None:
        """Add what is counted elsewhere."""
        self.outcomes.update(other.outcomes)
        self.callers |= other.callers
        self.lost_known += other.lost_known
        self.redialled.update(other.redialled)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as programs read them."""
        return {
            "calls": self.calls,
            "answered": self.of("served"),
            "abandoned": self.of("abandoned"),
            "blocked": self.reasons("blocked"),
            "requested": self.of("requested"),
            "dropped": self.reasons("dropped"),
            "silent": self.reasons("silent"),
            "unknown": self.reasons("unknown"),
            "unfinished": self.of("unfinished"),
            "callers": len(self.callers),
            "lost_known": self.lost_known,
            "redialled": {str(minutes): self.redialled[minutes] for minutes in WINDOWS_MIN},
        }


class History:
    """Takes a site's past calls in the order in which they ended, and who was logged in."""

    def __init__(self, zone: ZoneInfo, holidays: Container[date] = (), wrap_up_s: float = 0.0) -> None:
        self.zone, self.holidays = zone, holidays
        self.queues: dict[str, Counts] = {}
        self.own_callbacks = 0
        self.first_at = self.last_at = 0
        self.gaps_s: Counter[int] = Counter()
        self.past = PastDays(zone)
        self._lost: dict[str, tuple[int, Counts]] = {}
        self._learning = QueueLearner(zone, self.holidays, wrap_up_s)
        self._register = AttendanceRecorder(zone)

    def add(self, call: Brief) -> None:
        """Take a call; our own callbacks are only counted."""
        if call.kind == "callback":
            self.own_callbacks += 1
            return
        _, _, number, queue, kind, reason, began_at, over_at, waited, talked, agent, talked_at = call
        self.first_at = self.first_at if 0 < self.first_at < began_at else began_at
        self.last_at = max(self.last_at, over_at)
        counts = self.queues.get(queue)
        if counts is None:
            counts = self.queues[queue] = Counts()
        counts.outcomes[kind, reason or ""] += 1
        if number is not None:
            counts.callers.add(number)
            self._follow(call, counts, number)
        if agent is not None and talked_at is not None:
            self._register.served(agent, queue, talked_at, over_at)
        if kind not in _UNKNOWN:
            handled_s = None if talked_at is None else talked / SECOND
            owed, hung_up = kind in _OWED, kind == "abandoned"
            past = PastCall(began_at, queue, number or "", owed, waited / SECOND, hung_up, handled_s)
            self.past.add(past, fresh=self._learning.add(past))

    def logged_in(self, stint: Stint) -> None:
        """Take a time that an agent was logged in."""
        self._register.logged_in(*stint)

    def learnt(self) -> dict[str, Queue]:
        """Give what was learnt of each queue: its demand, its handling times, and how patient its callers are."""
        return self._learning.queues()

    def attendance(self) -> Attendance:
        """Give when each agent was logged in or seen at work."""
        return self._register.attendance()

    def site(self) -> Counts:
        """Give the counts of all queues together."""
        site = Counts()
        for counts in self.queues.values():
            site.join(counts)
        return site

    def _follow(self, call: Brief, counts: Counts, number: str) -> None:
        """See whether a caller who was lost calls again, and remember whether this call was lost too."""
        before = self._lost.pop(number, None)
        if before is not None:
            lost_at, lost_in = before
            gap_s = max(0, (call.began_at - lost_at) // SECOND)
            if gap_s <= AGAIN_WITHIN_S:
                self.gaps_s[gap_s] += 1
            for minutes in WINDOWS_MIN:
                if gap_s <= minutes * 60:
                    lost_in.redialled[minutes] += 1
        if call.kind in LOST:
            self._lost[number] = call.over_at, counts
            counts.lost_known += 1


def site_demand(queues: Iterable[Queue]) -> Fresh:
    """Give the whole site's fresh demand."""
    return together(queue.demand for queue in queues)


def in_order(streams: Iterable[Iterable[Brief]]) -> Iterator[Brief]:
    """Join what several PBXs tell into one stream, by when calls ended."""
    every = list(streams)
    return merge(*every, key=lambda call: call.over_at) if len(every) > 1 else iter(every[0])
