"""The report as one HTML page that needs nothing else: tables, and pictures as SVG within it. No script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from callback import drawing, report_text
from callback.history import WINDOWS_MIN, Counts, History
from callback.report_rates import WITHIN_MIN, Rates
from callback.report_week import Week, spoken
from scheduler.staffing import week
from scheduler.staffing.halfhours import A_DAY, WEEKDAYS, clock_time
from scheduler.staffing.peaks import Cell
from scheduler.staffing.week import Outlook

_MOST_PICTURES: Final = 14
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#24292f}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .75rem;border-bottom:1px solid #d0d7de}"
    "td+td,th+th{text-align:right}svg{width:100%;height:auto}li{margin:.25rem 0}footer{color:#57606a;margin-top:2rem}"
)


def page(history: History, cells: Sequence[Cell], made: Week, kept: Sequence[Rates], accuracy: Table) -> str:
    """Give the page."""
    proofs = list(made.proofs_spoken())
    parts = [
        f"<h1>Callers: {escape(report_text.span_said(history))}</h1>",
        table(*_counts(history)),
        _list(report_text.reasons(history.site())),
        "<h2>When callers are lost</h2>",
        _heat(cells),
        _list(report_text.peaks_said(cells)),
        *(_kept(kept) if kept else ()),
        "<h2>The week to come</h2>",
        _list(spoken(each) for each in made.outlooks if each.hints),
        "<h3>What the past says of the weightiest</h3>" if proofs else "",
        _list(proofs),
        *_needs(made.outlooks),
        "<h2>How far the forecast has been off</h2>" if accuracy[1] else "",
        table(*accuracy) if accuracy[1] else "",
        "<h2>What a log cannot tell</h2>",
        _list(report_text.NOT_TOLD),
    ]
    title = "Lost callers and where agents are missing"
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    viewport = '<meta name="viewport" content="width=device-width"></head><body>'
    return head + viewport + "\n".join(part for part in parts if part) + "</body></html>\n"


Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""A head and its rows."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _list(lines: Iterable[str]) -> str:
    found = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{found}</ul>" if found else ""


def _counts(history: History) -> Table:
    head = ["queue", "calls", "answered", "abandoned", "blocked", "asked", "callers"]
    head += [f"again in {minutes} min" for minutes in WINDOWS_MIN]
    rows = [_counted(name or "(none)", one) for name, one in sorted(history.queues.items())]
    return head, [*rows, _counted("all", history.site())]


def _counted(name: str, one: Counts) -> list[str]:
    named = [one.of(kind) for kind in report_text.SHOWN]
    numbers = [one.calls, *named, len(one.callers)]
    again = [f"{one.redialled[minutes] / one.lost_known:.0%}" if one.lost_known else "-" for minutes in WINDOWS_MIN]
    return [name, *(f"{number:,}" for number in numbers), *again]


def _heat(cells: Sequence[Cell]) -> str:
    if not cells:
        return ""
    first = min(cell.half_hour for cell in cells)
    across = [clock_time(number) for number in range(first, max(cell.half_hour for cell in cells) + 1)]
    values = {(cell.weekday, cell.half_hour - first): cell.losses for cell in cells}
    framed = {(cell.weekday, cell.half_hour - first) for cell in cells if cell.peak}
    return drawing.heat("Callers lost in a half hour (mean); peaks are framed", WEEKDAYS, across, values, framed)


def _kept(kept: Sequence[Rates]) -> Iterable[str]:
    yield "<h2>How promises were kept</h2>"
    yield "<p>Of reservations whose time is over, each measured on the promise that counts.</p>"
    head = ["queue", *(f"{what} @{within}" for what in _WHATS for within in WITHIN_MIN), "valid", "carried over"]
    head += ["called again himself", "without a number"]
    yield table(head, [_kept_row(one) for one in kept])
    shares = {what: [kept[0].share(what, within) for within in WITHIN_MIN] for what in _WHATS}
    if kept[0].due_60:
        yield drawing.lines("Three rates", [f"@{within} min" for within in WITHIN_MIN], shares, 1.0, "of the promise")


_WHATS: Final = ("dialled", "reached", "closed")


def _kept_row(one: Rates) -> list[str]:
    shares = [one.share(what, within) for what in _WHATS for within in WITHIN_MIN]
    shown = ["-" if share is None else f"{share:.0%}" for share in shares]
    return [one.queue or "all", *shown, str(one.valid), str(one.carried_over), str(one.returned), str(one.numberless)]


def _needs(outlooks: Sequence[Outlook]) -> Iterable[str]:
    """Draw need against roster, the days that lack most first."""
    ranked = sorted(outlooks, key=lambda each: -sum(max(0, hint.more) for hint in each.hints))
    for each in ranked[:_MOST_PICTURES]:
        numbers = [number for number, *_ in week.shown(each)]
        if numbers:
            span = range(numbers[0], min(A_DAY, numbers[-1] + 1))
            across = [clock_time(number) for number in span]
            series = {
                "needed": [float(each.needed[number]) for number in span],
                "planned": [float(each.planned[number]) for number in span],
            }
            top = float(max(*each.needed, *each.planned, 1))
            title = f"{each.queue or '(none)'}, {each.day:%a %d %b}: agents needed and planned"
            yield drawing.lines(title, across, series, top, "time of day", unit="")
