"""A call centre's record of calls, read from CSV: one line for each call.

The format is that of the bank's call centre which Brown et al. describe (JASA 100 (2005) 36-50): CSV, one header
line, times of day on the local clock, durations in whole seconds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from scheduler.clock import DAY, HOUR, SECOND
from scheduler.simulation.errors import RecordError

COLUMNS = (
    *("customer_id", "priority", "type", "date", "vru_exit", "vru_time", "q_start", "q_time"),
    *("outcome", "ser_start", "ser_time", "server"),
)
NOBODY = "NO_SERVER"  # stands for an agent whose name was not recorded

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)")
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call that wanted an agent.

    `at` is when the caller asked for an agent, `day` the midnight before it. `agent` is None if the caller hung up, and
    `NOBODY` if the agent was not recorded. Instants show the local clock as if it were UTC.
    """

    line: int
    day: int
    at: int
    customer: str | None
    queue: str
    priority: int
    waited_s: int
    agent: str | None
    talk_at: int = 0
    talk_s: int = 0

    @property
    def served(self) -> bool:
        """Whether an agent took the call."""
        return self.agent is not None

    @property
    def waited_until(self) -> int:
        """When the call was answered, or the caller hung up."""
        return self.at + self.waited_s * SECOND


def read(lines: Iterable[str]) -> list[Recorded]:
    """Read the calls that wanted an agent, in the order in which they asked for one.

    Left out: calls that ended in the voice menu, tests (PHANTOM), and lines whose menu time is negative.
    """
    reader = csv.DictReader(lines)
    absent = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if absent:
        raise RecordError(f"line 1: no column {', '.join(absent)}: begin the file with a header that names them")
    calls = []
    for row in reader:
        call = _call(row, reader.line_num)
        if call is not None:
            calls.append(call)
    if not calls:
        raise RecordError(f"line {reader.line_num}: no call in the whole file wanted an agent: is it the right one?")
    return sorted(calls, key=lambda call: (call.at, call.line))


def _call(row: Mapping[str, str], line: int) -> Recorded | None:
    """Read one line; None if the call wanted no agent."""
    if None in row.values() or None in row:
        raise RecordError(f"line {line}: not as many fields as the header: mend or remove the line")
    outcome, queued = row["outcome"], _time(row, "q_start", line)
    if outcome not in {"AGENT", "HANG", "PHANTOM"}:
        raise RecordError(f"line {line}: outcome {outcome!r} is none of AGENT, HANG, PHANTOM: mend or remove the line")
    if outcome == "PHANTOM" or _seconds(row, "vru_time", line) < 0 or (outcome == "HANG" and not queued):
        return None
    day, wanted = _day(row, line), queued or _time(row, "vru_exit", line)
    at, served = day + wanted, outcome == "AGENT"
    talk_at = day + _time(row, "ser_start", line) if served else 0
    return Recorded(
        line=line,
        day=day,
        at=at,
        customer=_customer(row["customer_id"]),
        queue=row["type"],
        priority=_seconds(row, "priority", line),
        waited_s=_seconds(row, "q_time", line) if queued else 0,
        agent=row["server"] if served else None,
        talk_at=talk_at + DAY if served and at - talk_at > 12 * HOUR else talk_at,  # past midnight
        talk_s=_seconds(row, "ser_time", line) if served else 0,
    )


def _customer(text: str) -> str | None:
    """A customer's number; one that a spreadsheet has rounded (6.02701E+11) names nobody."""
    return text if text.isdigit() and int(text) else None


def _day(row: Mapping[str, str], line: int) -> int:
    try:
        return (date.fromisoformat(row["date"]).toordinal() - _EPOCH_DAY) * DAY
    except ValueError:
        raise RecordError(f"line {line}: date {row['date']!r} is no day: write it as in 1999-02-28") from None


def _time(row: Mapping[str, str], column: str, line: int) -> int:
    match = _TIME.fullmatch(row[column])
    if match is None:
        raise RecordError(f"line {line}: {column} {row[column]!r} is no time of day: write it as in 9:05:00")
    hours, minutes, seconds = map(int, match.groups())
    return (hours * 3600 + minutes * 60 + seconds) * SECOND


def _seconds(row: Mapping[str, str], column: str, line: int) -> int:
    try:
        return int(row[column])
    except ValueError:
        raise RecordError(f"line {line}: {column} {row[column]!r} is no whole number of seconds") from None
