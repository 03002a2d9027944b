"""A program asks for callbacks, finds them again by its reference, and reads on page by page."""

from __future__ import annotations

from typing import Any

import pytest

from callback.decisions import actions
from callback.settings.rules import QueueRules
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import MINUTE
from tests.callback.web.api.programs import NUMBER, V1, Office, Program
from tests.callback.world import NOON, World, call, rules


def test_a_callback_that_is_asked_for_is_promised_as_one(office: Office) -> None:
    made = office.program().register(reference="CASE-1")
    body = made.json()
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{V1}/reservations/{body['id']}"
    assert made.headers["etag"] == f'"{body["revision"]}"'
    assert (body["state"], body["kind"], body["queue"], body["reference"]) == (
        "waiting",
        "requested",
        "support",
        "CASE-1",
    )
    assert (body["made_at"], body["deadline_at"]) == ("2026-11-23T12:00:00.000+09:00", "2026-11-23T13:00:00.000+09:00")
    world = office.world
    assert [(row.reason, row.made_at) for row in world.rows(t.promise)] == [("window", NOON)]
    audit = [row for row in world.rows(t.audit) if row.action == "register"]
    assert [(row.reservation_id, row.who) for row in audit] == [(body["id"], "CRM (token 1)")]
    claimed = world.claim(NOON + MINUTE)
    assert claimed is not None
    assert [row.reservation_id for row in world.rows(t.attempt)] == [body["id"]]


def test_one_that_is_open_for_the_customer_is_given_as_it_is(office: Office) -> None:
    program = office.program()
    first, second = program.register(reference="CASE-1"), program.register("090-1234-5678", reference="CASE-2")
    assert [first.status_code, second.status_code] == [201, 200]
    assert second.json() == first.json()
    other = program.register(queue="sales")
    assert (other.status_code, other.json()["id"] != first.json()["id"]) == (201, True)
    assert len(office.world.rows(t.reservation)) == 2


def test_a_caller_who_was_lost_is_not_promised_twice(sqlite_office: Office) -> None:
    sqlite_office.world.hear(call())
    given = sqlite_office.program().register()
    assert (given.status_code, given.json()["kind"]) == (200, "abandoned")


def test_a_chosen_time_is_promised(sqlite_office: Office) -> None:
    chosen = sqlite_office.program().register(at="2026-11-23T15:00:00+09:00").json()
    assert (chosen["slot_at"], chosen["due_at"]) == ("2026-11-23T15:00:00.000+09:00",) * 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"number": "12", "queue": "support"}, 422, "bad-request"),
        ({"number": "+81 3 0000", "queue": "support"}, 422, "number-refused"),
        ({"number": "+442079460000", "queue": "support"}, 422, "number-refused"),
        ({"number": NUMBER, "queue": "nobodys"}, 422, "unknown-queue"),
        ({"number": NUMBER, "queue": "support", "more": 1}, 422, "bad-request"),
        ({"number": NUMBER, "queue": "support", "at": "2026-11-23T15:00:00"}, 422, "bad-request"),
        ({"number": NUMBER, "queue": "support", "at": "2026-11-23T03:00:00+09:00"}, 409, "outside-hours"),
        ({"number": NUMBER, "queue": "support", "at": "2026-11-24T03:00:00+09:00"}, 409, "outside-hours"),
        ({"number": NUMBER, "queue": "support", "at": "2999-11-25T12:00:00+09:00"}, 409, "too-far"),
        ({"number": NUMBER, "queue": "support", "reference": "tel:09012345678"}, 422, "reference-refused"),
        ({"number": NUMBER, "queue": "sup\x00port"}, 422, "bad-request"),
        ({"number": 819012345678, "queue": "support"}, 422, "bad-request"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_left(
    sqlite_office: Office, body: dict[str, Any], status: int, code: str
) -> None:
    said = sqlite_office.program().ask("/reservations", body)
    assert (said.status_code, said.json()["code"]) == (status, code), said.text
    assert said.headers["content-type"] == "application/problem+json"
    assert said.json()["instance"] == said.headers["x-request-id"]
    assert "9012345678" not in said.text
    assert sqlite_office.world.rows(t.reservation) == sqlite_office.world.rows(t.idempotency) == []


def test_a_blocked_number_is_refused(sqlite_office: Office) -> None:
    with sqlite_office.world.store.write() as connection:
        work = sqlite_office.world.work(connection, NOON)
        actions.block(work, NUMBER, calls=True, texts=False, by=By("Anna", "asked"))
    said = sqlite_office.program().register()
    assert (said.status_code, said.json()["code"]) == (422, "number-refused")


def test_a_list_is_read_page_by_page_and_a_cursor_fits_its_filter(office: Office) -> None:
    program = office.program()
    for last in range(5):
        office.now += MINUTE
        program.register(f"+81901234567{last}", reference="CASE-9" if last != 2 else None)
    newest = pages(program)
    assert newest == [5, 4, 3, 2, 1]
    assert pages(program, reference="CASE-9") == [5, 4, 2, 1]
    assert pages(program, state="held") == pages(program, queue="sales") == pages(program, state="closed") == []
    first = program.read("/reservations", limit=2).json()["after"]
    for query in ({"queue": "support"}, {"state": "closed"}):
        other = program.read("/reservations", after=first, **query)
        assert (other.status_code, other.json()["code"]) == (422, "cursor-stale")
    for forged in ("x", "", "A" * 60, first[:-2]):
        assert program.read("/reservations", after=forged).status_code == 422


def pages(program: Program, **query: Any) -> list[int]:
    found: list[int] = []
    after: dict[str, str] = {}
    while True:
        page = program.read("/reservations", limit=2, **query, **after).json()
        found += [one["id"] for one in page["items"]]
        if page["after"] is None:
            return found
        after = {"after": page["after"]}


def test_closed_ones_come_the_last_closed_first(sqlite_office: Office) -> None:
    program = sqlite_office.program()
    for last in range(3):
        program.register(f"+81901234567{last}")
    for number in (2, 1, 3):
        sqlite_office.now += MINUTE
        with sqlite_office.world.store.write() as connection:
            work = sqlite_office.world.work(connection, sqlite_office.now)
            actions.cancel(work, number, By("Anna", "asked"))
    assert pages(program, state="closed") == [3, 1, 2]
    closed = program.read("/reservations/3").json()
    assert (closed["state"], closed["why"]) == ("cancelled", None)


def test_numbers_that_are_many_peoples_are_kept_apart(sqlite_world: World) -> None:
    office = Office(sqlite_world)
    program = office.program()
    program.register()
    with sqlite_world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    assert program.register().status_code == 201
    assert len(sqlite_world.rows(t.reservation)) == 2


def test_callbacks_that_are_switched_off_stay_so(sqlite_world: World) -> None:
    office = Office(World(sqlite_world.store.url, rules(queues={"support": QueueRules()})))
    made = office.program().register()
    assert made.status_code == 201
    assert made.json()["why"]["word"] in {"watch", "service-not-running"}
    assert office.world.claim(NOON + MINUTE) is None
