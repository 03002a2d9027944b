"""The promises that will break, by group of queues: how many with the agents present, whose, and what keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from callback.attempts import forecast
from callback.attempts.forecast import OwedCallback
from callback.attempts.snapshot import Live
from callback.reports.queue.why import stopped_by
from callback.reports.standing import Owed
from callback.site.work import Work
from scheduler import promise_forecast
from scheduler.promise_forecast import Crew, Due, PromiseForecast


@dataclass(frozen=True, slots=True)
class Breaking:
    """Of what is owed in a group of queues: how it will go, and whose time passes if nothing is done; who they are.

    `hopeless` are those among them whose time passes before they may be called: no agent keeps these.
    """

    forecast: PromiseForecast
    crew: Crew
    dues: tuple[Due, ...]
    broken: tuple[Due, ...]
    hopeless: frozenset[int]
    named: Mapping[int, Owed]

    @property
    def owed(self) -> list[Owed]:
        """To whom it is owed whose time passes, the earliest first."""
        return [self.named[due.reservation] for due in self.broken]

    @property
    def missed(self) -> list[Owed]:
        """Those of them that more agents would keep: as many as the forecast says."""
        return [one for one in self.owed if one.reservation not in self.hopeless]


def look(work: Work, picture: tuple[Live, int] | None, groups: Collection[str] | None = None) -> dict[str, Breaking]:
    """Look at these groups, or all, as the last picture of the PBX shows it; where nobody calls, all of it breaks."""
    owed = forecast.owed(work, groups)
    crews, named = crews_of(work, picture), _named(owed)
    return {
        group: _breaking(dues, crews.get(group, forecast.nobody(work.site)), named, work.now)
        for group, dues in sorted(forecast.dues(owed).items())
    }


def nothing(work: Work, crew: Crew | None) -> Breaking:
    """A group in which nothing is owed soon."""
    return _breaking([], crew or forecast.nobody(work.site), {}, work.now)


def crews_of(work: Work, picture: tuple[Live, int] | None) -> dict[str, Crew]:
    """Who can make callbacks, by group; nobody where no callback is made at all."""
    if picture is None or stopped_by(picture, work.now) is not None:
        return {}
    return forecast.crews(picture[0].at_work, picture[0].loads, work.site)


def _named(owed: Collection[OwedCallback]) -> dict[int, Owed]:
    return {one.reservation: Owed(one.reservation, one.number, one.queue, one.deadline_at) for one in owed}


def _breaking(dues: list[Due], crew: Crew, named: Mapping[int, Owed], now: int) -> Breaking:
    broken = promise_forecast.schedule(dues, crew, 0, now).broken
    hopeless = frozenset(due.reservation for due in promise_forecast.hopeless(dues, crew, now))
    return Breaking(promise_forecast.forecast(dues, crew, now), crew, tuple(dues), broken, hopeless, named)
