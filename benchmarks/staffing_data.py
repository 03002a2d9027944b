"""Two public records of call centres, read for the staffing report.

`bank_1999_02.csv.gz`: every call of one month at a bank (Guedj and Mandelbaum, Technion; Brown et al., JASA 100 (2005)
36-50). `us_bank_2003_5min_calls.csv.gz`: calls handled in every five minutes of 164 weekdays at another (Weinberg,
Brown and Stroud, JASA 102 (2007) 1185-1198).
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from benchmarks.errors import BenchmarkError
from scheduler import clock
from scheduler.staffing.blocks import Block
from scheduler.staffing.halfhours import A_DAY, HALF_HOUR_S, Day
from scheduler.staffing.learning.fresh import PastCall

BANK, US_BANK = "bank_1999_02.csv.gz", "us_bank_2003_5min_calls.csv.gz"
ZONE = clock.zone("Asia/Jerusalem")
QUEUE = "bank"
OTHER_AGENTS = "IN"  # a type of call that mostly other agents serve
LONGEST_REST_S = 1800
_NOBODY = "NO_SERVER"


@dataclass(frozen=True, slots=True)
class Bank:
    """The bank's month: its calls, and for each day who was there, as shifts in whole half hours.

    Of `nameless` served calls nobody wrote down the agent.
    """

    calls: list[PastCall]
    shifts: Mapping[date, list[Block]]
    nameless: int


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    """Read a file of the folder; its absence is told with what to do."""
    path = folder / name
    if not path.exists():
        raise BenchmarkError(f"{path} is not there: name the folder that holds it with --data")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def bank(folder: Path) -> Bank:
    """Read the bank's month: calls that wanted an agent, but for those of the other agents' type."""
    lines = [row for row in rows(folder, BANK) if _wanted_an_agent(row)]
    served: defaultdict[date, defaultdict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for row in lines:
        if row["outcome"] == "AGENT" and row["server"] != _NOBODY:
            span = (_seconds(row["ser_start"]), _seconds(row["ser_exit"]))
            served[date.fromisoformat(row["date"])][row["server"]].append(span)
    shifts = {
        day: [block for agent, spans in sorted(agents.items()) if (block := _shift(agent, spans))]
        for day, agents in sorted(served.items())
    }
    nameless = sum(row["outcome"] == "AGENT" and row["server"] == _NOBODY for row in lines)
    return Bank([_call(row) for row in lines if row["type"] != OTHER_AGENTS], shifts, nameless)


def us_bank(folder: Path) -> dict[date, Day]:
    """Read the other bank's calls by half hour."""
    history: dict[date, list[float]] = {}
    for row in rows(folder, US_BANK):
        moment = datetime.fromisoformat(row["local_datetime"])
        history.setdefault(moment.date(), [0.0] * A_DAY)[moment.hour * 2 + moment.minute // 30] += float(row["calls"])
    return {day: tuple(row) for day, row in sorted(history.items())}


def _wanted_an_agent(row: Mapping[str, str]) -> bool:
    """Whether a call came out of the voice menu; a hang-up that never queued did not."""
    in_menu = row["outcome"] == "HANG" and row["q_start"] == "0:00:00"
    return int(row["vru_time"]) >= 0 and row["outcome"] != "PHANTOM" and not in_menu


def _call(row: Mapping[str, str]) -> PastCall:
    wall = datetime.fromisoformat(row["date"]).replace(tzinfo=ZONE)
    queued, hung_up = row["q_start"] != "0:00:00", row["outcome"] == "HANG"
    return PastCall(
        clock.micros(wall) + _seconds(row["vru_exit"]) * clock.SECOND,
        QUEUE,
        "" if row["customer_id"] == "0" else row["customer_id"],
        lost=hung_up,
        waited_s=float(row["q_time"]) if queued else 0.0,
        hung_up=hung_up,
        handled_s=None if hung_up else float(row["ser_time"]),
    )


def _seconds(text: str) -> int:
    hours, minutes, seconds = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def _shift(agent: str, spans: Iterable[tuple[int, int]]) -> Block | None:
    """Infer an agent's shift from the calls served: half hours of which the agent was present for half or more."""
    there = [0.0] * A_DAY
    for start, until in _stretches(sorted(spans)):
        for number in range(A_DAY):
            there[number] += max(0, min(until, (number + 1) * HALF_HOUR_S) - max(start, number * HALF_HOUR_S))
    worked = [number for number, seconds in enumerate(there) if seconds >= HALF_HOUR_S / 2]
    if not worked:
        return None
    inside = range(worked[0], worked[-1] + 1)
    return Block(agent, inside.start, inside.stop, tuple(sorted(set(inside) - set(worked))))


def _stretches(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join calls with no longer rest between them than half an hour: the agent was present all the while."""
    start = until = -1
    for begin, end in spans:
        if until >= 0 and begin - until > LONGEST_REST_S:
            yield start, until
            start = begin
        elif until < 0:
            start = begin
        until = max(until, end)
    yield start, until
