"""Health: what works, what is kept, and what the doctor finds while pages go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.operations import doctor
from callback.operations.doctor.finding import Finding, fault, sound
from callback.settings.sections import Settings
from callback.store import tables as t
from tests.callback.web.console.clients import Desk


def wait_for(done: threading.Event) -> None:
    assert done.wait(20)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A doctor who finds one thing, waits until it may go on, and finds another."""
    found, go_on = threading.Event(), threading.Event()

    def examine(_settings: Settings, _file: Path) -> Iterator[Finding]:
        yield sound("the database can be written")
        found.set()
        wait_for(go_on)
        yield fault("no route to +819012345678", "look at the trunk")

    monkeypatch.setattr(doctor, "of_settings", examine)
    yield found, go_on
    go_on.set()


def test_what_the_doctor_found_so_far_is_shown_while_it_looks(
    sqlite_desk: Desk, held: tuple[threading.Event, threading.Event]
) -> None:
    found, go_on = held
    admin = sqlite_desk.member("dai", "administrator")
    assert "Nobody has asked the doctor" in admin.get("/health").text
    assert admin.act("/health/examine").status_code == 303
    wait_for(found)
    page = admin.get("/health")
    assert "the database can be written" in page.text
    assert page.headers["refresh"] == "2"
    assert admin.act("/health/examine").status_code == 303  # one looks already: nothing begins
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "doctor":
            thread.join(20)
    page = admin.get("/health")
    assert "refresh" not in page.headers
    assert "look at the trunk" in page.text
    assert "9012345678" not in page.text + admin.get("/health.json").text
    assert [row.who for row in sqlite_desk.world.rows(t.audit) if row.action == "examined"] == ["dai"]


def test_a_doctor_who_breaks_off_is_not_waited_for(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(_settings: Settings, _file: Path) -> Iterator[Finding]:
        yield sound("one thing")
        raise RuntimeError

    monkeypatch.setattr(doctor, "of_settings", examine)
    admin = sqlite_desk.member("dai", "administrator")
    admin.act("/health/examine")
    for thread in threading.enumerate():
        if thread.name == "doctor":
            thread.join(20)
    assert "broke off" in admin.get("/health").text


def test_who_does_not_administer_reads_it_and_cannot_ask(sqlite_desk: Desk) -> None:
    anna = sqlite_desk.member("anna", "supervisor")
    page = anna.get("/health")
    assert "Examine now" not in page.text
    assert "schema" in page.text
    assert anna.act("/health/examine").status_code == 403


def test_on_a_server_the_size_of_the_database_is_known(desk: Desk) -> None:
    body = desk.member("anna", "manager").get("/health.json").json()
    assert body["standing"]["database_bytes"] > 100_000
    assert body["standing"]["database"] == desk.world.store.dialect
