"""The callback queue for people: what is owed to whom, by when, and why it has not been done yet."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlalchemy import Row

from callback import dispatch, live
from callback.errors import StoreError
from callback.settings import Settings
from callback.shift import Shift, shift_of
from callback.store import lanes, schema
from callback.store.engine import Store
from scheduler.clock import SECOND, local

STALE_S = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One open reservation; instants in microseconds UTC."""

    reservation: int
    number: str
    queue: str
    kind: str
    state: str
    losses: int
    tries: int
    made_at: int
    aim_at: int
    deadline_at: int
    due_at: int
    overdue: bool
    why_not: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def open_reservations(store: Store, settings: Settings, limit: int) -> list[Line]:
    """Every open reservation of the PBX, the nearest deadline first."""
    now, pbx = time.time_ns() // 1000, settings.pbx.name
    with store.read() as connection:
        if schema.current(connection) is None:
            raise StoreError(f"{store.where} is empty: start `callback run` with these settings first")
        rows = lanes.everything_open(connection, pbx, limit)
        in_flight = lanes.in_flight(connection)
        seen = live.recall(connection, pbx)
    shift = shift_of(settings, 0)
    why = _why_not(rows, in_flight, shift, seen, now)
    return [_line(row, why, now) for row in rows]


def _why_not(
    rows: list[Row[Any]],
    in_flight: list[lanes.Flight],
    shift: Shift,
    seen: tuple[live.Live, int] | None,
    now: int,
) -> dict[int, str]:
    """Ask the rule that decides, with the last picture of the PBX."""
    if seen is None or now - seen[1] > STALE_S * SECOND:
        return dict.fromkeys((row.id for row in rows), "service-not-running")
    if seen[0].closed is not None:
        return dict.fromkeys((row.id for row in rows), seen[0].closed)
    return dict(dispatch.decide(rows, in_flight, shift, seen[0], now).why)


def _line(row: Row[Any], why: dict[int, str], now: int) -> Line:
    return Line(
        reservation=row.id,
        number=row.e164,
        queue=row.queue,
        kind=row.kind,
        state=row.state,
        losses=row.losses,
        tries=row.tries,
        made_at=row.made_at,
        aim_at=row.aim_at,
        deadline_at=row.deadline_at,
        due_at=row.due_at,
        overdue=now > row.deadline_at,
        why_not=_BY_STATE.get(row.state) or why[row.id],
    )


_BY_STATE = {"calling": "being-called", "held": "held"}
_WORDS = {
    "held": "held by a person, until he is resumed",
    "in-aim": "is next",
    "in-window": "is next",
    "overdue": "is next, late",
    "not-due": "waits for its time",
    "watch": "only watched: calls are not switched on",
    "in-flight": "is being called for another queue",
    "number-live": "he is on the line",
    "no-free-agent": "no agent is free",
    "callers-waiting": "callers wait, they go first",
    "pacing": "an agent is being found for another callback",
    "quiet-hours": "quiet hours",
    "being-called": "is being called",
    "service-not-running": "the service is not running",
    "pbx-not-connected": "the PBX is not connected",
    "pbx-clock-off": "the clock of the PBX is off",
    "database-clock-off": "the clock of the database is off",
}


def show(lines: list[Line], zone: ZoneInfo) -> None:
    """Print the queue as a table, in the site's time; on another day with that day's date."""
    if not lines:
        Console().print("Nobody waits for a callback.")
        return
    table = Table("#", "number", "queue", "lost as", "state", "tries", "aim", "deadline", "not called yet because")
    for line in lines:
        deadline = _hour(line.deadline_at, zone)
        late = f"[red]{deadline} missed[/red]" if line.overdue else deadline
        why = _WORDS.get(line.why_not, line.why_not)
        if line.why_not == "not-due":
            why = f"{why}, {_hour(line.due_at, zone)}"
        kind = f"{line.kind} x{line.losses}" if line.losses > 1 else line.kind
        cells = (
            line.number,
            line.queue,
            kind,
            line.state,
            str(line.tries),
            _hour(line.aim_at, zone),
            late,
            why,
        )
        table.add_row(str(line.reservation), *cells)
    Console().print(table)


def _hour(at: int, zone: ZoneInfo) -> str:
    then, today = local(at, zone), local(time.time_ns() // 1000, zone)
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%m-%d %H:%M}"


def call_line(record: dict[str, Any]) -> str:
    """One judged call of a capture, for people."""
    why = ", ".join(word for word in (record["reason"], record["side"] and f"{record['side']} side") if word)
    kind = f"{record['kind']} ({why})" if why else record["kind"]
    times = f"waited {record['waited_s']:.0f} s, talked {record['talked_s']:.0f} s"
    whose = f"{record['number'] or 'no number'} in {record['queue'] or 'no queue'}"
    return f"{record['started_at']}  {whose}: {kind}, {times}"
