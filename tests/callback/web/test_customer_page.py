"""The page behind a link: it shows what was promised, does what is posted, and opens for nobody else."""

from __future__ import annotations

import re
import string
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callback.attempts import settle
from callback.customers.blocks import blocked
from callback.decisions import actions, limits, wrap_up
from callback.settings.rules import QueueRules
from callback.site import links
from callback.site.templates import Texting
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.web import customer_page
from scheduler.clock import DAY
from sms import outbox
from sms.gateway import Receipt
from sms.text import LANGUAGES
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, rules

CUSTOMER = "+819012345678"
SOON = NOON + 2 * MINUTE
PAGES = Path(customer_page.__file__).with_name("pages")


@pytest.fixture
def lost(world: World) -> World:
    world.hear(call())
    return world


def token(world: World, reservation: int = 1, until: int = NOON + 3 * DAY) -> str:
    with world.store.write() as connection:
        return links.token(connection, reservation, until)


def show(world: World, now: int = SOON, opened_by: str | None = None) -> customer_page.Page:
    key = opened_by or token(world)
    with world.store.write() as connection:
        return customer_page.show(world.work(connection, now), key)


def act(world: World, form: dict[str, str], now: int = SOON, opened_by: str | None = None) -> customer_page.Page:
    key = opened_by or token(world)
    with world.store.write() as connection:
        return customer_page.act(world.work(connection, now), key, form)


def spoken(shown: customer_page.Page) -> str:
    """The words that a browser would show."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", shown.html, flags=re.DOTALL).split())


def choices(shown: customer_page.Page) -> list[tuple[str, str]]:
    """What can be posted."""
    fields = re.findall(r'name="do" value="([^"]*)"><input type="hidden" name="value" value="([^"]*)"', shown.html)
    return [(deed, value) for deed, value in fields]


def decided(world: World) -> list[tuple[str, str]]:
    return [(row.who, row.action) for row in world.rows(t.audit)]


def test_it_shows_the_promise_the_free_times_and_a_way_out(lost: World) -> None:
    shown = show(lost)
    assert (shown.status, "We will call you by 13:00 from 0312345678." in spoken(shown)) == (200, True)
    assert choices(shown)[0] == ("call-now", "")
    assert choices(shown)[1] == ("slot", str(at("12:30")))
    assert choices(shown)[-2:] == [("cancel", ""), ("stop", "")]


def test_to_look_changes_nothing(lost: World) -> None:
    before = lost.reservations()
    show(lost)
    assert (lost.reservations(), decided(lost)) == (before, [])


def test_the_page_reveals_no_number_of_his(lost: World) -> None:
    key = token(lost)
    assert not {"9012345678", "12345678"} & {show(lost).html, key}
    assert "12345678" not in show(lost).html.replace("0312345678", "")


def test_a_chosen_time_is_when_he_is_called(lost: World) -> None:
    shown = act(lost, {"do": "slot", "value": str(at("18:30"))})
    assert (shown.status, "We will call you at 18:30 from 0312345678." in spoken(shown)) == (200, True)
    assert [row.slot_at for row in lost.reservations()] == [at("18:30")]
    act(lost, {"do": "slot", "value": str(at("18:30"))})  # the button was pressed twice
    assert decided(lost) == [("customer", "slot")]


@pytest.mark.parametrize("value", [str(at("23:00")), str(NOON), "", "-1", "soon", "9" * 18, "9" * 40, "٣"])
def test_a_time_that_nobody_may_choose_is_not_taken(lost: World, value: str) -> None:
    shown = act(lost, {"do": "slot", "value": value})
    assert (shown.status, "That time is no longer free." in spoken(shown)) == (409, True)
    assert decided(lost) == []


def test_as_soon_as_possible_is_call_me_now(lost: World) -> None:
    assert act(lost, {"do": "call-now"}).status == 200
    assert decided(lost) == [("customer", "call-now")]


def test_to_ask_twice_for_as_soon_as_possible_changes_nothing(lost: World) -> None:
    first = act(lost, {"do": "call-now"})
    before = lost.reservations()
    again = act(lost, {"do": "call-now"}, SOON + 5 * US)
    assert (again, lost.reservations()) == (first, before)
    assert decided(lost) == [("customer", "call-now")]


def test_who_waits_for_his_next_try_may_ask_for_it_at_once(lost: World) -> None:
    act(lost, {"do": "call-now"})
    order = lost.claim(SOON)
    assert order is not None
    lost.end(order.attempt, "busy", SOON + MINUTE)
    assert act(lost, {"do": "call-now"}, SOON + 2 * MINUTE).status == 200
    assert decided(lost) == [("customer", "call-now")] * 2
    assert lost.reservations()[0].not_before_at <= SOON + 2 * MINUTE


def test_after_a_voicemail_the_link_leads_to_the_callback_that_goes_on(lost: World) -> None:
    order = lost.claim(SOON)
    assert order is not None
    own = token(lost)
    with lost.store.write() as connection:
        settle.progress(lost.work(connection, SOON), order.attempt, "agent_connected_at", SOON, "PJSIP/agent1")
    lost.end(order.attempt, "reached", SOON + US)
    assert not [one for one in choices(show(lost, SOON + 2 * US, own)) if one[0] == "cancel"]
    with lost.store.write() as connection:
        teller = wrap_up.Teller("mei", frozenset({"PJSIP/agent1"}))
        wrap_up.say(lost.work(connection, SOON + 2 * US), teller, 1, 1, wrap_up.Word("voicemail"))
    assert act(lost, {"do": "cancel"}, SOON + 3 * US, own).status == 200
    assert [row.state for row in lost.reservations()] == ["continued", "cancelled"]


def test_who_changes_his_time_again_and_again_is_left_to_people(lost: World) -> None:
    """A person may change his mind; a program would make promises without end."""
    times = [at("18:30"), at("19:00")] * limits.A_DAY
    told = [act(lost, {"do": "slot", "value": str(time)}, SOON + second * US) for second, time in enumerate(times)]
    assert [shown.status for shown in told] == [200] * limits.AN_HOUR + [429] * (len(times) - limits.AN_HOUR)
    assert "You have changed this very often." in spoken(told[-1])
    assert len(lost.rows(t.promise)) == 1 + limits.AN_HOUR
    assert len(decided(lost)) == limits.AN_HOUR
    assert act(lost, {"do": "slot", "value": str(at("18:00"))}, SOON + 61 * MINUTE).status == 200
    assert act(lost, {"do": "cancel"}, SOON + 61 * MINUTE).status == 200  # which is always heard
    assert decided(lost)[-1] == ("customer", "cancelled")


def test_what_people_decide_does_not_count_as_his(lost: World) -> None:
    for second in range(2 * limits.AN_HOUR):
        with lost.store.write() as connection:
            slot = at("18:30") if second % 2 else at("19:00")
            actions.choose_slot(Work(connection, lost.site, SOON + second * US), 1, slot, By("anna", "he asked"))
    assert act(lost, {"do": "slot", "value": str(at("18:00"))}, SOON + MINUTE).status == 200


def test_he_may_say_no(lost: World) -> None:
    shown = act(lost, {"do": "cancel"})
    assert (shown.status, "We will not call you." in spoken(shown)) == (200, True)
    assert [row.state for row in lost.reservations()] == ["cancelled"]
    assert lost.claim(SOON) is None
    assert act(lost, {"do": "cancel"}).status == 409  # pressed twice: it is over


def test_he_may_end_the_texts(lost: World) -> None:
    shown = act(lost, {"do": "stop"})
    assert "You will get no more texts from us." in spoken(shown)
    assert ("stop", "") not in choices(shown)
    with lost.store.read() as connection:
        assert blocked(connection, CUSTOMER).texts
    assert [row.state for row in lost.reservations()] == ["waiting"]


def test_while_he_is_called_nothing_is_to_be_chosen(lost: World) -> None:
    lost.claim(NOON + US)
    shown = show(lost)
    assert ("We are calling you right now" in spoken(shown), choices(shown)) == (True, [("stop", "")])
    assert act(lost, {"do": "cancel"}).status == 409


def test_what_a_person_holds_stays_that_persons(lost: World) -> None:
    with lost.store.write() as connection:
        actions.hold(Work(connection, lost.site, NOON + US), 1, By("anna", "a complaint"))
    assert "One of us is looking after your matter" in spoken(show(lost))
    assert act(lost, {"do": "call-now"}).status == 409


@pytest.mark.parametrize("form", [{}, {"do": "hack"}, {"do": "score", "value": "6"}, {"do": "score", "value": ""}])
def test_what_the_page_does_not_offer_is_refused(lost: World, form: dict[str, str]) -> None:
    assert act(lost, form).status == 400
    assert decided(lost) == []


def test_who_was_not_asked_cannot_judge(lost: World) -> None:
    assert act(lost, {"do": "score", "value": "5"}).status == 409
    assert lost.rows(t.answer) == []


def test_who_was_reached_is_asked_and_his_last_word_counts(world: World) -> None:
    texting = Texting(public_url="https://x.example")
    world.site = replace(world.site, rules=rules(ask_after=True), texting=texting)
    world.hear(call())
    order = world.claim(NOON + US)
    assert order is not None
    world.end(order.attempt, "reached", NOON + 5 * MINUTE)
    with world.store.write() as connection:
        (question,) = outbox.claim(connection, NOON + 6 * MINUTE, 9, 60, "test")
        outbox.settle_sent(connection, {question: Receipt("1")}, NOON + 6 * MINUTE)
    key = question.body.rpartition("/")[2]
    shown = show(world, NOON + 7 * MINUTE, key)
    assert "Is your matter solved, and were you satisfied?" in spoken(shown)
    assert [value for deed, value in choices(shown) if deed == "score"] == ["1", "2", "3", "4", "5"]
    for score in ("2", "5"):
        assert "Thank you" in spoken(act(world, {"do": "score", "value": score}, NOON + 8 * MINUTE, key))
    assert [(row.score, row.reservation_id) for row in world.rows(t.answer)] == [(5, 1)]


def test_a_link_whose_time_is_over_says_so(lost: World) -> None:
    key = token(lost, until=NOON)
    assert (show(lost, NOON, key).status, act(lost, {"do": "cancel"}, NOON, key).status) == (410, 410)
    assert "This link has expired." in spoken(show(lost, NOON, key))


@pytest.mark.parametrize("key", ["", "x", "A" * 24, "../../etc/passwd", "喂" * 24])
def test_a_link_that_is_none_shows_nothing(lost: World, key: str) -> None:
    assert (show(lost, opened_by=key or "-").status, act(lost, {"do": "cancel"}, opened_by=key or "-").status) == (
        404,
        404,
    )
    assert [row.state for row in lost.reservations()] == ["waiting"]


def test_a_link_to_what_is_not_of_this_site_shows_nothing(lost: World) -> None:
    assert show(lost, opened_by=token(lost, 999)).status == 404
    key = token(lost)
    with lost.store.write() as connection:
        other = Work(connection, replace(lost.site, pbx="other"), SOON)
        assert customer_page.show(other, key).status == 404


def test_whoever_wrote_the_settings_cannot_write_the_page(lost: World) -> None:
    evil = QueueRules(caller_id="<script>alert(1)</script>")
    lost.site = replace(lost.site, rules=rules(queues={"support": evil}))
    assert "<script" not in show(lost).html


class _Whole(HTMLParser):
    """Every tag that was opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not [name for name, _ in attrs if name.startswith("on")], "a script"
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_each_language_it_is_a_whole_document_without_a_script(lost: World, language: str) -> None:
    speaking = ON.model_copy(update={"language": language})
    lost.site = replace(lost.site, rules=rules(queues={"support": speaking}))
    shown = show(lost)
    whole = _Whole()
    whole.feed(shown.html)
    whole.close()
    assert whole.open == []
    assert f'<html lang="{language}">' in shown.html
    assert "{" not in spoken(shown)
    assert not {"script", "http:", "https:"} & set(re.findall(r"script|https?:", shown.html))


def test_every_language_says_the_same_things() -> None:
    words = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in PAGES.glob("*.toml")}
    assert set(words) == set(LANGUAGES)
    fields = {
        language: {
            key: sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name)
            for key, sentence in said.items()
        }
        for language, said in words.items()
    }
    assert fields["zh-Hans"] == fields["zh-Hant"] == fields["en"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(["do", "value", "x"]), st.text(max_size=20)), st.text(max_size=30))
def test_whatever_is_posted_is_answered(sqlite_world: World, form: dict[str, str], key: str) -> None:
    if not sqlite_world.reservations():
        sqlite_world.hear(call())
    assert act(sqlite_world, form, opened_by=key or "-").status == 404
    assert act(sqlite_world, form).status in {200, 400, 409}
