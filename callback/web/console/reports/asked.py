"""What the page of reports is asked for, as its address says: a period, what splits it, what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Literal, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from callback.errors import CallbackError
from callback.reports.period.report import By
from callback.web.console.reports.days import Days, checked, day_of
from scheduler.clock import local

Period = Literal["day", "week", "month", "span"]
Split = Literal["", "queue", "group", "kind", "trunk", "agent"]
PERIODS: Final[tuple[Period, ...]] = get_args(Period)
SPLITS: Final[tuple[Split, ...]] = get_args(Split)
BYS: Final[tuple[By, ...]] = get_args(By)
_EARLIEST: Final = date(2000, 1, 1)
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A period of whole days, today perhaps among them, and the one before it, which is as long."""

    period: Period
    days: Days
    today: date
    split: Split
    by: By
    compare: bool

    @property
    def before(self) -> Days:
        """The period before."""
        last = self.days.first - _ONE
        if self.period == "month":
            return replace(self.days, first=last.replace(day=1), last=last)
        return replace(self.days, first=self.days.first - (self.days.last - self.days.first) - _ONE, last=last)

    @property
    def later(self) -> date | None:
        """The first day of the period after; None: it is still to come."""
        day = self.days.last + _ONE
        return day if day <= self.today else None

    def query(self, **changes: object) -> str:
        """The same as an address has it, with changes of `day`, `split`, `by` or `compare`."""
        told: dict[str, object] = {
            "period": self.period,
            "day": self.days.first,
            "until": self.days.last if self.period == "span" else "",
            "split": self.split or "-",
            "by": self.by,
            "compare": 1 if self.compare else "",
            **changes,
        }
        return urlencode({name: value for name, value in told.items() if value})


def read(query: Mapping[str, str], now: int, zone: ZoneInfo) -> Asked:
    """Read what an address asks for. CallbackError where a word or a day is none."""
    today = local(now, zone).date()
    period: Period = _one_of("period", query.get("period") or "week", PERIODS)
    day = max(day_of(query.get("day", ""), today), _EARLIEST)
    if day > today:
        raise CallbackError("that day is still to come")
    days = _days(period, day, day_of(query.get("until", ""), today), zone)
    split = query.get("split", "queue")
    by = query.get("by") or "day"
    return Asked(
        period,
        days,
        today,
        _one_of("split", "" if split == "-" else split, SPLITS),
        _one_of("length", by, BYS),
        bool(query.get("compare")),
    )


def _days(period: Period, day: date, until: date, zone: ZoneInfo) -> Days:
    if period == "week":
        first = day - timedelta(days=day.weekday())
        return Days(first, first + timedelta(days=6), zone)
    if period == "month":
        first = day.replace(day=1)
        return Days(first, (first + timedelta(days=31)).replace(day=1) - _ONE, zone)
    return checked(day, day if period == "day" else until, zone)


def _one_of(what: str, said: str, known: tuple[str, ...]) -> Any:  # noqa: ANN401 - the word, as its type knows it
    if said not in known:
        raise CallbackError(f"there is no such {what}")
    return said
