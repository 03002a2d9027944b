"""Parsing the cells of a roster file: column headers, days, times, spans and counts, as people write them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Kind = Literal["agent", "day", "start", "until", "time", "agents", "queue", "break", "day of", "time of", "other"]
RosterDay = date | int
"""A date, or a weekday: 0 is Monday."""

_DAY = 24 * 60
_NAMES: dict[Kind, str] = {
    "agent": "agent name employee person staff member mitarbeiter mitarbeiterin agentname 坐席 员工 姓名 工号",
    "day": "day date weekday tag datum wochentag 日期 星期 周",
    "start": "start from begin begins starts von beginn starttime shiftstart 开始 上班 开始时间",
    "until": "end to until ends finish bis ende endtime shiftend 结束 下班 结束时间",
    "time": "time interval halfhour period slot hour zeit uhrzeit 时间 时段",
    "agents": "agents count number headcount people fte anzahl 人数",
    "queue": "queue team skill group warteschlange gruppe 队列 技能组",
    "break": "break breaks lunch pause pausen 休息",
}
_KINDS: dict[str, Kind] = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "mon monday mo montag 周一 星期一 礼拜一",
            "tue tues tuesday di dienstag 周二 星期二 礼拜二",
            "wed wednesday mi mittwoch 周三 星期三 礼拜三",
            "thu thur thurs thursday do donnerstag 周四 星期四 礼拜四",
            "fri friday fr freitag 周五 星期五 礼拜五",
            "sat saturday sa samstag sonnabend 周六 星期六 礼拜六",
            "sun sunday so sonntag 周日 周天 星期日 星期天 礼拜天",
        )
    )
    for name in names.split()
}
_OFF = {
    "",
    "-",
    "\u2013",
    "\u2014",
    "off",
    "free",
    "x",
    "/",
    "frei",
    "urlaub",
    "vacation",
    "holiday",
    "leave",
    "sick",
    "休",
    "休息",
}
_TIME = re.compile(r"(\d{1,2})(?:[:.h\uff1a](\d{2})(?::00)?|(\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|uhr)?", re.IGNORECASE)
_DASH = re.compile(r"\s*(?:[-~\u2013\u2014]|to|bis|至)\s*", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_YEAR_LAST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
_MONTHS, _NOON = 12, 12


class BadCell(Exception):
    """A cell cannot be read; the sentence names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is for, and the header's `text`: the day or time itself, where it stands for one."""

    kind: Kind
    text: str


def as_column(cell: str) -> Column:
    """Read a cell of the header."""
    word = re.sub(r"[\s_.]+", "", cell.casefold())
    if word in _KINDS:
        return Column(_KINDS[word], cell)
    readers: tuple[tuple[Kind, Callable[[str], object]], ...] = (("day of", as_day), ("time of", as_span))
    for kind, read in readers:
        try:
            read(cell)
        except BadCell:
            continue
        return Column(kind, cell)
    return Column("other", cell)


def as_day(cell: str) -> RosterDay:
    """Read a weekday or a date."""
    word = cell.strip().casefold().rstrip(".")
    if word in _WEEKDAYS:
        return _WEEKDAYS[word]
    try:
        if match := _YEAR_FIRST.fullmatch(word):
            year, month, day = map(int, match.groups())
            return date(year, month, day)
        if match := _YEAR_LAST.fullmatch(cell.strip()):
            return _year_last(cell, match)
    except ValueError as error:
        raise BadCell(f"{cell!r} is no day of the calendar ({error}): mend it") from error
    raise BadCell(f"{cell!r} is no day: write a weekday as in Mon, or a date as in 2025-11-21")


def _year_last(cell: str, match: re.Match[str]) -> date:
    """Read 21.11.2025 or 21/11/2025; with slashes or dashes the month may come first, if that is sure."""
    first, separator, second, year = match.groups()
    day, month = int(first), int(second)
    if separator != "." and day != month:
        if day <= _MONTHS and month <= _MONTHS:
            raise BadCell(f"{cell!r} may be either of two days: write dates as in 2025-11-21")
        if month > _MONTHS:
            day, month = month, day
    return date(int(year), month, day)


def as_time(cell: str) -> int:
    """Read a time of day: minutes after midnight, up to 24:00."""
    match = _TIME.fullmatch(cell.strip())
    if not match:
        raise BadCell(f"{cell!r} is no time: write it as in 09:30")
    hour, minute = int(match[1]), int(match[2] or match[3] or 0)
    half = (match[4] or "").replace(".", "").casefold()
    if half in {"am", "pm"}:
        if not 1 <= hour <= _NOON:
            raise BadCell(f"{cell!r} is no time: write it as in 5pm or 17:00")
        hour = hour % _NOON + _NOON * (half == "pm")
    minutes = hour * 60 + minute
    if minute > 59 or minutes > _DAY:  # noqa: PLR2004 - an hour's minutes
        raise BadCell(f"{cell!r} is no time of a day: write it between 00:00 and 24:00")
    return minutes


def as_span(cell: str, step: int = 30) -> tuple[int, int]:
    """Read 09:00-10:00; a single time begins a span of `step` minutes."""
    parts = _DASH.split(cell.strip())
    if len(parts) == 1:
        start = as_time(cell)
        return start, start + step
    if len(parts) != 2:  # noqa: PLR2004 - start and end
        raise BadCell(f"{cell!r} is no span of time: write it as in 09:00-17:30")
    start, until = map(as_time, parts)
    return start, until if until > start else until + _DAY


def step_of(cells: Iterable[str], usual: int = 30) -> int:
    """Give the minutes between the single times among `cells`: 60, where somebody counts by the hour."""
    times = set()
    for cell in cells:
        with suppress(BadCell):
            times.add(as_time(cell))
    return min((after - before for before, after in pairwise(sorted(times))), default=usual)


def as_spans(cell: str) -> list[tuple[int, int]]:
    """Read "09:00-12:00, 13:00-17:00"; none for a day off. Each has to name its end."""
    if cell.strip().casefold() in _OFF:
        return []
    parts = re.split(r"\s*[,;+&/]\s*", cell.strip())
    if any(len(_DASH.split(part)) == 1 for part in parts):
        raise BadCell(f"{cell!r} does not say from when to when: write it as in 09:00-17:30, or off")
    return [as_span(part) for part in parts]


def as_count(cell: str) -> float:
    """Read how many agents: a number, empty for none; 2.5 and 2,5 are two and a half."""
    if cell.strip().casefold() in _OFF:
        return 0.0
    try:
        count = float(cell.replace(",", "."))
    except ValueError:
        count = -1.0
    if not 0 <= count < 100_000:  # noqa: PLR2004 - more is a slip of the pen, and nan is none
        raise BadCell(f"{cell!r} is no number of agents: write it as in 3")
    return count
