"""Figures by half hours, days and longer, split by queue, group, kind, trunk or agent: rolled up, and the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from callback.reports.rollups import rolled
from callback.reports.rollups.counting import Of, OfAgent
from callback.reports.rollups.figures import PLAIN, AgentFigures, Figures, figures_of, together
from callback.reports.rollups.rolled import Reading
from callback.reports.rollups.spans import By
from callback.site.work import Work
from callback.store.tables.rollups import BINS

Split = Literal["", "queue", "group", "kind", "trunk"]
_COLUMN: Final = {"": "", "queue": "queue", "group": "queue_group", "kind": "kind", "trunk": "trunk"}
_SHORT: Final = frozenset({"hour", "half-hour"})


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one span of time and of one queue, group, kind or trunk ("" where they are not split)."""

    since: int
    until: int
    of: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class AgentLine:
    """What one agent did in one span of time."""

    since: int
    until: int
    agent: str
    figures: AgentFigures


@dataclass(frozen=True, slots=True)
class Reported:
    """The lines of which there is something to tell, in order, and the time for which there are figures."""

    lines: list[Line]
    since: int
    until: int

    @property
    def whole(self) -> Figures:
        """The figures of all lines together."""
        return together(line.figures for line in self.lines)


def figures(
    work: Work, since: int, until: int, by: By, split: Split = "", groups: frozenset[str] | None = None
) -> Reported:
    """Give the figures of what happened between two instants, of the groups of queues that may be seen (None: all)."""
    return figures_in(rolled.reading(work, since, until), by, split, groups)


def figures_in(read: Reading, by: By, split: Split = "", groups: frozenset[str] | None = None) -> Reported:
    """Give the figures of the time that is read."""
    covered, what = read.covered, read.wanted(by, _COLUMN[split], groups)
    parts: defaultdict[tuple[int, str], list[Figures]] = defaultdict(list)
    for one in rolled.sums(read, rolled.CALLS, what, whole_days=by not in _SHORT):
        parts[one.span, one.of].append(_figures(one.counts))
    for of, counted in read.rest.figures.items():
        if _seen(of, groups):
            parts[_place(of, covered, what)].append(figures_of(counted))
    lines = [Line(*what.spans[span], of, together(several)) for (span, of), several in sorted(_parts(parts))]
    return Reported(lines, covered.since, covered.until)


def agents(work: Work, since: int, until: int, by: By, groups: frozenset[str] | None = None) -> list[AgentLine]:
    """Give what agents did in callbacks that were claimed between two instants."""
    return agents_in(rolled.reading(work, since, until), by, groups)


def agents_in(read: Reading, by: By, groups: frozenset[str] | None = None) -> list[AgentLine]:
    """Give what agents did in the time that is read."""
    what = read.wanted(by, "agent", groups)
    parts: defaultdict[tuple[int, str], list[Sequence[int]]] = defaultdict(list)
    for one in rolled.sums(read, rolled.AGENTS, what, whole_days=by not in _SHORT):
        parts[one.span, one.of].append(one.counts)
    for of, counted in read.rest.agents.items():
        if _seen(of, groups):
            parts[_place(of, read.covered, what)].append([counted[name] for name in rolled.AGENTS.counted])
    return [
        AgentLine(*what.spans[span], agent, AgentFigures(*map(sum, zip(*several, strict=True))))
        for (span, agent), several in sorted(parts.items())
    ]


def _figures(counts: Sequence[int]) -> Figures:
    plain: dict[str, Any] = dict(zip(PLAIN, counts, strict=False))
    bins = counts[len(PLAIN) :]
    return Figures(**plain, first_try=tuple(bins[:BINS]), reach=tuple(bins[BINS:]))


def _seen(of: Of | OfAgent, groups: frozenset[str] | None) -> bool:
    return groups is None or of.queue_group in groups


def _place(of: Of | OfAgent, covered: rolled.Cover, what: rolled.Wanted) -> tuple[int, str]:
    """Give the span and the part; a half hour may have begun before the time that is asked for."""
    part: str = getattr(of, what.split) if what.split else ""
    return what.span_of(max(of.begins_at, covered.since)), part


def _parts(parts: dict[tuple[int, str], list[Figures]]) -> Iterator[tuple[tuple[int, str], list[Figures]]]:
    return ((key, several) for key, several in parts.items() if any(one.columns() for one in several))
