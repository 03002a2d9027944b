"""What a customer was told is what is enforced, by texts and on the page, whatever people decide in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from callback.decisions import actions
from callback.events import Happened
from callback.losses import incidents
from callback.settings.rules import WEEKDAYS
from callback.site import links
from callback.store import tables as t
from callback.store.audit import CUSTOMER, By
from callback.web import customer_page
from sms.outbox import text_outbox
from tests.callback.world import ABROAD, MINUTE, NOON, US, World, at, call, picture, rules, told_by

LATE = NOON + 60 * MINUTE + US
FREE = picture(free={"support": {f"PJSIP/agent{n}" for n in range(9)}})
NOBODY = picture(free={"support": set()})
ANNA = By("anna", "the customer waits")
HERSELF = By(CUSTOMER, "chosen on the page")


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    """The new time after a broken promise is half an hour later."""
    made = World(migrated_url, rules(overdue_min=30))
    yield made
    made.close()


def decide(world: World, name: str, now: int, reservation: int = 1, by: By = ANNA) -> list[Happened]:
    with world.store.write() as connection:
        return told_by(actions.BY_NAME[name], world.work(connection, now), reservation, by)


def postpone(world: World, until_at: int, now: int) -> None:
    with world.store.write() as connection:
        actions.postpone(world.work(connection, now), 1, until_at, ANNA)


def slot(world: World, chosen_at: int, now: int) -> None:
    with world.store.write() as connection:
        actions.choose_slot(world.work(connection, now), 1, chosen_at, HERSELF)


def shown(world: World, now: int) -> str:
    with world.store.write() as connection:
        token = links.token(connection, 1, now + 600 * MINUTE)
        return customer_page.show(world.work(connection, now), token).html


def said(world: World, template: str) -> list[str]:
    """The bodies of the texts of this template, in the order in which they were written."""
    rows = [row for row in world.rows(text_outbox) if row.template == template]
    return [row.body for row in sorted(rows, key=lambda row: row.created_at)]


def only(world: World) -> Any:
    (row,) = world.reservations()
    return row


# Who is let be called again after a broken promise


LET_GO = [("resume", True), ("call-now", True), ("call-now", False)]
AFTER_MIN = [-9, -1, 0, 5, 300]
# Who waits and is let be called after that time is closed already, as was told
CASES = [(*how, minutes) for how in LET_GO for minutes in AFTER_MIN if how[1] or minutes < 0]


@pytest.mark.parametrize(("name", "held", "after_min"), CASES)
def test_who_is_let_be_called_again_is_not_closed_by_the_next_tick(
    world: World, name: str, held: bool, after_min: int
) -> None:
    """Some minutes before or after the time that was told when the first promise was broken."""
    world.hear(call())
    (told,) = world.carry_over(LATE)
    when = told.facts["by_at"] + after_min * MINUTE
    if held:
        decide(world, "hold", LATE + MINUTE)
    decide(world, name, when)
    (again,) = world.carry_over(when + US)
    assert (again.name, only(world).state) == ("overdue", "waiting")
    assert len(said(world, "overdue")) == 2, "the time that was told holds no more: another one is told"
    assert world.carry_over(again.facts["by_at"] - US) == []
    assert world.claim(when + 2 * US, FREE) is not None


def test_with_time_enough_the_time_that_was_told_stands(world: World) -> None:
    world.hear(call())
    (told,) = world.carry_over(LATE)
    decide(world, "hold", LATE + MINUTE)
    decide(world, "call-now", LATE + 5 * MINUTE)
    assert only(world).overdue_by_at == told.facts["by_at"]
    assert len(said(world, "overdue")) == 1


@pytest.mark.parametrize("name", ["resume", "call-now"])
def test_who_is_let_go_at_night_after_a_second_evening_is_called_in_the_morning(world: World, name: str) -> None:
    world.hear(call(ended_at=at("20:45")))
    assert [news.name for news in world.carry_over(at("21:30"))] == ["carried-over"]
    decide(world, "hold", at("08:10", 24))
    decide(world, name, at("22:00", 24))
    assert world.carry_over(at("22:01", 24)) == []
    assert only(world).state == "waiting"
    assert "09:00" in said(world, "overdue")[-1]
    assert world.claim(at("08:01", 25), FREE) is not None


def test_whom_an_incident_lets_go_after_the_told_time_is_not_closed(migrated_url: str) -> None:
    world = World(migrated_url, rules(overdue_min=30, incident_losses=2, incident_min=5, incident_drain_per_min=600))
    world.hear(call("09012345601"))
    world.carry_over(LATE)
    for n in range(3):
        world.hear(call(f"0901234570{n}", ended_at=LATE + n * US))
    with world.store.write() as connection:
        assert incidents.hold(world.work(connection, LATE + MINUTE), 1, 1)
    with world.store.write() as connection:
        told = told_by(incidents.tend, world.work(connection, LATE + 40 * MINUTE))
    assert [news.facts["state"] for news in told] == ["draining"]
    with world.store.write() as connection:
        incidents.tend(world.work(connection, LATE + 45 * MINUTE))
    events = {news.facts["reservation"]: news.name for news in world.carry_over(LATE + 45 * MINUTE)}
    assert events[1] == "overdue"
    world.close()


@pytest.mark.parametrize("name", ["resume", "call-now"])
def test_who_is_let_go_just_before_a_second_evening_cut_is_not_closed_at_it(world: World, name: str) -> None:
    world.hear(call(ended_at=at("20:45")))
    assert [news.name for news in world.carry_over(at("21:30"))] == ["carried-over"]
    decide(world, "hold", at("08:10", 24))
    decide(world, name, at("21:25", 24))
    assert world.carry_over(at("21:25", 24)) == [], "too late to tell a new time of this evening"
    assert [news.name for news in world.carry_over(at("21:30", 24))] == ["carried-over"]
    assert world.claim(at("08:01", 25), FREE) is not None


# Lost so shortly before the cut that nobody could keep a promise of today


@pytest.mark.parametrize(
    ("number", "lost", "kind"),
    [
        ("09012345678", at("21:29") + 48 * US, "abandoned"),
        ("09012345678", at("21:26"), "silent"),
        ("+12125550123", at("11:28", 24), "abandoned"),  # 21:28 in New York, where it is still the 23rd
    ],
)
def test_who_is_lost_just_before_the_cut_is_told_the_next_opening_at_once(
    migrated_url: str, number: str, lost: int, kind: Any
) -> None:
    world = World(migrated_url, rules(), trunks={"main": ABROAD})
    world.hear(call(number, lost), kind)
    row = only(world)
    assert row.clock_starts_at > lost
    assert row.deadline_at - row.clock_starts_at == 60 * MINUTE
    (text,) = world.rows(text_outbox)
    assert (text.template, text.not_before_at) == ("lost-carried", lost + 20 * US)
    world.close()


def test_nor_shortly_before_closing_unless_the_site_wants_it(migrated_url: str) -> None:
    opening = dict.fromkeys(WEEKDAYS, "09:00-18:00")
    for minutes, kind in ((5, "lost-carried"), (0, "lost")):
        world = World(migrated_url, rules(opening=opening, before_cut_min=minutes))
        world.hear(call(f"0901234560{minutes}", at("17:57")))
        assert world.rows(text_outbox)[-1].template == kind
        world.close()


# Who is lost again


@pytest.mark.parametrize("again_min", [61, 75, 85, 90, 91], ids=lambda minutes: f"after {minutes} min")
def test_who_is_lost_again_after_a_broken_promise_is_promised_anew_and_told_so(world: World, again_min: int) -> None:
    world.hear(call())
    (told,) = world.carry_over(LATE)
    told_by, again_at = told.facts["by_at"], NOON + again_min * MINUTE
    (_, merged) = world.hear(call(ended_at=again_at))
    row = only(world)
    assert (merged.name, merged.facts["text"], row.overdue_by_at, row.losses) == ("merged", True, None, 2)
    kept = told_by - again_at >= 5 * MINUTE
    assert row.deadline_at == (told_by if kept else again_at + 60 * MINUTE)
    assert [one.deadline_at for one in world.rows(t.promise)] == [NOON + 60 * MINUTE, told_by, row.deadline_at]
    assert world.carry_over(row.deadline_at - US) == [], "nobody gives up before the time that was told"
    assert [news.name for news in world.carry_over(row.deadline_at)] == ["overdue"]


def test_a_promise_that_breaks_between_two_close_losses_is_told_anew(world: World) -> None:
    """Of two losses within ten minutes the second sends no text, unless the time in the first text has passed."""
    world.hear(call())
    world.hear(call(ended_at=NOON + 58 * MINUTE))
    world.hear(call(ended_at=NOON + 61 * MINUTE))
    assert only(world).deadline_at == NOON + 121 * MINUTE
    assert "14:01" in said(world, "lost")[-1]


def test_a_chosen_time_stands_also_when_the_customer_is_lost_again_before_it(world: World) -> None:
    world.hear(call())
    slot(world, at("15:00"), NOON + MINUTE)
    world.hear(call(ended_at=NOON + 70 * MINUTE))
    row = only(world)
    assert (row.slot_at, row.not_before_at, row.deadline_at) == (at("15:00"), at("15:00"), at("15:30"))


def test_the_next_call_of_the_customer_ends_what_a_person_put_off(world: World) -> None:
    """A person put it off; then the customer is at the phone again: that is newer, and never a longer wait."""
    world.hear(call())
    postpone(world, at("15:00"), NOON + MINUTE)
    assert world.claim(NOON + 20 * MINUTE, FREE) is None
    world.hear(call(ended_at=NOON + 20 * MINUTE))
    assert only(world).put_off_until_at is None
    assert world.claim(NOON + 20 * MINUTE, FREE) is not None


def test_so_it_does_where_the_customer_chose_a_time(world: World) -> None:
    world.hear(call())
    slot(world, at("15:00"), NOON + MINUTE)
    postpone(world, at("17:00"), NOON + 2 * MINUTE)
    world.hear(call(ended_at=NOON + 70 * MINUTE))
    assert only(world).not_before_at == at("15:00")


@pytest.mark.parametrize(("told", "broken"), [("13:00", False), ("13:30", True)])
def test_no_text_that_waits_says_a_time_that_a_person_made_impossible(world: World, told: str, broken: bool) -> None:
    world.hear(call())
    if broken:
        world.carry_over(LATE)
    postpone(world, at("15:00"), only(world).deadline_at + 2 * US if broken else NOON + US)
    assert not any(told in row.body for row in world.rows(text_outbox) if row.state == "waiting")
    assert only(world).overdue_by_at is None


def test_put_off_within_the_time_that_was_told_it_stands(world: World) -> None:
    world.hear(call())
    world.carry_over(LATE)
    postpone(world, at("13:15"), LATE + US)
    assert only(world).overdue_by_at == LATE + 30 * MINUTE
    assert [row.state for row in world.rows(text_outbox) if row.template == "overdue"] == ["waiting"]
    assert world.carry_over(LATE + 2 * US) == []


def test_put_off_to_the_morning_after_a_second_evening_the_customer_is_called_then(world: World) -> None:
    world.hear(call(ended_at=at("20:45")))
    world.carry_over(at("21:30"))
    postpone(world, at("08:30", 25), at("08:10", 24))
    for clock in ("09:01", "12:00", "21:31"):
        world.carry_over(at(clock, 24))
    assert only(world).state == "waiting"
    assert world.claim(at("08:29", 25), FREE) is None
    assert world.claim(at("08:30", 25), FREE) is not None


# A chosen time, and then "call me now"


@pytest.mark.parametrize("chosen_while_it_rings", [False, True])
def test_nobody_is_given_up_before_the_time_that_the_customer_chose(world: World, chosen_while_it_rings: bool) -> None:
    """Two of three tries are over; a person tries sooner, or the customer chooses while we call."""
    world.hear(call())
    for minutes in (0, 10):
        order = world.claim(NOON + minutes * MINUTE, FREE)
        assert order is not None
        world.end(order.attempt, "busy", NOON + minutes * MINUTE + US)
    last = NOON + 20 * MINUTE
    if not chosen_while_it_rings:
        slot(world, at("15:00"), last)
        decide(world, "call-now", last)
    order = world.claim(last, FREE)
    assert order is not None
    if chosen_while_it_rings:
        slot(world, at("15:00"), last + US)
    world.end(order.attempt, "busy", last + MINUTE)
    assert only(world).state == "waiting"
    assert world.claim(at("14:59"), FREE) is None
    order = world.claim(at("15:00"), FREE)
    assert order is not None
    world.end(order.attempt, "busy", at("15:01"))
    assert only(world).state == "given-up", "that was the last try"


@pytest.mark.parametrize(("asked", "called"), [(at("21:00"), at("10:00", 24)), (at("22:00"), at("08:00", 24))])
def test_a_person_who_tries_sooner_means_the_day_that_is_told(world: World, asked: int, called: int) -> None:
    """Nobody was free before the cut: the next morning is not the time for which it was asked, nor the one chosen."""
    world.hear(call(ended_at=at("20:00")))
    slot(world, at("10:00", 24), at("20:10"))
    decide(world, "call-now", asked)
    world.carry_over(at("22:01"))
    assert world.claim(called - MINUTE, FREE) is None
    assert world.claim(called + 3 * US, FREE) is not None


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "declined", "agent-no-answer"])
def test_call_me_now_after_a_chosen_time_takes_its_place(world: World, outcome: str) -> None:
    world.hear(call())
    slot(world, at("15:00"), NOON + MINUTE)
    decide(world, "call-now", NOON + 2 * MINUTE, by=HERSELF)
    html = shown(world, NOON + 2 * MINUTE)
    assert "15:00" not in html.split("<h2>")[0]
    assert "13:02" in html
    order = world.claim(NOON + 3 * MINUTE, FREE)
    assert order is not None
    world.end(order.attempt, outcome, NOON + 4 * MINUTE)
    assert only(world).not_before_at <= NOON + 34 * MINUTE, "as after any such call"


def test_call_me_now_shortly_before_a_chosen_time_is_never_promised_later(world: World) -> None:
    world.hear(call())
    slot(world, at("12:30"), NOON + MINUTE)
    decide(world, "call-now", NOON + 2 * MINUTE, by=HERSELF)
    row = only(world)
    assert (row.clock_starts_at, row.aim_at, row.deadline_at) == (NOON + 2 * MINUTE, at("12:32"), at("13:00"))
    promised = world.rows(t.promise)[-1]
    assert (promised.clock_starts_at, promised.aim_at, promised.deadline_at) == (
        row.clock_starts_at,
        row.aim_at,
        row.deadline_at,
    )


def test_a_person_who_tries_sooner_in_vain_does_not_take_away_the_chosen_time_but_the_customer_does(
    world: World,
) -> None:
    world.hear(call())
    slot(world, at("15:00"), NOON + MINUTE)
    decide(world, "call-now", NOON + 2 * MINUTE)
    assert "15:00" in shown(world, NOON + 2 * MINUTE).split("<h2>")[0]
    with world.store.write() as connection:
        token = links.token(connection, 1, NOON + 600 * MINUTE)
        customer_page.act(world.work(connection, NOON + 3 * MINUTE), token, {"do": "call-now"})
    assert "15:00" not in shown(world, NOON + 3 * MINUTE).split("<h2>")[0]


def test_call_now_says_from_when_on_and_before_and_after_whom(world: World) -> None:
    for n in range(5):
        world.hear(call(f"0901234560{n}", ended_at=NOON + n * US))
    world.hear(call("09012345609", ended_at=NOON, queue="sales"))
    (first,) = decide(world, "call-now", NOON + MINUTE, reservation=2)
    (second,) = decide(world, "call-now", NOON + MINUTE + US, reservation=3)
    assert (first.facts["overtakes"], first.facts["behind"]) == (4, 0)
    assert (second.facts["overtakes"], second.facts["behind"]) == (3, 1)
    assert second.facts["from_at"] == NOON + MINUTE + US
    carried, night = decide(world, "call-now", at("22:00"), reservation=4)
    assert carried.name == "carried-over"
    assert (night.facts["from_at"], night.facts["by_at"]) == (at("08:00", 24), at("09:00", 24))


# Told, and carried over at the cut


def test_told_by_the_cut_and_carried_over_the_customer_is_told_the_new_time_in_the_morning(world: World) -> None:
    world.hear(call(ended_at=at("20:10")))
    assert [news.name for news in world.carry_over(at("21:11"))] == ["overdue"]
    assert [news.name for news in world.carry_over(at("21:30"))] == ["carried-over"]
    assert "21:30" in said(world, "overdue")[0]
    (morning,) = (row for row in world.rows(text_outbox) if "09:00" in row.body)
    assert (morning.template, morning.not_before_at) == ("overdue", at("08:00", 24))
    assert [news.name for news in world.carry_over(at("09:01", 24))] == ["overdue"]
    assert "09:31" in said(world, "overdue")[-1], "whatever time is in force was told"
    assert [news.name for news in world.carry_over(at("09:31", 24))] == ["expired"]


@pytest.mark.parametrize(("outcome", "template"), [("no-answer", "overdue-tried"), ("agent-no-answer", "overdue")])
def test_to_whom_rang_in_vain_it_is_not_said_that_nobody_called(world: World, outcome: str, template: str) -> None:
    world.hear(call())
    order = world.claim(NOON + 50 * MINUTE, FREE)
    assert order is not None
    world.end(order.attempt, outcome, NOON + 51 * MINUTE)
    (told,) = world.carry_over(LATE)
    (text,) = said(world, template)
    assert told.facts["text"]
    assert ("tried" in text) == (template == "overdue-tried")


@pytest.mark.parametrize("outcome", ["busy", "declined", "machine", "customer-left"])
def test_nor_in_the_morning_after_a_cut(world: World, outcome: str) -> None:
    world.hear(call(ended_at=at("20:45")))
    order = world.claim(at("21:20"), FREE)
    assert order is not None
    world.end(order.attempt, outcome, at("21:21"))
    assert [news.name for news in world.carry_over(at("21:30"))] == ["carried-over"]
    assert len(said(world, "overdue-tried")) == 1


# In an incident


def test_who_asks_by_key_is_held_by_no_later_loss_of_the_same_incident(migrated_url: str) -> None:
    world = World(migrated_url, rules(incident_losses=2, incident_min=60))
    for n in range(3):
        world.hear(call(f"0901234560{n}", ended_at=NOON + n * US))
    assert {row.state for row in world.reservations()} == {"held"}
    world.hear(call("09012345601", ended_at=NOON + 15 * MINUTE), "requested")
    world.hear(call("09012345601", ended_at=NOON + 30 * MINUTE))
    row = world.reservations()[1]
    assert (row.state, row.kind, row.losses) == ("waiting", "requested", 3)
    assert [held.state for held in world.reservations()] == ["held", "waiting", "held"]
    world.close()


@pytest.mark.parametrize("spared", ["slot", "call-now", "being called", "asked by key"])
def test_whom_an_incident_does_not_hold_is_told_as_ever(migrated_url: str, spared: str) -> None:
    world = World(migrated_url, rules(incident_losses=2, incident_min=60))
    world.hear(call(), "requested" if spared == "asked by key" else "abandoned")
    if spared == "slot":
        slot(world, at("15:00"), NOON + US)
    elif spared == "call-now":
        decide(world, "call-now", NOON + US)
    elif spared == "being called":
        assert world.claim(NOON + US, FREE) is not None
    for n in range(3):
        world.hear(call(f"0901234560{n}", ended_at=NOON + 15 * MINUTE + n * US))
    (*_, merged) = world.hear(call(ended_at=NOON + 16 * MINUTE))
    assert (merged.name, merged.facts["text"]) == ("merged", True)
    assert only_first(world).state != "held"
    world.close()


def only_first(world: World) -> Any:
    return world.reservations()[0]


def test_whom_an_incident_holds_is_still_promised_nothing(migrated_url: str) -> None:
    world = World(migrated_url, rules(incident_losses=2, incident_min=60))
    for n in range(3):
        world.hear(call(f"0901234560{n}", ended_at=NOON + n * US))
    (*_, merged) = world.hear(call("09012345601", ended_at=NOON + 16 * MINUTE))
    assert (merged.name, merged.facts["text"]) == ("merged", False)
    world.close()
