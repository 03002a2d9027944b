"""Evidence for a hint: on how many past days it would have kept the promises.

`Replay` is the port for a past day with another roster. `SimulatedReplay` follows the rules of the promise;
`EstimatedReplay` here only adds up half hours: agents as spare seconds, and the callers inside their half hour first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scheduler.staffing import erlang
from scheduler.staffing.erlang import OfferedTraffic
from scheduler.staffing.halfhours import A_DAY, HALF_HOUR_S, WEEKDAYS, Day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from scheduler.staffing.planning.need import StaffingTerms

AIM = 0.9
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ReplayedDay:
    """The result of one replayed day, by the half hour in which each caller came.

    Of `calls` so many `hung_up`; `lost` are the callers promised a callback, of whom `dialled` were first dialled and
    `reached` spoken to within 30 minutes. `closed` were settled by rule in that time: None, where that is not known.
    """

    calls: Day
    hung_up: Day
    lost: Day
    dialled: Day
    reached: Day
    closed: Day | None = None

    def kept(self, half_hours: Iterable[int] = range(A_DAY)) -> bool:
        """Whether 90% of the callers lost in `half_hours` were dialled within 30 minutes."""
        numbers = list(half_hours)
        lost, dialled = (math.fsum(day[number] for number in numbers) for day in (self.lost, self.dialled))
        return dialled >= AIM * lost - _ROUNDING


class Replay(Protocol):
    """Replays a past day with `staff` agents at work in each half hour."""

    def __call__(self, day: date, staff: Sequence[int]) -> ReplayedDay:
        """Replay `day`, which must be one that the replay knows."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of so many past `days`, on how many 90% would have been dialled in 30 minutes, with the hint and without.

    The shares are over all those days together: of calls that hang up, of lost callers dialled, reached and settled
    by rule in time. A share of nobody is None, and so is what the replay does not tell.
    """

    weekday: int
    days: int
    kept: int
    kept_without: int
    hung_up_share: float | None
    hung_up_share_without: float | None
    dialled_share: float | None
    dialled_share_without: float | None
    reached_share: float | None
    reached_share_without: float | None
    closed_share: float | None = None
    closed_share_without: float | None = None

    def estimate(self) -> str:
        """Write an estimate, as in "estimated from 8 Tue: hang-ups 12.0% to 4.1%"; it proves no promise."""
        shares = share_change(self.hung_up_share_without, self.hung_up_share)
        return f"estimated from {self.days} {WEEKDAYS[self.weekday]}: hang-ups {shares}"

    def __str__(self) -> str:
        """Write what a replay proved, as in "7 of the last 8 Tue would have kept 90% in 30 min; without: 2 of 8"."""
        name = WEEKDAYS[self.weekday]
        if self.dialled_share_without is None and self.dialled_share is None:
            return f"nobody was lost then on the last {self.days} {name}"
        return (
            f"{self.kept} of the last {self.days} {name} would have kept 90% in 30 min; "
            f"without: {self.kept_without} of {self.days}"
        )


def share_change(old: float | None, new: float | None, digits: int = 1) -> str:
    """Write how a share changes, as in "12.0% to 4.1%"."""
    if old is None or new is None:
        known = new if old is None else old
        return "of nobody" if known is None else f"{known:.{digits}%}"
    return f"{old:.{digits}%} to {new:.{digits}%}"


def evidence(
    replay: Replay,
    days: Sequence[date],
    half_hours: Sequence[int],
    hinted: Sequence[int],
    staff_of: Callable[[date], Sequence[int]],
) -> Evidence:
    """Replay past `days` with the staff they had (`staff_of`), and with no fewer than `hinted` in any half hour.

    Judged on those who came in `half_hours` alone.
    """
    without = [replay(day, staff_of(day)) for day in days]
    with_it = [replay(day, [max(pair) for pair in zip(staff_of(day), hinted, strict=True)]) for day in days]
    numbers = list(half_hours)

    def share(held: Sequence[ReplayedDay], part: str, whole: str) -> float | None:
        total = math.fsum(getattr(day, whole)[number] for day in held for number in numbers)
        return math.fsum(getattr(day, part)[number] for day in held for number in numbers) / total if total else None

    return Evidence(
        days[0].weekday(),
        len(days),
        sum(held.kept(numbers) for held in with_it),
        sum(held.kept(numbers) for held in without),
        share(with_it, "hung_up", "calls"),
        share(without, "hung_up", "calls"),
        share(with_it, "dialled", "lost"),
        share(without, "dialled", "lost"),
        share(with_it, "reached", "lost"),
        share(without, "reached", "lost"),
        *(share(held, "closed", "lost") if all(day.closed for day in held) else None for held in (with_it, without)),
    )


def called_back(
    spare_s: Sequence[float], losses: Sequence[float], each_s: float, *, first_in_first_out: bool = False
) -> tuple[Day, Day]:
    """Count the callbacks in time, by the half hour of the loss, and how many still wait after each half hour.

    In each half hour agents have `spare_s` seconds for callbacks of `each_s`. Those lost in the half hour before go
    first, then those of this one, last those that are overdue: expired work never goes before live work, except with
    `first_in_first_out`.
    """
    in_time = [0.0] * len(losses)
    waiting, before, overdue = [], 0.0, 0.0
    for number, (seconds, lost) in enumerate(zip(spare_s, losses, strict=True)):
        room = seconds / each_s
        stale = min(room, overdue) if first_in_first_out else 0.0
        room -= stale
        overdue -= stale
        old = min(room, before)
        new = min(room - old, lost)
        overdue += before - old
        overdue -= min(room - old - new, overdue)
        if number:
            in_time[number - 1] += old
        in_time[number] += new
        before = lost - new
        waiting.append(before + overdue)
    return tuple(in_time), tuple(waiting)


@dataclass(frozen=True, slots=True)
class EstimatedReplay:
    """A replay by sums: with the staff that a day had (`staff_of`) it gives the losses that the day had.

    Other staff changes the losses of a half hour as Erlang A changes the share that hangs up. Agents' time that is
    left beside the calls is the callbacks', but for the agents whom `terms` keep to spare: calls come at random, and
    whoever waits is served first. Of the staff the shrinkage of `terms` is not at work.
    """

    calls: Mapping[date, Day]
    losses: Mapping[date, Day]
    staff_of: Callable[[date], Sequence[int]]
    handling_s: Callable[[int], float]
    patience_s: float
    terms: StaffingTerms

    def __call__(self, day: date, staff: Sequence[int]) -> ReplayedDay:
        """Estimate `day` with `staff`."""
        calls = self.calls[day]
        lost = tuple(self._lost(day, number, agents) for number, agents in enumerate(staff))
        spare_s = [
            self.terms.spare_s(agents, (count - gone) * self.handling_s(number))
            for number, (agents, count, gone) in enumerate(zip(staff, calls, lost, strict=True))
        ]
        busiest = max(range(A_DAY), key=calls.__getitem__)
        dialled, _ = called_back(spare_s, lost, self.terms.callback.seconds(self.handling_s(busiest)))
        reached = tuple(self.terms.callback.answered_share * count for count in dialled)
        return ReplayedDay(calls, lost, lost, dialled, reached)

    def _lost(self, day: date, number: int, agents: int) -> float:
        calls, losses, had = self.calls[day][number], self.losses[day][number], self.staff_of(day)[number]
        if agents == had or not calls:
            return losses
        load = OfferedTraffic(calls / HALF_HOUR_S, self.handling_s(number))
        now, then = (self._hang_up_share(load, count) for count in (agents, had))
        return min(calls, losses * now / then) if then else losses

    def _hang_up_share(self, load: OfferedTraffic, staff: int) -> float:
        agents = math.floor(staff * (1 - self.terms.shrinkage) + _ROUNDING)
        return erlang.waiting(load, agents, self.patience_s).hang_up_share
