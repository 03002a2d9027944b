"""Complaints and flags of programs: registered once, told about by revision, masked, and of one's own groups alone."""

from __future__ import annotations

from typing import Any

import pytest

from callback.customers import blocks
from callback.settings.care import QueueCare
from callback.settings.rules import QueueRules, SiteRules
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.decisions.care.centre import CARE
from tests.callback.web.api.programs import NUMBER, V1, Office, Program
from tests.callback.world import NOON, ON, US, World, rules

WORDS = "I was charged twice."


def switched_on() -> SiteRules:
    on = ON.model_copy(update={"care": QueueCare(cases=True, flags=True)})
    other = QueueRules(**{**on.model_dump(), "group": "sellers"})
    return rules(queues={"support": on, "sellers": other, "sales": ON}, care=CARE)


@pytest.fixture
def care(migrated_url: str) -> Office:
    return Office(World(migrated_url, switched_on()))


@pytest.fixture
def one_care(sqlite_world: World) -> Office:
    """On SQLite alone."""
    return Office(World(sqlite_world.store.url, switched_on()))


def complain(program: Program, key: str = "", **more: Any) -> Any:
    keyed = {"Idempotency_Key": key} if key else {}
    said = {"number": NUMBER, "queue": "support", "words": WORDS, "topic": "billing", **more}
    return program.ask("/cases", said, **keyed)


def act(program: Program, case: dict[str, Any], wish: str, **more: Any) -> Any:
    return program.ask(f"/cases/{case['id']}/acts", {"act": wish, **more}, If_Match=f'"{case["revision"]}"')


def test_a_complaint_is_registered_once_and_told_about_by_its_revision(care: Office) -> None:
    crm = care.program("cases:write", "cases:read")
    made = complain(crm, "k", department="billing", reference="CRM-1", opened_at="2026-11-23T10:00:00+09:00")
    assert (made.status_code, made.headers["location"]) == (201, f"{V1}/cases/1")
    case = made.json()
    assert (case["state"], case["owner"], case["number"]) == ("assigned", "carl", "+81…78")
    assert (case["opened_at"], case["due_at"]) == ("2026-11-23T10:00:00.000+09:00", "2026-11-25T10:00:00.000+09:00")
    again = complain(crm, "k", department="billing", reference="CRM-1", opened_at="2026-11-23T10:00:00+09:00")
    assert (again.json(), again.headers["idempotency-replayed"]) == (case, "true")
    assert complain(crm, reference="CRM-1").status_code == 200
    assert [row.event for row in care.world.rows(t.care_step)] == ["registered", "assigned"]
    answered = act(crm, case, "answer", words="The money is on its way.")
    assert (answered.status_code, answered.json()["state"]) == (200, "answered")
    stale = act(crm, case, "confirm", how="call")
    assert (stale.status_code, stale.json()["code"]) == (412, "changed")
    confirmed = act(crm, crm.read("/cases/1").json(), "confirm", how="call", words="Thank you.")
    assert confirmed.json()["state"] == "confirmed"
    whole = crm.read("/cases/1").json()
    assert [step["event"] for step in whole["steps"]][:3] == ["registered", "assigned", "answered"]
    assert [row.who for row in care.world.rows(t.audit) if row.action == "case-confirmed"] == ["CRM (token 1)"]


def test_the_list_goes_on_where_the_page_before_ended(care: Office) -> None:
    crm = care.program()
    for n in range(5):
        care.now = NOON + n * US
        complain(crm, number=f"+8190123456{n}0", reference=f"CRM-{n}")
    first = crm.read("/cases", limit=3).json()
    second = crm.read("/cases", limit=3, after=first["after"]).json()
    assert [one["id"] for one in first["items"] + second["items"]] == [1, 2, 3, 4, 5]
    assert second["after"] is None
    assert crm.read("/cases", limit=3, queue="support", after=first["after"]).json()["code"] == "cursor-stale"
    assert [one["id"] for one in crm.read("/cases", reference="CRM-3").json()["items"]] == [4]
    assert crm.read("/cases", state="ended").json()["items"] == []
    assert crm.read("/cases", topic="speed").json()["items"] == []


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"queue": "sales"}, 409, "cases-off"),
        ({"topic": "nope"}, 422, "unknown-topic"),
        ({"department": "nope"}, 422, "unknown-department"),
        ({"number": "123"}, 422, "bad-request"),
        ({"product": "tin"}, 422, "bad-request"),
        ({"severity": 4}, 422, "bad-request"),
        ({"words": ""}, 422, "bad-request"),
        ({"opened_at": "2027-11-23T10:00:00+09:00"}, 422, "bad-request"),
        ({"colour": "red"}, 422, "bad-request"),
    ],
)
def test_what_is_wrong_is_a_problem_and_nothing_is_kept(
    one_care: Office, wrong: dict[str, Any], status: int, code: str
) -> None:
    said = complain(one_care.program(), **wrong)
    assert (said.status_code, said.json()["code"]) == (status, code)
    assert said.headers["content-type"] == "application/problem+json"
    assert one_care.world.rows(t.care_case) == one_care.world.rows(t.person) == []


def test_a_blocked_number_gets_no_case_and_no_flag(one_care: Office) -> None:
    with one_care.world.store.write() as connection:
        blocks.block(connection, "main", NUMBER, By("anna", "asked"), NOON, calls=True, texts=True)
    assert complain(one_care.program()).json()["code"] == "number-blocked"
    assert flag(one_care.program()).json()["code"] == "number-refused"


def test_an_act_says_what_it_needs_and_an_ended_case_takes_none(one_care: Office) -> None:
    crm = one_care.program()
    case = complain(crm).json()
    assert act(crm, case, "answer").json()["detail"] == "answer needs `words`"
    assert "needs `how`" in act(crm, case, "confirm").json()["detail"]
    assert act(crm, case, "confirm", how="call").json()["code"] == "not-possible"
    ended = act(crm, case, "withdraw", how="text")
    assert (ended.json()["state"], ended.json()["open"]) == ("withdrawn", False)
    assert act(crm, ended.json(), "answer", words="x").status_code == 409
    assert act(crm, ended.json(), "note", words="x").status_code == 200
    assert crm.ask("/cases/1/acts", {"act": "note", "words": "x"}).status_code == 428


def test_another_groups_cases_and_flags_are_as_if_they_were_not(one_care: Office) -> None:
    theirs = one_care.program(groups=frozenset({"sellers"}))
    case, made = complain(one_care.program()).json(), flag(one_care.program()).json()
    assert theirs.read("/cases").json()["items"] == theirs.read("/flags").json()["items"] == []
    assert [theirs.read(f"/cases/{number}").status_code for number in (1, 9)] == [404, 404]
    assert act(theirs, case, "note", words="x").status_code == 404
    assert complain(theirs).json()["code"] == "unknown-queue"
    assert theirs.delete(f"{V1}/flags/{made['id']}").status_code == 404


def test_numbers_are_masked_for_who_may_not_see_them(one_care: Office) -> None:
    complain(one_care.program(), words="call me at 09012345678")
    blind = one_care.program("cases:read").read("/cases/1").text
    assert "12345678" not in blind
    seeing = one_care.program("cases:read", "numbers:read").read("/cases/1").json()
    assert (seeing["number"], seeing["words"]) == (NUMBER, "call me at 09012345678")


def flag(program: Program, key: str = "", **more: Any) -> Any:
    keyed = {"Idempotency_Key": key} if key else {}
    said = {"number": NUMBER, "queue": "support", "day": "2026-12-24", "why": "asks how it goes", **more}
    return program.ask("/flags", said, **keyed)


def test_a_flag_is_set_once_listed_and_cancelled(care: Office) -> None:
    crm = care.program("cases:write", "cases:read")
    made = flag(crm, "k")
    assert (made.status_code, made.json()["state"], made.json()["day"]) == (201, "waiting", "2026-12-24")
    assert flag(crm, "k").json() == made.json()
    assert flag(crm).json()["code"] == "already-flagged"
    flag(crm, day="2026-12-25")
    first = crm.read("/flags", limit=1).json()
    second = crm.read("/flags", limit=1, after=first["after"]).json()
    assert [one["day"] for one in first["items"] + second["items"]] == ["2026-12-24", "2026-12-25"]
    cancelled = crm.delete(f"{V1}/flags/1")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert crm.delete(f"{V1}/flags/1").status_code == 409
    assert crm.delete(f"{V1}/flags/9").status_code == 404
    assert [one["id"] for one in crm.read("/flags", state="over").json()["items"]] == [1]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"queue": "sales"}, "flags-off"),
        ({"queue": "nope"}, "unknown-queue"),
        ({"day": "2026-11-22"}, "bad-day"),
        ({"day": "2026-02-30"}, "bad-request"),
        ({"number": "123"}, "number-refused"),
    ],
)
def test_a_flag_that_cannot_be_is_a_problem(one_care: Office, wrong: dict[str, Any], code: str) -> None:
    assert flag(one_care.program(), **wrong).json()["code"] == code
    assert one_care.world.rows(t.contact_flag) == one_care.world.rows(t.person) == []
