"""Lost calls become reservations: one for a person and queue, with a promise and a text, or a reason why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from callback.losses import release
from callback.reports.unreserved import unreserved
from callback.settings.sections import Trunk
from callback.store import tables as t
from callback.texts import compose
from sms.gateway import Refused
from sms.outbox import text_outbox
from telephony.calls.call import Call, Kind
from tests.callback.world import MINUTE, NOON, US, World, at, call, rules


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url)
    yield made
    made.close()


def test_a_lost_call_becomes_a_reservation_with_its_promise_and_text(world: World) -> None:
    told = world.hear(call())
    (row,) = world.reservations()
    (promise,) = world.rows(t.promise)
    (text,) = world.rows(text_outbox)
    assert [news.name for news in told] == ["call", "reserved"]
    assert (row.state, row.open, row.queue, row.losses) == ("waiting", True, "support", 1)
    assert (row.aim_at, row.deadline_at) == (NOON + 30 * MINUTE, NOON + 60 * MINUTE)
    assert (promise.number, promise.deadline_at, promise.reason) == (1, row.deadline_at, "window")
    assert text.not_before_at == NOON + 20 * US
    assert "13:00" in text.body
    assert "9012345678" not in text.body + text.recipient


def test_the_number_stands_in_one_table_alone(world: World) -> None:
    world.hear(call())
    for table in (t.call, t.queue_visit, t.verdict, t.reservation, t.loss, t.promise, text_outbox):
        assert "9012345678" not in repr(world.rows(table)), table.name


def test_a_repeated_loss_merges_and_never_moves_the_deadline_later(world: World) -> None:
    world.hear(call())
    told = world.hear(call("+819012345678", ended_at=NOON + 5 * MINUTE))
    (row,) = world.reservations()
    assert [news.name for news in told] == ["call", "merged"]
    assert (row.losses, row.deadline_at, row.last_lost_at) == (2, NOON + 60 * MINUTE, NOON + 5 * MINUTE)
    assert len(world.rows(t.promise)) == 1
    assert len(world.rows(text_outbox)) == 1  # sooner than ten minutes: no second text


def test_a_loss_much_later_sends_another_text(world: World) -> None:
    world.hear(call())
    world.hear(call(ended_at=NOON + 11 * MINUTE))
    assert len(world.rows(text_outbox)) == 2


def test_two_queues_are_two_reservations(world: World) -> None:
    world.hear(call())
    world.hear(call(queue="sales", ended_at=NOON + US))
    assert {row.queue for row in world.reservations()} == {"support", "sales"}


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        (call(waited_s=4.9), "short-abandon"),
        (call(None), "no-number"),
        (call("anonymous"), "not-a-number"),
        (call("0901"), "no-such-number"),
    ],
)
def test_what_is_not_recovered_is_recorded_with_its_reason(world: World, lost: Call, why: str) -> None:
    told = world.hear(lost)
    assert [(news.name, news.facts.get("why")) for news in told[1:]] == [("not-recovered", why)]
    assert world.reservations() == []
    assert [row.recovery for row in world.rows(t.call)] == [why]


FLORIDA = Trunk(channel="PJSIP/trunk", region="US", allowed_countries=("US", "BE"))


def test_whose_number_cannot_be_told_is_called_and_texted_by_nobody_and_kept_for_people(migrated_url: str) -> None:
    world = World(migrated_url, trunks={"main": FLORIDA})
    told = world.hear(call("3215551234"))
    again = world.hear(call("3215551235", ended_at=NOON + MINUTE))
    assert [news.name for news in told] == ["call", "trunk-unclear", "not-recovered"]
    assert [news.name for news in again] == ["call", "not-recovered"], "a trunk is told of once"
    assert told[-1].facts["why"] == "ambiguous-number"
    assert (world.reservations(), world.rows(t.person), world.rows(text_outbox)) == ([], [], [])
    assert [row.digits for row in world.rows(t.unread_number)] == ["3215551234", "3215551235"]
    world.close()


@pytest.mark.parametrize(
    ("heard", "kind", "kept"),
    [
        (call("0901"), "abandoned", ["0901"]),
        (call("0901"), "blocked", ["0901"]),
        (call("0901", talked_s=9), "served", []),  # nothing is to be done for him
        (call(None), "abandoned", []),
        (call("anonymous"), "abandoned", ["anonymous"]),  # the tracker gives no such number
        (call("09012345678"), "abandoned", []),  # stands in person
        (replace(call("0901"), confirmed=False), "abandoned", []),  # somebody wrote it into the stream
    ],
)
def test_what_was_signalled_is_kept_where_it_was_not_read(
    world: World, heard: Call, kind: Kind, kept: list[str]
) -> None:
    world.hear(heard, kind)
    assert [row.digits for row in world.rows(t.unread_number)] == kept


def test_how_a_trunks_callers_came_is_kept_by_form_without_their_numbers(world: World) -> None:
    for number in ("+819012345678", "819012345679", "09012345670", "0901", "9012345671", None):
        world.hear(call(number))
    (row,) = world.rows(t.signalled)
    assert (row.trunk, row.lately) == ("main", "+e0-n")


def test_a_refused_number_is_listed_and_never_open(world: World) -> None:
    world.hear(call("+12125550123"))
    (row,) = world.reservations()
    assert (row.state, row.open) == ("refused", False)
    assert world.rows(text_outbox) == []


def test_what_is_learnt_after_its_deadline_is_recorded_only(world: World) -> None:
    told = world.hear(call(), now=NOON + 61 * MINUTE)
    assert told[-1].facts["why"] == "late-news"
    assert world.reservations() == []


def test_the_same_call_heard_twice_changes_nothing(world: World) -> None:
    lost = call()
    world.hear(lost)
    assert world.hear(lost, now=NOON + 3 * US) == []
    assert [row.losses for row in world.reservations()] == [1]
    assert len(world.rows(t.verdict)) == 1


def test_a_better_verdict_takes_back_what_nobody_was_dialled_for(world: World) -> None:
    lost = call()
    world.hear(lost, source="live-partial")
    told = world.hear(lost, "served", now=NOON + 3 * US)
    (row,) = world.reservations()
    assert [news.name for news in told] == ["call", "withdrawn"]
    assert (row.state, row.open) == ("withdrawn", False)
    assert [text.state for text in world.rows(text_outbox)] == ["withdrawn"]


def test_a_caller_served_by_himself_is_owed_nothing(world: World) -> None:
    world.hear(call())
    world.hear(call(queue="sales", ended_at=NOON + US))
    told = world.hear(call("819012345678", ended_at=NOON + 9 * MINUTE, talked_s=60), "served")
    assert [news.name for news in told] == ["call", "returned", "returned"]
    assert {row.state for row in world.reservations()} == {"returned"}
    assert {text.state for text in world.rows(text_outbox)} == {"withdrawn"}


def test_a_talk_before_the_loss_settles_nothing(world: World) -> None:
    earlier = call(ended_at=NOON - MINUTE, talked_s=30)
    world.hear(call())
    world.hear(earlier, "served", now=NOON + US)
    assert [row.state for row in world.reservations()] == ["waiting"]


def test_a_shared_number_is_not_settled_by_somebody_elses_call(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    world.hear(call(ended_at=NOON + 9 * MINUTE, talked_s=60), "served")
    assert [row.state for row in world.reservations()] == ["waiting"]


def test_the_evening_shrinks_the_window_and_the_night_carries_over(world: World) -> None:
    world.hear(call("09012345601", ended_at=at("20:35")))
    world.hear(call("09012345602", ended_at=at("21:40")))
    evening, night = world.reservations()
    assert (evening.deadline_at, evening.not_before_at) == (at("21:30"), at("20:35"))
    assert (night.clock_starts_at, night.deadline_at) == (at("08:00", 24), at("09:00", 24))
    texts = {text.template: text.body for text in world.rows(text_outbox)}
    assert "21:30" in texts["lost"]
    assert "11-24 08:00" in texts["lost-carried"]


def test_in_watch_nobody_is_texted(migrated_url: str) -> None:
    world = World(migrated_url, rules(queues={}))
    world.hear(call())
    assert [row.state for row in world.reservations()] == ["waiting"]
    assert world.rows(text_outbox) == []
    world.close()


def test_one_open_reservation_is_a_constraint_of_the_database(world: World) -> None:
    world.hear(call())
    (row,) = world.reservations()
    again = {column: value for column, value in row._mapping.items() if column != "id"}  # noqa: SLF001
    with pytest.raises(IntegrityError), world.store.write() as connection:
        connection.execute(insert(t.reservation).values(**again))


def test_whoever_spoke_with_an_agent_is_owed_nothing_even_where_nobody_knows_how_it_ended(world: World) -> None:
    world.hear(call())
    world.hear(call(ended_at=NOON + 9 * MINUTE, talked_s=60), "unknown")
    assert [row.state for row in world.reservations()] == ["returned"]


def test_a_call_whose_end_nobody_saw_was_lost_when_it_was_last_seen(world: World) -> None:
    unseen = replace(call(), ended_at=None)
    told = world.hear(unseen, "blocked", now=NOON + 4 * 60 * MINUTE)
    assert told[-1].facts["why"] == "late-news"


def test_a_call_that_nobody_can_judge_is_kept_for_people_to_see(world: World) -> None:
    world.hear(call(), "unknown")
    assert [row.recovery for row in world.rows(t.call)] == ["gave-up"]
    assert world.reservations() == []


def test_the_calls_of_a_shared_number_are_not_merged(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    world.hear(call(ended_at=NOON + MINUTE))
    assert [row.losses for row in world.reservations()] == [1, 1]


def test_a_better_verdict_replaces_the_visits_of_the_call(world: World) -> None:
    lost = call()
    world.hear(lost, source="live-partial")
    visit = replace(lost.visits[0], joined_at=lost.visits[0].joined_at + US)
    world.hear(replace(lost, visits=(visit,)), now=NOON + US)
    assert [row.joined_at for row in world.rows(t.queue_visit)] == [visit.joined_at]
    assert [row.losses for row in world.reservations()] == [1]


def test_a_text_that_waits_is_not_sent_once_texts_are_switched_off(world: World) -> None:
    world.hear(call())
    (text,) = world.rows(text_outbox)
    off = replace(world.site, rules=rules(queues={}))
    with world.store.read() as connection:
        assert compose.number_of(connection, world.site, text.recipient) == "+819012345678"
        with pytest.raises(Refused, match="switched off"):
            compose.number_of(connection, off, text.recipient)


def test_a_loss_that_betters_the_promise_is_another_promise(world: World) -> None:
    """He was lost in silence this time: that is called back within ten minutes."""
    world.hear(call())
    world.hear(call(ended_at=NOON + MINUTE, talked_s=9), "silent")
    (row,) = world.reservations()
    first, second = world.rows(t.promise)
    assert (first.deadline_at, first.reason) == (NOON + 60 * MINUTE, "window")
    assert (second.number, second.deadline_at) == (2, NOON + 11 * MINUTE)
    assert (row.clock_starts_at, row.aim_at, row.deadline_at) == (
        second.clock_starts_at,
        second.aim_at,
        second.deadline_at,
    )


def test_a_better_verdict_on_a_loss_is_the_same_loss(world: World) -> None:
    lost = call()
    world.hear(lost, source="log")
    world.hear(lost, "dropped", source="live-partial", now=NOON + US)
    assert [(row.losses, row.state) for row in world.reservations()] == [(1, "waiting")]
    assert len(world.rows(t.verdict)) == 2


def test_a_better_verdict_does_not_ring_again_who_was_reached(world: World) -> None:
    lost = call()
    world.hear(lost, source="log")
    order = world.claim()
    assert order is not None
    world.end(order.attempt, "reached", NOON + MINUTE)
    world.hear(lost, source="live-complete", now=NOON + 2 * MINUTE)
    assert [row.state for row in world.reservations()] == ["reached"]


def test_a_loss_that_was_taken_back_and_confirmed_is_reserved_again(world: World) -> None:
    lost = call()
    world.hear(lost, source="log")
    world.hear(lost, "served", source="live-partial", now=NOON + US)
    world.hear(lost, source="live-complete", now=NOON + 2 * US)
    assert [row.state for row in world.reservations()] == ["withdrawn", "waiting"]
    assert [row.reservation_id for row in world.rows(t.loss)] == [world.reservations()[1].id]


def before_any_queue(did: str, number: str | None = "09012345678") -> Call:
    return replace(call(number), visits=(), did=did)


@pytest.mark.parametrize(
    ("did", "queue"),
    [("0312345678", "sales"), ("0399999999", "support"), ("", "support")],
    ids=["did", "other", "none"],
)
def test_who_was_lost_before_any_queue_is_called_back_for_the_queue_of_the_number_he_dialled(
    migrated_url: str, did: str, queue: str
) -> None:
    world = World(migrated_url, rules(dids={"0312345678": "sales"}, default_queue="support"))
    world.hear(before_any_queue(did), "blocked")
    assert [row.queue for row in world.reservations()] == [queue]
    assert [row.queue for row in world.rows(t.call)] == [queue]
    world.close()


def test_a_number_that_leads_to_no_queue_of_ours_is_not_kept(world: World) -> None:
    assert world.hear(before_any_queue("0312345678"), "blocked") == []
    assert world.rows(t.call) == []


def test_served_before_any_queue_answers_what_was_lost(migrated_url: str) -> None:
    world = World(migrated_url, rules(dids={"0312345678": "sales"}))
    world.hear(call(queue="sales"))
    later = replace(before_any_queue("0312345678"), started_at=NOON + MINUTE, ended_at=NOON + 2 * MINUTE)
    assert [news.name for news in world.hear(later, "served")] == ["call", "returned"]
    world.close()


def test_of_a_loss_that_only_a_log_tells_of_people_decide(world: World) -> None:
    told = world.hear(replace(call(), doubtful=True), source="log")
    assert [(news.name, news.facts.get("why")) for news in told[1:]] == [("not-recovered", "unproved")]
    assert [row.number for row in world.rows(t.person)] == ["+819012345678"]
    with world.store.write() as connection:
        (row,) = unreserved(world.work(connection, NOON), 0, 9)
        assert row.reason == "unproved"
        release.release(world.work(connection, NOON + MINUTE), row.call_id)
    assert [row.state for row in world.reservations()] == ["waiting"]


def test_who_only_a_log_says_was_served_is_owed_what_he_was(world: World) -> None:
    world.hear(call())
    again = replace(call(ended_at=NOON + MINUTE, talked_s=30), doubtful=True)
    assert [news.name for news in world.hear(again, "served", source="log")] == ["call"]
    assert [row.state for row in world.reservations()] == ["waiting"]
    assert [row.redialled_at for row in world.rows(t.loss)] == [None]


def test_a_caller_whom_the_pbx_does_not_know_is_recorded_without_a_person(world: World) -> None:
    told = world.hear(replace(call(), confirmed=False))
    assert [(news.name, news.facts.get("why")) for news in told[1:]] == [("not-recovered", "unconfirmed")]
    assert [row.recovery for row in world.rows(t.call)] == ["unconfirmed"]
    assert (world.rows(t.person), world.reservations()) == ([], [])


def test_a_caller_whom_the_pbx_does_not_know_answers_nothing(world: World) -> None:
    world.hear(call())
    world.hear(replace(call(ended_at=NOON + MINUTE, talked_s=30), confirmed=False), "served")
    assert [row.open for row in world.reservations()] == [True]


def test_the_number_that_a_queue_shows_is_our_own_and_is_not_called_back(world: World) -> None:
    told = world.hear(call("0312345678"))
    assert [(news.name, news.facts.get("why")) for news in told[1:]] == [("not-recovered", "own-number")]
