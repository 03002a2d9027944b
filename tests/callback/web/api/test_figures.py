"""Figures are those of the read models, in the token's groups; instants have their zone."""

from __future__ import annotations

from typing import Any

import pytest

from callback.attempts import snapshot
from callback.decisions.acts import incidents as acts
from callback.reports.rates_by_group import rates_by_group
from callback.settings.rules import QueueRules
from callback.store import tables as t
from scheduler.clock import DAY, HOUR
from tests.callback.web.api.programs import NUMBER, V1, Office
from tests.callback.world import NOON, ON, World, call, picture, rules


@pytest.fixture
def office(sqlite_world: World) -> Office:
    """Two groups, a loss in each, and a service that is heard."""
    queues = {"support": ON, "sales": QueueRules(**{**ON.model_dump(), "group": "sellers"})}
    world = World(sqlite_world.store.url, rules(queues=queues))
    world.hear(call("09012345601"))
    world.hear(call("09012345602", queue="sales"))
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(waiting={"sales": 2}), NOON)
    return Office(world)


def test_now_and_the_queues_count_what_is_open(office: Office) -> None:
    every, sellers = office.program(), office.program(groups=frozenset({"sellers"}))
    now = every.read("/now").json()
    assert (now["at"], now["open"], sum(now["by_lane"].values())) == ("2026-11-23T12:00:00.000+09:00", 2, 2)
    assert {one["group"] for one in now["dangers"]} == {"site", "sellers"}
    assert sellers.read("/now").json()["open"] == 1
    queues = {one["queue"]: one for one in every.read("/queues").json()["items"]}
    assert {name: (one["group"], one["open"], one["callers_waiting"]) for name, one in queues.items()} == {
        "sales": ("sellers", 1, 2),
        "support": ("site", 1, 0),
    }
    assert [one["queue"] for one in sellers.read("/queues").json()["items"]] == ["sales"]


def test_rates_are_those_of_the_reports(office: Office) -> None:
    office.now = NOON + 2 * HOUR
    given = office.program().read("/rates").json()
    with office.world.store.read() as connection:
        reported = rates_by_group(office.world.work(connection, office.now), NOON - 12 * HOUR)
    assert {one["group"]: (one["valid"], one["due_60"], one["dialled_60_share"]) for one in given["items"]} == {
        group: (rates.valid, rates.due_60, rates.share("dialled", 60)) for group, rates in reported.items()
    }
    assert given["since_at"] == "2026-11-23T00:00:00.000+09:00"
    assert [one["group"] for one in office.program(groups=frozenset({"sellers"})).read("/rates").json()["items"]] == [
        "sellers"
    ]
    assert office.program().read("/rates", since="2026-11-01T00:00:00Z").status_code == 422


def test_rules_say_their_version_and_mask_numbers(office: Office) -> None:
    said = office.program("rules:read").read("/rules").json()
    assert (said["version"], said["rules"]["zone"]) == (office.world.site.version, "Asia/Tokyo")
    assert ON.caller_id not in str(said)
    assert ON.caller_id in str(office.program("rules:read", "numbers:read").read("/rules").json())


def test_health_says_which_parts_work(office: Office) -> None:
    said = office.program("health:read").read("/health").json()
    assert {part["name"]: part["state"] for part in said["parts"]}["service"] == "ok"
    assert (said["database"], said["lease_holder"]) == ("sqlite", "me")


def test_texts_to_be_read_are_those_of_the_groups_until_somebody_is_done(office: Office) -> None:
    for number, reservation in ((1, 1), (2, 2), (3, None)):
        answered(office.world, number, reservation)
    every, sellers = (
        office.program(),
        office.program("reservations:read", "reservations:write", groups=frozenset({"sellers"})),
    )
    assert [one["id"] for one in every.read("/answers").json()["items"]] == [1, 2, 3]
    theirs = sellers.read("/answers").json()["items"]
    assert [(one["id"], NUMBER[3:] in one["body"]) for one in theirs] == [(2, False)]
    assert [sellers.ask(f"/answers/{answer}/done", {}).status_code for answer in (1, 2, 2)] == [404, 200, 404]
    assert [one["id"] for one in every.read("/answers").json()["items"]] == [1, 3]


def answered(world: World, answer: int, reservation: int | None) -> None:
    row = {
        "id": answer, "pbx": "main", "account": "a", "sid": str(answer), "reservation_id": reservation,
        "received_at": NOON + answer, "wish": "unclear", "state": "open", "body": f"please call {NUMBER}",
    }  # fmt: skip
    with world.store.write() as connection:
        connection.execute(t.answer.insert().values(**row))


def test_an_incident_is_let_go_and_that_is_undone(office: Office) -> None:
    program = office.program()
    incident = began(office.world)
    assert [one["state"] for one in program.read("/incidents").json()["items"]] == ["holding"]
    path = f"/incidents/{incident}/decisions"
    assert program.ask(path, {"decision": "dropped"}).json()["code"] == "reason-needed"
    chosen: dict[str, Any] = program.ask(path, {"decision": "released"}, Idempotency_Key="k").json()
    again = program.ask(path, {"decision": "released"}, Idempotency_Key="k")
    assert (again.status_code, again.json()) == (202, chosen)
    assert program.delete(f"{V1}{path}/{chosen['decision']}").status_code == 200
    assert [one["state"] for one in program.read("/incidents").json()["items"]] == ["holding"]
    assert program.ask("/incidents/99/decisions", {"decision": "released"}).status_code == 404
    assert acts.ACTIONS.keys() >= {"incident-released"}


def began(world: World) -> int:
    row = {"pbx": "main", "cause": "support/gave-up/main", "state": "holding", "open": True, "opened_at": NOON}
    with world.store.write() as connection:
        made = t.incident.insert().values(**row, let_go=0, last_lost_at=NOON, losses=9).returning(t.incident.c.id)
        return int(connection.execute(made).scalar_one())


def test_a_figure_of_a_group_that_is_not_there_is_empty(office: Office) -> None:
    nobody = office.program(groups=frozenset({"gone"}))
    office.now += DAY // 24
    for path in ("/queues", "/rates", "/answers", "/incidents", "/reservations"):
        assert nobody.read(path).json()["items"] == []
