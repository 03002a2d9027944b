"""What customers text is done in their name, kept for people where it is not plain, and answered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callback.customers import blocks
from callback.customers.blocks import Blocked
from callback.decisions import actions, limits, replies
from callback.events import Happened
from callback.reports.answers import open_answers
from callback.site.templates import Texting
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import DAY
from sms import outbox
from sms.gateway import Receipt
from sms.inbound import Inbound, SaidTime
from sms.outbox import text_outbox
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, rules, told_by

CUSTOMER, US_NUMBER = "+819012345678", "+81312345678"
SOON = NOON + 2 * MINUTE
_sids = count(1)


def text(
    world: World, body: str, now: int = SOON, *, sender: str = CUSTOMER, to: str = US_NUMBER, sid: str | None = None
) -> str | None:
    inbound = Inbound("main", sid or f"SM{next(_sids):032}", sender, to, body)
    with world.store.write() as connection:
        return replies.take(world.work(connection, now), inbound)


def kept(world: World) -> list[Any]:
    return world.rows(t.answer)


def decided(world: World) -> list[tuple[str, str]]:
    return [(row.who, row.action) for row in world.rows(t.audit)]


def blocked(world: World) -> Blocked:
    with world.store.read() as connection:
        return blocks.blocked(connection, CUSTOMER)


@pytest.fixture
def lost(world: World) -> World:
    """A customer was lost at noon and is owed a callback."""
    world.hear(call())
    return world


def test_1_is_call_me_now(lost: World) -> None:
    lost.hear(call("09087654321", ended_at=NOON - 5 * MINUTE))
    assert text(lost, "1") == "Thank you: we will call you as soon as one of us is free, from 0312345678."
    order = lost.claim(SOON)
    assert order is not None
    assert order.agent_sees == CUSTOMER
    assert decided(lost) == [("customer", "call-now")]


def test_1_again_changes_nothing_and_gets_its_answer(lost: World) -> None:
    first = text(lost, "1")
    before = lost.reservations()
    assert text(lost, "1", SOON + MINUTE) == first
    assert (lost.reservations(), decided(lost)) == (before, [("customer", "call-now")])


def test_who_changes_his_time_by_text_again_and_again_is_left_to_people(lost: World) -> None:
    for second in range(limits.AN_HOUR):
        text(lost, "18:30" if second % 2 else "19:00", SOON + second * US)
    text(lost, "17:30", SOON + MINUTE)
    assert len(decided(lost)) == limits.AN_HOUR
    assert (kept(lost)[-1].body, kept(lost)[-1].state) == ("17:30", "open")


def test_of_very_many_texts_only_a_stop_still_counts(lost: World) -> None:
    for second in range(replies.TEXTS_A_DAY):
        text(lost, "START" if second % 2 else "blah", SOON + second * US)
    text(lost, "18:30", SOON + MINUTE)
    assert (kept(lost)[-1].state, kept(lost)[-1].reply, decided(lost)) == ("done", None, [])
    text(lost, "STOP", SOON + MINUTE)
    assert blocked(lost).texts
    text(lost, "START", SOON + MINUTE)
    assert blocked(lost).texts
    text(lost, "18:30", SOON + 2 * DAY)
    assert kept(lost)[-1].state == "done"


def test_1_at_night_says_when_we_call(world: World) -> None:
    world.hear(call(ended_at=at("22:00")))
    assert text(world, "1", at("22:05")) == (
        "Thank you. We ring nobody at this hour: we will call you after 11-24 08:00, from 0312345678."
    )
    assert world.claim(at("22:06")) is None


@pytest.mark.parametrize(
    ("body", "chosen"),
    [
        ("18:30", at("18:30")),
        ("6:30", at("18:30")),  # nobody is called at 06:30
        ("tomorrow 9", at("09:00", 24)),
        ("明天9点", at("09:00", 24)),
        ("下午3点半", at("15:30")),
        ("9", at("09:00", 24)),
        ("11:00", at("11:00", 24)),  # it is past noon
        ("11-25 10:15", at("10:15", 25)),
    ],
)
def test_a_time_is_when_he_is_called(lost: World, body: str, chosen: int) -> None:
    said = text(lost, body)
    (row,) = lost.reservations()
    assert (row.slot_at, row.not_before_at) == (chosen, chosen)
    assert said is not None
    assert said.startswith("Thank you: we will call you at ")
    assert lost.claim(chosen - US) is None
    assert lost.claim(chosen) is not None


@pytest.mark.parametrize("body", ["23:00", "tomorrow 3 am", "02-30 10:00"])
def test_a_time_at_which_nobody_is_called_is_refused_kindly(lost: World, body: str) -> None:
    said = text(lost, body)
    assert said == "Sorry, we cannot call you at that time. Please reply with another one, after 12:02."
    assert [row.slot_at for row in lost.reservations()] == [None]


def test_a_half_hour_that_many_have_chosen_is_full(world: World) -> None:
    world.site = replace(world.site, rules=rules(slot_room=1))
    for number in ("09012345678", "09087654321"):
        world.hear(call(number))
    assert "18:30" in (text(world, "18:30") or "")
    assert "cannot" in (text(world, "18:30", sender="+819087654321") or "")
    assert "19:00" in (text(world, "19:00", sender="+819087654321") or "")


def test_the_same_text_twice_changes_nothing_and_gets_the_same_answer(lost: World) -> None:
    first = text(lost, "18:30", sid="SM1")
    again = text(lost, "18:30", SOON + MINUTE, sid="SM1")
    assert first == again is not None
    assert (len(kept(lost)), decided(lost)) == (1, [("customer", "slot")])


@pytest.mark.parametrize("word", ["STOP", "退订", "退訂", "TD", "unsubscribe", "Stop!"])
def test_stop_ends_the_texts_and_not_the_callback(lost: World, word: str) -> None:
    assert (text(lost, word) or "").startswith("You will get no more texts from us.")
    assert blocked(lost) == Blocked(calls=False, texts=True)
    assert set(lost.texts().values()) == {"withdrawn"}
    assert lost.claim(SOON) is not None


def test_stop_is_confirmed_once(lost: World) -> None:
    assert text(lost, "STOP") is not None
    assert [text(lost, body) for body in ("STOP", "1", "what?")] == [None, None, None]
    (row,) = lost.reservations()
    assert row.not_before_at <= SOON  # that no text may be sent is no reason not to do as asked


def test_who_says_more_than_stop_is_also_read_by_a_person(lost: World) -> None:
    assert text(lost, "stop calling me at night") is not None
    assert [(row.wish, row.state) for row in kept(lost)] == [("stop-and-more", "open")]
    assert blocked(lost).texts


def test_start_opts_in_again(lost: World) -> None:
    text(lost, "STOP")
    assert (text(lost, "START") or "").startswith("You will get our texts again.")
    assert blocked(lost) == Blocked(calls=False, texts=False)


def test_a_stranger_who_opts_out_is_opted_out_and_not_texted(world: World) -> None:
    assert text(world, "STOP") is None
    assert blocked(world).texts


def test_help_says_what_can_be_answered(lost: World) -> None:
    assert "18:30" in (text(lost, "HELP") or "")


def test_anything_else_goes_to_a_person_and_is_answered_once_a_day(lost: World) -> None:
    said = [text(lost, body, SOON + after) for body, after in (("my bill!", 0), ("hello?", MINUTE), ("so?", DAY))]
    assert said[0] is not None
    assert said[1:] == [None, said[0]]
    with lost.store.write() as connection:
        rows = open_answers(lost.work(connection, SOON), 10)
        assert [(row.body, row.number, row.reservation) for row in rows] == [
            ("my bill!", CUSTOMER, 1),
            ("hello?", CUSTOMER, 1),
            ("so?", CUSTOMER, 1),
        ]
        assert replies.done(connection, "main", rows[0].answer, "anna", SOON)
        assert not replies.done(connection, "main", rows[0].answer, "anna", SOON)
        assert not replies.done(connection, "other", rows[1].answer, "anna", SOON)
        assert len(open_answers(lost.work(connection, SOON), 10)) == 2


def test_a_machine_that_answers_our_answers_is_left_alone(lost: World) -> None:
    said = [text(lost, "HELP", SOON + number) for number in range(replies.REPLIES_A_DAY + 5)]
    assert [reply is not None for reply in said] == [True] * replies.REPLIES_A_DAY + [False] * 5


@pytest.mark.parametrize("body", ["1", "18:30"])
def test_what_cannot_be_done_any_more_is_for_a_person(lost: World, body: str) -> None:
    with lost.store.write() as connection:
        actions.cancel(Work(connection, lost.site, NOON + US), 1, By("anna", "settled"))
    assert (text(lost, body) or "").startswith("Thank you for your text. No callback is open for you")
    assert [row.state for row in kept(lost)] == ["open"]


def test_what_a_person_holds_stays_that_persons(lost: World) -> None:
    with lost.store.write() as connection:
        actions.hold(Work(connection, lost.site, NOON + US), 1, By("anna", "a complaint"))
    assert text(lost, "1") == "Thank you for your text: one of us will read it.", "no further 1 would help"
    assert ([row.state for row in lost.reservations()], [row.state for row in kept(lost)]) == (["held"], ["open"])


def test_his_newest_open_reservation_is_meant(world: World) -> None:
    world.hear(call(queue="support", ended_at=NOON - 9 * MINUTE))
    world.hear(call(queue="sales", ended_at=NOON))
    text(world, "18:30")
    assert {row.queue: row.slot_at for row in world.reservations()} == {"support": None, "sales": at("18:30")}


@pytest.mark.parametrize("sender", ["+819087654321", "+14155550123", "MyBank", "88811", "", "+81" + "9" * 40])
def test_nobody_else_can_change_his_reservation(lost: World, sender: str) -> None:
    before = lost.reservations()
    assert text(lost, "18:30", sender=sender) is None
    assert text(lost, "1", sender=sender) is None
    assert text(lost, "STOP", sender=sender) is None
    assert lost.reservations() == before
    assert not blocked(lost).texts


def test_nobody_is_answered_while_texts_are_off(lost: World) -> None:
    watched = ON.model_copy(update={"texts": "watch"})
    lost.site = replace(lost.site, rules=rules(queues={"support": watched}))
    assert text(lost, "1") is None
    assert decided(lost) == [("customer", "call-now")]


def test_the_answer_comes_in_the_language_of_his_queue(lost: World) -> None:
    chinese = ON.model_copy(update={"language": "zh-Hant"})
    lost.site = replace(lost.site, rules=rules(queues={"support": chinese}))
    assert text(lost, "明天下午两点") == "好的\uff0c我們會在11-24 14:00以0312345678回電給您。"


@pytest.mark.parametrize("body", ["\0", "\ud800", "a\0b\udfff", "喂" * 5000, ""])
def test_whatever_can_be_sent_can_be_kept(lost: World, body: str) -> None:
    text(lost, body)
    (row,) = kept(lost)
    assert len(row.body) <= replies.ROOM


def asked(world: World) -> World:
    """The customer was reached, and was sent the question."""
    world.site = replace(world.site, rules=rules(ask_after=True), texting=Texting(two_way=lambda _: True))
    world.hear(call())
    order = world.claim(NOON + US)
    assert order is not None
    world.end(order.attempt, "reached", NOON + 5 * MINUTE)
    with world.store.write() as connection:
        (question,) = outbox.claim(connection, NOON + 6 * MINUTE, 9, 60, "test")
        outbox.settle_sent(connection, {question: Receipt("1")}, NOON + 6 * MINUTE)
    return world


def test_a_number_after_the_question_is_its_answer(world: World) -> None:
    assert text(asked(world), "1", NOON + 9 * MINUTE) == "Thank you: it helps us to do better."
    assert text(world, "4", NOON + 10 * MINUTE) == "Thank you: it helps us to do better."
    assert [(row.score, row.state, row.reservation_id) for row in kept(world)] == [(1, "done", 1), (4, "done", 1)]


def test_a_number_long_after_the_question_is_none(world: World) -> None:
    text(asked(world), "4", NOON + 4 * DAY)
    assert [(row.score, row.state) for row in kept(world)] == [(None, "open")]


def leave(world: World, now: int) -> None:
    """Let what waits in the outbox leave."""
    with world.store.write() as connection:
        sent = {one: Receipt("1") for one in outbox.claim(connection, now, 9, 60, "test")}
        outbox.settle_sent(connection, sent, now)


def test_a_new_loss_goes_before_the_question_about_the_old_one(world: World) -> None:
    asked(world).hear(call(ended_at=NOON + 60 * MINUTE))
    leave(world, NOON + 61 * MINUTE)
    text(world, "1", NOON + 62 * MINUTE)
    assert decided(world) == [("customer", "call-now")]


def test_a_1_before_the_text_about_a_new_loss_has_left_is_for_people(world: World) -> None:
    asked(world).hear(call(ended_at=NOON + 60 * MINUTE))
    text(world, "1", NOON + 60 * MINUTE + US)
    assert (decided(world), [(row.score, row.state) for row in kept(world)]) == ([], [(None, "open")])


def test_who_is_erased_leaves_no_words_behind(lost: World) -> None:
    text(lost, "my name is Sato")
    with lost.store.write() as connection:
        told: list[Happened] = told_by(
            actions.erase, Work(connection, lost.site, SOON), CUSTOMER, By("anna", "he asked")
        )
    assert told
    assert [(row.body, row.reply) for row in kept(lost)] == [("", None)]
    assert {row.body for row in lost.rows(text_outbox)} == {""}


def test_a_text_that_comes_again_after_its_sender_was_erased_does_not_bring_his_number_back(lost: World) -> None:
    text(lost, "my bill!", sid="SM1")
    with lost.store.write() as connection:
        actions.erase(Work(connection, lost.site, SOON), CUSTOMER, By("anna", "he asked"))
    people = lost.rows(t.person)
    assert text(lost, "my bill!", SOON + MINUTE, sid="SM1") is None
    assert lost.rows(t.person) == people


def test_to_say_stop_again_adds_nothing_to_the_audit(lost: World) -> None:
    for _ in range(3):
        text(lost, "STOP")
    assert decided(lost) == [("customer", "block")]


def test_what_the_gateway_took_for_an_opt_out_is_one_and_was_answered_by_it(lost: World) -> None:
    inbound = Inbound("main", "SM1", CUSTOMER, US_NUMBER, "ARRET", "stop")
    with lost.store.write() as connection:
        assert replies.take(lost.work(connection, SOON), inbound) is None
    assert blocked(lost).texts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(
    st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    st.one_of(st.none(), st.integers(0, 2), st.tuples(st.integers(1, 12), st.integers(1, 31))),
    st.booleans(),
    st.integers(0, 3 * 24 * 60),
)
def test_whatever_time_he_says_he_is_called_only_when_phones_may_ring(
    sqlite_world: World, clock: time, day: int | tuple[int, int] | None, clear: bool, minutes: int
) -> None:
    now, said = NOON + minutes * MINUTE, SaidTime(clock, day, clear or clock.hour >= 12)
    if not sqlite_world.reservations():
        sqlite_world.hear(call())
    (row,) = sqlite_world.reservations()
    with sqlite_world.store.read() as connection:
        found = replies.moment(Work(connection, sqlite_world.site, now), row, CUSTOMER, said)
    if found is not None:
        assert found > now
        assert sqlite_world.site.hours.may_ring(found)
        assert (found // MINUTE - clock.minute) % 60 == 0
