"""The callback queue for people: what is owed to whom, by when, and why it has not been done yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.text import Text
from sqlalchemy import ColumnElement, Connection, Row, select

from callback import audit, dispatch, live, overdue, terminal
from callback.errors import CallbackError, StoreError
from callback.machine import now_us
from callback.settings import Settings
from callback.shift import Shift, current, shift_of
from callback.store import lanes, schema
from callback.store import tables as t
from callback.store.engine import Store
from scheduler.clock import MINUTE, SECOND, shown

STALE_S = 10
SOON_MIN: Final = 15

_R = t.reservation.c


class State(StrEnum):
    """Where an open reservation stands."""

    WAITING = "waiting"
    HELD = "held"
    CALLING = "calling"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom somebody wants to see; what is not said leaves nobody out."""

    queue: str | None = None
    state: State | None = None
    overdue: bool = False
    assigned_to: str | None = None
    reservation: int | None = None

    def where(self, now: int) -> list[ColumnElement[bool]]:
        """Give the conditions on a reservation."""
        equal = (
            (_R.queue, self.queue),
            (_R.state, self.state),
            (_R.assigned_to, self.assigned_to),
            (_R.id, self.reservation),
        )
        conditions = [column == value for column, value in equal if value is not None]
        return [*conditions, _R.deadline_at < now] if self.overdue else conditions


EVERYBODY: Final = Wanted()


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
    left_s: int = 0  # until the deadline; negative: it has passed
    held_by: str | None = None  # a person, or the service
    held_why: str | None = None
    incident: int | None = None  # that holds the reservation

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def open_reservations(store: Store, settings: Settings, limit: int, wanted: Wanted = EVERYBODY) -> list[Line]:
    """The open reservations of the PBX, those wanted, the nearest deadline first."""
    now, pbx = now_us(), settings.pbx.name
    with store.read() as connection:
        if schema.current(connection) is None:
            raise StoreError(f"{store.where} is empty: start `callback run` with these settings first")
        rows = lanes.everything_open(connection, pbx, limit, *wanted.where(now))
        holds = audit.last(connection, "held", [row.id for row in rows if row.state == "held"])
        why = _why_not(connection, settings, rows, now)
    return [_line(row, shift_of(settings, 0), why(row), holds.get(row.id), now) for row in rows]


def left_to_people(store: Store, settings: Settings, limit: int, wanted: Wanted = EVERYBODY) -> list[Line]:
    """Those whom nobody will call any more though nobody reached them: a list for people, the newest first."""
    now = now_us()
    with store.read() as connection:
        current(connection, settings)  # an empty database is said to be one
        rows = overdue.left_to_people(connection, settings.pbx.name, limit, *wanted.where(now))
    return [_line(row, shift_of(settings, 0), ("left-to-people", None), None, now) for row in rows]


def must_be_known(store: Store, settings: Settings, queue: str) -> None:
    """Refuse a queue of which neither the settings nor any reservation know: its name is misspelt."""
    with store.read() as connection:
        promised = connection.scalars(select(_R.queue).where(_R.pbx == settings.pbx.name).distinct())
        known = sorted({*settings.rules.queues, *promised})
    if queue not in known:
        raise CallbackError(f"no queue {queue} is known here: {', '.join(known) or 'none is yet'}")


def totals(store: Store, settings: Settings, wanted: Wanted = EVERYBODY) -> str:
    """Say in one line how many are open of those wanted, and how they stand."""
    now = now_us()
    with store.read() as connection:
        counted = lanes.open_counts(connection, settings.pbx.name, now, now + SOON_MIN * MINUTE, *wanted.where(now))
    waiting = counted.every - counted.calling - counted.held - counted.in_incident
    stand = {
        "waiting": waiting,
        "being called": counted.calling,
        "held": counted.held,
        "held by an incident": counted.in_incident,
        "overdue": counted.overdue,
        f"with a deadline within {SOON_MIN} min": counted.soon,
    }
    return f"{counted.every} open: " + (", ".join(f"{many} {how}" for how, many in stand.items() if many) or "nobody")


def _why_not(
    connection: Connection, settings: Settings, rows: list[Row[Any]], now: int
) -> Callable[[Row[Any]], tuple[str | None, int | None]]:
    """Say of each why nobody has called yet, and until when that holds."""
    picture = live.recall(connection, settings.pbx.name)
    nobody = closed(picture, now)
    if picture is None or nobody is not None:
        return lambda _row: (nobody, None)
    shift = shift_of(settings, 0)
    why = dispatch.why_not(rows, dispatch.look(connection, shift, picture[0], now), shift, picture[0], now)
    return lambda row: why[row.id]


def closed(picture: tuple[live.Live, int] | None, now: int) -> str | None:
    """Say why nobody is called at all, by the last picture of the PBX and when it was taken."""
    if picture is None or now - picture[1] > STALE_S * SECOND:
        return "service-not-running"
    return picture[0].closed


def _line(row: Row[Any], shift: Shift, why: tuple[str | None, int | None], hold: Row[Any] | None, now: int) -> Line:
    by_state = _held(row, hold) if row.state == "held" else _BY_STATE.get(row.state)
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
        why_not=by_state or _watched(row, shift, why[0]) or "",
        until_at=None if by_state else why[1],
        trunk=shift.dials_over(row.trunk),
        text_refusal=row.text_refusal,
        left_s=(row.deadline_at - now) // SECOND,
        held_by=hold and hold.who,
        held_why=hold and hold.why,
        incident=row.incident_id,
    )


def _watched(row: Row[Any], shift: Shift, why: str | None) -> str | None:
    """Tell whom `only_numbers` leaves out from those of a queue whose calls are off."""
    return "not-in-only-numbers" if why == "watch" and shift.rules.queue(row.queue).calls == "on" else why


def _held(row: Row[Any], hold: Row[Any] | None) -> str:
    """Say what holds somebody: an incident, the service, or a person."""
    if row.incident_id is not None:
        return "in-incident"
    return "held-by-service" if hold is not None and hold.who == audit.SERVICE else "held"


_BY_STATE = {"calling": "being-called"}
WORDS = {
    "held": "held by {held_by} until resumed: {held_why}",
    "held-by-service": "held by the service until a person resumes it: {held_why}",
    "in-incident": "held by incident {incident}: see `callback incident`",
    "in-aim": "is next",
    "in-window": "is next",
    "overdue": "is next, late",
    "not-due": "waits for its time",
    "watch": "only watched: calls are not switched on",
    "not-in-only-numbers": "only watched: the queue's only_numbers does not name this number",
    "in-flight": "is being called for another queue",
    "number-live": "he is on the line",
    "trunk-rests": "trunk {trunk} is resting",
    "agents-rest": "the agents of {queue} do not answer and are left alone",
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


def show(
    lines: list[Line], zone: ZoneInfo, nobody: str = "Nobody waits for a callback.", *, last_line: str = ""
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


def _row(line: Line, zone: ZoneInfo) -> list[str | Text]:
    late = "red" if line.overdue else ""
    times = (terminal.styled(_hour(line.deadline_at, zone), late), terminal.styled(_left(line.left_s), late))
    return [str(line.reservation), line.number, line.queue, _lost_as(line), str(line.tries), *times, stands(line, zone)]


def said(line: Line, zone: ZoneInfo) -> str:
    """Say one of them in a line."""
    times = f"aim {_hour(line.aim_at, zone)}, deadline {_hour(line.deadline_at, zone)} ({_left(line.left_s)} left)"
    return f"#{line.reservation} {line.queue}: {_lost_as(line)}, {times}, {line.tries} tries; {stands(line, zone)}"


def _lost_as(line: Line) -> str:
    return f"{line.kind} x{line.losses}" if line.losses > 1 else line.kind


def _left(left_s: int) -> str:
    """Say how long it is until the deadline: minutes, and from a hundred of them on hours too."""
    sign, minutes = ("-", -left_s // 60) if left_s < 0 else ("", left_s // 60)
    return f"{sign}{minutes}m" if minutes < 100 else f"{sign}{minutes // 60}h{minutes % 60:02}"  # noqa: PLR2004


def stands(line: Line, zone: ZoneInfo) -> str:
    """Say why nobody has called yet, what was told since, to whom it is assigned, and why no text was sent."""
    named = {"trunk": line.trunk, "queue": line.queue, "held_by": line.held_by or "a person", "incident": line.incident}
    why = WORDS.get(line.why_not, line.why_not).format(**named, held_why=line.held_why or "no reason was kept")
    if line.until_at is not None:
        why = f"{why} until {_hour(line.until_at, zone)}"
    told = f"told {_hour(line.overdue_by_at, zone)}" if line.overdue_by_at is not None else ""
    whose = f"assigned to {line.assigned_to}" if line.assigned_to is not None else ""
    no_text = f"no text: {line.text_refusal}" if line.text_refusal not in {None, "texts-off"} else ""
    return "; ".join(filter(None, (why, told, whose, no_text)))


def _hour(at: int, zone: ZoneInfo) -> str:
    return shown(at, now_us(), zone)
