"""What the page of a reservation shows: the timeline as lines, day by day, and what comes next; masked throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from babel.dates import format_date

from callback.decisions.actions import NoSuchReservation, no_such
from callback.reports.queue.board import Queue
from callback.reports.queue.rows import Row
from callback.reports.timeline import again, sentences, story
from callback.reports.timeline.entries import Called, Counted, Entry, Judged, Texted, Tried, Whose
from callback.reports.timeline.evidence import EvidenceLine
from callback.reports.timeline.sentences import Speech
from callback.reports.timeline.story import Timeline
from callback.site.work import Work
from callback.web.console import shown
from callback.web.console.reservation.speech import speech
from callback.web.console.words import Language
from scheduler.clock import local

Show = Literal["all", "customer", "us", "people", "machine"]
SHOWN: Final[tuple[Show, ...]] = get_args(Show)
"""Of whom the timeline tells."""
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline. `day` is said where another day begins; `what` is a word for styles.

    `more` are lines behind it, each with its time or none, under `about`; `quote` is what a text said.
    """

    at: int
    clock: str
    day: str
    what: str
    whose: Whose
    text: str
    is_lost: bool = False
    is_again: bool = False
    about: str = ""
    more: Sequence[tuple[str, str]] = ()
    quote: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """All that the page shows of a reservation at one moment. `calls` are those whose verdict may be corrected."""

    timeline: Timeline
    row: Row
    lines: Sequence[Line]
    next: Sequence[str]
    after: Sequence[str]
    calls: Sequence[tuple[str, str]]
    show: Show
    now: int

    @property
    def open(self) -> bool:
        """Whether something is still owed."""
        return self.timeline.reservation.open


def read(queue: Queue, number: int, groups: frozenset[str] | None, show: Show, language: Language) -> Content:
    """Read a reservation of these groups. NoSuchReservation where there is none, or it is another group's."""
    work = queue.work
    timeline = story.of_reservation(work, number, groups, queue)
    if timeline is None:
        raise NoSuchReservation(no_such(work, number))
    zone = work.site.hours.zone
    says = speech(language, work.now, zone)
    step = timeline.next
    row = step.row if step is not None else queue.by_id([number])[0]
    chosen = [entry for entry in timeline.entries if show in {"all", entry.whose}]
    return Content(
        timeline=timeline,
        row=row,
        lines=list(_lines(work, chosen, says, language, lambda entry: _more(work, timeline, entry, says))),
        next=sentences.next_said(step, says) if step is not None else (),
        after=[sentences.follows(one, says) for one in step.after] if step is not None else (),
        calls=_calls(timeline, says),
        show=show,
        now=work.now,
    )


def lines_of(work: Work, entries: Iterable[Entry], language: Language) -> list[Line]:
    """Tell entries alone, without what stands behind them."""
    says = speech(language, work.now, work.site.hours.zone)
    return list(_lines(work, entries, says, language, lambda _entry: ("", [])))


def _lines(
    work: Work,
    entries: Iterable[Entry],
    says: Speech,
    language: Language,
    behind: Callable[[Entry], tuple[str, list[tuple[str, str]]]],
) -> Iterator[Line]:
    zone, before = work.site.hours.zone, local(work.now, work.site.hours.zone).date()
    for entry in entries:
        then = local(entry.at, zone)
        day = "" if then.date() == before else str(format_date(then.date(), "EEE d MMM", locale=language))
        before = then.date()
        about, more = behind(entry)
        yield Line(
            at=entry.at,
            clock=f"{then:%H:%M:%S}",
            day=day,
            what=entry.WHAT,
            whose=entry.whose,
            text=sentences.said(entry, says),
            is_lost=isinstance(entry, Judged) and entry.lost and entry.newest,
            is_again=isinstance(entry, Called) and entry.again,
            about=about,
            more=more,
            quote=shown.said(entry.body, _LONGEST) if isinstance(entry, Texted) else "",
            call_id=entry.call_id if isinstance(entry, Judged | Counted) else "",
        )


def _more(work: Work, timeline: Timeline, entry: Entry, says: Speech) -> tuple[str, list[tuple[str, str]]]:
    """What stands behind a line: evidence, and why it was so."""
    _ = says.translate
    zone = work.site.hours.zone
    if isinstance(entry, Judged):
        rules = _("rules version {version}").format(version=entry.rules_version)
        lines = [("", rules), *_evidence(entry.evidence, says, zone)]
        if entry.newest:
            lines.append(("", sentences.judged_again(again.judge(work, timeline.reservation, entry), says)))
        return _("{many} lines of evidence").format(many=len(entry.evidence)), lines
    if isinstance(entry, Tried):
        others = max(0, entry.choice.of - 1)
        about = _("{free} were free, {others} others were due").format(free=len(entry.choice.agents), others=others)
        phones = ", ".join(map(says.foreign, entry.choice.agents))
        return about, [("", sentences.chosen(entry.choice, says)), ("", phones), *_evidence(entry.evidence, says, zone)]
    return "", []


def _evidence(lines: Iterable[EvidenceLine], says: Speech, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for line in lines:
        then = None if line.at is None else local(line.at, zone)
        clock = "" if then is None else f"{then:%H:%M:%S}.{then.microsecond // 1000:03}"
        yield clock, sentences.heard(line, says)


def _calls(timeline: Timeline, says: Speech) -> list[tuple[str, str]]:
    """The calls whose verdict may be corrected, the last loss first, each in words."""
    newest = [entry for entry in timeline.entries if isinstance(entry, Judged) and entry.newest]
    newest.sort(key=lambda entry: (entry.counted, entry.at), reverse=True)
    return [
        (entry.call_id, f"{says.time(entry.at)} · {sentences.verdict(entry.kind, entry.reason, says)}")
        for entry in newest
    ]
