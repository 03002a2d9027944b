"""Logs for tests: recorded ones, and lines put together."""

from collections.abc import Iterable
from pathlib import Path

from telephony.calls.call import Call, Verdict
from telephony.ids import SECOND
from telephony.queue_log.entries import Entry, parse
from telephony.queue_log.verdicts import LogCalls

STREAMS = Path(__file__).parents[2] / "streams"
RECORDED = STREAMS / "logged"
T = 1_795_307_000
EVER = 10**10 * SECOND

Told = tuple[str, str | None, str | None, str, str | None]


def entries(text: str) -> list[Entry]:
    """Read lines written as `5 .1 support NONE ABANDON 1|1|2`: second, end of the id, queue, agent, event, data."""
    return [item for item in (parse(line) for line in lines(text)) if isinstance(item, Entry)]


def lines(text: str) -> list[bytes]:
    return [_line(line).encode() for line in text.strip().splitlines()]


def _line(text: str) -> str:
    second, call_id, queue, agent, event, *data = text.split()
    whole = f"{T}{call_id}" if call_id.startswith(".") else call_id
    return f"{T + int(second)}|{whole}|{queue}|{agent}|{event}|{' '.join(data)}"


def judged(log: Iterable[Entry], *, restarted_at: int | None = None) -> list[tuple[Call, Verdict]]:
    calls = LogCalls("main")
    return [*calls.judged(log), *calls.finish(restarted_at)]


def told(log: str | Iterable[Entry], *, restarted_at: int | None = None) -> list[Told]:
    """Give end of the id, number, queue, kind, reason of each call, in the order in which they end."""
    found = judged(entries(log) if isinstance(log, str) else log, restarted_at=restarted_at)
    return [(c.call_id.removeprefix(str(T)), c.number, c.queue, v.kind, v.reason) for c, v in found]
