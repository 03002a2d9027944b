"""`callback incident` and `callback queue --closed`: what people see of many losses, and what they decide."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callback.cli import main as cli
from callback.losses.incidents import NoSuchIncident
from callback.site.context import take_over
from callback.store import tables as t
from tests.callback import settings_file
from tests.callback.world import MINUTE, NOON, US, World, call, rules

NOW = NOON + MINUTE
Say = Callable[..., Result]


@pytest.fixture
def world(sqlite_world: World) -> World:
    made = World(sqlite_world.store.url, rules(incident_losses=3))
    for n in range(5):
        made.hear(call(f"0901234560{n}", NOON + n * US), "blocked")
    return made


@pytest.fixture
def say(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1000)
    settings_file.named(monkeypatch, tmp_path, world.store.url)
    return lambda *words: CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, words)


def test_the_list_says_what_is_held_since_when_and_for_what(say: Say) -> None:
    table = say("incident", "list").stdout
    for words in ("support/gave-up/main", "holding", "11-23 12:00:03", "11-23 12:00:04", "5"):
        assert words in table, table


@pytest.mark.parametrize(
    ("per_min", "kind", "takes"),
    [(10, "blocked", "1 min"), (1, "blocked", "5 min"), (0.1, "blocked", "50 min"), (0.05, "blocked", "100 min, 2")],
)
def test_the_list_says_how_long_letting_go_takes_and_what_breaks(
    say: Say, world: World, per_min: float, kind: str, takes: str
) -> None:
    changed = rules(incident_losses=3, incident_drain_per_min=per_min)
    with world.store.write() as connection:
        take_over(connection, world.settings.model_copy(update={"rules": changed}), NOON)
    table = say("incident", "list").stdout
    assert takes in table, table
    assert ("will break" in table) == (", " in takes)


def test_a_person_releases_or_drops_all_of_it_and_says_why(say: Say, world: World) -> None:
    done = say("incident", "release", "1", "--why", "the carrier is mended", "--by", "anna")
    assert done.stdout == "incident 1 is released\n"
    assert say("incident", "drop", "1", "--why", "a test of the carrier", "--by", "anna").exit_code == 0
    assert [row.action for row in world.rows(t.audit)] == ["incident-released", "incident-dropped"]
    assert [row.state for row in world.rows(t.incident)] == ["dropped"]


def test_without_a_reason_or_an_incident_nothing_is_decided(say: Say, world: World) -> None:
    assert say("incident", "release", "1").exit_code == 2
    assert isinstance(say("incident", "drop", "7", "--why", "it is gone").exception, NoSuchIncident)
    assert world.rows(t.audit) == []


def test_where_there_was_none_it_says_so(say: Say, world: World) -> None:
    with world.store.write() as connection:
        connection.execute(t.loss.update().values(incident_id=None))
        connection.execute(t.reservation.update().values(incident_id=None))
        connection.execute(t.incident.delete())
    assert say("incident", "list").stdout == "There was no incident.\n"


def test_the_closed_queue_is_the_list_for_people(say: Say, world: World) -> None:
    assert say("queue", "--closed").stdout == "Nobody is left to people.\n"
    world.hear(call("09012345609", queue="sales"))
    for hours in (1, 2):
        world.carry_over(NOON + hours * 60 * MINUTE + US)
    (line,) = (json.loads(line) for line in say("queue", "--closed", "--json").stdout.splitlines())
    assert (line["number"], line["why_not"]) == ("+819012345609", "left-to-people")


def test_incidents_are_listed_by_themselves_and_causes_stand_whole(say: Say, world: World) -> None:
    assert say("incident").stdout == say("incident", "list").stdout
    world.hear(call("09012345699", NOON + US, queue="a-queue-of-a-long-name-with-many-words"), "blocked")
    assert "support/gave-up/main" in say("incident").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("answers",), "No text waits to be read by a person."),
        (("refused",), "No number is refused."),
        (("satisfaction",), "Nobody has judged a callback in the last 30 days."),
        (("queue", "--closed"), "Nobody is left to people."),
        (("queue", "--overdue"), "Nobody like that."),
    ],
)
def test_where_there_is_nothing_a_sentence_says_so(say: Say, words: tuple[str, ...], sentence: str) -> None:
    assert say(*words).stdout == f"{sentence}\n"
    if words[0] != "queue":
        assert say(*words, "--json").stdout == ""
