"""A person corrects a verdict: one more version that stands, and what follows by the rules, seen before it is done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest

from callback.attempts import settle
from callback.decisions import actions, batch, corrections
from callback.decisions.corrections import Changed, Corrected, Correction, NoSuchCall, NotToday
from callback.decisions.records import Asked
from callback.errors import CallbackError, IllegalTransition
from callback.losses.calls import PERSON_RANK
from callback.settings.rules import QueueRules
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from scheduler.severity import NOW
from sms.outbox import text_outbox
from telephony.calls.call import Call
from telephony.calls.verdict import TABLE
from tests.callback.world import MINUTE, NOON, US, World, call, rules

CUSTOMER = "09012345678"
ANNA = By("anna", "I have listened to it")
LATER = NOON + 5 * MINUTE


def correct(
    world: World, heard: Call, kind: str, reason: str | None = None, now: int = LATER, **more: Any
) -> Corrected:
    with world.store.write() as connection:
        wanted = Correction(heard.call_id, kind, reason, more.pop("revision", None))
        return corrections.correct(world.work(connection, now), wanted, ANNA, **more)


def newest(world: World, heard: Call) -> Any:
    return [row for row in world.rows(t.verdict) if row.call_id == heard.call_id][-1]


def lost(world: World, *, now: int = NOON, kind: Any = "abandoned", **about: Any) -> Call:
    heard = call(CUSTOMER, now, **about)
    world.hear(heard, kind)
    return heard


def texts(world: World) -> list[tuple[str, str]]:
    return [(row.template, row.state) for row in world.rows(text_outbox)]


def test_it_is_one_more_version_by_a_person_with_the_times_that_were_heard(world: World) -> None:
    heard = lost(world)
    done = correct(world, heard, "blocked", "queue-full")
    row = newest(world, heard)
    assert (row.version, row.source, row.rank, row.kind, row.reason) == (
        2,
        "person",
        PERSON_RANK,
        "blocked",
        "queue-full",
    )
    assert (row.waited_us, row.judged_at, row.evidence) == (20 * US, LATER, [])
    assert (done.was.kind, done.now.kind) == ("abandoned", "blocked")


def test_no_verdict_of_the_service_replaces_it(world: World) -> None:
    heard = call(CUSTOMER, NOON)
    world.hear(heard, source="log")
    correct(world, heard, "served", "test-call")
    world.hear(heard, "dropped", now=LATER + MINUTE, source="live-complete")
    assert (newest(world, heard).source, newest(world, heard).version) == ("person", 2)
    assert [row.state for row in world.reservations()] == ["withdrawn"]


def test_a_person_corrects_a_person(world: World) -> None:
    heard = lost(world)
    correct(world, heard, "served")
    correct(world, heard, "silent", "no-sound")
    assert (newest(world, heard).version, newest(world, heard).kind) == (3, "silent")


def test_not_lost_withdraws_the_callback_and_takes_the_text_back(world: World) -> None:
    heard = lost(world)
    assert texts(world) == [("lost", "waiting")]
    done = correct(world, heard, "served", "test-call")
    (row,) = world.reservations()
    assert (done.consequence.follows, row.state, row.open) == ("withdrawn", "withdrawn", False)
    assert texts(world) == [("lost", "withdrawn")]
    assert (done.before and done.before.texts, done.after and done.after.texts) == (1, 0)


def test_one_of_several_losses_leaves_the_others_owed(world: World) -> None:
    first = lost(world)
    lost(world, now=NOON + 2 * MINUTE)
    done = correct(world, first, "served")
    (row,) = world.reservations()
    assert (done.consequence.follows, row.state, row.losses, row.severity) == ("less", "waiting", 1, 0)
    assert row.last_lost_at == NOON + 2 * MINUTE
    assert len(world.rows(t.loss)) == 1


def test_another_kind_is_promised_sooner_and_said_so(world: World) -> None:
    heard = lost(world)
    done = correct(world, heard, "silent", "no-sound")
    (row,) = world.reservations()
    assert (done.consequence.follows, row.kind) == ("changed", "silent")
    assert row.deadline_at == LATER + 10 * MINUTE
    assert [one.deadline_at for one in world.rows(t.promise)] == [NOON + 60 * MINUTE, LATER + 10 * MINUTE]
    assert texts(world) == [("lost", "withdrawn"), ("lost-silent", "waiting")]


def test_a_milder_kind_is_never_promised_later(world: World) -> None:
    heard = lost(world, kind="silent", talked_s=5)
    correct(world, heard, "abandoned", "gave-up-waiting", NOON + MINUTE)
    (row,) = world.reservations()
    assert (row.kind, row.deadline_at) == ("abandoned", NOON + 10 * MINUTE)


def test_a_text_that_has_left_is_not_written_again(world: World) -> None:
    heard = lost(world)
    with world.store.write() as connection:
        sent = {"state": "sent", "sent_at": NOON, "settled_at": NOON}
        connection.execute(text_outbox.update().values(**sent))
    correct(world, heard, "silent")
    assert texts(world) == [("lost", "sent")]


def test_severity_goes_by_what_was_suffered_and_a_persons_call_now_stays(world: World) -> None:
    first = lost(world)
    second = lost(world, now=NOON + MINUTE, waited_s=400)
    assert world.reservations()[0].severity == 3
    correct(world, second, "dropped", "line-failed")
    assert world.reservations()[0].severity == 5
    with world.store.write() as connection:
        actions.call_now(world.work(connection, LATER), 1, ANNA)
    correct(world, first, "dropped", "line-failed")
    assert world.reservations()[0].severity == NOW


def test_lost_after_all_is_promised_from_now_on(world: World) -> None:
    heard = call(CUSTOMER, NOON, talked_s=30)
    world.hear(heard, "served")
    assert world.reservations() == []
    done = correct(world, heard, "silent", "no-media")
    (row,) = world.reservations()
    assert (done.consequence.follows, done.consequence.reservation) == ("reserved", row.id)
    assert (row.state, row.kind, row.made_at, row.deadline_at) == ("waiting", "silent", LATER, LATER + 10 * MINUTE)


def test_lost_after_all_joins_what_is_owed(world: World) -> None:
    heard = call(CUSTOMER, NOON - MINUTE, talked_s=30)
    world.hear(heard, "served")
    lost(world)
    done = correct(world, heard, "dropped", "line-failed")
    assert (done.consequence.follows, [row.losses for row in world.reservations()]) == ("joined", [2])


def test_to_and_fro_makes_one_callback_at_a_time(world: World) -> None:
    heard = lost(world)
    for kind in ("served", "abandoned", "served", "dropped"):
        correct(world, heard, kind)
        assert len(world.rows(t.loss)) == 1
    assert [row.state for row in world.reservations()] == ["withdrawn", "withdrawn", "waiting"]


def test_who_was_called_back_for_it_is_not_called_once_more(world: World) -> None:
    heard = lost(world)
    order = world.claim(NOON + MINUTE)
    assert order is not None
    world.end(order.attempt, "reached", NOON + 3 * MINUTE)
    assert correct(world, heard, "served").consequence.follows == "nothing"
    assert correct(world, heard, "abandoned").consequence.follows == "nothing"
    assert [row.state for row in world.reservations()] == ["reached"]


def test_nor_is_one_whose_other_loss_was_dealt_with_since(world: World) -> None:
    first = lost(world)
    lost(world, now=NOON + MINUTE)
    correct(world, first, "served", now=NOON + 2 * MINUTE)
    with world.store.write() as connection:
        actions.cancel(world.work(connection, NOON + 3 * MINUTE), 1, ANNA)
    done = correct(world, first, "abandoned", now=NOON + 4 * MINUTE)
    assert (done.consequence.follows, "see reservation 1" in done.consequence.why) == ("no-callback", True)
    assert len(world.reservations()) == 1


def test_a_call_that_closed_what_was_owed_and_was_lost_itself_is_called_back(world: World) -> None:
    """The agent answered, and the caller heard nothing: nobody was spoken to."""
    lost(world)
    back = call(CUSTOMER, NOON + 2 * MINUTE, talked_s=10)
    world.hear(back, "served")
    assert [row.state for row in world.reservations()] == ["returned"]
    assert correct(world, back, "silent", "no-sound").consequence.follows == "reserved"
    assert [row.state for row in world.reservations()] == ["returned", "waiting"]


def test_nor_is_one_who_was_spoken_to_in_a_later_call(world: World) -> None:
    heard = call(CUSTOMER, NOON, talked_s=10)
    world.hear(heard, "served")
    lost(world, now=NOON + MINUTE)
    world.hear(call(CUSTOMER, NOON + 3 * MINUTE, talked_s=60), "served")
    done = correct(world, heard, "silent", "no-sound")
    assert (done.consequence.follows, "spoken to since" in done.consequence.why) == ("no-callback", True)


def test_on_a_shared_number_another_callers_callback_is_not_this_ones(world: World) -> None:
    heard = call(CUSTOMER, NOON, talked_s=30)
    world.hear(heard, "served")
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    lost(world, now=NOON + MINUTE)
    with world.store.write() as connection:
        actions.cancel(world.work(connection, NOON + 2 * MINUTE), 1, ANNA)
    assert correct(world, heard, "silent").consequence.follows == "reserved"


def test_a_blocked_number_is_not_called_and_it_is_said_why(world: World) -> None:
    heard = call(CUSTOMER, NOON, talked_s=30)
    world.hear(heard, "served")
    with world.store.write() as connection:
        actions.block(world.work(connection, NOON), "+819012345678", calls=True, texts=False, by=ANNA)
    done = correct(world, heard, "silent")
    assert (done.consequence.follows, "blocked" in done.consequence.why) == ("no-callback", True)
    assert world.reservations() == []


def test_while_the_customer_is_called_nothing_is_corrected(world: World) -> None:
    heard = lost(world)
    order = world.claim(NOON + MINUTE)
    assert order is not None
    with pytest.raises(IllegalTransition, match="when that call has ended"):
        correct(world, heard, "served")
    assert newest(world, heard).version == 1
    with world.store.write() as connection:
        settle.end(world.work(connection, NOON), order.attempt, "busy", [], NOON + 2 * MINUTE)
    assert correct(world, heard, "served").consequence.follows == "withdrawn"


def test_a_page_that_is_out_of_date_changes_nothing(world: World) -> None:
    heard = lost(world)
    seen = world.reservations()[0].revision
    with world.store.write() as connection:
        actions.assign(world.work(connection, NOON), 1, "Wei", ANNA)
    with pytest.raises(Changed, match="changed meanwhile"):
        correct(world, heard, "served", revision=seen)
    assert correct(world, heard, "served", revision=seen + 1).consequence.follows == "withdrawn"


def test_what_is_about_to_be_closed_is_left_alone(world: World) -> None:
    heard = lost(world)
    with world.store.write() as connection:
        work = world.work(connection, LATER)
        batch.decide(work, "cancel", [Asked(1, world.reservations()[0].revision)], ANNA)
    with pytest.raises(Changed, match="closed in a moment"):
        correct(world, heard, "served")


def test_the_same_word_twice_is_none(world: World) -> None:
    heard = lost(world)
    correct(world, heard, "blocked", "queue-full")
    with pytest.raises(Changed, match="already"):
        correct(world, heard, "blocked", "queue-full")


def test_a_supervisor_corrects_todays_calls_alone(world: World) -> None:
    heard = lost(world)
    with pytest.raises(NotToday):
        correct(world, heard, "served", now=NOON + 24 * 60 * MINUTE, earlier=False)
    assert correct(world, heard, "served", earlier=False).consequence.follows == "withdrawn"


def test_another_groups_call_is_like_an_unknown_one(migrated_url: str) -> None:
    of = {"support": QueueRules(texts="on", calls="on", caller_id="0312345678", group="ours")}
    world = World(migrated_url, rules(queues=of))
    heard = lost(world)
    with pytest.raises(NoSuchCall):
        correct(world, heard, "served", groups={"theirs"})
    with pytest.raises(NoSuchCall):
        correct(world, call(CUSTOMER, NOON), "served")
    assert correct(world, heard, "served", groups={"ours"}).consequence.follows == "withdrawn"


@pytest.mark.parametrize(
    ("kind", "reason"), [("unknown", None), ("lost", None), ("served", "no-sound"), ("blocked", "x")]
)
def test_only_what_a_call_can_be_is_taken(world: World, kind: str, reason: str | None) -> None:
    heard = lost(world)
    with pytest.raises(CallbackError, match="say one of"):
        correct(world, heard, kind, reason)
    assert newest(world, heard).version == 1


def test_every_reason_of_the_table_may_be_said(world: World) -> None:
    for row in TABLE:
        if row.kind in corrections.KINDS and row.kind != "served" and row.reason and "{" not in row.reason:
            assert row.reason in corrections.REASONS[row.kind]
    heard = lost(world)
    for kind, reasons in corrections.REASONS.items():
        for reason in reasons:
            correct(world, heard, kind, reason)
            assert (newest(world, heard).kind, newest(world, heard).reason) == (kind, reason)


def test_it_is_in_the_audit_and_the_feed_with_what_it_was(world: World) -> None:
    heard = lost(world)
    correct(world, heard, "served", "test-call")
    (row,) = [row for row in world.rows(t.audit) if row.action == "correct"]
    assert (row.who, row.reservation_id, row.why) == ("anna", 1, "I have listened to it")
    assert row.facts == {
        "call_id": heard.call_id,
        "version": 2,
        "kind": "served",
        "reason": "test-call",
        "was_kind": "abandoned",
        "was_reason": "gave-up",
        "follows": "withdrawn",
    }
    assert [row.name for row in world.rows(t.happened)][-2:] == ["withdrawn", "decided"]


@pytest.mark.parametrize("kind", corrections.KINDS)
def test_what_would_follow_is_what_follows_and_seeing_it_changes_nothing(world: World, kind: str) -> None:
    lost(world)
    heard = lost(world, now=NOON + MINUTE)
    tables = (t.reservation, t.verdict, t.loss, t.promise, t.audit, t.happened, text_outbox, t.call)
    before = [world.rows(table) for table in tables]

    def act(do: Callable[[Work], NoReturn]) -> object:
        with world.store.write() as connection:
            return do(world.work(connection, LATER))

    seen, open_then = corrections.preview(
        act,
        Correction(heard.call_id, kind, None),
        ANNA,
        lambda work: work.connection.execute(t.reservation.select()).one().losses,
    )
    assert [world.rows(table) for table in tables] == before
    done = correct(world, heard, kind)
    assert (seen, open_then) == (done, world.reservations()[0].losses)


def test_the_last_loss_is_the_one_that_is_meant(world: World) -> None:
    lost(world)
    heard = lost(world, now=NOON + MINUTE)
    with world.store.read() as connection:
        work = world.work(connection, LATER)
        assert corrections.last_call(work, 1) == heard.call_id
        with pytest.raises(NoSuchCall):
            corrections.last_call(work, 99)


def test_of_two_who_correct_at_once_one_is_told_that_it_was_done(world: World) -> None:
    """Each by the revision that both saw: nothing is lost, and nothing is done twice."""
    for turn in range(10):
        heard = call(f"090123456{turn:02}", NOON)
        world.hear(heard)
        (row,) = (row for row in world.reservations() if row.state == "waiting" and row.id == turn + 1)
        start = threading.Barrier(2)

        def say(kind: str, heard: Call = heard, revision: int = row.revision, start: Any = start) -> str:
            start.wait()
            try:
                with_revision = Correction(heard.call_id, kind, None, revision)
                world.store.transact(
                    lambda connection: corrections.correct(world.work(connection, LATER), with_revision, ANNA)
                )
            except Changed:
                return "changed"
            return kind

        with ThreadPoolExecutor(2) as both:
            said = list(both.map(say, ("silent", "dropped")))
        assert sorted(one == "changed" for one in said) == [False, True]
        versions = [row for row in world.rows(t.verdict) if row.call_id == heard.call_id]
        assert [row.version for row in versions] == [1, 2]
        assert versions[-1].kind in said
