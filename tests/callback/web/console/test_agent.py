"""The agent's page without a browser: whose callbacks it tells of, what it refuses, and who may open streams."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callback.accounts.sessions import IDLE, LONGEST
from callback.attempts import settle, snapshot
from callback.attempts.agent_states import Agent
from callback.store import tables as t
from tests.callback.web.console.clients import Browser, Desk
from tests.callback.world import MINUTE, NOON, US, World, call, picture

PHONE = "PJSIP/agent1"
NAME = "Agent One"


def mei(desk: Desk, name: str = "mei", phone: str = PHONE) -> Browser:
    """An agent who is signed in, with that phone."""
    browser = desk.member(name, "agent")
    with desk.world.store.write() as connection:
        connection.execute(t.user_account.update().where(t.user_account.c.name == name).values(phone=phone))
    return browser


def reached(world: World, by: str = NAME) -> None:
    """A callback that reached its customer, by the agent of this name."""
    world.hear(call(ended_at=NOON - 5 * MINUTE))
    order = world.claim(NOON - 4 * MINUTE)
    assert order is not None
    with world.store.write() as connection:
        work = world.work(connection, NOON - 3 * MINUTE)
        for step in ("agent_connected_at", "customer_dialled_at", "customer_answered_at"):
            settle.progress(work, order.attempt, step, NOON - 3 * MINUTE, by)
    world.end(order.attempt, "reached", NOON - MINUTE)


def show(world: World, *agents: Agent, **live: Any) -> None:

    with world.store.write() as connection:
        snapshot.store(connection, "main", replace(picture(**live), agents=agents, heard_at=NOON), NOON)


AT_WORK = Agent(PHONE, NAME, ("support",), "free", NOON)


def said(desk: Desk) -> list[str]:
    return [row.outcome for row in desk.world.rows(t.wrap_up)]


def test_the_page_asks_by_the_name_that_the_pbx_has_for_the_phone(sqlite_desk: Desk) -> None:
    browser = mei(sqlite_desk)
    reached(sqlite_desk.world)
    assert "How did it go?" not in browser.get("/me").text
    show(sqlite_desk.world, AT_WORK)
    page = browser.get("/me").text
    assert "How did it go?" in page
    assert "90 •••• 5678" in page
    assert "5678" not in page.replace("•••• 5678", "")


def test_a_name_that_two_phones_have_is_no_name(sqlite_desk: Desk) -> None:
    browser = mei(sqlite_desk)
    reached(sqlite_desk.world)
    show(sqlite_desk.world, AT_WORK, Agent("PJSIP/agent9", NAME, ("support",), "free", NOON))
    assert "How did it go?" not in browser.get("/me").text


def test_a_plain_form_keeps_the_word(sqlite_desk: Desk) -> None:
    browser = mei(sqlite_desk)
    reached(sqlite_desk.world, PHONE)
    answer = browser.act("/me/said", word="1:1:voicemail", note="beep", about="1:1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert said(sqlite_desk) == ["voicemail"]
    assert "told lately: voicemail" in browser.get("/me").text


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("1:2:solved", 404),
        ("9:1:solved", 404),
        ("1:1:nothing", 422),
        ("1:1", 422),
        ("", 422),
        ("1:1:cut-off", 422),
        ("1:1:cut-off:weather", 422),
        ("1:1:call-again", 422),
        ("1:1:call-again:12", 409),
        ("1:1:solved\n", 422),
    ],
)
def test_what_makes_no_sense_changes_nothing(sqlite_desk: Desk, word: str, status: int) -> None:
    browser = mei(sqlite_desk)
    reached(sqlite_desk.world, PHONE)
    assert browser.act("/me/said", word=word).status_code == status
    assert said(sqlite_desk) == []


def test_another_agents_callback_is_not_found(sqlite_desk: Desk) -> None:
    reached(sqlite_desk.world, PHONE)
    bo = mei(sqlite_desk, "bo", "PJSIP/agent2")
    unknown, theirs = (bo.act("/me/said", word=word) for word in ("99:1:solved", "1:1:solved"))
    assert (unknown.status_code, theirs.status_code) == (404, 404)
    assert said(sqlite_desk) == []


def test_after_ten_minutes_the_word_stands(sqlite_desk: Desk) -> None:
    browser = mei(sqlite_desk)
    reached(sqlite_desk.world, PHONE)
    browser.act("/me/said", word="1:1:solved")
    sqlite_desk.now += 10 * MINUTE + US
    answer = browser.act("/me/said", word="1:1:voicemail")
    assert answer.status_code == 409
    assert "tell a supervisor" in answer.text
    assert said(sqlite_desk) == ["solved"]


def test_a_note_needs_somebody_on_the_line(sqlite_desk: Desk) -> None:
    browser = mei(sqlite_desk)
    world = sqlite_desk.world
    assert browser.act("/me/note", note="calm").status_code == 404
    world.hear(call(ended_at=NOON - MINUTE))
    order = world.claim(NOON - US)
    assert order is not None
    with world.store.write() as connection:
        settle.progress(world.work(connection, NOON), order.attempt, "agent_connected_at", NOON, PHONE)
    assert "On the line" in browser.get("/me").text
    assert browser.act("/me/note", note="calm").status_code == 303
    assert [(row.action, row.why) for row in world.rows(t.audit)][-1] == ("note", "calm")
    assert browser.act("/me/note", note=" ").status_code == 422


@pytest.mark.parametrize(
    ("live", "says"),
    [
        ({}, "No callback waits in your queues."),
        ({"closed": "pbx-not-connected"}, "the PBX is not connected"),
    ],
)
def test_nothing_is_said_with_its_reason(sqlite_desk: Desk, live: dict[str, Any], says: str) -> None:
    browser = mei(sqlite_desk)
    show(sqlite_desk.world, AT_WORK, **live)
    assert says in browser.get("/me").text


def test_who_waits_is_next_or_waits_for_callers(sqlite_desk: Desk) -> None:
    browser = mei(sqlite_desk)
    sqlite_desk.world.hear(call(ended_at=NOON - MINUTE))
    show(sqlite_desk.world, AT_WORK)
    assert "Next for you" in browser.get("/me").text
    show(sqlite_desk.world, AT_WORK, free={"support": {PHONE, "PJSIP/agent2"}})
    assert "Next in your queues" in browser.get("/me").text
    show(sqlite_desk.world, AT_WORK, waiting={"support": 2})
    assert "1 callback waits, but callers go first: 2 wait, 1 agent is free" in browser.get("/me").text


def test_streams_are_open_to_those_alone_who_may_see_the_view(sqlite_desk: Desk) -> None:
    agent, anna = mei(sqlite_desk), sqlite_desk.member("anna", "supervisor")
    for browser, view in ((agent, "queue"), (agent, "now"), (agent, "reservation/1"), (anna, "agent")):
        assert browser.get(f"/stream?view=/stream/{view}").status_code == 422, view


def test_an_agents_session_is_not_locked_and_ends_after_twelve_hours(sqlite_desk: Desk) -> None:
    agent, both = mei(sqlite_desk), sqlite_desk.member("anna", "agent", "supervisor")
    sqlite_desk.now += IDLE
    assert (agent.get("/me").status_code, both.get("/me").status_code) == (200, 401)
    sqlite_desk.now += LONGEST - IDLE
    assert agent.get("/me").status_code == 303
