"""Past calls and hints for a terminal: tables, a heat map of weekdays and half hours, and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from callback import terminal
from callback.history import WINDOWS_MIN, Counts, History
from callback.importing import Imported
from callback.report_rates import WITHIN_MIN, Rates
from scheduler.clock import local
from scheduler.staffing import peaks
from scheduler.staffing.accuracy import Accuracy
from scheduler.staffing.halfhours import WEEKDAYS
from scheduler.staffing.peaks import Cell
from telephony.call import Kind

_SHADES: Final = " ·░▒▓█"
_MOST_QUEUES: Final = 30
SHOWN: Final[tuple[Kind, ...]] = ("served", "abandoned", "blocked", "requested")
NOT_TOLD: Final = (
    "Why a line failed; calls cut off, or silent, while an agent talked; calls that came to no queue.",
    "What became of who left by a key, or was handed on to no queue.",
    "FULL and JOINEMPTY stand in it only where the site's dialplan writes them: who never got in may be missing.",
    "Callers are told apart by the number that the log shows; who withholds it is followed no further.",
)


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


def reasons(site: Counts) -> Iterable[str]:
    """Say why calls were blocked, dropped or are unknown."""
    for kind in ("blocked", "dropped", "unknown"):
        found = site.reasons(kind)
        if found:
            yield f"{kind}: " + ", ".join(f"{number:,} {reason}" for reason, number in found.items())


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


def peaks_said(cells: Sequence[Cell]) -> list[str]:
    """Say the peaks."""
    days = max((cell.days for cell in cells), default=0)
    if days < peaks.LEAST_DAYS:
        return [f"too little to say when: {days} of the {peaks.LEAST_DAYS} same weekdays that it takes"]
    return peaks.words(cells) or ["no half hour is reliably worse than its day"]


def span_said(history: History) -> str:
    """Say from when to when the calls reach."""
    if not history.first_at:
        return "no call"
    first, last = (local(at, history.zone) for at in (history.first_at, history.last_at))
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} ({history.zone.key})"


def no_call(imported: Imported) -> str:
    """Say that a log tells of no call."""
    lines = imported.all_lines
    return "no call is known: the log holds " + (f"{lines:,} lines, and none of a call" if lines else "no line")


def faults(imported: Imported) -> Iterable[str]:
    """List the bad lines by reason, then where the first of them stand: what is in them may be a secret."""
    for why, number in imported.faults.counts.most_common():
        yield f"{number:,} lines left out: {why}"
    for fault in imported.faults:
        yield f"  {fault.place}: {fault.why}"
    rest = len(imported.faults) - len(imported.faults.kept)
    if rest > 0:
        yield f"  and {rest:,} more (--bad-lines N lists more)"
    for why, number in imported.doubts.most_common():
        yield f"{number:,} times not believed: {why}"


def show(console: Console, lines: Iterable[str], title: str = "") -> None:
    """Print sentences below a title; without one, nothing but them. A terminal's lines break between words."""
    if title:
        console.print(f"\n[bold]{title}[/bold]")
    for line in lines:
        console.print(terminal.printable(line), highlight=False, markup=False, soft_wrap=not console.is_terminal)


def kept_said(kept: Sequence[Rates]) -> Iterable[str]:
    """Say the three rates, of all and by queue, and beside them what is counted apart."""
    for one in kept:
        shares = {
            f"{what} @{within}": one.share(what, within)
            for what in ("dialled", "reached", "closed")
            for within in WITHIN_MIN
        }
        rates = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share is not None)
        yield f"{one.queue or 'all'}: {rates or 'nothing is due yet'}; {one.valid} valid reservations"
        apart = f"{one.returned} called again themselves, {one.numberless} without a number"
        yield f"  of them {one.carried_over} carried over, {apart}"


def off_said(off: Sequence[Accuracy]) -> Iterable[str]:
    """Say by what share of the calls forecasts were off, beside the best of what anybody could have guessed."""
    for row in off:
        others = (
            f"last week's day {row.last_week:.0%}, all days' mean {row.all_days:.0%}, chance alone {row.chance:.0%}"
        )
        yield f"{row.horizon:>5} ahead: {row.forecast:.0%}; {others} ({row.half_hours} half hours)"
