"""A promise that was broken: one apology with a new time, a last try by then, and then it is for people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from callback.decisions import actions
from callback.settings.rules import WEEKDAYS
from callback.site import links
from callback.site.context import site_of
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from callback.web import customer_page
from sms.outbox import text_outbox
from tests.callback import queue_shown
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
    assert (told.name, told.facts["by_at"], told.facts["text"]) == ("overdue", LATE + 30 * MINUTE, True)
    assert world.carry_over(LATE + US) == []
    (text,) = apologies(world)
    assert "13:30" in text
    (row,) = world.reservations()
    assert (row.state, row.deadline_at, row.overdue_by_at) == ("waiting", NOON + 60 * MINUTE, LATE + 30 * MINUTE)
    first, apology = world.rows(t.promise)
    assert (first.number, first.deadline_at) == (row.promise_number, NOON + 60 * MINUTE), "that one stays in force"
    assert (apology.reason, apology.made_at, apology.deadline_at) == ("apology", LATE, row.overdue_by_at)


def test_he_is_tried_by_the_new_time_but_never_before_live_work(world: World) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", ended_at=NOON + 50 * MINUTE))
    world.carry_over(LATE)
    called = [world.claim(LATE + US, FREE) for _ in range(2)]
    assert [order.agent_sees for order in called if order] == ["+819012345602", "+819012345601"]


def test_the_new_time_leaves_time_for_a_last_try_when_he_is_due_again(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON + 58 * MINUTE, FREE)
    assert order is not None
    world.end(order.attempt, "declined", NOON + 59 * MINUTE)
    (told,) = world.carry_over(LATE)
    assert told.facts["by_at"] == NOON + (59 + 30 + 10) * MINUTE
    assert world.claim(NOON + 88 * MINUTE, FREE) is None
    assert world.claim(NOON + 89 * MINUTE, FREE) is not None


def test_at_the_new_time_he_is_left_to_people(world: World) -> None:
    world.hear(call())
    world.carry_over(LATE)
    order = world.claim(LATE + US, FREE)
    assert order is not None
    assert world.carry_over(LATE + 30 * MINUTE) == [], "he is being called"
    world.end(order.attempt, "no-answer", LATE + 30 * MINUTE + US)
    (told,) = world.carry_over(LATE + 30 * MINUTE + US)
    assert (told.name, told.facts["why"]) == ("expired", "not-reached-after-the-apology")
    assert world.claim(LATE + 60 * MINUTE, FREE) is None


def test_the_list_for_people_names_him(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", ended_at=NOON + 55 * MINUTE))
    world.carry_over(LATE)
    world.carry_over(LATE + 31 * MINUTE)
    monkeypatch.setattr(time, "time_ns", lambda: (LATE + 31 * MINUTE) * 1000)
    (line,) = queue_shown.left_to_people(world)
    assert (line.number, line.state, line.why_not) == ("+819012345601", "expired", "left-to-people")
    (still,) = queue_shown.open_reservations(world)
    assert still.number == "+819012345602"


def test_reached_in_the_end_he_is_on_no_list(world: World) -> None:
    world.hear(call())
    world.carry_over(LATE)
    order = world.claim(LATE + US, FREE)
    assert order is not None
    world.end(order.attempt, "reached", LATE + MINUTE)
    assert world.carry_over(LATE + 31 * MINUTE) == []
    assert [row.state for row in world.reservations()] == ["reached"]
    assert queue_shown.left_to_people(world) == []
    assert world.texts()[f"overdue/1/{LATE + 30 * MINUTE}"] == "withdrawn"


def test_a_promise_broken_by_the_evening_is_told_in_the_morning_with_the_new_time(world: World) -> None:
    world.hear(call(ended_at=at("20:45")))
    (told,) = world.carry_over(at("21:30"))
    assert told.name == "carried-over"
    (row,) = (row for row in world.rows(text_outbox) if row.template == "overdue")
    assert (row.not_before_at, row.expires_at) == (at("08:00", 24), at("09:00", 24))
    assert "09:00" in row.body


def test_too_shortly_before_the_cut_no_new_time_is_told_today(world: World) -> None:
    world.hear(call(ended_at=at("20:25")))
    assert world.carry_over(at("21:25")) == []
    assert [news.name for news in world.carry_over(at("21:30"))] == ["carried-over"]
    assert len(apologies(world)) == 1


def test_no_new_time_lies_after_closing(migrated_url: str) -> None:
    world = World(migrated_url, rules(overdue_min=30, opening={"monday": "09:00-18:00", "tuesday": "09:00-18:00"}))
    world.hear(call(ended_at=at("16:45")))
    (told,) = world.carry_over(at("17:46"))
    assert told.facts["by_at"] == at("18:00")
    (told,) = world.carry_over(at("18:00"))
    assert (told.name, told.facts["from_at"]) == ("carried-over", at("09:00", 24))
    world.close()


def test_whom_a_person_put_off_is_not_tried_sooner_because_he_is_late(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.postpone(world.work(connection, NOON), 1, at("15:00"), By("anna", "he is at the doctor's"))
    (told,) = world.carry_over(LATE)
    assert told.facts["by_at"] == at("15:10")
    assert world.claim(at("14:59"), FREE) is None
    assert world.carry_over(at("14:59")) == []
    assert world.claim(at("15:00"), FREE) is not None


def test_who_was_put_off_to_another_day_is_told_no_time_of_this_one(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.postpone(world.work(connection, NOON), 1, at("11:00", 24), By("anna", "he is away"))
    assert world.carry_over(LATE) == []
    assert [news.name for news in world.carry_over(at("21:30"))] == ["carried-over"]
    assert world.claim(at("10:59", 24), FREE) is None
    assert world.claim(at("11:00", 24), FREE) is not None


def test_who_is_put_off_after_the_apology_is_not_given_up_before_that(world: World) -> None:
    world.hear(call())
    world.carry_over(LATE)
    with world.store.write() as connection:
        actions.postpone(world.work(connection, LATE), 1, at("15:00"), By("anna", "he is at the doctor's"))
    assert [news.name for news in world.carry_over(LATE + 31 * MINUTE)] == ["overdue"]
    assert world.claim(at("15:00"), FREE) is not None
    assert ["13:30" in text for text in apologies(world)] == [True, False], "nor is the first time left standing"
    assert "15:10" in apologies(world)[1]


def test_who_was_put_off_by_days_is_still_called_then(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.postpone(world.work(connection, NOON), 1, at("11:00", 25), By("anna", "he is away"))
    for day in (23, 24):
        assert [news.name for news in world.carry_over(at("21:30", day))] == ["carried-over"]
    assert world.claim(at("11:00", 25), FREE) is not None
    assert apologies(world) == []


def test_whose_phone_may_never_ring_any_more_is_left_to_people_and_stops_nobody_else(world: World) -> None:
    """As when the clocks go back where he is: the site is never open any more while he is awake."""
    world.hear(call("09012345601"))
    world.hear(call("09012345602"))
    with world.store.write() as connection:
        abroad = t.person.update().where(t.person.c.number == "+819012345601")
        connection.execute(abroad.values(number="+442071838750"))
    shop = dict.fromkeys(WEEKDAYS, "09:00-17:00")
    world.site = site_of(world.settings.model_copy(update={"rules": rules(opening=shop)}), world.site.version)
    assert world.claim(NOON, picture(free={"sales": {"a"}})) is None
    order = world.claim(NOON, FREE)
    assert order is not None
    assert order.agent_sees == "+819012345602"
    world.end(order.attempt, "no-answer", NOON + MINUTE)
    told = {news.facts["reservation"]: (news.name, news.facts.get("why")) for news in world.carry_over(LATE)}
    assert told == {1: ("expired", "never-in-hours"), 2: ("overdue", None)}


def test_whom_a_person_holds_is_told_nothing(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), 1, By("anna", "a complaint"))
    assert world.carry_over(LATE) == []
    assert apologies(world) == []


def test_more_than_a_page_of_them_are_all_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callback.reservations.deadlines.AT_ONCE", 3)
    for n in range(7):
        world.hear(call(f"0901234560{n}"))
    told = [len(world.carry_over(LATE + n * US)) for n in range(4)]
    assert told == [3, 3, 1, 0]


def test_who_was_put_off_to_another_day_keeps_no_other_from_being_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as a page of them: nothing is to be done about them until the evening."""
    monkeypatch.setattr("callback.reservations.deadlines.AT_ONCE", 1)
    world.hear(call("09012345601"))
    with world.store.write() as connection:
        actions.postpone(world.work(connection, NOON), 1, at("11:00", 24), By("anna", "he is away"))
    world.hear(call("09012345602", ended_at=NOON + MINUTE))
    assert [told.name for told in world.carry_over(LATE + 2 * MINUTE)] == ["overdue"]


def test_who_chooses_a_time_after_the_apology_is_promised_that_and_no_more_the_new_time(world: World) -> None:
    world.hear(call())
    world.carry_over(LATE)
    with world.store.write() as connection:
        by = By("customer", "he answered by text")
        actions.choose_slot(world.work(connection, LATE + MINUTE), 1, at("18:30"), by)
        token = links.token(connection, 1, at("23:00"))
        shown = customer_page.show(world.work(connection, at("18:00")), token)
    assert "18:30" in shown.html
    (row,) = world.reservations()
    assert world.carry_over(row.deadline_at + US)[0].name == "overdue", "a promise of its own, and broken"


def test_whom_somebody_decides_about_holds_up_none_of_the_others(migrated_postgres: tuple[str, Store]) -> None:
    """Who waited for him would hold up the writer too, and might be waited for by it."""
    world = World(migrated_postgres[0], rules(overdue_min=30))
    world.hear(call("09012345601"))
    world.hear(call("09012345602"))
    with ThreadPoolExecutor(1) as tick:
        with world.store.write() as connection:
            connection.execute(t.reservation.select().where(t.reservation.c.id == 1).with_for_update())
            seen = tick.submit(world.carry_over, LATE)
            done, _ = wait([seen], timeout=20)
        assert done
    assert [news.facts["reservation"] for news in seen.result()] == [2]
    assert [news.facts["reservation"] for news in world.carry_over(LATE)] == [1]
    world.close()
