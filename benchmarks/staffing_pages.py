"""The parts of the staffing report: text in Markdown, and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from benchmarks import staffing_judged
from benchmarks.staffing_data import QUEUE, ZONE, Bank
from benchmarks.staffing_judged import LEVELS, Extra, HintTrial, HintVerdict
from callback.reports.pages import svg
from scheduler.staffing.halfhours import A_DAY, WEEKDAYS, Day, clock_time
from scheduler.staffing.learning import accuracy
from scheduler.staffing.learning.accuracy import Accuracy
from scheduler.staffing.learning.fresh import Fresh
from scheduler.staffing.learning.handling import handling
from scheduler.staffing.learning.patience import Wait, patience, staying, stays
from scheduler.staffing.learning.peaks import FACTOR, FALSE_SHARE, heat_map
from scheduler.staffing.learning.peaks import words as peak_words
from scheduler.staffing.planning.evidence import AIM
from scheduler.staffing.planning.hints import words
from scheduler.staffing.planning.queue import SURE
from scheduler.staffing.planning.shifts import ShiftLimits, plan

CHOICE = (staffing_judged.CHOICE, staffing_judged.SPLIT)
EXAMPLE = date(1999, 2, 23)
_CHANCE_LEVELS = (0.5, 0.7, 0.9)
_MOST_LINES = 8
_EARLIEST = 12  # half hours are drawn from 06:00 on

HEAD = """# Staffing: how far the hints can be trusted

Written by `make staffing-report`; nothing here is typed in. Two public records are used, and every figure says how many
half hours or days it rests on. Each forecast knows what came before it and nothing later. The formulas stand in
`scheduler/staffing/`; its tests hold them to published values and to a second method."""


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A part of the report, and its pictures by file name."""

    text: str
    pictures: Mapping[str, str] = field(default_factory=dict)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; columns after the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(share: float | None) -> str:
    """Write a share, as in 26.4%."""
    return "" if share is None else f"{share:.1%}"


def record(trial: HintTrial) -> ReportPart:
    """Say what the bank's month is, and what of it is imputed."""
    calls, demand = trial.bank.calls, trial.whole
    lost = sum(call.lost for call in calls)
    return ReportPart(f"""## The bank's month

February 1999, {len(calls):,} calls that wanted an agent (type IN, which other agents serve, left out), of which
{lost:,} hung up in the queue ({lost / len(calls):.1%}).
Fresh demand: {_total(demand.calls):,.0f} callers, of whom {_total(demand.losses):,.0f} were lost at first try.

What is imputed:

- {demand.unknown_share:.0%} of the calls carry no customer number. Among the known ones {demand.redial_share:.1%} were
  redials within the hour after a loss; of the unknown the same shares of lost and of served calls count as redials.
- Who was at work is inferred from the calls: an agent is present from the first call of a day to the last; no rest is
  longer than half an hour. Calls whose agent was not recorded ({trial.bank.nameless / (len(calls) - lost):.0%} of those
  served) show nobody.
- Handling time is talk time: the record has no wrap-up. Nothing is added.
- There were no callbacks in 1999. What they would have been is reckoned, and says so.""")


def _total(history: Mapping[date, Day]) -> float:
    return math.fsum(map(math.fsum, history.values()))


def _accuracy_table(rows: Sequence[Accuracy]) -> str:
    head = [
        "ahead",
        "half hours",
        "days",
        "**forecast**",
        "as before the day",
        "plain ratio",
        "last week",
        "all days",
        "chance",
    ]
    return table(
        head,
        [
            [
                row.horizon,
                f"{row.half_hours:,}",
                str(row.days),
                f"**{percent(row.forecast)}**",
                *map(percent, (row.unchanged, row.plain_ratio, row.last_week, row.all_days, row.chance)),
            ]
            for row in rows
        ],
    )


def _accuracy_picture(title: str, rows: Sequence[Accuracy]) -> str:
    series: dict[str, list[float | None]] = {
        "forecast": [row.forecast for row in rows],
        "same weekday last week": [row.last_week for row in rows],
        "mean of all days": [row.all_days for row in rows],
        "plain ratio of the day": [row.plain_ratio for row in rows],
        "chance alone": [row.chance for row in rows],
    }
    top = max(value for values in series.values() for value in values if value is not None)
    return svg.lines(title, [row.horizon for row in rows], series, math.ceil(top * 20) / 20, "how far ahead")


_COLUMNS = """Error: what was off, over what came. *As before the day*: the mean of the last same weekdays, not bettered
by the day itself. *Plain ratio*: that, times what came today over what was expected. *Last week*: the same half hour of
the last same weekday. *All days*: the mean of every past day at that time. *Chance*: what is left to who knows the
true rate."""


def bank_forecast(demand: Fresh) -> ReportPart:
    """Measure the forecast of the bank's fresh calls and losses."""
    calls, losses = accuracy.by_horizon(demand.calls), accuracy.by_horizon(demand.losses)
    return ReportPart(
        f"""## Forecast: the bank, by half hour

![error by horizon](staffing/forecast-bank.svg)

Fresh calls, from the second week on:

{_accuracy_table(calls)}

Callers lost at first try. Losses come in clumps: from an hour ahead on the day so far makes their
forecast worse, so the service leaves it as it was before the day:

{_accuracy_table(losses)}

{_COLUMNS}""",
        {"forecast-bank.svg": _accuracy_picture("Error of the forecast: bank, fresh calls", calls)},
    )


def us_forecast(history: Mapping[date, Day]) -> ReportPart:
    """Measure the forecast of the US bank's calls."""
    rows = accuracy.by_horizon(history)
    return ReportPart(
        f"""## Forecast: the US bank, by half hour

![error by horizon](staffing/forecast-us-bank.svg)

{len(history)} weekdays of 2003, {_total(history):,.0f} calls handled. Who was lost or called again is not in the
record, so these are not fresh calls.

{_accuracy_table(rows)}""",
        {"forecast-us-bank.svg": _accuracy_picture("Error of the forecast: US bank, calls", rows)},
    )


def peaks(demand: Fresh) -> ReportPart:
    """Show where callers are lost."""
    cells = heat_map(demand)
    said = "\n".join(f"- {line}" for line in peak_words(cells)) or "- none"
    values = {(cell.weekday, cell.half_hour - _EARLIEST): cell.losses for cell in cells if cell.half_hour >= _EARLIEST}
    framed = {(cell.weekday, cell.half_hour - _EARLIEST) for cell in cells if cell.peak}
    across = [clock_time(number) for number in range(_EARLIEST, A_DAY)]
    weeks = max(cell.days for cell in cells)
    return ReportPart(
        f"""## Peaks

![losses by weekday and half hour](staffing/peaks.svg)

Framed: reliably more than {FACTOR} times the weekday's mean half hour, {FALSE_SHARE:.0%} false ones at most among
those told ({weeks} weeks, {len(cells)} half hours tested):

{said}""",
        {"peaks.svg": svg.heat("Callers lost in a half hour (mean)", WEEKDAYS, across, values, framed)},
    )


def waits(month: Bank) -> ReportPart:
    """Show how patient callers are, and how long calls take."""
    rows = [Wait(call.waited_s, call.hung_up) for call in month.calls]
    fit, curve = patience(rows), staying(rows)
    at = range(0, 601, 30)
    picture = svg.lines(
        "Callers who would still wait",
        [str(seconds) for seconds in at],
        {
            "Kaplan-Meier": [stays(curve, seconds) for seconds in at],
            "exponential": [math.exp(-seconds / fit.mean_s) for seconds in at],
        },
        1.0,
        "seconds in the queue",
    )
    times = handling(month.calls, ZONE)
    by_hour = {hour: times.seconds(QUEUE, 2 * hour) for hour in range(7, 24)}
    long, short = max(by_hour, key=by_hour.__getitem__), min(by_hour, key=by_hour.__getitem__)
    return ReportPart(
        f"""## Patience and handling time

![patience](staffing/patience.svg)

Mean patience {fit.mean_s:.0f} s ({fit.low_s:.0f} to {fit.high_s:.0f} s with 90% confidence; {fit.waits:,} waits,
{fit.hung_up:,} hung up).

Mean talk {times.site_s:.0f} s: longest in the hour of {long}:00 ({by_hour[long]:.0f} s), shortest in that of
{short}:00 ({by_hour[short]:.0f} s).""",
        {"patience.svg": picture},
    )


def judged(trial: HintTrial, before: HintTrial) -> ReportPart:
    """Judge the hints of the first three weeks on the fourth."""
    earlier = [before.verdict(sure) for sure in LEVELS]
    ahead, today = ([trial.verdict(sure, steps) for sure in LEVELS] for steps in (None, 1))
    picture = svg.lines(
        'Was "+k" enough, and was one less not?',
        [f"{level:.0%}" for level in LEVELS],
        {
            "k enough": [verdict.enough for verdict in ahead],
            "k-1 not enough": [verdict.less_was_not for verdict in ahead],
            "k enough, on the day": [verdict.enough for verdict in today],
            "k-1 not, on the day": [verdict.less_was_not for verdict in today],
        },
        1.0,
        "level of caution",
    )
    chosen = next((verdict for verdict in earlier if verdict.enough >= AIM), earlier[-1])
    final = ahead[earlier.index(chosen)]
    used = [verdict for verdict in (*earlier, *ahead) if verdict.sure == SURE]
    best = [[f"{sure:.0%}", *map(percent, trial.by_chance(sure))] for sure in _CHANCE_LEVELS]
    return ReportPart(
        f"""## Hints from the first three weeks, judged on the fourth

![enough or not](staffing/hints.svg)

The roster is the median of who was there on that weekday in the first three weeks. k is what a half hour of the
fourth week needs beyond it, forecast from the first three. True need: the same formulas (80% in 20 s, 5% hang-ups at
most, callbacks with an agent to spare) for the calls that came and the callers who were lost, with the handling time
and patience of the first three weeks. The level of caution is the chance with which a half hour has no more calls
than it is staffed for.

The third week, judged from the first two:

{_verdicts(earlier)}

The fourth week, made before it began:

{_verdicts(ahead)}

The fourth week, half an hour ahead:

{_verdicts(today)}

**Chosen from the past alone**: in the third week, judged from the first two, {percent(chosen.enough)} were enough at
{chosen.sure:.0%}. So caution is {chosen.sure:.0%}, and in the fourth week "+k" was enough in
**{percent(final.enough)}** of {final.hinted} half hours (aim 90%), and one less was not in
**{percent(final.less_was_not)}** (aim 80%).

The service uses {SURE:.0%}: over both weeks together {percent(_over_both(used, "enough"))} were enough, and one less
was not in {percent(_over_both(used, "less_was_not"))}. That level was chosen with these two weeks in view; the figures
above were not.

Both aims cannot be had at once for single half hours. If the forecast were the truth and calls came about it by
chance alone, the two shares would be:

{table(["caution", "k enough", "k-1 not enough"], best)}""",
        {"hints.svg": picture},
    )


def _over_both(verdicts: Sequence[HintVerdict], share: str) -> float:
    hinted = sum(verdict.hinted for verdict in verdicts)
    return math.fsum(getattr(verdict, share) * verdict.hinted for verdict in verdicts) / hinted


def _verdicts(verdicts: Sequence[HintVerdict]) -> str:
    head = [
        "caution",
        'half hours with "+k"',
        "k enough",
        "k-1 not enough",
        "too many by",
        "without a hint",
        "nobody lacking there",
    ]
    return table(
        head,
        [
            [
                f"{verdict.sure:.0%}",
                str(verdict.hinted),
                percent(verdict.enough),
                percent(verdict.less_was_not),
                f"{verdict.over:.1f}",
                str(verdict.quiet),
                percent(verdict.nothing_lacked),
            ]
            for verdict in verdicts
        ],
    )


def example(trial: HintTrial) -> ReportPart:
    """Show one day's hints, their evidence, and a plan."""
    found = trial.learnt.hints(EXAMPLE, trial.usual(EXAMPLE), trial.terms, 0.5, staff_of=trial.staff)
    proofs = [f"- {hint}: {hint.evidence.estimate()}" for hint in found if hint.evidence]
    last = max(trial.learnt.loses(EXAMPLE).days)
    needed = [each.roster for each in trial.learnt.need(EXAMPLE, trial.terms, 0.5)]
    made = plan(trial.bank.shifts[last], needed, ShiftLimits(opens=14))
    moves = [f"- {move.before} becomes {move.after}" for move in made.moves]
    added = ", ".join(f"{block}".partition(" ")[2].partition(" ")[2] for block in made.added) or "none"
    return ReportPart(f"""## One day: Tuesday 23 February, at 50%

> {words(found)[0]}

Evidence, reckoned by sums on the three Tuesdays that there are:

{chr(10).join(proofs[:_MOST_LINES])}

Starting from the shifts of {last:%d %B}, moves first:

{chr(10).join(moves[:_MOST_LINES])}

Then {len(made.added)} more shifts ({added}); no plan adds fewer than {made.at_least} after these moves.""")


def callbacks(trial: HintTrial) -> ReportPart:
    """Say what the month lacked for its callbacks."""
    rows: list[Extra] = [
        staffing_judged.extra_hours(trial, "oldest still inside its 30 min first", first_in_first_out=False),
        staffing_judged.extra_hours(trial, "first in, first out", first_in_first_out=True),
    ]
    head = ["order", "dialled within 30 min", "days with 90%", "extra agent-hours a day for 90%"]
    lines = [[row.order, percent(row.dialled), f"{row.kept_days} of {row.days}", f"{row.hours:.2f}"] for row in rows]
    return ReportPart(f"""## Callbacks: what the month lacked

Reckoned by sums, one agent kept free, no chance in it; every caller lost at first try counts as one to call back. Such
sums are kinder than a day: a simulation of single calls is the better judge.

{table(head, lines)}""")
