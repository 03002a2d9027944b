"""The page of switches: pause with a reason, see what piles up, end and undo; by group, and told above every page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from callback.settings.rules import QueueRules
from callback.store import tables as t
from callback.web.console import words
from tests.callback.web.console.clients import Desk, desk_of
from tests.callback.world import MINUTE, ON, World, rules

SALES = QueueRules(texts="on", calls="on", caller_id="0312345678", group="sales")
ASKED = {"what": "call", "queue": "support", "minutes": "30", "why": "works"}


@pytest.fixture
def desk(sqlite_world: World) -> Iterator[Desk]:
    world = World(sqlite_world.store.url, rules(queues={"support": ON, "sales": SALES}))
    with desk_of(world) as made:
        yield made


def test_a_pause_is_shown_above_every_page_until_it_ends_by_itself(desk: Desk) -> None:
    bo = desk.member("bo", "manager")
    assert "Nothing is paused" in bo.get("/switches").text
    done = bo.act("/switches/pause", **ASKED)
    assert (done.status_code, done.headers["location"]) == (303, "/switches?done=1")
    page = bo.get("/switches?done=1").text
    for said in ("Paused.", "undo", "the PBX or a line is worked on", "bo", "support", "12:30"):
        assert said in page, said
    assert "Paused until 12:30: calling back, support" in bo.get("/queue").text
    bo.cookies.set("language", "zh_Hans")
    page = bo.get("/switches").text
    assert "the PBX or a line is worked on" not in page
    assert words.say("zh_Hans", "preset", "works") in page
    bo.cookies.set("language", "en")
    desk.now += 30 * MINUTE
    assert "Paused until" not in bo.get("/queue").text
    assert "Nothing is paused" in bo.get("/switches").text


def test_it_can_be_ended_and_that_be_undone(desk: Desk) -> None:
    bo = desk.member("bo", "manager")
    bo.act("/switches/pause", **ASKED)
    assert bo.act("/switches/1/end").headers["location"] == "/switches?ended=1"
    assert "It goes on again." in bo.get("/switches?ended=1").text
    assert bo.act("/switches/1/end").status_code == 404
    assert bo.act("/switches/1/resume").status_code == 303
    assert "Paused until" in bo.get("/now").text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"why": ""}, "Say why."),
        ({"why": "x" * 401}, "The reason is too long."),
        ({"minutes": "0"}, "Say for how many minutes"),
        ({"minutes": "soon"}, "Say for how many minutes"),
        ({"minutes": "9" * 5000}, "Say for how many minutes"),
        ({"what": "think"}, "Say what is to be paused."),
        ({"queue": "<b>nowhere</b>"}, "The rules name no such queue."),
    ],
)
def test_bad_input_is_said_and_pauses_nothing(desk: Desk, wrong: dict[str, str], said: str) -> None:
    bo = desk.member("bo", "manager")
    answer = bo.act("/switches/pause", **{**ASKED, **wrong})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert desk.world.rows(t.pause) == []


def test_a_supervisor_pauses_the_queues_of_the_own_groups_and_sees_no_others(desk: Desk) -> None:
    manager, anna = desk.member("bo", "manager"), desk.member("anna", "supervisor", groups=frozenset({"site"}))
    manager.act("/switches/pause", **{**ASKED, "queue": "sales"})
    assert "sales" not in anna.get("/switches").text
    assert anna.act("/switches/1/end").status_code == 404
    assert anna.act("/switches/pause", **{**ASKED, "queue": "sales"}).status_code == 404
    assert anna.act("/switches/pause", **{**ASKED, "queue": ""}).status_code == 404
    assert anna.act("/switches/pause", **ASKED).status_code == 303
    assert anna.act("/switches/2/end").status_code == 303


def test_an_auditor_reads_and_cannot_pause(desk: Desk) -> None:
    desk.member("bo", "manager").act("/switches/pause", **ASKED)
    page = desk.member("carl", "auditor").get("/switches").text
    assert "support" in page
    assert "/switches/pause" not in page
    assert "/switches/1/end" not in page
