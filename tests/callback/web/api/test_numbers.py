"""Numbers are looked up and blocked in the body alone, and what is told of one is of the token's groups."""

from __future__ import annotations

import pytest

from callback.settings.rules import QueueRules
from callback.store import tables as t
from tests.callback.web.api.programs import NUMBER, V1, Office
from tests.callback.world import ON, World, rules


def test_what_is_known_of_a_number(office: Office) -> None:
    program = office.program()
    unknown = program.ask("/numbers/lookup", {"number": NUMBER}).json()
    assert (unknown["known"], unknown["reservations"]) == (False, [])
    made = program.register("090-1234-5678").json()
    known = program.ask("/numbers/lookup", {"number": "+81 90-1234-5678"}).json()
    assert (known["number"], known["known"], known["calls_blocked"]) == (NUMBER, True, False)
    assert [one["id"] for one in known["reservations"]] == [made["id"]]
    assert program.ask("/numbers/lookup", {"number": "+44 20 7946 0000"}).json()["refused"] == "foreign-country"
    refused = program.ask("/numbers/lookup", {"number": "12 34"})
    assert (refused.status_code, refused.json()["code"]) == (422, "number-refused")


def test_another_groups_callbacks_are_not_told(sqlite_world: World) -> None:
    queues = {"support": ON, "sales": QueueRules(**{**ON.model_dump(), "group": "sellers"})}
    office = Office(World(sqlite_world.store.url, rules(queues=queues)))
    office.program().register(queue="support")
    seller = office.program(groups=frozenset({"sellers"}))
    assert seller.ask("/numbers/lookup", {"number": NUMBER}).json()["reservations"] == []


def test_a_block_cancels_what_is_owed_and_is_taken_back(office: Office) -> None:
    program = office.program()
    made = program.register().json()
    blocked = program.ask("/numbers/blocks", {"number": NUMBER, "why": "asked"})
    assert blocked.json() == {"number": NUMBER, "calls": True, "texts": True}
    assert program.read(f"/reservations/{made['id']}").json()["state"] == "cancelled"
    assert program.register().json()["code"] == "number-refused"
    free = program.ask("/numbers/unblock", {"number": NUMBER, "texts": False, "why": "mistake"})
    assert free.json() == {"number": NUMBER, "calls": False, "texts": True}
    said = [(row.action, row.who, row.why) for row in office.world.rows(t.audit) if "block" in row.action]
    assert said == [
        ("block", "CRM (token 1)", "the customer asked for it"),
        ("unblock", "CRM (token 1)", "it was a mistake"),
    ]


def test_a_block_needs_a_reason_and_shows_no_number_without_the_scope(sqlite_office: Office) -> None:
    blind = sqlite_office.program("numbers:block")
    assert blind.ask("/numbers/blocks", {"number": NUMBER}).status_code == 422
    assert blind.ask("/numbers/blocks", {"number": NUMBER, "why": "asked"}).json()["number"] == "+81…78"


@pytest.mark.parametrize("path", ["/numbers/lookup", "/numbers/blocks", "/numbers/unblock"])
def test_no_number_is_taken_from_an_address(sqlite_office: Office, path: str) -> None:
    assert sqlite_office.program().get(f"{V1}{path}", params={"number": NUMBER}).status_code == 405
