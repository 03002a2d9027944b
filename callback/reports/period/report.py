"""How promises were kept in some days: all that the page of reports shows, read in one snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from callback.accounts.roles import Groups
from callback.reports import misses
from callback.reports.misses import Asked, Cell, Pulled
from callback.reports.rollups import comparing, heat, lines, rolled
from callback.reports.rollups.comparing import Difference
from callback.reports.rollups.figures import Figures
from callback.reports.rollups.lines import AgentLine, Line, Split
from callback.reports.rollups.spans import HALF_HOUR
from callback.site.work import Work
from scheduler.clock import DAY

By = Literal["day", "week", "month"]
RATES: Final = tuple(f"{what}_{minutes}" for minutes in (30, 60) for what in ("dialled", "reached", "closed"))
COUNTS: Final = (
    "calls", "lost", "numberless", "short", "valid", "carried_over", "returned", "left", "handled", "by_hand",
    "withdrawn", "refused", "texts_sent", "texts_delivered", "texts_failed",
)  # fmt: skip
"""Those that are compared as counts."""


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant until before another; days may begin in it that are not over yet."""

    since_at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: which time, split by what, in lines of what length; `before`: the period to compare with."""

    span: Span
    before: Span | None = None
    split: Split = "queue"
    by: By = "day"
    groups: Groups = None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of a span, or of a part of what there is, and how many promises of it were missed."""

    since_at: int
    until_at: int
    of: str
    figures: Figures
    missed: int | None  # None: not told apart by time


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a period. They go from `since_at` to `until_at`, which may be less than was asked for.

    `differences` are against the period before, as far as this one has come; none where nothing is to be compared.
    """

    since_at: int
    until_at: int
    whole: Figures
    missed: int
    before: Figures | None
    differences: Mapping[str, Difference]
    parts: Sequence[Row]
    times: Sequence[Row]
    causes: Sequence[tuple[str, int]]
    heat: Mapping[tuple[int, int], Figures]
    agents: Sequence[AgentLine]
    levers: Sequence[Pulled]


def read(work: Work, wish: Wish) -> Report:
    """Read a report."""
    groups, reading = wish.groups, rolled.reading(work, wish.span.since_at, wish.span.until_at)
    told = lines.figures_in(reading, wish.by, "", groups)
    covered = Asked(told.since, told.until, groups)
    cells = misses.counts(work, covered)
    split = lines.figures_in(reading, "whole", wish.split, groups).lines if wish.split else []
    before = _before(work, wish, told.until)
    whole = told.whole
    causes = Counter[str]()
    for cell in cells:
        causes[cell.cause] += cell.many
    return Report(
        since_at=told.since,
        until_at=told.until,
        whole=whole,
        missed=causes.total(),
        before=before,
        differences={} if before is None else differences(before, whole, told.until - told.since),
        parts=_with_missed(split, cells, wish.split),
        times=[Row(line.since, line.until, "", line.figures, None) for line in told.lines],
        causes=causes.most_common(),
        heat=heat.heat_in(reading, groups),
        agents=lines.agents_in(reading, "whole", groups),
        levers=misses.levers(work, covered),
    )


def differences(before: Figures, after: Figures, lasted: int) -> dict[str, Difference]:
    """Compare the figures of two periods of one length with what chance alone makes of them."""
    found: dict[str, Difference] = {}
    halves = max(1, lasted // HALF_HOUR)
    for name in COUNTS:
        told = comparing.of_counts((getattr(before, name), halves), (getattr(after, name), halves))
        if told is not None:
            each = DAY // HALF_HOUR
            found[name] = Difference(told.before * each, told.after * each, told.chance * each)
    shares = {name: f"due_{name.rpartition('_')[2]}" for name in RATES}
    shares |= {"called_back_redialled": "called_back", "not_called_back_redialled": "not_called_back"}
    for name, of in shares.items():
        one, other = ((getattr(which, name), getattr(which, of)) for which in (before, after))
        if (share := comparing.of_shares(one, other)) is not None:
            found[name] = share
    return found


def _before(work: Work, wish: Wish, until_at: int) -> Figures | None:
    """The figures of the period before, as far as this one has come; None where they are not whole."""
    if wish.before is None:
        return None
    cut_at = min(wish.before.until_at, wish.before.since_at + until_at - wish.span.since_at)
    told = lines.figures(work, wish.before.since_at, cut_at, "whole", "", wish.groups)
    return told.whole if told.since == wish.before.since_at else None


def _with_missed(split: Sequence[Line], cells: Sequence[Cell], by: Split) -> list[Row]:
    many = Counter[str]()
    for cell in cells if by else ():
        many[getattr(cell, by)] += cell.many
    return [Row(line.since, line.until, line.of, line.figures, many[line.of]) for line in split]
