"""The same request twice does one thing: also when it comes fifty times at once, and from two processes."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest

from callback.service.jobs import webhooks
from callback.service.transactions import Transactions
from callback.store import tables as t
from callback.web.api import once
from scheduler.clock import DAY
from tests.callback.web.api.programs import NUMBER, V1, Office
from tests.callback.world import World

ASKED = {"number": NUMBER, "queue": "support"}


def test_fifty_at_once_make_one_reservation(office: Office) -> None:
    answers = at_once([office], 50, office.token())
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[201] >= 1
    assert set(statuses) <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"key-running"}
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in made}) == 1
    assert [answer.headers.get("idempotency-replayed") for answer in made].count(None) == 1
    assert len(office.world.rows(t.reservation)) == len(office.world.rows(t.promise)) == 1
    assert [row.action for row in office.world.rows(t.audit)].count("register") == 1


def test_of_several_processes_one_does_it_and_the_others_give_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once.Running, "one", lambda *_: nullcontext())  # another process's requests are not known
    office = Office(world)
    answers = at_once([office, Office(world)], 12, office.token())
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert [answer.headers.get("idempotency-replayed") for answer in answers].count("true") == len(answers) - 1
    assert len(world.rows(t.reservation)) == 1


def at_once(offices: list[Office], many: int, token: str) -> list[Any]:
    """Send the same request so often, all at the same time."""
    programs = [offices[place % len(offices)].program(token=token) for place in range(many)]

    def send(program: Any) -> Any:
        return program.post(f"{V1}/reservations", json=ASKED, headers={"Idempotency-Key": "one-key"})

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(send, programs))


def test_another_request_with_the_key_is_refused_and_another_token_has_its_own(sqlite_office: Office) -> None:
    program, other = sqlite_office.program(), sqlite_office.program()
    keyed = {"Idempotency_Key": "k"}
    first = program.ask("/reservations", ASKED, **keyed)
    again = program.ask("/reservations", ASKED, **keyed)
    assert (again.content, again.status_code, again.headers["idempotency-replayed"]) == (first.content, 201, "true")
    assert again.headers["location"] == first.headers["location"]
    for changed in (ASKED | {"queue": "sales"}, ASKED | {"reference": "CASE-1"}):
        refused = program.ask("/reservations", changed, **keyed)
        assert (refused.status_code, refused.json()["code"]) == (422, "key-used")
    assert other.ask("/reservations", ASKED, **keyed).status_code == 200
    missing = program.post(f"{V1}/reservations", json=ASKED)
    assert (missing.status_code, missing.json()["code"]) == (400, "key-needed")


def test_a_key_is_forgotten_after_a_day(sqlite_office: Office) -> None:
    program = sqlite_office.program(lasts=7 * DAY)
    program.ask("/reservations", ASKED, Idempotency_Key="k")
    sqlite_office.now += DAY - 1
    assert program.ask("/reservations", ASKED | {"queue": "sales"}, Idempotency_Key="k").status_code == 422
    sqlite_office.now += 1
    assert program.ask("/reservations", ASKED | {"queue": "sales"}, Idempotency_Key="k").status_code == 201
    assert len(sqlite_office.world.rows(t.idempotency)) == 1


def test_what_a_silent_token_asked_for_is_deleted_after_a_day(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "PIECE", 2)
    silent, other = office.program(), office.program(lasts=7 * DAY)
    for last in range(5):
        silent.register(f"+81901234567{last}")
        office.now += 1
    office.now += DAY - 2  # the fifth is kept a moment longer
    other.register("+819087654321")

    async def forget() -> None:
        world = office.world
        transactions = Transactions(world.store, world.site, world.held, lambda: office.now, lambda: None)
        await webhooks.ForgetForPrograms(transactions).run()

    asyncio.run(forget())
    assert [row.token_id for row in office.world.rows(t.idempotency)] == [1, 2]


def test_what_was_refused_is_not_kept(sqlite_office: Office) -> None:
    program = sqlite_office.program()
    wrong = program.ask("/reservations", ASKED | {"queue": "nobodys"}, Idempotency_Key="k")
    right = program.ask("/reservations", ASKED, Idempotency_Key="k")
    assert (wrong.status_code, right.status_code) == (422, 201)


def test_neither_number_nor_key_is_kept_beside_the_answer(sqlite_office: Office) -> None:
    program = sqlite_office.program()
    made = program.ask("/reservations", ASKED, Idempotency_Key=f"for-{NUMBER[1:]}")
    assert made.json()["number"] == "+81…78"
    assert program.decide(1, made.json()["revision"], "hold").json()["reservation"]["number"] == "+81…78"
    kept = str(sqlite_office.world.rows(t.idempotency))
    assert NUMBER[3:] not in kept
