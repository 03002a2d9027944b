"""The callback queue for people: what is owed to whom, by when, and why it has not been done yet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text
from sqlalchemy import Row

from callback import dispatch, live, overdue, terminal
from callback.errors import StoreError
from callback.machine import now_us
from callback.settings import Settings
from callback.shift import Shift, current, shift_of
from callback.store import lanes, schema
from callback.store.engine import Store
from scheduler.clock import SECOND, shown

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
    overdue_by_at: int | None  # the new time that he was told
    why_not: str
    until_at: int | None  # when time alone ends that; none: it will not
    assigned_to: str | None
    trunk: str  # by which he is called
    text_refusal: str | None = None  # why he gets no text; the callback goes on

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def open_reservations(store: Store, settings: Settings, limit: int) -> list[Line]:
    """Every open reservation of the PBX, the nearest deadline first."""
    now, pbx = now_us(), settings.pbx.name
    with store.read() as connection:
        if schema.current(connection) is None:
            raise StoreError(f"{store.where} is empty: start `callback run` with these settings first")
        rows = lanes.everything_open(connection, pbx, limit)
        picture = live.recall(connection, pbx)
        shift = shift_of(settings, 0)
        closed = _closed(picture, now)
        if picture is None or closed is not None:
            return [_line(row, shift, (closed, None), now) for row in rows]
        seen = dispatch.look(connection, shift, picture[0])
    why = dispatch.why_not(rows, seen, shift, picture[0], now)
    return [_line(row, shift, why[row.id], now) for row in rows]


def left_to_people(store: Store, settings: Settings, limit: int) -> list[Line]:
    """Those whom nobody will call any more though nobody reached them: a list for people, the newest first."""
    now = now_us()
    with store.read() as connection:
        current(connection, settings)  # an empty database is said to be one
        rows = overdue.left_to_people(connection, settings.pbx.name, limit)
    return [_line(row, shift_of(settings, 0), ("left-to-people", None), now) for row in rows]


def _closed(picture: tuple[live.Live, int] | None, now: int) -> str | None:
    """Say why nobody is called at all, by the last picture of the PBX and when it was taken."""
    if picture is None or now - picture[1] > STALE_S * SECOND:
        return "service-not-running"
    return picture[0].closed


def _line(row: Row[Any], shift: Shift, why: tuple[str | None, int | None], now: int) -> Line:
    by_state = "in-incident" if row.incident_id and row.state == "held" else _BY_STATE.get(row.state)
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
        overdue_by_at=row.overdue_by_at,
        assigned_to=row.assigned_to,
        why_not=by_state or why[0] or "",
        until_at=None if by_state else why[1],
        trunk=shift.dials_over(row.trunk),
        text_refusal=row.text_refusal,
    )


_BY_STATE = {"calling": "being-called", "held": "held"}
_WORDS = {
    "held": "held by a person until he is resumed",
    "in-incident": "held by an incident: see `callback incident list`",
    "in-aim": "is next",
    "in-window": "is next",
    "overdue": "is next, late",
    "not-due": "waits for its time",
    "watch": "only watched: calls are not switched on",
    "in-flight": "is being called for another queue",
    "number-live": "he is on the line",
    "trunk-rests": "trunk {trunk} is resting",
    "lane-not-called": "promises like his are not called",
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


def show(lines: list[Line], zone: ZoneInfo, nobody: str = "Nobody waits for a callback.") -> None:
    """Print the queue as a table, in the site's time; on another day with that day's date."""
    if not lines:
        terminal.say(nobody)
        return
    heads = ("#", "number", "queue", "lost as", "state", "tries", "aim", "deadline", "not called yet because")
    rows = [_row(line, zone) for line in lines]
    terminal.put(terminal.table(heads, rows, sentences={"state", "deadline", heads[-1]}, figures={"#", "tries"}))


def _row(line: Line, zone: ZoneInfo) -> list[str | Text]:
    deadline = _hour(line.deadline_at, zone)
    late = Text(f"{deadline} missed", "red") if line.overdue else Text(deadline)
    if line.overdue_by_at is not None:
        late.append(f", told {_hour(line.overdue_by_at, zone)}", "default")
    why = _WORDS.get(line.why_not, line.why_not).format(trunk=line.trunk)
    if line.until_at is not None:
        why = f"{why} until {_hour(line.until_at, zone)}"
    kind = f"{line.kind} x{line.losses}" if line.losses > 1 else line.kind
    aim, tries = _hour(line.aim_at, zone), str(line.tries)
    return [str(line.reservation), line.number, line.queue, kind, _state(line), tries, aim, late, why]


def _state(line: Line) -> str:
    """Where it stands, whose it is, and where that is so that he gets no text."""
    no_text = f"no text: {line.text_refusal}" if line.text_refusal not in (None, "texts-off") else None
    beside = ", ".join(filter(None, (line.assigned_to, no_text)))
    return f"{line.state} ({beside})" if beside else line.state


def _hour(at: int, zone: ZoneInfo) -> str:
    return shown(at, now_us(), zone)


def call_line(record: dict[str, Any]) -> str:
    """One judged call of a capture, for people."""
    why = ", ".join(word for word in (record["reason"], record["side"] and f"{record['side']} side") if word)
    kind = f"{record['kind']} ({why})" if why else record["kind"]
    times = f"waited {record['waited_s']:.0f} s, talked {record['talked_s']:.0f} s"
    whose = f"{record['number'] or 'no number'} in {record['queue'] or 'no queue'}"
    return f"{record['started_at']}  {whose}: {kind}, {times}"
