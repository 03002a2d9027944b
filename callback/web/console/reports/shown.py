"""A report as its page shows it: each figure with the rows that it leads to, and what chance makes of differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import inf, isinf
from typing import Any, Final
from urllib.parse import urlencode

from callback.reports.period.listed import NONE
from callback.reports.period.report import Report, Row
from callback.reports.rates import WITHIN_MIN
from callback.reports.rollups.comparing import Difference
from callback.reports.rollups.figures import BINS_MIN, PLAIN, Figures, quantile_min
from callback.web.console.reports.asked import Asked
from callback.web.console.reports.definitions import DEFINITIONS, RATES, Definition
from scheduler.clock import local

_SECTIONS: Final = (
    ("calls", "lost", "numberless", "short"),
    ("valid", "carried_over", "withdrawn", "refused"),
    ("returned", "left", "handled", "by_hand"),
    ("texts_sent", "texts_delivered", "texts_failed"),
)
COUNTED: Final = tuple(name for section in _SECTIONS for name in section)
QUANTILES: Final = (0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Told:
    """How a figure differs from the period before: by how much, and how much chance alone makes."""

    change: str
    chance: str
    by_chance: bool


@dataclass(frozen=True, slots=True)
class Links:
    """Where the rows behind figures are shown: those that the report has added up, from `since_at` to `until_at`."""

    asked: Asked
    split: str
    since_at: int
    until_at: int

    def rows(self, name: str, row: Row | None = None) -> str:
        """The address of the reservations or calls that a figure counts; of a row's days and part alone."""
        days = self.asked.days
        first, last = days.first, days.last
        if row is not None:
            first, last = (local(at, days.zone).date() for at in (row.since_at, row.until_at - 1))
        query = {"since": str(first), "until": str(last), **self._added_up(), **self._part(row)}
        return f"/reports/rows/{name}?{urlencode(query)}"

    def misses(self, cause: str = "", queue: str = "") -> str:
        """The address of the ledger."""
        days = self.asked.days
        query = {
            "since": str(days.first),
            "until": str(min(days.last, self.asked.today)),
            "cause": cause,
            "queue": queue,
        }
        return f"/reports/misses?{urlencode({name: value for name, value in query.items() if value})}"

    def _added_up(self) -> dict[str, str]:
        """Where that is not all of the days."""
        days, found = self.asked.days, dict[str, str]()
        if self.since_at > days.since_at:
            found["from"] = str(self.since_at)
        if self.until_at < days.until_at:
            found["to"] = str(self.until_at)
        return found

    def _part(self, row: Row | None) -> dict[str, str]:
        return {} if row is None or row.missed is None else {self.split: row.of or NONE}


def definition(name: str) -> Definition | None:
    """What the figure of that name counts; None where its own name says it."""
    base = name.removesuffix("_30").removesuffix("_60").removesuffix("_redialled")
    return DEFINITIONS.get("satisfaction" if base == "scored" else base)


def percent(many: int, of: int) -> int | None:
    """A share in whole percent, rounded down as on Now; None of nothing."""
    return many * 100 // of if of else None


def minutes(histogram: tuple[int, ...], share: float) -> str:
    """In so many minutes that share of them was over."""
    at = quantile_min(histogram, share)
    if at is None:
        return "\N{EN DASH}"
    return f"> {BINS_MIN[-2]:.0f}" if isinf(at) else f"{at:.0f}" if at >= 10 else f"{at:.1f}"  # noqa: PLR2004


def told(difference: Difference | None, *, share: bool = False) -> Told | None:
    """Say a difference: of a share in points, else a day."""
    if difference is None:
        return None
    factor = 100 if share else 1
    return Told(f"{difference.change * factor:+.1f}", f"{difference.chance * factor:.1f}", difference.by_chance)


def differs(report: Report, name: str) -> Told | None:
    """How a figure differs, by its name."""
    return told(report.differences.get(name), share=name not in COUNTED)


def bars(histogram: tuple[int, ...]) -> list[tuple[str, int]]:
    """The bins of a histogram with the minutes up to which they go."""
    names = [f"≤ {up_to:.0f}" if up_to != inf else f"> {BINS_MIN[-2]:.0f}" for up_to in BINS_MIN]
    return list(zip(names, histogram, strict=True))


def plain(figures: Figures) -> dict[str, Any]:
    """Every figure for a program: numbers, rates beside what they are of, and quantiles in minutes."""
    facts: dict[str, Any] = {name: getattr(figures, name) for name in PLAIN}
    for within in WITHIN_MIN:
        for what in RATES:
            share = figures.share(what, within)
            facts[f"{what}_{within}_share"] = None if share is None else round(share, 4)
    for name in ("first_try", "reach"):
        for share in QUANTILES:
            at = quantile_min(getattr(figures, name), share)
            facts[f"{name}_p{share * 100:.0f}_min"] = None if at is None or isinf(at) else round(at, 1)
    mean = figures.satisfaction
    return facts | {"satisfaction": None if mean is None else round(mean, 2)}


def rows_of(report: Report) -> Iterator[tuple[str, Row]]:
    """All lines of a report, with what each is a line of: time, or the part by which it is split."""
    for row in report.times:
        yield "time", row
    for row in report.parts:
        yield "part", row


def first_day(row: Row, asked: Asked) -> date:
    """The day on which a line of time begins."""
    return local(row.since_at, asked.days.zone).date()


def heat_most(report: Report) -> int:
    """The most that were lost in one cell of the heat map."""
    return max((cell.lost for cell in report.heat.values()), default=0)


def of_heat(heat: Mapping[tuple[int, int], Figures]) -> list[tuple[int, int, Figures]]:
    """The cells of the heat map, as its table lists them."""
    return [(weekday, half, figures) for (weekday, half), figures in sorted(heat.items())]


SECTIONS: Final = _SECTIONS
