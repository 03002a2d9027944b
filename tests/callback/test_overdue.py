"""A promise that was broken: one apology with a new time, a last try by then, and then it is for people."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from callback import decisions, queue_view
from callback.audit import By
from callback.store import tables as t
from sms.outbox import text_outbox
from tests.callback.world import MINUTE, NOON, US, World, at, call, picture, rules

LATE = NOON + 60 * MINUTE + US
FREE = picture(free={"support": {f"PJSIP/agent{n}" for n in range(9)}})


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules(overdue_min=30))
    yield made
    made.close()


def apologies(world: World) -> list[str]:
    return [row.body for row in world.rows(text_outbox) if row.template == "overdue"]


def test_whom_nobody_called_in_time_is_told_so_once_with_a_new_time(world: World) -> None:
    world.hear(call())
    assert world.carry_over(LATE - 2 * US) == []
    (told,) = world.carry_over(LATE)
    assert (told.event, told.facts["by_at"], told.facts["text"]) == ("overdue", LATE + 30 * MINUTE, True)
    assert world.carry_over(LATE + US) == []
    (text,) = apologies(world)
    assert "13:30" in text
    (row,) = world.reservations()
    assert (row.state, row.deadline_at, row.overdue_by_at) == ("waiting", NOON + 60 * MINUTE, LATE + 30 * MINUTE)
    assert len(world.rows(t.promise)) == 1, "what was promised first is what is measured"


def test_he_is_tried_by_the_new_time_but_never_before_live_work(world: World) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", ended_at=NOON + 50 * MINUTE))
    world.carry_over(LATE)
    called = [world.claim(LATE + US, FREE) for _ in range(2)]
    assert [order.agent_sees for order in called if order] == ["+819012345602", "+819012345601"]


def test_he_is_tried_once_more_also_who_would_not_be_due_by_then(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON + 58 * MINUTE, FREE)
    assert order is not None
    world.end(order.attempt, "declined", NOON + 59 * MINUTE)
    world.carry_over(LATE)
    assert world.claim(LATE + 19 * MINUTE, FREE) is None
    assert world.claim(LATE + 20 * MINUTE, FREE) is not None


def test_at_the_new_time_he_is_left_to_people(world: World) -> None:
    world.hear(call())
    world.carry_over(LATE)
    order = world.claim(LATE + US, FREE)
    assert order is not None
    assert world.carry_over(LATE + 30 * MINUTE) == [], "he is being called"
    world.end(order.attempt, "no-answer", LATE + 30 * MINUTE + US)
    (told,) = world.carry_over(LATE + 30 * MINUTE + US)
    assert (told.event, told.facts["why"]) == ("expired", "not-reached-after-the-apology")
    assert world.claim(LATE + 60 * MINUTE, FREE) is None


def test_the_list_for_people_names_him(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", ended_at=NOON + 55 * MINUTE))
    world.carry_over(LATE)
    world.carry_over(LATE + 31 * MINUTE)
    monkeypatch.setattr(time, "time_ns", lambda: (LATE + 31 * MINUTE) * 1000)
    (line,) = queue_view.left_to_people(world.store, world.settings, 9)
    assert (line.number, line.state, line.why_not) == ("+819012345601", "expired", "left-to-people")
    (still,) = queue_view.open_reservations(world.store, world.settings, 9)
    assert still.number == "+819012345602"


def test_reached_in_the_end_he_is_on_no_list(world: World) -> None:
    world.hear(call())
    world.carry_over(LATE)
    order = world.claim(LATE + US, FREE)
    assert order is not None
    world.end(order.attempt, "reached", LATE + MINUTE)
    assert world.carry_over(LATE + 31 * MINUTE) == []
    assert [row.state for row in world.reservations()] == ["reached"]
    assert queue_view.left_to_people(world.store, world.settings, 9) == []
    assert world.texts()["overdue/1"] == "withdrawn"


def test_a_promise_broken_by_the_evening_is_told_in_the_morning_with_the_new_time(world: World) -> None:
    world.hear(call(ended_at=at("20:45")))
    (told,) = world.carry_over(at("21:30"))
    assert told.event == "carried-over"
    (row,) = (row for row in world.rows(text_outbox) if row.template == "overdue")
    assert (row.not_before_at, row.expires_at) == (at("08:00", 24), at("09:00", 24))
    assert "09:00" in row.body


def test_too_shortly_before_the_cut_no_new_time_is_told_today(world: World) -> None:
    world.hear(call(ended_at=at("20:25")))
    assert world.carry_over(at("21:25")) == []
    assert [news.event for news in world.carry_over(at("21:30"))] == ["carried-over"]
    assert len(apologies(world)) == 1


def test_told_a_new_time_and_carried_over_he_gets_no_second_apology(world: World) -> None:
    world.hear(call(ended_at=at("20:10")))
    assert [news.event for news in world.carry_over(at("21:11"))] == ["overdue"]
    assert [news.event for news in world.carry_over(at("21:30"))] == ["carried-over"]
    (row,) = world.reservations()
    assert (row.overdue_by_at, row.deadline_at) == (None, at("09:00", 24))
    assert [news.event for news in world.carry_over(at("09:01", 24))] == ["overdue"]
    assert len(apologies(world)) == 1
    assert [news.event for news in world.carry_over(at("09:31", 24))] == ["expired"]


def test_whom_a_person_holds_is_told_nothing(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        decisions.hold(connection, world.shift, 1, By("anna", "a complaint"), NOON)
    assert world.carry_over(LATE) == []
    assert apologies(world) == []


def test_more_than_a_page_of_them_are_all_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callback.store.lanes.LANE", 3)
    for n in range(7):
        world.hear(call(f"0901234560{n}"))
    told = [len(world.carry_over(LATE + n * US)) for n in range(4)]
    assert told == [3, 3, 1, 0]
