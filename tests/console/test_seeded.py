"""The centre of the console's tests has what its names say, and is the same each time."""

from __future__ import annotations

from pathlib import Path

from callback.reports.queue.board import Queue
from callback.reports.queue.rows import Row
from callback.store import tables as t
from sms.outbox import text_outbox
from tests.console.centre import HOSTILE, NOW, Centre
from tests.console.seeded import CLOSED, IN_INCIDENT, LANES, fresh, seed


def lines(centre: Centre) -> dict[int, Row]:
    with centre.world.store.read() as connection:
        shown = Queue(centre.world.work(connection, NOW)).first_pages(most=100)
    return {row.reservation: row for page in shown.values() for row in page.rows}


def test_every_lane_has_whom_its_names_say(tmp_path: Path) -> None:
    centre = fresh(tmp_path)
    shown = lines(centre)
    lanes = {name: {one: shown[centre.reservation[one]].lane for one in names} for name, names in LANES.items()}
    assert lanes == {name: dict.fromkeys(names, name) for name, names in LANES.items()}
    assert {"no-free-agent", "not-due", "held", "held-by-service", "in-incident", "being-called"} <= {
        line.why_not for line in shown.values()
    }


def test_every_end_has_one(tmp_path: Path) -> None:
    centre = fresh(tmp_path)
    states = {row.id: row.state for row in centre.world.reservations()}
    assert {state: states[centre.reservation[name]] for state, name in CLOSED.items()} == {s: s for s in CLOSED}
    told_by_agents = {"continued"}  # nobody tells how a callback went here: see `tests/console/agents.py`
    assert set(t.RESERVATION_STATES) - told_by_agents == set(states.values())


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
