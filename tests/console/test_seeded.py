"""The centre of the console's tests has what its names say, and is the same each time."""

from __future__ import annotations

from pathlib import Path

from callback.reports import queue as queue_report
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import MINUTE
from sms.outbox import text_outbox
from tests.console.centre import HOSTILE, NOW, Centre
from tests.console.seeded import CLOSED, IN_INCIDENT, LANES, fresh, seed

BINDS = 5 * MINUTE


def lane_of(line: queue_report.Line) -> str:
    """Its lane by what is shown of it; due later is who waits for a time."""
    if line.state in {"calling", "held"}:
        return line.state
    if line.due_at > NOW:
        return "later"
    if line.deadline_at < NOW:
        return "late"
    return "aim" if line.aim_at >= NOW else "binds" if line.deadline_at - NOW <= BINDS else "window"


def lines(centre: Centre) -> dict[int, queue_report.Line]:
    with centre.world.store.read() as connection:
        shown = queue_report.open_reservations(Work(connection, centre.world.site, NOW), 100)
    return {line.reservation: line for line in shown}


def test_every_lane_has_whom_its_names_say(tmp_path: Path) -> None:
    centre = fresh(tmp_path)
    shown = lines(centre)
    lanes = {name: {one: lane_of(shown[centre.reservation[one]]) for one in names} for name, names in LANES.items()}
    assert lanes == {name: dict.fromkeys(names, name) for name, names in LANES.items()}
    assert {"no-free-agent", "not-due", "held", "held-by-service", "in-incident", "being-called"} <= {
        line.why_not for line in shown.values()
    }


def test_every_end_has_one(tmp_path: Path) -> None:
    centre = fresh(tmp_path)
    states = {row.id: row.state for row in centre.world.reservations()}
    assert {state: states[centre.reservation[name]] for state, name in CLOSED.items()} == {s: s for s in CLOSED}
    assert set(t.RESERVATION_STATES) == set(states.values())


def test_incident_answers_texts_and_strangers_words_are_there(tmp_path: Path) -> None:
    centre = fresh(tmp_path)
    incident = {row.id: row for row in centre.world.rows(t.incident)}[centre.incident]
    assert (incident.state, incident.losses) == ("holding", IN_INCIDENT)
    bodies = [row.body for row in centre.world.rows(t.answer) if row.state == "open"]
    assert any("请下午" in body for body in bodies)
    assert any(HOSTILE[0] in body for body in bodies)
    fates = {row.delivery or row.state for row in centre.world.rows(text_outbox)}
    assert {"delivered", "failed", "withdrawn", "waiting"} <= fates
    assert centre.world.rows(t.alarm)
    assert {row.recovery for row in centre.world.rows(t.call)} >= {"short-abandon", "no-number", "reserved", "merged"}


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    one, other = fresh(tmp_path), seed(f"sqlite:///{tmp_path / 'other.db'}")
    assert (one.reservation, one.call, one.number) == (other.reservation, other.call, other.number)
    rows = [[row[:-1] for row in centre.world.rows(t.reservation)] for centre in (one, other)]
    assert rows[0] == rows[1]
