"""Hot topics of a week: what customers were unhappy about far more often than in the weeks before.

The rule: at least `LEAST` cases in the week, at least `GROWTH` times the mean of the four weeks before, and so many
more that chance alone seldom makes it (twice the root of that mean, which counts as one at least). So from one to two
is no topic, from two to five is one. A case counts for its topic and for each one above it; a topic above is left out
where one below it has all of its cases.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

from sqlalchemy import func, select

from callback.reports.care.within import Within, opened
from callback.site.work import Work
from callback.store import tables as t

LEAST: Final = 5
GROWTH: Final = 2.0
WEEKS: Final = 4
MOST_CASES: Final = 20
"""Cases that are named behind a topic: the newest."""
_C = t.care_case.c


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic in a week: how many cases, the mean of the weeks before, whether it is hot, and the newest cases."""

    path: str
    title: str
    many: int
    mean: float
    hot: bool
    cases: tuple[int, ...] = ()

    @property
    def growth(self) -> float | None:
        """How many times the mean of the weeks before; None where it is new."""
        return self.many / self.mean if self.mean else None


def is_hot(many: int, mean: float) -> bool:
    """Whether so many cases are a hot topic, after so many a week."""
    return many >= LEAST and many >= GROWTH * mean and many - mean >= 2 * sqrt(max(mean, 1.0))


def of_week(work: Work, weeks: Sequence[int], within: Within) -> list[Topic]:
    """The topics of the last of these weeks, hot ones first, then by how many cases.

    `weeks` are the instants at which `WEEKS` weeks and then the one that is asked about begin; `within` says until
    when, of which groups, and of which department. A case without a topic counts for none.
    """
    counted = [
        _counted(work, replace(within, since_at=since, until_at=until))
        for since, until in zip(weeks, [*weeks[1:], within.until_at], strict=True)
    ]
    now, before = counted[-1], counted[:-1]
    total = Counter[str]()
    for one in before:
        total.update(one)
    means = {path: total[path] / len(before) for path in now}
    shown = {path for path in now if not _all_of_one_below(path, now)}
    hot = {path for path in shown if is_hot(now[path], means[path])}
    behind = _behind(work, replace(within, since_at=weeks[-1]), hot) if hot else {}
    titles = work.site.rules.care.topics
    found = [
        Topic(path, titles.get(path, path), now[path], means[path], path in hot, tuple(behind.get(path, ())))
        for path in shown
    ]
    return sorted(found, key=lambda one: (not one.hot, -one.many, one.path))


def above(path: str) -> Iterator[str]:
    """A topic and all those on which it hangs."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _counted(work: Work, within: Within) -> Counter[str]:
    wanted = select(_C.topic, func.count()).where(*opened(work, within), _C.topic != "").group_by(_C.topic)
    found = Counter[str]()
    for topic, many in work.connection.execute(wanted):
        for path in above(topic):
            found[path] += many
    return found


def _all_of_one_below(path: str, counted: Mapping[str, int]) -> bool:
    return any(one.startswith(f"{path}/") and many == counted[path] for one, many in counted.items())


def _behind(work: Work, within: Within, hot: set[str]) -> dict[str, list[int]]:
    """The newest cases of each of these topics, and of what hangs on them."""
    found: dict[str, list[int]] = defaultdict(list)
    for path in hot:
        theirs = (_C.topic == path) | _C.topic.startswith(f"{path}/", autoescape=True)
        wanted = select(_C.id).where(*opened(work, within), _C.topic != "", theirs)
        newest = wanted.order_by(_C.opened_at.desc(), _C.id.desc()).limit(MOST_CASES)
        found[path] = list(work.connection.execute(newest).scalars())
    return found
