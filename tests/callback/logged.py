"""Logs of a small site for tests: weeks of a queue with a peak, in which everything is known."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
MONDAY = date(2026, 9, 7)
OPENS, CLOSES, PEAK = 9, 12, 10  # o'clock
SERVED_S, PATIENCE_S = 20, 40
A_DAY, LOST_A_DAY, AGAIN_A_DAY = 270, 60, 30
SETTINGS = """
[database]
url = "sqlite:///calls.db"
[pbx]
username = "lcr"
secret = "hush"
[trunks.main]
region = "JP"
[rules]
zone = "Asia/Tokyo"
"""


def weeks(number: int, *, logins: bool = True, queue: str = "support", serial: int = 0) -> list[str]:
    """Give so many weeks of working days: a call every 2 minutes, in the peak hour every 20 seconds.

    Of those in the peak every third is lost after 40 s, and every second of these calls again 5 minutes later, to be
    served. One agent of two is logged in all morning, both in the peak's first half hour.
    """
    lines = []
    for day in (MONDAY + timedelta(days=week * 7 + weekday) for week in range(number) for weekday in range(5)):
        if logins:
            lines += _logins(day, queue)
        for place, after_s in enumerate(_arrivals()):
            lost = after_s >= (PEAK - OPENS) * 3600 and after_s < (PEAK - OPENS + 1) * 3600 and place % 3 == 0
            serial += 1
            lines += call(moment(day) + after_s, serial, queue, lost=lost)
            if lost and place % 2:
                lines += call(moment(day) + after_s + PATIENCE_S + 300, serial, queue, lost=False, again=True)
    return [line for _, line in sorted(lines)]


def moment(day: date, hour: int = OPENS) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=TOKYO).timestamp())


def call(at: int, serial: int, queue: str, *, lost: bool, again: bool = False) -> list[tuple[int, str]]:
    call_id, agent = f"{at}.{2 * serial + again}", f"agent{1 + serial % 2}"
    begun = (at, f"{at}|{call_id}|{queue}|NONE|ENTERQUEUE||090{serial:08d}|1")
    if lost:
        return [begun, (at + PATIENCE_S, f"{at + PATIENCE_S}|{call_id}|{queue}|NONE|ABANDON|1|1|{PATIENCE_S}")]
    talked, over = at + 5, at + 5 + SERVED_S
    return [
        begun,
        (talked, f"{talked}|{call_id}|{queue}|{agent}|CONNECT|5|{call_id}9|3"),
        (over, f"{over}|{call_id}|{queue}|{agent}|COMPLETECALLER|5|{SERVED_S}|1"),
    ]


def _arrivals() -> list[int]:
    times = []
    for hour in range(CLOSES - OPENS):
        step = 20 if hour == PEAK - OPENS else 120
        times += [hour * 3600 + second for second in range(0, 3600, step)]
    return times


def _logins(day: date, queue: str) -> list[tuple[int, str]]:
    spans = {"agent1": (moment(day), moment(day, CLOSES)), "agent2": (moment(day, PEAK), moment(day, PEAK) + 1800)}
    return [
        (at, f"{at}|MANAGER|{queue}|{agent}|{event}|")
        for agent, span in spans.items()
        for at, event in zip(span, ("ADDMEMBER", "REMOVEMEMBER"), strict=True)
    ]
