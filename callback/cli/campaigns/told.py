"""What the commands of campaigns print."""

from __future__ import annotations

from collections.abc import Sequence

from callback.campaigns.campaign import Campaign
from callback.cli.tables import terminal
from callback.reports.campaigns.preview import Preview
from callback.reports.campaigns.progress import Progress
from callback.reports.campaigns.results import Round
from callback.site.work import Work
from scheduler.clock import SECOND, local
from scheduler.sampling import Estimate


def campaigns(work: Work, rows: Sequence[Campaign]) -> None:
    """Print the list."""
    if not rows:
        terminal.say("There is no campaign.")
        return
    heads = ("#", "name", "queue", "state", "people", "told", "made")
    made = [f"{local(one.made_at, work.site.hours.zone):%m-%d %H:%M} {one.made_by}" for one in rows]
    cells = [
        (str(one.id), one.name, one.queue, one.state, str(one.people), str(one.told), when)
        for one, when in zip(rows, made, strict=True)
    ]
    terminal.put(terminal.table(heads, cells, figures={"#", "people", "told"}))


def preview(work: Work, one: Campaign, shown: Preview) -> None:
    """Print what it comes to."""
    cost = "" if shown.cost is None else f", {shown.cost:.2f} {shown.currency}".rstrip()
    terminal.say(f"campaign {one.id}, {one.name}: {one.state}")
    terminal.say(f"{shown.to_tell} of {shown.people} people are still to be told, in {shown.texts} texts to pay{cost}")
    if shown.to_tell:
        zone = work.site.hours.zone
        ends = "never, by the quiet hours" if shown.ends_at is None else f"{local(shown.ends_at, zone):%m-%d %H:%M}"
        terminal.say(f"at {one.per_min:g} a minute it takes {_lasted(shown.takes_us)}; begun now it ends {ends}")
    for why, many in shown.left_out.items():
        terminal.say(f"{many:>9}  left out: {why}")
    for segment, many in shown.by_segment.items():
        terminal.say(f"{many:>9}  {segment}")
    for text in shown.words:
        terminal.say(f"{text.language}, {text.people} people, {text.segments} each in {text.encoding}: {text.text}")


def whole(one: Campaign, far: Progress, rounds: Sequence[Round]) -> None:
    """Print how far it is and what its samples said."""
    terminal.say(f"campaign {one.id}, {one.name}: {one.state}, {one.told} of {one.people} told")
    terminal.say(
        f"texts: {far.waiting + far.sending} about to leave, {far.sent} sent, {far.delivered} of them arrived,"
        f" {far.failed} failed, {far.unknown} not known"
    )
    for wish, many in far.answers.items():
        terminal.say(f"{many:>9}  answered: {wish}")
    for drawn in rounds:
        terminal.say(
            f"round {drawn.round}: {drawn.result.valid} valid of {drawn.size}, seed {drawn.seed},"
            f" mean {_mean(drawn.result)}{_since(drawn)}"
        )


def _mean(result: Estimate) -> str:
    if result.mean is None:
        return "not known"
    interval = "" if result.low is None else f" (95%: {result.low:.2f} to {result.high:.2f})"
    return f"{result.mean:.2f}{interval}"


def _since(drawn: Round) -> str:
    if drawn.since is None:
        return ""
    known = drawn.since
    interval = "" if known.low is None else f" (95%: {known.low:+.2f} to {known.high:+.2f})"
    return f"; {known.change:+.2f}{interval} against round {drawn.before}"


def _lasted(us: int) -> str:
    minutes, seconds = divmod(us // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"
