"""Acts as forms: what is done is told with undo, what is not says why and by whom, and what is wrong is asked again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from callback.accounts.roles import ROLES, Role
from callback.attempts import snapshot
from callback.decisions.records import ACTIONS
from callback.store import tables as t
from tests.callback.decisions.deciding import BO, T0, acts, decide, seen, settle, states
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, picture, rules
from tests.console.served import Served, serve
from tests.console.visitor import Visitor

REASON = "it was a test call"
CLOSING = ("cancel", "done-elsewhere", "not-lost")


def heard(world: World, now: int) -> None:
    """The service says what it sees of the PBX."""
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(), now)


@pytest.fixture
def world(sqlite_world: World) -> World:
    for n in range(1, 4):
        sqlite_world.hear(call(f"0901234560{n}", NOON + n * US))
    heard(sqlite_world, T0)
    return sqlite_world


@pytest.fixture
def console(world: World) -> Iterator[Served]:
    with serve(world, now=T0) as served:
        yield served


def items(world: World, *reservations: int) -> str:
    return ",".join(f"{one.reservation}:{one.revision}" for one in seen(world, *reservations))


def batch_in(html: str) -> str:
    found = re.search(r'name="batch" value="(\d+)"', html)
    assert found is not None
    return found[1]


def test_what_was_done_is_told_with_undo_until_then(world: World, console: Served) -> None:
    anna = Visitor(console)
    answer = anna.post("/act/hold", items=items(world))
    assert answer.status == 200
    assert "Held 3 of 3." in answer.html
    until = re.search(r'data-key="u" data-undo-until="(\d+)"', answer.html)
    assert until is not None
    assert T0 + 15 * US <= int(until[1]) < T0 + 16 * US
    assert acts(world) == [("Anna", "held")] * 3
    undone = anna.post("/undo", batch=batch_in(answer.html))
    assert (undone.status, "Undone: 3 of 3." in undone.html) == (200, True)
    assert states(world) == ["waiting"] * 3


def test_without_script_an_act_leads_to_what_came_of_it_and_from_there_to_undo(world: World, console: Served) -> None:
    anna = Visitor(console, script=False, page="/queue?lane=aim")
    sent = anna.post("/act/hold", ("items", items(world, 1)), ("items", items(world, 2)), ("why", "asked"))
    assert (sent.status, sent.html) == (303, "")
    page = anna.get(sent.location)
    assert "<!DOCTYPE html>" in page.html
    assert "Held 2 of 2." in page.html
    undone = anna.post("/undo", batch=batch_in(page.html))
    assert undone.status == 303
    page = anna.get(undone.location)
    assert "Undone: 2 of 2." in page.html
    assert "Anna" in page.html
    assert 'action="/undo"' not in page.html
    assert states(world) == ["waiting"] * 3


def test_the_page_of_an_act_offers_undo_no_longer_than_it_lasts(world: World, console: Served) -> None:
    anna = Visitor(console, script=False)
    sent = anna.post("/act/hold", items=items(world))
    console.now = T0 + 16 * US
    assert 'action="/undo"' not in anna.get(sent.location).html


def test_what_was_changed_meanwhile_is_said_with_who_and_when(world: World, console: Served) -> None:
    page = items(world)
    decide(world, "hold", seen(world, 2), BO, now=T0 - 4 * US)
    answer = Visitor(console).post("/act/postpone", items=page, at="15:00")
    assert answer.status == 409
    assert "Put off until 15:00: 2 of 3." in answer.html
    assert re.search(r"#2: changed meanwhile · <bdi>bo</bdi> held it, 4 s ago", answer.html)
    assert world.reservations()[1].put_off_until_at is None


def test_a_conflict_without_script_is_a_page_that_says_so(world: World, console: Served) -> None:
    page = items(world)
    decide(world, "hold", seen(world, 2), BO, now=T0 - MINUTE)
    answer = Visitor(console, script=False, page="/queue?lane=aim").post("/act/hold", items=page)
    assert answer.status == 409
    assert "<!DOCTYPE html>" in answer.html
    assert "held already" not in answer.html
    assert re.search(r"#2: changed meanwhile · <bdi>bo</bdi> held it, 60 s ago", answer.html)
    assert 'href="/queue?lane=aim"' in answer.html


def test_only_the_first_refusals_are_told_one_by_one(world: World, console: Served) -> None:
    answer = Visitor(console).post("/act/hold", items=",".join(f"{n}:1" for n in range(91, 100)))
    assert answer.status == 409
    assert answer.html.count("there is no such callback") == 5
    assert "and 4 more" in answer.html


@pytest.mark.parametrize(
    ("act", "fields", "fault"),
    [
        ("hold", {}, "Choose a row first."),
        ("hold", {"items": "1"}, "What was sent names no rows"),
        ("hold", {"items": "1:x"}, "What was sent names no rows"),
        ("hold", {"items": "1:1,-2:1"}, "What was sent names no rows"),
        ("hold", {"items": ",".join(f"{n}:1" for n in range(501))}, "At most 500 at once."),
        ("hold", {"items": "1:1", "why": "x" * 401}, "The reason is too long"),
        ("cancel", {"items": "1:1"}, "Say why"),
        ("cancel", {"items": "1:1", "why": " \t"}, "Say why"),
        ("slot", {"items": "1:1"}, "Say when"),
        ("slot", {"items": "1:1", "at": "soon"}, "This is no time"),
        ("slot", {"items": "1:1", "at": "2026-11-22 10:00"}, "That time has passed"),
        ("postpone", {"items": "1:1", "at": "+0m"}, "That time has passed"),
        ("assign", {"items": "1:1", "to": "x" * 101}, "The name is too long"),
        ("block", {"items": "1:1"}, "Say why"),
        ("block", {"items": "1:1,2:1", "why": "asked"}, "Numbers are blocked one by one"),
    ],
)
def test_what_is_wrong_is_said_and_the_fields_are_kept(
    world: World, console: Served, act: str, fields: dict[str, str], fault: str
) -> None:
    for script in (True, False):
        answer = Visitor(console, script=script).post(f"/act/{act}", **fields)
        assert (answer.status, fault in answer.html) == (422, True)
        assert ("data-dialog" in answer.html, "<!DOCTYPE html>" in answer.html) == (script, not script)
        for name, value in fields.items():
            kept = name != "why" or value.strip()
            assert not kept or f'name="{name}" value="{value}"' in answer.html
    assert acts(world) == []


def test_a_time_at_which_nobody_may_be_rung_is_asked_again_with_those_that_are_free(
    world: World, console: Served
) -> None:
    answer = Visitor(console).post("/act/slot", items=items(world, 1), at="22:30", why="he said 22:30")
    assert answer.status == 422
    assert "this phone may not be rung then" in answer.html
    assert 'name="at" value="22:30"' in answer.html
    assert 'name="why" value="he said 22:30"' in answer.html
    offered = re.findall(r'<button name="at" value="([^"]+)">([^<]+)</button>', answer.html)
    assert [words for _, words in offered][:3] == ["12:30", "13:00", "13:30"]
    taken = Visitor(console).post("/act/slot", ("items", items(world, 1)), ("at", "22:30"), ("at", offered[1][0]))
    assert taken.status == 200
    assert world.reservations()[0].slot_at == at("13:00")
    assert "To be called at 13:00: 1 of 1." in taken.html


@pytest.mark.parametrize("said", ["15:00", "1500", "+2h59m", "2026-11-23 15:00"])
def test_a_time_is_read_as_people_write_it(world: World, console: Served, said: str) -> None:
    Visitor(console).post("/act/postpone", items=items(world, 1), at=said)
    assert world.reservations()[0].put_off_until_at == at("15:00")


def test_a_reason_by_a_word_is_kept_in_words_and_one_that_is_written_comes_first(world: World, console: Served) -> None:
    anna = Visitor(console)
    anna.post("/act/hold", items=items(world, 1), why="meeting")
    anna.post("/act/hold", ("items", items(world, 2)), ("why", "asked"), ("why", "her\x00 own\nwords"))
    anna.post("/act/hold", items=items(world, 3))
    assert [row.why for row in world.rows(t.audit)] == [
        "the customer is in a meeting",
        "her  own words",
        "no reason given",
    ]


@pytest.mark.parametrize("act", CLOSING)
def test_what_closes_is_told_as_what_will_be(world: World, console: Served, act: str) -> None:
    answer = Visitor(console).post(f"/act/{act}", items=items(world), why="test")
    assert answer.status == 200
    assert "3 of 3 will be" in answer.html
    assert states(world) == ["held"] * 3
    settle(world)
    assert "held" not in states(world)


@pytest.mark.parametrize("act", CLOSING)
def test_nothing_is_closed_by_what_nobody_has_heard_of_lately(world: World, console: Served, act: str) -> None:
    console.now = T0 + 11 * US
    anna = Visitor(console)
    answer = anna.post(f"/act/{act}", items=items(world), why="test")
    assert (answer.status, "the service has not been heard" in answer.html) == (503, True)
    assert states(world) == ["waiting"] * 3
    assert anna.post("/act/hold", items=items(world, 1)).status == 200
    assert anna.post("/act/block", items=items(world, 2), why="asked").status == 200
    heard(world, T0 + 11 * US)
    assert anna.post(f"/act/{act}", items=items(world, 3), why="test").status == 200


def test_undo_says_why_it_is_none(world: World, console: Served) -> None:
    anna, bo = Visitor(console), Visitor(console, "manager")
    batch = batch_in(anna.post("/act/cancel", items=items(world, 1), why="test").html)
    assert (bo.post("/undo", batch=batch).status, bo.post("/undo", batch=batch).status) == (200, 409)
    assert acts(world, 1)[-1] == ("Bo", "undone")
    assert "undone already" in bo.post("/undo", batch=batch).html
    batch = batch_in(anna.post("/act/cancel", items=items(world, 1), why="test").html)
    console.now = T0 + 16 * US
    late = anna.post("/undo", batch=batch)
    assert (late.status, "can be undone no more" in late.html) == (409, True)
    for nonsense in ("", "x", "99", "9" * 40, "-1", "\u0663"):
        none = anna.post("/undo", batch=nonsense)
        assert (none.status, "There is nothing to be undone." in none.html) == (404, True)


def test_a_block_is_told_and_undone(world: World, console: Served) -> None:
    anna = Visitor(console)
    answer = anna.post("/act/block", items=items(world, 1), why="asked", what="texts")
    assert "The number is blocked" in answer.html
    assert [(row.calls, row.texts) for row in world.rows(t.block)] == [(False, True)]
    assert anna.post("/undo", batch=batch_in(answer.html)).status == 200
    assert [(row.calls, row.texts) for row in world.rows(t.block)] == [(False, False)]


def test_a_call_that_a_block_ends_is_said_to_stay_so(world: World, console: Served) -> None:
    assert world.claims(T0, picture(), 1) != []
    answer = Visitor(console).post("/act/block", items=items(world, 1), why="asked")
    assert "is called off, and stays so" in answer.html


def test_an_act_asks_for_what_it_needs(world: World, console: Served) -> None:
    anna = Visitor(console)
    asked = anna.get("/act/not-lost/2")
    assert (asked.status, asked.html.count("data-digit=")) == (200, 3)
    assert 'name="items" value="2:1"' in asked.html
    assert "12:30" in anna.get("/act/slot/2").html
    assert [anna.get(path).status for path in ("/act/slot/99", "/act/dance/2", "/acts/99", "/acts/x")] == [404] * 4


def test_no_answer_holds_a_number(world: World, console: Served) -> None:
    anna = Visitor(console)
    answers = [
        anna.post("/act/hold", items=items(world), why="call 09012345601 back"),
        anna.post("/act/hold", items="1:1,2:1,3:1"),
        anna.post("/act/slot", items=items(world, 1), at="22:30", why="09012345601"),
        anna.get("/act/slot/1"),
    ]
    for answer in answers:
        kept = answer.html.replace('name="why" value="09012345601"', "")  # what the person typed just now
        assert "9012345601" not in kept.replace(" ", "")


@pytest.mark.parametrize("role", [*ROLES, None])
def test_who_may_decide(world: World, console: Served, role: Role | None) -> None:
    visitor = Visitor(console, role)
    may = role in {"supervisor", "manager"}
    sent = [visitor.post(f"/act/{act}", items="99:1", why="test", at="15:00", to="bert") for act in ACTIONS]
    sent += [visitor.post("/undo", batch="99"), visitor.get("/act/slot/99"), visitor.get("/acts/99")]
    statuses = {answer.status for answer in sent}
    assert statuses == ({404, 409} if may else {403} if role else {401})
    assert {action for _, action in acts(world)} <= {"denied"}


def test_another_groups_callback_is_one_that_there_is_not(migrated_url: str) -> None:
    world = World(migrated_url, rules(queues={"support": ON, "sales": ON.model_copy(update={"group": "sales"})}))
    world.hear(call("09012345601"))
    heard(world, T0)
    with serve(world, now=T0) as served:
        served.groups["supervisor"] = frozenset({"sales"})
        anna, bo = Visitor(served), Visitor(served, "manager")
        asks: list[Callable[[str], Any]] = [
            lambda one: anna.post("/act/hold", items=f"{one}:1"),
            lambda one: anna.post("/act/block", items=f"{one}:1", why="test"),
            lambda one: anna.get(f"/act/slot/{one}"),
        ]
        for ask in asks:
            theirs, nobodys = ask("1"), ask("2")
            assert theirs.status == nobodys.status
            assert theirs.html.replace("#1", "#2").replace("1:1", "2:1") == nobodys.html
        batch = batch_in(bo.post("/act/hold", items="1:1").html)
        assert (anna.post("/undo", batch=batch).status, anna.get(f"/acts/{batch}").status) == (404, 404)
        assert states(world) == ["held"]
    world.close()


def test_what_is_told_is_told_in_the_persons_language(world: World, console: Served) -> None:
    wei = Visitor(console, language="zh-CN")
    assert "已暂缓 1 / 1。" in wei.post("/act/hold", items=items(world, 1)).html
    assert "暂停" not in wei.get("/act/hold/1").html
    assert datetime.fromtimestamp(T0 / US, UTC).hour == 3  # noon where the site is
