"""The report as one HTML page that needs nothing else: what was lost first, then when, and what the week needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from callback.history.counts import WINDOWS_MIN, Counts, History
from callback.reports import week as report_week
from callback.reports import words
from callback.reports.pages import html, svg
from callback.reports.pages.html import Bar, Shade, Table, Tone
from callback.reports.rates import WITHIN_MIN, Rates
from callback.reports.week import Week
from scheduler.clock import local
from scheduler.staffing.halfhours import WEEKDAYS, clock_time
from scheduler.staffing.learning.peaks import Cell
from scheduler.staffing.planning import week
from scheduler.staffing.planning.week import Outlook
from telephony.calls.call import Kind

_MOST_QUEUES: Final = 12  # with a week of their own on the page
_STEPS: Final = 4  # of the key to the shades
_WHATS: Final = ("dialled", "reached", "closed")
_KINDS: Final[tuple[tuple[Kind, str], ...]] = (
    ("abandoned", "gave up waiting"),
    ("blocked", "never got in"),
    ("dropped", "cut off"),
    ("silent", "heard nothing"),
)


@dataclass(frozen=True, slots=True)
class About:
    """What stands above the page: whose site it is (empty: not known), when it was made, and which promises count."""

    site: str
    made: datetime
    since_days: int


def page(
    about: About, history: History, cells: Sequence[Cell], made: Week, kept: Sequence[Rates], accuracy: Table
) -> str:
    """Give the page."""
    proofs = list(made.proofs())
    span = words.span_said(history)
    of_site = f"{about.site}: lost callers" if about.site else "Lost callers"
    parts = [
        html.heading(1, of_site),
        html.words(f"Calls from {span}. Made {about.made:%a %d %b %Y, %H:%M}."),
        html.heading(2, "What was lost"),
        *_lost(history),
        *_called_back(about, kept),
        html.heading(2, "When callers are lost"),
        *_heat(cells),
        html.heading(2, "The week to come"),
        *_weeks(made.outlooks),
        html.heading(3, "What the past says of the weightiest") if proofs else "",
        html.points(proofs),
        *_needs(made.outlooks),
        html.heading(2, "Queue by queue"),
        html.table(*_counts(history), summed=True),
        html.heading(2, "How far the forecast has been off") if accuracy[1] else "",
        html.table(*accuracy) if accuracy[1] else "",
        html.heading(2, "What a log cannot tell"),
        html.points(words.NOT_TOLD),
    ]
    return html.page(f"{of_site} until {_until(history)}, made {about.made:%Y-%m-%d %H:%M}", parts)


def _until(history: History) -> str:
    return f"{local(history.last_at, history.zone):%Y-%m-%d}" if history.last_at else "now"


def _lost(history: History) -> Iterator[str]:
    """Show what was lost: how many, of which kind, and how many called again."""
    site = history.site()
    lost = site.lost
    figures = [(f"{site.calls:,}", "calls"), (f"{lost:,}", f"lost, {_share(lost, site.calls)} of all calls")]
    if site.lost_known:
        figures.append((f"{site.again_share:.0%}", f"of them called again within {WINDOWS_MIN[-1]} minutes"))
    if asked := site.of("requested"):
        figures.append((f"{asked:,}", "asked to be called back"))
    yield html.tiles(figures)
    if lost:
        kinds = [
            Bar(said, site.of(kind) / lost, f"{site.of(kind):,} ({_share(site.of(kind), lost)})")
            for kind, said in _KINDS
            if site.of(kind)
        ]
        again = [
            Bar(f"called again in {minutes} min", share, f"{share:.0%}", good=True)
            for minutes in WINDOWS_MIN
            if (share := _again(site, minutes)) is not None
        ]
        yield html.beside(
            html.heading(3, "How they were lost") + html.bars(kinds),
            html.heading(3, "What they did then") + html.bars(again) if again else "",
        )
    yield from (html.words(line) for line in words.reasons(site))


def _called_back(about: About, kept: Sequence[Rates]) -> Iterator[str]:
    """Show how many were called back: three rates, always apart."""
    yield html.heading(2, "How promises were kept")
    if not kept:
        yield html.words("Of nobody it is known here whether a call back was promised: a log does not tell.")
        return
    site = kept[0]
    yield html.words(
        f"Reservations of the last {about.since_days} days. The rates are of those whose time is over, each measured "
        "on the promise that counts."
    )
    yield html.tiles(
        [
            (f"{site.valid:,}", "valid reservations"),
            (f"{site.returned:,}", "called again themselves"),
            (f"{site.carried_over:,}", "carried over to the next opening"),
            (f"{site.numberless:,}", "lost without a number"),
        ]
    )
    yield html.beside(*(_rates(site, within) for within in WITHIN_MIN))
    head = ["queue", *(f"{what} @{within}" for what in _WHATS for within in WITHIN_MIN), "valid", "carried over"]
    yield html.table([*head, "called again", "without a number"], [_kept_row(one) for one in kept])


def _rates(site: Rates, within: int) -> str:
    title = html.heading(3, f"Within {within} minutes")
    shares = {what: site.share(what, within) for what in _WHATS}
    bars = [Bar(what, share, f"{share:.0%}", good=True) for what, share in shares.items() if share is not None]
    return title + (html.bars(bars) if bars else html.words("Nothing is due yet."))


def _kept_row(one: Rates) -> list[str]:
    shares = [one.share(what, within) for what in _WHATS for within in WITHIN_MIN]
    shown = ["-" if share is None else f"{share:.0%}" for share in shares]
    return [one.queue or "all", *shown, str(one.valid), str(one.carried_over), str(one.returned), str(one.numberless)]


def _counts(history: History) -> Table:
    head = ["queue", "calls", "answered", "abandoned", "blocked", "asked", "lost", "callers"]
    head += [f"again in {minutes} min" for minutes in WINDOWS_MIN]
    rows = [_counted(name or "(none)", one) for name, one in sorted(history.queues.items())]
    return head, [*rows, _counted("all", history.site())]


def _counted(name: str, one: Counts) -> list[str]:
    named = [f"{one.of(kind):,}" for kind in words.SHOWN]
    again = ["-" if share is None else f"{share:.0%}" for share in (_again(one, minutes) for minutes in WINDOWS_MIN)]
    return [name, f"{one.calls:,}", *named, _share(one.lost, one.calls), f"{len(one.callers):,}", *again]


def _again(one: Counts, minutes: int) -> float | None:
    return one.redialled[minutes] / one.lost_known if one.lost_known else None


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _heat(cells: Sequence[Cell]) -> Iterator[str]:
    """Show losses by half hour and weekday, and the peaks in words."""
    most = max((cell.losses for cell in cells), default=0.0)
    if not most:
        yield html.words("Nobody was lost." if cells else "No call is known.")
        return
    first, last = (of(cell.half_hour for cell in cells) for of in (min, max))
    days = sorted({cell.weekday for cell in cells})
    shades = {
        (cell.half_hour - first, days.index(cell.weekday)): Shade(
            f"{cell.losses:.0f}" if round(cell.losses) else "",
            f"{WEEKDAYS[cell.weekday]} {clock_time(cell.half_hour)}: {cell.losses:.1f} lost, of {cell.calls:.1f} calls",
            "hot",
            cell.losses / most,
            cell.peak,
        )
        for cell in cells
    }
    down = [clock_time(number) for number in range(first, last + 1)]
    key = [(Shade("", "", "hot", step / _STEPS).drawn, f"{most * step / _STEPS:.1f}") for step in range(_STEPS + 1)]
    framed = (Shade("", "", framed=True).drawn, "reliably worse than its day")
    yield html.beside(
        html.grid(down, [WEEKDAYS[day] for day in days], shades),
        html.words("Callers lost in a half hour, on average:")
        + html.key([*key, framed])
        + html.points(words.peaks_said(cells)),
    )


def _weeks(outlooks: Sequence[Outlook]) -> Iterator[str]:
    """Show where agents lack and where they are to spare: a grid of half hours and days for each queue and week."""
    if not outlooks:
        yield html.words("Too little is known to say anything.")
        return
    deep = max((abs(hint.more) for each in outlooks for hint in each.hints), default=1)
    swatches = [
        (Shade("", "", "hot", 1).drawn, "+2: 2 agents more are needed"),
        (Shade("", "", "cold", 1).drawn, "-2: 2 are to spare"),
        (Shade("", "", "soft").drawn, "as needed"),
    ]
    yield html.key([*swatches, ("", "?: too little to say")])
    groups = list(report_week.weeks(_weightiest(outlooks)))
    yield html.beside(*(html.heading(3, queue or "(none)") + _week(days, deep) for queue, days in groups))
    left = len({each.queue for each in outlooks}) - len({queue for queue, _ in groups})
    if left:
        many = (
            f"{left} queue in which fewer agents are missing is"
            if left == 1
            else f"{left} queues with fewer missing are"
        )
        yield html.words(f"{many} left out: `callback hints` has all.")


def _weightiest(outlooks: Sequence[Outlook]) -> list[Outlook]:
    """Give the outlooks of the queues that lack most, as many as the page shows."""
    lacking: dict[str, int] = {}
    for each in outlooks:
        lacking[each.queue] = lacking.get(each.queue, 0) + sum(_half_hours_lacking(each))
    most = sorted(lacking, key=lambda queue: (-lacking[queue], queue))[:_MOST_QUEUES]
    return sorted((each for each in outlooks if each.queue in most), key=lambda each: most.index(each.queue))


def _half_hours_lacking(each: Outlook) -> Iterator[int]:
    return (max(0, hint.more) * len(hint.half_hours) for hint in each.hints)


def _week(days: Sequence[Outlook], deep: int) -> str:
    span = _span(days)
    cells = {
        (place, column): shade
        for column, each in enumerate(days)
        for place, number in enumerate(span)
        if (shade := _shade(each, number, deep))
    }
    whys = sorted({each.too_little for each in days if each.too_little})
    unknown = "".join(html.words(f"Too little to say: {why}.") for why in whys)
    return html.grid([clock_time(number) for number in span], [f"{each.day:%a %d}" for each in days], cells) + unknown


def _shade(each: Outlook, number: int, deep: int) -> Shade | None:
    needed, planned = each.needed[number], each.planned[number]
    when = f"{each.day:%a %d %b} {clock_time(number)}"
    if each.too_little:
        return Shade("?", f"{when}: {each.too_little}")
    if not needed and not planned:
        return None
    more = needed - planned
    tone: Tone = "soft" if not more else "hot" if more > 0 else "cold"
    return Shade(f"{more:+d}" if more else "", f"{when}: {needed} needed, {planned} planned", tone, abs(more) / deep)


def _span(days: Sequence[Outlook]) -> range:
    """Give the half hours in which anybody is needed or planned on any of the days."""
    busy = [number for each in days for number, *_ in week.shown(each)]
    return range(min(busy), max(busy) + 1) if busy else range(0)


def _needs(outlooks: Sequence[Outlook]) -> Iterator[str]:
    """Draw need against plan: a small picture for each day, all of a queue of one scale."""
    groups = [(queue, days) for queue, days in report_week.weeks(_weightiest(outlooks)) if _span(days)]
    if groups:
        yield html.heading(2, "Agents needed and planned")
        yield html.key([(' class="need"', "needed"), (' class="plan"', "planned")])
    for queue, days in groups:
        top, span = max(max(*each.needed, *each.planned) for each in days), _span(days)
        yield html.heading(3, queue or "(none)")
        yield html.small(svg.steps(f"{each.day:%a %d %b}", span, each.needed, each.planned, top) for each in days)
