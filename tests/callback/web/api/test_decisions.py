"""A program decides as people do: by the revision that it saw, with undo for 15 seconds, and of two one alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from callback.attempts import snapshot
from callback.decisions import pending
from callback.store import tables as t
from scheduler.clock import SECOND
from tests.callback.web.api.programs import V1, Office, Program
from tests.callback.world import NOON, picture


@pytest.fixture
def program(office: Office) -> Program:
    heard(office)
    made = office.program()
    assert made.register().json()["id"] == 1
    return made


def heard(office: Office) -> None:
    """The service says what it sees of the PBX."""
    with office.world.store.write() as connection:
        snapshot.store(connection, "main", picture(), office.now)


def revision(program: Program, reservation: int = 1) -> int:
    seen = program.read(f"/reservations/{reservation}")
    assert seen.headers["etag"] == f'"{seen.json()["revision"]}"'
    return int(seen.json()["revision"])


@pytest.mark.parametrize(
    ("act", "more", "field", "value"),
    [
        ("hold", {}, "state", "held"),
        ("call-now", {"why": "asked"}, "state", "waiting"),
        ("assign", {"to": "bo"}, "assigned_to", "bo"),
        ("postpone", {"until": "2026-11-23T14:00:00+09:00"}, "due_at", "2026-11-23T14:00:00.000+09:00"),
        ("slot", {"at": "2026-11-23T15:00:00+09:00"}, "slot_at", "2026-11-23T15:00:00.000+09:00"),
    ],
)
def test_what_can_be_put_back_is_done_at_once_and_undone(
    program: Program, act: str, more: dict[str, str], field: str, value: str
) -> None:
    before = program.read("/reservations/1").json()
    done = program.decide(1, revision(program), act, **more)
    assert done.status_code == 200, done.text
    assert done.json()["reservation"][field] == value
    assert done.headers["etag"] == f'"{done.json()["reservation"]["revision"]}"'
    assert "2026-11-23T12:00:15.000+09:00" <= done.json()["undo_until"] < "2026-11-23T12:01:00.000+09:00"
    undone = program.delete(f"{V1}/reservations/1/decisions/{done.json()['decision']}")
    assert undone.status_code == 200, undone.text
    after = undone.json()["reservation"]
    assert {name: after[name] for name in after if name != "revision"} == {
        name: before[name] for name in before if name != "revision"
    }
    again = program.delete(f"{V1}/reservations/1/decisions/{done.json()['decision']}")
    assert (again.status_code, again.json()["code"]) == (409, "not-undone")


def test_what_closes_is_held_first_and_done_when_its_time_is_over(office: Office, program: Program) -> None:
    done = program.decide(1, revision(program), "done-elsewhere", why="spoken")
    assert (done.status_code, done.json()["reservation"]["state"]) == (202, "held")
    with office.world.store.write() as connection:
        pending.settle(office.world.work(connection, NOON + 45 * SECOND))
    assert program.read("/reservations/1").json()["state"] == "done-elsewhere"
    assert [row.why for row in office.world.rows(t.audit)][-1] == "a colleague has spoken to the customer"
    office.now += 45 * SECOND
    late = program.delete(f"{V1}/reservations/1/decisions/{done.json()['decision']}")
    assert (late.status_code, late.json()["code"]) == (409, "not-undone")
    closed = program.decide(1, revision(program), "hold")
    assert (closed.status_code, closed.json()["code"]) == (409, "closed")


def test_of_two_writers_one_decides_and_the_other_hears_who(office: Office, program: Program) -> None:
    seen, other = revision(program), office.program()
    acts: list[tuple[Program, dict[str, str]]] = [(program, {"to": "anna"}), (other, {"to": "bo"})]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: one[0].decide(1, seen, "assign", **one[1]), acts))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    lost = next(answer for answer in answers if answer.status_code == 412)
    assert lost.json()["code"] == "changed"
    assert "token" in lost.json()["detail"]
    assert lost.headers["etag"] == f'"{revision(program)}"'
    assert [row.action for row in office.world.rows(t.audit)].count("assign") == 1


def test_no_update_is_lost_in_many_rounds(office: Office, program: Program) -> None:
    programs = [program, office.program()]
    for turn in range(10):
        seen = revision(program)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda one: one.decide(1, seen, "assign", to=f"a{turn}"), programs))  # noqa: B023
        assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert [row.action for row in office.world.rows(t.audit)].count("assign") == 10


@pytest.mark.parametrize("at", ["15:00", "2026-11-23 15:00", "2026-11-23T15:00:00", "2026-02-30T15:00:00Z"])
def test_an_instant_in_another_form_is_told_the_form(program: Program, at: str) -> None:
    given = {"Idempotency-Key": "k", "If-Match": f'"{revision(program)}"'}
    said = program.post(f"{V1}/reservations/1/decisions", json={"act": "slot", "at": at}, headers=given)
    assert said.status_code == 422
    assert "RFC 3339" in said.json()["remedy"]
    assert "15:00:00+09:00" in said.json()["remedy"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({"act": "hold"}, {}, 428, "revision-needed"),
        ({"act": "hold"}, {"If-Match": '"999"'}, 412, "changed"),
        ({"act": "hold"}, {"If-Match": "*"}, 422, "bad-request"),
        ({"act": "resume"}, {}, 409, "not-held"),
        ({"act": "cancel"}, {}, 422, "reason-needed"),
        ({"act": "slot"}, {}, 422, "bad-request"),
        ({"act": "slot", "at": "2026-11-23T03:00:00+09:00"}, {}, 409, "outside-hours"),
        ({"act": "postpone", "until": "2026-11-23T11:00:00+09:00"}, {}, 409, "passed"),
        ({"act": "postpone", "until": "2999-11-23T11:00:00+09:00"}, {}, 409, "too-far"),
        ({"act": "slot", "at": "2999-11-23T12:00:00+09:00"}, {}, 409, "too-far"),
        ({"act": "erase"}, {}, 422, "bad-request"),
    ],
)
def test_what_cannot_be_is_said_by_its_code(
    program: Program, body: dict[str, Any], headers: dict[str, str], status: int, code: str
) -> None:
    given = {"Idempotency-Key": "k", "If-Match": f'"{revision(program)}"'} | headers
    if code == "revision-needed":
        del given["If-Match"]
    said = program.post(f"{V1}/reservations/1/decisions", json=body, headers=given)
    assert (said.status_code, said.json()["code"]) == (status, code), said.text
    assert program.read("/reservations/1").json()["state"] == "waiting"


def test_a_decision_with_its_key_again_is_one_decision(office: Office, program: Program) -> None:
    seen = revision(program)
    first, again = (program.decide(1, seen, "hold", key="k") for _ in range(2))
    assert (first.content, again.headers["idempotency-replayed"]) == (again.content, "true")
    assert [row.action for row in office.world.rows(t.audit)].count("held") == 1


def test_nothing_is_closed_while_nobody_knows_what_has_become_of_it(office: Office, program: Program) -> None:
    office.now += 60 * SECOND
    said = program.decide(1, revision(program), "cancel", why="asked")
    assert (said.status_code, said.json()["code"]) == (503, "no-data")
    assert program.decide(1, revision(program), "hold").status_code == 200


def test_what_others_decided_about_another_is_not_undone_through_this_one(office: Office, program: Program) -> None:
    program.register("+819087654321")
    done = program.decide(2, revision(program, 2), "hold").json()
    assert program.delete(f"{V1}/reservations/1/decisions/{done['decision']}").status_code == 404
    assert program.read("/reservations/2").json()["state"] == "held"
