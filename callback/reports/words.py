"""What a report says in sentences, the same on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from callback.history.counts import Counts, History
from callback.history.importing import Imported
from callback.reports.rates import WITHIN_MIN, Rates
from scheduler.clock import local
from scheduler.staffing.learning import peaks
from scheduler.staffing.learning.accuracy import Accuracy
from scheduler.staffing.learning.peaks import Cell
from telephony.calls.call import Kind

SHOWN: Final[tuple[Kind, ...]] = ("served", "abandoned", "blocked", "requested")


NOT_TOLD: Final = (
    "Why a line failed; calls cut off, or silent, while an agent talked; calls that came to no queue.",
    "What became of who left by a key, or was handed on to no queue.",
    "FULL and JOINEMPTY stand in it only where the site's dialplan writes them: who never got in may be missing.",
    "Callers are told apart by the number that the log shows; who withholds it is followed no further.",
)


def reasons(site: Counts) -> Iterable[str]:
    """Say why calls were blocked, dropped or are unknown."""
    for kind in ("blocked", "dropped", "unknown"):
        found = site.reasons(kind)
        if found:
            yield f"{kind}: " + ", ".join(f"{number:,} {reason}" for reason, number in found.items())


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
