"""A program reads how far a campaign is and what its samples said, starts it, and stops it at once."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from callback.campaigns.sample import Wish
from callback.decisions.campaigns import sampling
from callback.store import tables as t
from tests.callback.campaigns.told import BY, do, made, site
from tests.callback.web.api.programs import Office
from tests.callback.world import MINUTE, NOON, World, call


@pytest.fixture
def office(sqlite_world: World) -> Office:
    world = World(sqlite_world.store.url, site())
    for n in range(8):
        world.hear(call(f"0901234560{n}", NOON - n * MINUTE), now=NOON - n * MINUTE)
    return Office(world)


def test_it_is_read_started_and_stopped(office: Office) -> None:
    number = made(office.world)
    program = office.program()
    one = program.read("/campaigns").json()["items"][0]
    assert (one["id"], one["state"], one["people"], one["told"], one["started_at"]) == (number, "ready", 8, 0, None)
    started = program.ask(f"/campaigns/{number}/start", {"why": "the outage of this morning"})
    assert (started.status_code, started.json()["state"]) == (200, "running")
    stopped = program.ask(f"/campaigns/{number}/stop", {})
    assert (stopped.status_code, stopped.json()["state"]) == (200, "stopped")
    again = program.ask(f"/campaigns/{number}/stop", {})
    assert (again.status_code, again.json()["code"]) == (409, "not-possible")
    refused = program.ask(f"/campaigns/{number}/start", {"why": "no reason given"})
    assert (refused.status_code, refused.json()["code"]) == (422, "reason-needed")
    assert program.ask("/campaigns/99/stop", {}).status_code == 404


def test_its_samples_are_read_with_their_intervals(office: Office) -> None:
    number = made(office.world)
    do(office.world, sampling.draw, number, Wish(seed=42, size=5), BY)
    with office.world.store.write() as connection:
        connection.execute(update(t.campaign_asked).values(state="scored", score=8))
    whole = office.program().read(f"/campaigns/{number}").json()
    drawn = whole["samples"][0]
    assert (drawn["seed"], drawn["valid"], drawn["of_people"], drawn["mean"]) == (42, 5, 8, 8.0)
    assert (drawn["low"], drawn["high"], drawn["change"]) == (8.0, 8.0, None)
    assert whole["texts"] == dict.fromkeys(("waiting", "sending", "sent", "delivered", "failed", "unknown"), 0)


def test_a_token_of_another_group_sees_none(office: Office) -> None:
    number = made(office.world)
    other = office.program(groups=frozenset({"sellers"}))
    assert other.read("/campaigns").json()["items"] == []
    assert other.read(f"/campaigns/{number}").status_code == 404
    assert other.ask(f"/campaigns/{number}/stop", {}).status_code == 404
