"""Which text a caller gets, when, and that nobody is texted who is on the line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback.attempts import priority as priorities
from callback.customers.blocks import block
from callback.decisions import actions
from callback.losses import intake
from callback.site.templates import Texting
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from sms import outbox
from sms.delivery import DeliveryRules, deliver
from sms.gateway import Receipt, Refused
from sms.outbox import text_outbox
from telephony.calls.call import Kind, QueueVisit, Side
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, judged, rules
from tests.sms.gateways import book, finished

CUSTOMER, HER = "+819012345678", "+819087654321"
LATER = NOON + 30 * MINUTE


def due(world: World, now: int, on_the_line: set[str]) -> list[str]:
    """The templates that would be sent now, while these are on the line."""
    with world.store.write() as connection:
        compose.hold_back(world.work(connection, now), on_the_line)
        texts = outbox.claim(connection, now, 100, 60, "test")
        connection.rollback()
        connection.begin()
    return [text.template for text in texts]


def given_up(world: World) -> None:
    """He was lost at noon, and could not be called at his number."""
    world.hear(call())
    order = world.claim()
    assert order is not None
    world.end(order.attempt, "invalid-number", LATER)


def test_the_explaining_text_waits_for_the_grace(world: World) -> None:
    world.hear(call())
    assert due(world, NOON + 20 * US - 1, set()) == []
    assert due(world, NOON + 20 * US, set()) == ["lost"]


def test_nobody_is_told_that_he_is_called_back_while_he_is_on_the_line(world: World) -> None:
    world.hear(call())
    assert due(world, NOON + MINUTE, {CUSTOMER}) == []
    assert due(world, NOON + MINUTE, {HER}) == ["lost"]


def test_nobody_is_told_so_while_we_call_him(world: World) -> None:
    world.hear(call())
    world.claim(NOON + 30 * US)
    assert due(world, NOON + MINUTE, set()) == []


def test_nobody_is_told_that_we_could_not_reach_him_while_he_is_on_the_line(world: World) -> None:
    given_up(world)
    assert due(world, LATER + US, {CUSTOMER}) == []
    assert due(world, LATER + US, {HER}) == ["given-up"]


def test_nobody_is_told_that_we_could_not_reach_him_after_he_got_through(world: World) -> None:
    given_up(world)
    world.hear(call(ended_at=LATER + MINUTE, talked_s=20), "served")
    assert set(world.texts().values()) == {"withdrawn"}


def test_what_was_switched_off_meanwhile_is_refused_by_name(world: World) -> None:
    world.hear(call())
    (text,) = world.rows(text_outbox)
    off = replace(world.site, rules=rules(queues={"support": ON.model_copy(update={"texts": "watch"})}))
    with world.store.read() as connection:
        assert compose.number_of(connection, world.site, text.recipient) == CUSTOMER
        with pytest.raises(Refused, match="switched off"):
            compose.number_of(connection, off, text.recipient)


def test_a_text_names_a_person_by_no_number(world: World) -> None:
    given_up(world)
    rows = world.rows(text_outbox)
    assert {row.template for row in rows} == {"lost", "given-up"}
    for row in rows:
        assert "9012345678" not in row.recipient + row.body + row.cause
    assert [person.number for person in world.rows(t.person)] == [CUSTOMER]


def test_the_texts_of_another_pbx_are_left_to_its_own_service(world: World) -> None:
    """They share a database, and each knows the rules of its own queues alone."""
    world.hear(call())
    sent: list[str] = []

    class Gateway:
        name = "test"

        paces = ()

        async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
            assert body
            assert ref
            assert line == ""
            sent.append(to)
            return Receipt("1")

    def address(recipient: str) -> str:
        with world.store.read() as connection:
            return compose.number_of(connection, world.site, recipient)

    def send(pbx: str) -> int:
        rules = DeliveryRules(pbx=pbx)
        return finished(deliver(world.store.write, Gateway(), book(address), lambda: LATER, 9, rules))

    taken = [send("other"), send("main")]
    assert (taken, sent) == ([0, 1], [CUSTOMER])


@pytest.mark.parametrize(
    ("kind", "template"),
    [
        ("abandoned", "lost"),
        ("blocked", "lost-blocked"),
        ("dropped", "lost-dropped"),
        ("silent", "lost-silent"),
        ("requested", "lost-requested"),
    ],
)
def test_the_text_fits_what_happened(world: World, kind: Kind, template: str) -> None:
    world.hear(call(), kind)
    assert due(world, NOON + MINUTE, set()) == [template]


def test_nothing_is_promised_to_whom_a_person_holds(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON + US), 1, By("anna", "a complaint"))
    world.hear(call(ended_at=NOON + 20 * MINUTE))
    assert due(world, NOON + 25 * MINUTE, set()) == []
    with world.store.write() as connection:
        actions.resume(world.work(connection, NOON + 26 * MINUTE), 1, By("anna", "settled"))
    assert due(world, NOON + 27 * MINUTE, set()) == ["lost", "lost"]


def test_no_text_is_said_to_follow_that_could_only_come_too_late(world: World) -> None:
    world.hear(call())
    (_, told) = world.hear(call(ended_at=NOON + 60 * MINUTE - 15 * US))
    assert (told.name, told.facts["text"], len(world.texts())) == ("merged", False, 1)


@pytest.mark.parametrize(
    ("reason", "side", "template"),
    [
        ("phone-gone", "customer", "lost-dropped-customer"),
        ("phone-gone", "agent", "lost-dropped"),
        ("line-failed", "network", "lost-dropped"),
        ("cut-off", "system", "lost-dropped"),
        ("verification", "customer", "lost-dropped-verification"),
        ("agents-mistake", "agent", "lost-dropped-mistake"),
        ("wrong-answer", "agent", "lost-dropped-answer"),
    ],
)
def test_a_broken_talk_is_explained_by_its_cause(sqlite_world: World, reason: str, side: Side, template: str) -> None:
    lost = call(talked_s=30)
    with sqlite_world.store.write() as connection:
        verdict = replace(judged(lost, "dropped"), reason=reason, side=side)
        intake.record(Work(connection, sqlite_world.site, NOON), lost, verdict)
    assert due(sqlite_world, NOON + MINUTE, set()) == [template]


def bodies(world: World) -> dict[str, str]:
    return {row.template: row.body for row in world.rows(text_outbox)}


@pytest.mark.parametrize(
    ("texting", "end"),
    [
        (Texting(), "from 0312345678."),
        (Texting(two_way=lambda _: True), "Reply 1 to be called now, or a time (18:30). STOP ends these texts."),
        (Texting(public_url="https://x.example"), "Another time, or none: https://x.example/r/"),
        (Texting(two_way=lambda _: True, public_url="https://x.example"), "STOP ends these texts."),
    ],
    ids=["no way", "by text", "by link", "by text first"],
)
def test_a_text_says_how_to_answer_it_where_that_reaches_us(sqlite_world: World, texting: Texting, end: str) -> None:
    sqlite_world.site = replace(sqlite_world.site, texting=texting)
    sqlite_world.hear(call())
    (body,) = bodies(sqlite_world).values()
    assert end in body[-len(end) - 24 :]


def test_who_opted_out_gets_no_text_and_his_callback_goes_on(world: World) -> None:
    with world.store.write() as connection:
        block(connection, "main", CUSTOMER, By("anna", "asked for it"), NOON, texts=True)
    world.hear(call())
    (row,) = world.reservations()
    assert (world.texts(), row.state, row.text_refusal) == ({}, "waiting", "opted-out")
    assert world.claim() is not None


def test_who_opts_out_while_his_text_waits_gets_none(world: World) -> None:
    world.hear(call())
    (text,) = world.rows(text_outbox)
    with world.store.write() as connection:
        block(connection, "main", CUSTOMER, By("anna", "asked for it"), NOON, texts=True)
        with pytest.raises(Refused, match="the customer opted out"):
            compose.number_of(connection, world.site, text.recipient)


def test_a_landline_is_called_but_not_texted(world: World) -> None:
    world.hear(call("0398765432"))
    (row,) = world.reservations()
    assert (world.texts(), row.state, row.text_refusal) == ({}, "waiting", "landline")


def test_why_he_gets_no_text_is_kept_only_while_it_is_so(world: World) -> None:
    on, off = (
        world.site,
        replace(world.site, rules=rules(queues={"support": ON.model_copy(update={"texts": "watch"})})),
    )
    world.site = off
    world.hear(call())
    assert [row.text_refusal for row in world.reservations()] == ["texts-off"]
    world.site = on
    world.hear(call(ended_at=NOON + 20 * MINUTE))
    assert [row.text_refusal for row in world.reservations()] == [None]


def test_who_was_told_that_we_call_and_got_through_is_told_that_we_will_not(world: World) -> None:
    world.hear(call())
    assert due(world, NOON + MINUTE, set()) == ["lost"]
    with world.store.write() as connection:
        (text,) = outbox.claim(connection, NOON + MINUTE, 1, 60, "test")
        outbox.settle_sent(connection, {text: Receipt("1")}, NOON + MINUTE)
    world.hear(call(ended_at=NOON + 5 * MINUTE, talked_s=60), "served")
    assert due(world, NOON + 5 * MINUTE, set()) == []  # he has only just hung up
    assert due(world, NOON + 6 * MINUTE, set()) == ["returned"]


def test_who_got_through_before_his_text_left_hears_nothing(world: World) -> None:
    world.hear(call())
    world.hear(call(ended_at=NOON + 10 * US, talked_s=5), "served")
    assert world.texts() == {f"lost/1/{NOON}": "withdrawn"}


def test_an_apology_says_each_new_time_once(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        first = compose.apologise(world.work(connection, at("13:05")), 1, at("13:30"))
        again = compose.apologise(world.work(connection, at("13:06")), 1, at("13:30"))
        later = compose.apologise(world.work(connection, at("14:05")), 1, at("14:30"))
    assert (first, again, later) == (True, False, True)
    assert "by 14:30 from 0312345678" in bodies(world)["overdue"]


def test_an_apology_waits_for_the_morning(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        compose.apologise(world.work(connection, at("21:30")), 1, at("09:00", 24))
    (text,) = (row for row in world.rows(text_outbox) if row.template == "overdue")
    assert (text.not_before_at, text.expires_at) == (at("08:00", 24), at("09:00", 24))
    assert "by 09:00 from" in text.body


def test_an_apology_that_could_only_come_too_late_is_none(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        assert not compose.apologise(world.work(connection, at("21:30")), 1, at("22:00"))


def test_a_time_that_a_person_chose_for_him_is_confirmed(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        actions.choose_slot(world.work(connection, NOON + US), 1, at("10:30", 24), By("anna", "he asked"))
    assert bodies(world)["slot"] == "Thank you: we will call you at 11-24 10:30 from 0312345678."


def reached(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON + US)
    assert order is not None
    world.end(order.attempt, "reached", NOON + 5 * MINUTE)


@pytest.mark.parametrize(
    ("texting", "template"),
    [
        (Texting(two_way=lambda _: True), "ask"),
        (Texting(public_url="https://x.example"), "ask-link"),
        (Texting(), None),
    ],
)
def test_who_was_reached_is_asked_one_question_where_he_can_answer(
    sqlite_world: World, texting: Texting, template: str | None
) -> None:
    sqlite_world.site = replace(sqlite_world.site, texting=texting, rules=rules(ask_after=True))
    reached(sqlite_world)
    assert due(sqlite_world, NOON + 6 * MINUTE, set()) == ([template] if template else [])


def test_nobody_is_asked_unless_the_site_wants_it(sqlite_world: World) -> None:
    sqlite_world.site = replace(sqlite_world.site, texting=Texting(two_way=lambda _: True))
    reached(sqlite_world)
    assert due(sqlite_world, NOON + 6 * MINUTE, set()) == []


def handed_on(world: World) -> None:
    """Support could not help him, and sales did."""
    joined = NOON - 120 * US
    first = QueueVisit("support", joined, joined + 10 * US, "Agent One", joined + 40 * US, "connected")
    second = QueueVisit("sales", joined + 40 * US, joined + 50 * US, "Agent Two", NOON, "connected")
    world.hear(replace(call(talked_s=30), started_at=joined, visits=(first, second)), "served")


@pytest.mark.parametrize("wanted", [True, False])
def test_who_was_handed_on_is_told_the_right_number_where_that_queue_wants_it(world: World, wanted: bool) -> None:
    sales = ON.model_copy(update={"tell_number": wanted, "caller_id": "0398765432"})
    world.site = replace(world.site, rules=rules(queues={"support": ON, "sales": sales}))
    handed_on(world)
    assert due(world, NOON + MINUTE, {CUSTOMER}) == []
    assert due(world, NOON + MINUTE, set()) == (["wrong-desk"] if wanted else [])
    if wanted:
        (text,) = world.rows(text_outbox)
        assert "0398765432" in text.body
        with world.store.read() as connection:
            assert compose.number_of(connection, world.site, text.recipient) == CUSTOMER


def test_the_callers_own_language_and_the_queues_own_words(sqlite_world: World) -> None:
    chinese = ON.model_copy(update={"language": "zh-Hans"})
    sqlite_world.site = replace(sqlite_world.site, rules=rules(queues={"support": chinese}))
    sqlite_world.hear(call())
    assert bodies(sqlite_world)["lost"].startswith("很抱歉")


def test_a_text_that_comes_back_unsent_after_its_cause_went_away_is_not_sent_later(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        (text,) = outbox.claim(connection, NOON + MINUTE, 1, 60, "test")
    world.hear(call(ended_at=NOON + 5 * MINUTE, talked_s=60), "served")
    with world.store.write() as connection:
        outbox.settle_unsent(connection, text, "rate limit", NOON + MINUTE)
    assert "lost" not in due(world, NOON + 10 * MINUTE, set())


def test_who_was_tried_in_vain_is_told_of_no_place_in_the_queue_that_nobody_keeps_for_him(world: World) -> None:
    world.site = replace(world.site, rules=rules(max_tries=1))
    world.hear(call())
    order = world.claim(NOON + MINUTE)
    assert order is not None
    world.end(order.attempt, "no-answer", NOON + 2 * MINUTE)
    (row,) = (row for row in world.rows(text_outbox) if row.template == "given-up")
    with world.store.read() as connection:
        assert priorities.numbers(connection, world.site) == []
    assert "first" not in row.body
