"""What is owed, and how today's promises go, as samples: the same reading that the console's pages show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from callback.attempts import snapshot
from callback.operations.metrics.sample import Sample
from callback.reports import breaking
from callback.reports.now.since import midnight
from callback.reports.queue import census
from callback.reports.rates import WITHIN_MIN
from callback.reports.rates_by_group import rates_by_group
from callback.site.work import Work

MEASURES: Final = ("due", "dialled", "reached", "closed")


def look(work: Work) -> Iterator[Sample]:
    """Measure it."""
    yield from _owed(work)
    yield from _today(work)
    yield from _at_risk(work)


def _owed(work: Work) -> Iterator[Sample]:
    held, overdue = Counter[tuple[str, str]](), Counter[str](dict.fromkeys(work.site.rules.named(), 0))
    for cell in census.take(work).cells:
        held[cell.queue, cell.state] += cell.many
        overdue[cell.queue] += cell.many if cell.overdue else 0
    yield from (Sample("lcr_reservations_open", many, of) for of, many in held.items())
    yield from (Sample("lcr_reservations_overdue", many, (queue,)) for queue, many in overdue.items())


def _today(work: Work) -> Iterator[Sample]:
    for group, rates in rates_by_group(work, midnight(work.site, work.now)).items():
        for minutes in WITHIN_MIN:
            for measure in MEASURES:
                labels = (group, str(minutes), measure)
                yield Sample("lcr_promises_today", getattr(rates, f"{measure}_{minutes}"), labels)


def _at_risk(work: Work) -> Iterator[Sample]:
    for group, found in breaking.look(work, snapshot.recall(work.connection, work.pbx)).items():
        yield Sample("lcr_promises_at_risk", found.forecast.missed, (group,))
        yield Sample("lcr_agents_missing", found.forecast.more, (group,))
