"""The callback queue for people: a table, or a line for one reservation, and why nobody has called yet."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rich.text import Text

from callback.cli.tables import terminal
from callback.clock import now_us
from callback.reports.queue.census import SOON_MIN, Counts
from callback.reports.queue.rows import Row
from scheduler.clock import shown

WORDS = {
    "held": "held by {held_by} until resumed: {held_why}",
    "held-by-service": "held by the service until a person resumes it: {held_why}",
    "in-incident": "held by incident {incident}: see `callback incident`",
    "pending": "is closed in a moment: {held_by} decided so",
    "in-aim": "is next",
    "in-window": "is next",
    "overdue": "is next, late",
    "not-due": "waits for its time",
    "paused": "calls are paused by {held_by}: {held_why}",
    "watch": "only watched: calls are not switched on",
    "not-in-only-numbers": "only watched: the queue's only_numbers does not name this number",
    "in-flight": "is being called for another queue",
    "number-live": "the customer is on the line",
    "trunk-rests": "trunk {trunk} is resting",
    "agents-rest": "the agents of {queue} do not answer and are left alone",
    "agent-away": "the agent who is to call is not free",
    "lane-not-called": "promises like this one are not called",
    "no-free-agent": "no agent is free",
    "callers-waiting": "callers wait, they go first",
    "pacing": "other callbacks go first",
    "kept-free": "agents are kept free for callers",
    "too-dear": "callers would hang up meanwhile",
    "quiet-hours": "quiet hours",
    "being-called": "is being called",
    "left-to-people": "is left to people: nobody was reached in time",
    "service-not-running": "the service is not running",
    "pbx-not-connected": "the PBX is not connected",
    "pbx-clock-off": "the clock of the PBX is off",
    "database-clock-off": "the clock of the database is off",
}


def show(
    lines: Sequence[Row], zone: ZoneInfo, nobody: str = "Nobody waits for a callback.", *, last_line: str = ""
) -> None:
    """Print the queue as a table, in the site's time; on another day with that day's date."""
    if not lines:
        terminal.say(nobody)
        return
    heads = ("#", "number", "queue", "lost as", "tries", "deadline", "left", "not called yet because")
    rows = [_row(line, zone) for line in lines]
    figures = {"#", "tries", "left"}
    terminal.put(terminal.table(heads, rows, sentences={"lost as", heads[-1]}, names={"queue"}, figures=figures))
    if last_line:
        terminal.say(last_line)


def totals(counted: Counts) -> str:
    """Say in one line how many are open, and how they stand."""
    calling, held = counted.by_lane["calling"], counted.by_lane["held"]
    stand = {
        "waiting": counted.every - calling - held,
        "being called": calling,
        "held": held - counted.in_incident,
        "held by an incident": counted.in_incident,
        "overdue": counted.overdue,
        f"with a deadline within {SOON_MIN} min": counted.soon,
    }
    return f"{counted.every} open: " + (", ".join(f"{many} {how}" for how, many in stand.items() if many) or "nobody")


def _row(line: Row, zone: ZoneInfo) -> list[str | Text]:
    late = "red" if line.overdue else ""
    times = (terminal.styled(_hour(line.deadline_at, zone), late), terminal.styled(_left(line.left_s), late))
    return [str(line.reservation), line.number, line.queue, _lost_as(line), str(line.tries), *times, stands(line, zone)]


def said(line: Row, zone: ZoneInfo) -> str:
    """Say one of them in a line."""
    times = f"aim {_hour(line.aim_at, zone)}, deadline {_hour(line.deadline_at, zone)} ({_left(line.left_s)} left)"
    return f"#{line.reservation} {line.queue}: {_lost_as(line)}, {times}, {line.tries} tries; {stands(line, zone)}"


def _lost_as(line: Row) -> str:
    return f"{line.kind} x{line.losses}" if line.losses > 1 else line.kind


def _left(left_s: int) -> str:
    """Say how long it is until the deadline: minutes, and from a hundred of them on hours too."""
    sign, minutes = ("-", -left_s // 60) if left_s < 0 else ("", left_s // 60)
    return f"{sign}{minutes}m" if minutes < 100 else f"{sign}{minutes // 60}h{minutes % 60:02}"  # noqa: PLR2004


def stands(line: Row, zone: ZoneInfo) -> str:
    """Say why nobody has called yet, what was told since, to whom it is assigned, and why no text was sent."""
    named = {"trunk": line.trunk, "queue": line.queue, "held_by": line.held_by or "a person", "incident": line.incident}
    why = WORDS.get(line.why_not, line.why_not).format(**named, held_why=line.held_why or "no reason was kept")
    if line.why_not == "pacing" and line.why.turn is not None:
        why = f"{why}: number {line.why.turn} of {line.why.of}"
    if line.until_at is not None:
        why = f"{why} until {_hour(line.until_at, zone)}"
    told = f"told {_hour(line.overdue_by_at, zone)}" if line.overdue_by_at is not None else ""
    whose = f"assigned to {line.assigned_to}" if line.assigned_to is not None else ""
    no_text = f"no text: {line.text_refusal}" if line.text_refusal not in {None, "texts-off"} else ""
    return "; ".join(filter(None, (why, told, whose, no_text)))


def _hour(at: int, zone: ZoneInfo) -> str:
    return shown(at, now_us(), zone)
