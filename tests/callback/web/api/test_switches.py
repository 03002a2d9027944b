"""A program pauses what its groups do, for a while; nobody is registered meanwhile."""

from __future__ import annotations

import pytest

from callback.errors import StoreAway
from callback.settings.rules import QueueRules
from callback.store.engine import Store
from tests.callback.web.api.programs import V1, Office
from tests.callback.world import ON, World, rules


def test_registering_is_paused_and_goes_on(office: Office) -> None:
    program = office.program()
    made = program.ask("/switches", {"what": "register", "queue": "support", "for_s": 600, "why": "a drill"})
    assert (made.status_code, made.json()["until_at"]) == (201, "2026-11-23T12:10:00.000+09:00")
    assert program.read("/switches").json()["items"] == [made.json()]
    refused = program.register()
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (409, "paused", "600")
    assert program.register(queue="sales").status_code == 201
    ended = program.delete(f"{V1}/switches/{made.json()['id']}")
    assert ended.status_code == 200
    assert program.delete(f"{V1}/switches/{made.json()['id']}").status_code == 404
    assert program.register().status_code == 201


def test_a_database_that_is_away_is_no_unknown_queue(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreAway("the database is away")

    program = sqlite_office.program()
    monkeypatch.setattr(Store, "transact", away)
    said = program.ask("/switches", {"what": "call", "queue": "support", "why": "a drill"})
    assert (said.status_code, said.json()["code"]) == (503, "store-away")


def test_a_pause_needs_a_reason(sqlite_office: Office) -> None:
    said = sqlite_office.program().ask("/switches", {"what": "call", "why": "no reason given"})
    assert (said.status_code, said.json()["code"]) == (422, "reason-needed")


def test_a_token_of_some_groups_pauses_theirs_alone(sqlite_world: World) -> None:
    queues = {"support": ON, "sales": QueueRules(**{**ON.model_dump(), "group": "sellers"})}
    office = Office(World(sqlite_world.store.url, rules(queues=queues)))
    seller = office.program(groups=frozenset({"sellers"}))
    for queue in ({}, {"queue": "support"}, {"queue": "nobodys"}):
        refused = seller.ask("/switches", {"what": "call", "why": "a drill", **queue})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-queue")
    theirs = seller.ask("/switches", {"what": "call", "queue": "sales", "why": "a drill"})
    assert theirs.status_code == 201
    others = office.program().ask("/switches", {"what": "call", "queue": "support", "why": "a drill"}).json()
    assert [one["id"] for one in seller.read("/switches").json()["items"]] == [theirs.json()["id"]]
    assert seller.delete(f"{V1}/switches/{others['id']}").status_code == 404
