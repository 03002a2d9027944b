"""What a department is told each week of its cases: counts, topics, growth; no customer, no word of one, no link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from callback.reports.care import figures, topics
from callback.reports.care.figures import Cases
from callback.reports.care.report import weeks_to
from callback.reports.care.topics import Topic
from callback.reports.care.within import Within
from callback.site.sentences import FALLBACK, sentences
from callback.site.work import Work
from scheduler.clock import begins, local

MOST_TOPICS: Final = 20
_FOLDER: Final = Path(__file__).with_name("weekly_words")
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """A report in words."""

    subject: str
    body: str


def last_week(work: Work) -> date:
    """The Sunday with which the last whole week ended, on the site's clock."""
    today = local(work.now, work.site.hours.zone).date()
    return today - (today.weekday() + 1) * _ONE


def name_of(last: date) -> str:
    """What the week is called that ends with this Sunday: 2026-W48."""
    year, week, _ = last.isocalendar()
    return f"{year}-W{week:02}"


def report(work: Work, department: str, last: date) -> Told:
    """Say how the week of a department was that ends with this day."""
    zone = work.site.hours.zone
    weeks = weeks_to(last, zone)
    whole = Within(weeks[0], begins(last + _ONE, zone), department=department)
    week = figures.whole(work, replace(whole, since_at=weeks[-1]))
    before = figures.whole(work, replace(whole, until_at=weeks[-1]))
    words = sentences(_FOLDER, _language(work))
    values: dict[str, Any] = {name: getattr(week, name) for name in Cases.__slots__}
    values |= {"department": department, "mean": f"{before.opened / topics.WEEKS:.1f}", "last": last}
    values |= {"first": last - 6 * _ONE}
    parts = [_counts(words, week, values), *_topics(words, topics.of_week(work, weeks, whole))]
    return Told(words["subject"].format_map(values), "\n\n".join(parts) + "\n")


def _counts(words: Mapping[str, str], week: Cases, values: Mapping[str, Any]) -> str:
    if not week.opened:
        return "\n".join([words["none"], words["before"].format_map(values)])
    said = [words[name].format_map(values) for name in ("cases", "before")]
    said.append(words["in_time"].format(many=week.in_time, of=week.timed))
    if week.judged:
        said.append(words["satisfied"].format(many=week.satisfied, of=week.judged))
    return "\n".join([*said, words["confirmed"].format_map(values)])


def _topics(words: Mapping[str, str], found: list[Topic]) -> list[str]:
    hot, rest = [one for one in found if one.hot], [one for one in found if not one.hot][:MOST_TOPICS]
    told = []
    for head, some in (("hot", hot), ("topics", rest)):
        if some:
            lines = [words["topic"].format(title=one.title, many=one.many, mean=f"{one.mean:.1f}") for one in some]
            told.append("\n".join([words[head], *lines]))
    return told


def _language(work: Work) -> str:
    """The language of most queues: a department has none of its own."""
    spoken = Counter(queue.language for queue in work.site.rules.queues.values())
    return spoken.most_common(1)[0][0] if spoken else FALLBACK
