"""The host dies with calls going on, a new one gets its backup: nobody is lost, and nobody called or texted twice."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from callback.store import audit
from callback.store import tables as t
from callback.store.engine import Store
from lab import phone, postgres
from lab.asterisk import Asterisk
from lab.phone import Call, Carrier, Phone
from tests.live.at_terminal import run
from tests.live.desk import DID, pause
from tests.live.service import Service

pytestmark = [pytest.mark.live, pytest.mark.postgresql, pytest.mark.timeout(300)]

CALLED_BACK, RUNG, LOST_SINCE, LOST_IN_THE_DARK, WAITING = (f"0901{block}345600" for block in range(2, 7))
"""Not of one block: five that waited for less than ten seconds would be a trap, and nobody would be called."""
EVERYBODY = (CALLED_BACK, RUNG, LOST_SINCE, LOST_IN_THE_DARK, WAITING)


def waits(carrier: Carrier, number: str) -> Call:
    call = carrier.call(DID, caller=number).wait_answered()
    time.sleep(1.3)  # that long the caller waits: it is what the call is about
    return call


def lose(carrier: Carrier, service: Service, number: str) -> None:
    call, since = waits(carrier, number), service.mark()
    call.hang_up()
    service.wait("reserved", since=since)


def texted(service: Service, number: str) -> int:
    """How many texts a service sent to somebody."""
    return sum(f"to {e164(number)}" in line for line in service.said().splitlines() if line.startswith("text ("))


def e164(number: str) -> str:
    return "+81" + number[1:]


def new_host(pbx: Asterisk, folder: Path, url: str) -> Service:
    """Another host: an empty folder, and an empty database of the other kind."""
    folder.mkdir()
    service = Service(pbx, folder)
    old_url = service.store.url
    settings = service.settings.read_text().replace(old_url, url)
    service.settings.write_text(settings + '[cluster]\nnode = "new-host"\n')
    service.store = Store(url)
    return service


def settled(carrier: Carrier, number: str) -> None:
    """Wait until a callback to this number was answered and is over."""
    carrier.wait_call(number).wait_ended()


@pytest.fixture
def hosts(pbx: Asterisk, tmp_path: Path, postgres_server: postgres.Server) -> tuple[Service, Service]:
    (tmp_path / "old").mkdir()
    url = postgres_server.create("new_host")
    return Service(pbx, tmp_path / "old"), new_host(pbx, tmp_path / "new", url)


def test_restore_onto_a_new_host_with_calls_going_on(
    pbx: Asterisk, carrier: Carrier, agent: Phone, hosts: tuple[Service, Service], tmp_path: Path
) -> None:
    old, new = hosts
    os.truncate(pbx.queue_log, 0)  # what tests before this one wrote there may be forged, and would prove nothing
    for number in EVERYBODY:
        carrier.behave(number, phone.answer(0.2, talk_s=3.2))
    carrier.behave(RUNG, phone.no_answer())
    file = tmp_path / "backup.lcr"
    with old:
        lose(carrier, old, CALLED_BACK)
        lose(carrier, old, RUNG)
        run(old, "backup", str(file))
        since = old.mark()
        pause(pbx, paused=False)
        old.wait("outcome", lambda told: told["outcome"] == "reached", since=since)  # what the backup does not know
        old.wait("outcome", lambda told: told["outcome"] == "no-answer", since=since)
        pause(pbx, paused=True)
        lose(carrier, old, LOST_SINCE)
        dark = waits(carrier, LOST_IN_THE_DARK)
        old.wait_row(t.reservation, lambda row: row.state == "waiting" and row.losses == 1)
        deadline = time.monotonic() + 10
        while not texted(old, LOST_SINCE):
            assert time.monotonic() < deadline, old.said()
            time.sleep(0.05)
        old.kill()
    dark.hang_up()
    waiting = waits(carrier, WAITING)
    for lost in (tmp_path / "old").glob("lost-calls.db*"):
        lost.unlink()

    assert "whole:" in run(old, "backup", "--check", str(file))
    run(new, "restore", str(file))
    with new:
        compared = new.wait("compared")
        assert {name: compared[name] for name in ("go_on", "done", "left", "why")} == {
            "go_on": 2, "done": 1, "left": 1, "why": "",
        }  # fmt: skip
        since = new.mark()
        waiting.hang_up()
        new.wait("reserved", since=since)
        pause(pbx, paused=False)
        for number in (LOST_SINCE, LOST_IN_THE_DARK, WAITING):
            settled(carrier, number)
        new.wait_row(t.reservation, lambda row: row.state == "reached" and len(new.rows(t.attempt)) == 3)
        pbx.wait_quiet()
        states = states_of(new)
        rings = {number: len(carrier.rings_of(number)) for number in EVERYBODY}
        assert rings == dict.fromkeys(EVERYBODY, 1)
        assert (states[CALLED_BACK], states[RUNG]) == ("done-elsewhere", "expired")
        assert {number: texted(old, number) + texted(new, number) for number in EVERYBODY[:3]} == dict.fromkeys(
            EVERYBODY[:3], 1
        )
        assert texted(new, LOST_IN_THE_DARK) <= 1
        with new.store.read() as connection:
            assert audit.broken_at(connection) is None
            ids = list(connection.execute(select(t.reservation.c.id).order_by(t.reservation.c.id)).scalars())
        assert ids[:2] == [1, 2]
        assert ids[2] > 100_000, "whoever was given the numbers since the backup keeps them"


def states_of(service: Service) -> dict[str, str]:
    r, p = t.reservation.c, t.person.c
    with service.store.read() as connection:
        rows = connection.execute(select(p.number, r.state).join_from(t.reservation, t.person)).all()
    return {"0" + row.number.removeprefix("+81"): row.state for row in rows}
