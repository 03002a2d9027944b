"""Past calls and hints for a terminal: tables, a heat map of weekdays and half hours, and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from callback.cli.tables import terminal
from callback.history.counts import WINDOWS_MIN, Counts, History
from callback.reports.words import SHOWN
from scheduler.staffing.halfhours import WEEKDAYS
from scheduler.staffing.learning.peaks import Cell

_SHADES: Final = " ·░▒▓█"
_MOST_QUEUES: Final = 30


def counts(history: History) -> Table:
    """Show how calls went, by queue and in all."""
    head = ["queue", "calls", "ans-\nwered", "aban-\ndoned", "bloc-\nked", "asked", "else", "call-\ners"]
    windows = "/".join(map(str, WINDOWS_MIN))
    head.append(f"% again in\n{windows} min")
    ordered = sorted(history.queues.items(), key=lambda pair: -pair[1].calls)
    rows = [(name or "(none)", *_row(one)) for name, one in ordered[:_MOST_QUEUES]]
    table = terminal.table(head, rows, figures=head[1:])
    if len(ordered) != 1:
        table.add_section()
        table.add_row("all", *_row(history.site()))
    return table


def _row(one: Counts) -> list[str]:
    named = [one.of(kind) for kind in SHOWN]
    shares = [f"{100 * one.redialled[minutes] / one.lost_known:.0f}" for minutes in WINDOWS_MIN if one.lost_known]
    numbers = [one.calls, *named, one.calls - sum(named), len(one.callers)]
    return [*(f"{number:,}" for number in numbers), "/".join(shares) or "-"]


def heat(cells: Sequence[Cell]) -> RenderableType:
    """Draw losses by weekday and half hour, from the first to the last in which any came; peaks stand reversed."""
    lost = {(cell.weekday, cell.half_hour): cell for cell in cells}
    numbers = [cell.half_hour for cell in cells]
    if not numbers:
        return Text("no calls")
    most = max(cell.losses for cell in cells)
    if not most:
        return Text("nobody was lost")
    span = range(min(numbers) // 4 * 4, max(numbers) + 1)
    hours = Text("    " + "".join(f"{number // 2:<4}" for number in span if not number % 4), style="dim")
    lines = [hours]
    for weekday, name in enumerate(WEEKDAYS):
        if any(day == weekday for day, _ in lost):
            lines.append(Text(f"{name} ").append_text(_line(lost, weekday, span, most)))
    key = f"    losses in a half hour, up to {most:.1f}; peaks are reversed"
    return Group(*lines, Text(key, style="dim"))


def _line(lost: Mapping[tuple[int, int], Cell], weekday: int, span: range, most: float) -> Text:
    text = Text()
    for number in span:
        cell = lost.get((weekday, number))
        share = cell.losses / most if cell else 0.0
        shade = _SHADES[min(len(_SHADES) - 1, round(share * (len(_SHADES) - 1) + 0.499))] if cell else _SHADES[0]
        text.append(shade, style="reverse bold" if cell and cell.peak else "")
    return text


def show(console: Console, lines: Iterable[str], title: str = "") -> None:
    """Print sentences below a title; without one, nothing but them. A terminal's lines break between words."""
    if title:
        console.print(f"\n[bold]{title}[/bold]")
    for line in lines:
        console.print(terminal.printable(line), highlight=False, markup=False, soft_wrap=not console.is_terminal)
