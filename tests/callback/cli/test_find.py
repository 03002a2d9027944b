"""`callback find`: the whole story of one number, found by any way to write it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callback.attempts import settle
from callback.cli import main as cli
from callback.decisions import actions, replies
from callback.errors import CallbackError
from callback.reports.person import NoSuchNumber
from callback.store.audit import By
from sms.inbound import Inbound
from tests.callback import settings_file
from tests.callback.world import MINUTE, NOON, World, at, call, rules

CUSTOMER, OTHER = "09012345678", "09012399678"
Find = Callable[..., Result]


@pytest.fixture
def find(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock_shows: Callable[[int], None]) -> Find:
    clock_shows(NOON + 40 * MINUTE)
    settings_file.named(monkeypatch, tmp_path, world.store.url)
    return lambda *words: CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["find", *words])


def lived(world: World) -> None:
    """A customer who was lost yesterday and reached, and is lost today twice; and somebody else."""
    world.hear(call(CUSTOMER, at("12:00", 22)))
    order = world.claim(at("12:01", 22))
    assert order is not None
    with world.store.write() as connection:
        settle.progress(
            world.work(connection, NOON), order.attempt, "customer_dialled_at", at("12:02", 22), "Agent One"
        )
    world.end(order.attempt, "reached", at("12:03", 22))
    world.hear(call(CUSTOMER, NOON))
    world.hear(call(CUSTOMER, NOON + MINUTE))
    world.hear(call(OTHER, NOON))
    with world.store.write() as connection:
        actions.postpone(world.work(connection, NOON + 5 * MINUTE), 2, at("12:50"), By("anna", "in a meeting"))
    with world.store.write() as connection:
        inbound = Inbound("main", "SM1", "+819012345678", "", "what [/x]\x1b[31m now?")
        replies.take(world.work(connection, NOON + 6 * MINUTE), inbound)


@pytest.mark.parametrize("written", ["+819012345678", "090-1234-5678", "09012345678", "12345678", "345678", "45678"])
def test_the_whole_story_stands_on_one_screen(world: World, find: Find, written: str) -> None:
    lived(world)
    said = find(written)
    assert said.exit_code == 0, said.output
    lines = [" ".join(line.split()) for line in said.stdout.splitlines() if line.strip()]
    assert lines[0] == "+819012345678"
    assert lines[1].startswith(
        "#2 support: abandoned x2, aim 12:30, deadline 13:00 (20m left), 0 tries; the service is"
    )
    assert lines[2] == "#1 support: reached since 11-22 12:03"
    story = "\n".join(lines[3:])
    for told in (
        "11-22 12:01:00 attempt #1 try 1 over main, with Agent One: reached",
        "11-23 11:59:40 call #2 called support again, over main",
        "11-23 12:00:00 verdict #2 LOST: hung up before anybody answered: gave up, waited 0:20",
        "11-23 12:00:00 promise #2 promise 1: aim 12:30, by 13:00: within the hour",
        "text #2 text, by when we call: waits to be sent",
        "11-23 12:05:00 decision #2 anna put it off until 12:50; the deadline stays 13:00: in a meeting",
        "11-23 12:06:00 answer #2 wrote: what [/x]·[31m now? (waits for a person, answer 1)",
    ):
        assert told in story, f"{told} in\n{story}"
    times = [line[:14] for line in lines if line[:2] == "11"]
    assert times == sorted(times)


def test_an_apology_stands_among_the_promises(world: World, find: Find) -> None:
    lived(world)
    world.carry_over(at("13:05"))
    assert "a new time was told: by 14:05" in find(CUSTOMER).stdout


def test_one_screen_is_the_newest_events_and_says_that_there_are_more(world: World, find: Find) -> None:
    lived(world)
    said = find(CUSTOMER, "--limit", "2").stdout
    assert "answer" in said
    assert "attempt" not in said
    assert "earlier ones are not shown (--limit)" in said


def test_programs_get_it_as_one_object(world: World, find: Find) -> None:
    lived(world)
    told = json.loads(find(CUSTOMER, "--json").stdout)
    assert (told["number"], told["blocked"]) == ("+819012345678", "")
    assert [(row["id"], row["state"]) for row in told["reservations"]] == [(2, "waiting"), (1, "reached")]
    whats = {"call", "visit", "verdict", "loss", "promise", "text", "attempt", "decision", "answer"}
    assert {event["what"] for event in told["events"]} == whats
    (verdict,) = (event for event in told["events"] if event["what"] == "verdict" and event["at"] == NOON)
    assert verdict["evidence"] == [{"at": None, "name": "", "detail": "said so"}]
    assert (verdict["kind"], verdict["counted"], verdict["reservation"]) == ("abandoned", True, 2)


def test_a_block_stands_at_the_head(world: World, find: Find) -> None:
    lived(world)
    with world.store.write() as connection:
        actions.block(world.work(connection, NOON), "+819012345678", calls=True, texts=False, by=By("anna", "rude"))
    said = find(CUSTOMER).stdout
    assert "+819012345678: blocked for calls" in said
    assert "anna cancelled it with the number (blocked the number): rude" in said


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("678", r"several numbers end in 678: \+819012345678, \+819012399678; say more"),
        ("+819099999999", "nobody is known whose number ends in 819099999999"),
        ("12", "give at least 3 of its digits"),
        ("anna", "give at least 3 of its digits"),
        ("%", "give at least 3 of its digits"),
    ],
)
def test_who_is_not_known_or_not_told_apart_is_a_sentence(world: World, find: Find, written: str, why: str) -> None:
    lived(world)
    said = find(written)
    assert isinstance(said.exception, (NoSuchNumber, CallbackError))
    with pytest.raises(NoSuchNumber, match=why):
        raise said.exception


def test_who_was_erased_is_found_no_more(world: World, find: Find) -> None:
    lived(world)
    with world.store.write() as connection:
        actions.erase(world.work(connection, NOON), "+819012345678", By("anna", "asked"))
    assert isinstance(find(CUSTOMER).exception, NoSuchNumber)


def test_a_number_that_only_looks_alike_stays_out(find: Find, world: World) -> None:
    world.hear(call("09012345678"))
    world.hear(call("09055512345"), "served")
    said = find("12345678").stdout
    assert "+819012345678" in said
    assert "5551" not in said
    assert rules().zone == "Asia/Tokyo"
