"""Roles: real processes of the service on one database, each with its part, and no PBX that answers."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callback.store import tables as t
from callback.store.engine import Store
from tests.callback.service.test_service import Run, wait
from tests.callback.world import migrated


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    made = migrated(migrated_url)
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path, store: Store) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []

    def make(role: str, name: str, **more: Any) -> Run:
        made.append(Run(tmp_path / name, store.url, tmp_path / f"journal of {name}", **more).start("--role", role))
        return made[-1]

    yield make
    for one in made:
        if one.alive:
            one.end(signal.SIGKILL)


def owners(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return {row.name: row.owner for row in connection.execute(select(t.lease))}


def duties(store: Store) -> dict[str, list[str]]:
    with store.read() as connection:
        return {row.role: row.duties for row in connection.execute(select(t.node).order_by(t.node.c.began_at))}


def test_texts_wait_for_the_first_listener_and_are_sent_by_the_process_whose_role_it_is(
    run: Callable[..., Run], store: Store
) -> None:
    text = run("text", "first", account=False)
    assert "no service has listened to main yet" in text.wait("standby")["why"]
    listening = run("pbx", "second")
    listening.wait("started")
    text.wait("texting")
    listening.wait("texting")  # what the other one tells is passed on by whoever listens
    assert owners(store).keys() == {"pbx:main", "text:main"}
    wait(lambda: duties(store) == {"pbx": ["listens to main"], "text": ["sends the texts of main"]})
    assert text.end()[0] == 0
    assert duties(store) == {"pbx": ["listens to main"]}, "who ends by itself is no node any more"


def test_a_second_process_stands_by_to_send_and_takes_over_when_the_first_is_killed(
    run: Callable[..., Run], store: Store
) -> None:
    run("pbx", "founder").wait("started")
    text = run("text", "first")
    text.wait("texting")
    before = owners(store)["text:main"]
    second = run("text", "second")
    assert "sends the texts of main" in second.wait("standby")["why"]
    text.end(signal.SIGKILL)
    second.wait("texting")
    assert owners(store)["text:main"] != before


def test_who_listens_needs_the_account_of_the_manager_and_who_keeps_the_web_something_to_keep(
    run: Callable[..., Run],
) -> None:
    status, complaint = run("pbx", "first", account=False).ended()
    assert (status, "[pbx] secret: is missing" in complaint) == (2, True)
    status, complaint = run("web", "second", account=False).ended()
    assert (status, "[console] listen or [web] listen" in complaint) == (2, True)


def test_the_whole_service_leaves_the_texts_to_the_process_whose_role_they_are_until_that_ends(
    run: Callable[..., Run], store: Store
) -> None:
    first = run("all", "first")
    first.wait("texting")
    text = run("text", "second")
    text.wait("standby")
    assert first.end()[0] == 0
    text.wait("texting")
    again = run("all", "first")
    again.wait("started")
    assert "sends the texts of main" in again.wait("standby")["why"]
    assert text.end()[0] == 0
    again.wait("texting")
