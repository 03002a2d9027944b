"""What agents say of callbacks: what follows from each word, and that the last one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from callback.attempts import settle
from callback.customers import blocks
from callback.decisions import wrap_up
from callback.decisions.actions import NoSuchReservation
from callback.decisions.acts import pausing
from callback.decisions.wrap_up import NotPossible, Said, Teller, TooLate, Word
from callback.errors import CallbackError
from callback.losses import broken_off
from callback.reports import rates
from callback.reservations import times
from callback.reservations.told import CHANGES_US
from callback.site.context import Sites
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, US, World, at, call, fed, picture, rules

PHONE = "PJSIP/agent1"
MEI = Teller("mei", frozenset({PHONE}))
BO = Teller("bo", frozenset({"PJSIP/agent2"}))
REACHED = NOON + 2 * MINUTE
T0 = REACHED + MINUTE
SOLVED, VOICEMAIL, WRONG = Word("solved"), Word("voicemail"), Word("wrong-person")
AGAIN_AT = at("15:15")
AGAIN = Word("call-again", again_at=AGAIN_AT)
LINE = Word("cut-off", cause="line")


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    world = World(migrated_url)
    yield world
    world.close()


def reach(world: World, when: int = NOON + MINUTE, agent: str = PHONE, ended_at: int = REACHED) -> str:
    """Let a callback reach the customer; give its attempt."""
    order = world.claim(when)
    assert order is not None
    with world.store.write() as connection:
        work = world.work(connection, when)
        for step in ("agent_connected_at", "customer_dialled_at", "customer_answered_at"):
            settle.progress(work, order.attempt, step, when + 10 * US, agent)
    world.end(order.attempt, "reached", ended_at)
    return order.attempt


def lost_and_reached(world: World, queue: str = "support") -> None:
    world.hear(call(queue=queue))
    reach(world)


def say(world: World, word: Word, now: int = T0, teller: Teller = MEI, reservation: int = 1, number: int = 1) -> Said:
    with world.store.write() as connection:
        return wrap_up.say(world.work(connection, now), teller, reservation, number, word)


def words(world: World) -> list[Any]:
    return world.rows(t.wrap_up)


def decide_time(world: World, reservation: int, now: int, **changed: int) -> None:
    with world.store.write() as connection:
        times.change(world.work(connection, now).connection, reservation, **changed)


def rates_of(world: World, now: int) -> rates.Rates:
    with world.store.read() as connection:
        return rates.rates(connection, "main", NOON - MINUTE, now)[0]


def test_solved_is_kept_and_told(world: World) -> None:
    lost_and_reached(world)
    before = world.reservations()
    said = say(world, replace(SOLVED, note="invoice 88"))
    assert (said.goes_on, said.changes_until_at) == (None, T0 + CHANGES_US)
    assert world.reservations() == before
    (kept,) = words(world)
    assert (kept.who, kept.outcome, kept.note, kept.at) == ("mei", "solved", "invoice 88", T0)
    last = world.rows(t.audit)[-1]
    assert (last.action, last.who, last.reservation_id) == ("wrap-up", "mei", 1)
    assert fed(world.store)[-1].event.facts()["outcome"] == "solved"


def test_after_a_voicemail_another_one_goes_on_with_the_first_promise(world: World) -> None:
    lost_and_reached(world)
    first = world.reservations()[0]
    said = say(world, VOICEMAIL)
    before, after = world.reservations()
    assert (before.state, before.open) == ("continued", False)
    assert (after.id, after.state, after.open) == (said.goes_on, "waiting", True)
    assert (after.deadline_at, after.aim_at, after.made_at) == (first.deadline_at, first.aim_at, first.made_at)
    assert (after.tries, after.losses) == (1, 1)
    assert after.not_before_at == REACHED + 15 * MINUTE
    (attempt,) = world.attempts()
    assert (attempt.reservation_id, attempt.outcome) == (after.id, "machine")
    assert {row.reservation_id for row in world.rows(t.loss)} == {after.id}
    assert world.claim(REACHED + 14 * MINUTE) is None
    order = world.claim(REACHED + 15 * MINUTE)
    assert order is not None
    assert [row.number for row in world.attempts()] == [1, 2]


def test_a_callback_that_broke_off_is_owed_again_though_registering_is_paused(sqlite_world: World) -> None:
    lost_and_reached(sqlite_world)
    with sqlite_world.store.write() as connection:
        pausing.pause(sqlite_world.work(connection, T0 - US), "register", "support", By("bo", "the line is worked on"))
    with sqlite_world.store.read() as connection:
        sqlite_world.site = Sites(sqlite_world.settings).at(connection, T0)
    said = say(sqlite_world, LINE)
    assert [(row.id, row.open) for row in sqlite_world.reservations()] == [(1, False), (said.goes_on, True)]


def test_the_first_promise_counts_once(world: World) -> None:
    lost_and_reached(world)
    now = NOON + 120 * MINUTE
    assert (rates_of(world, now).valid, rates_of(world, now).reached_60) == (1, 1)
    say(world, VOICEMAIL)
    kept = rates_of(world, now)
    assert (kept.valid, kept.dialled_60, kept.reached_60) == (1, 1, 0)
    reach(world, REACHED + 15 * MINUTE, ended_at=REACHED + 17 * MINUTE)
    kept = rates_of(world, now)
    assert (kept.valid, kept.dialled_60, kept.reached_60) == (1, 1, 1)


def test_the_text_that_asks_is_taken_back_and_no_second_one_is_written(migrated_url: str) -> None:
    world = World(migrated_url, rules(ask_after=True))
    world.hear(call())
    reach(world)
    written = set(world.texts())
    say(world, VOICEMAIL, REACHED + US)
    assert set(world.texts()) == written
    assert "waiting" not in world.texts().values()


def test_the_last_try_on_a_machine_is_given_up_without_a_text(migrated_url: str) -> None:
    world = World(migrated_url, rules(max_tries=1))
    lost_and_reached(world)
    written = set(world.texts())
    assert say(world, VOICEMAIL).goes_on is None
    assert [row.state for row in world.reservations()] == ["given-up"]
    assert set(world.texts()) == written
    say(world, SOLVED, T0 + MINUTE)
    assert [row.state for row in world.reservations()] == ["reached"]


def test_what_the_callback_had_settled_beside_goes_on_too(world: World) -> None:
    world.hear(call(queue="support"))
    world.hear(call(queue="sales", ended_at=NOON + US))
    with world.store.read() as connection:
        group = {row.queue_group for row in connection.execute(t.reservation.select())}
    reach(world)
    along = [row.state for row in world.reservations()]
    assert along == (["reached", "returned"] if len(group) == 1 else ["reached", "waiting"])
    say(world, VOICEMAIL)
    assert sorted(row.queue for row in world.reservations() if row.open) == ["sales", "support"]
    assert {row.reservation_id for row in world.rows(t.loss)} == {row.id for row in world.reservations() if row.open}


def test_what_was_settled_beside_the_last_try_has_tries_of_its_own(migrated_url: str) -> None:
    """Lost in another queue of the group, and never tried there: it goes on, though the first one is given up."""
    on = rules().queue("support").model_copy(update={"group": "one"})
    world = World(migrated_url, rules(max_tries=1, queues={"support": on, "sales": on}))
    world.hear(call(queue="support"))
    world.hear(call(queue="sales", ended_at=NOON + US))
    reach(world)
    assert sorted(row.state for row in world.reservations()) == ["reached", "returned"]
    tried = world.attempts()[0].reservation_id
    say(world, VOICEMAIL, reservation=tried)
    assert {row.id: row.state for row in world.reservations()}[tried] == "given-up"
    (owed,) = (row for row in world.reservations() if row.open)
    assert owed.queue != {row.id: row.queue for row in world.reservations()}[tried]
    say(world, SOLVED, T0 + MINUTE, reservation=tried)
    assert not any(row.open for row in world.reservations())


def test_a_wrong_person_is_left_to_people_and_gets_no_text(world: World) -> None:
    lost_and_reached(world)
    say(world, WRONG)
    (row,) = world.reservations()
    assert (row.state, row.open, row.handled_at) == ("expired", False, None)
    assert world.attempts()[0].outcome == "invalid-number"
    assert "waiting" not in world.texts().values()
    told = {(one.event.NAME, one.event.facts().get("why")) for one in fed(world.store)}
    assert ("expired", "wrong-person") in told
    assert rates_of(world, NOON + 120 * MINUTE).reached_60 == 0


def test_call_again_is_a_callback_of_its_own_at_the_chosen_time(world: World) -> None:
    lost_and_reached(world)
    said = say(world, AGAIN)
    before, again = world.reservations()
    assert (before.state, again.id, again.slot_at) == ("reached", said.goes_on, AGAIN_AT)
    assert (again.clock_starts_at, again.losses, again.tries) == (AGAIN_AT, 0, 0)
    assert world.claim(AGAIN_AT - US) is None
    assert world.claim(AGAIN_AT) is not None


@pytest.mark.parametrize("when", [NOON - MINUTE, at("03:00", 24)])
def test_nobody_is_called_again_when_that_phone_may_not_ring(world: World, when: int) -> None:
    lost_and_reached(world)
    with pytest.raises(NotPossible, match=r"passed|nobody may be rung"):
        say(world, Word("call-again", again_at=when))
    assert words(world) == []


@pytest.mark.parametrize(
    ("cause", "kind", "reason"),
    [("line", "dropped", "line-failed"), ("sound", "silent", "no-sound"), ("transfer", "dropped", "cut-off")],
)
def test_what_was_cut_off_is_a_loss_of_that_kind(world: World, cause: Any, kind: str, reason: str) -> None:
    lost_and_reached(world)
    said = say(world, Word("cut-off", cause=cause))
    before, lost = world.reservations()
    assert (before.state, lost.id, lost.kind, lost.state) == ("reached", said.goes_on, kind, "waiting")
    assert lost.severity > 0
    assert lost.deadline_at > T0
    verdict = world.rows(t.verdict)[-1]
    assert (verdict.kind, verdict.reason, verdict.source) == (kind, reason, "person")
    assert {row.reservation_id for row in world.rows(t.loss)} == {before.id, lost.id}


@pytest.mark.parametrize("first", [SOLVED, VOICEMAIL, WRONG, AGAIN, LINE])
@pytest.mark.parametrize("then", [SOLVED, VOICEMAIL, WRONG, AGAIN, LINE])
def test_the_last_word_counts(world: World, first: Word, then: Word) -> None:
    lost_and_reached(world)
    say(world, first)
    say(world, then, T0 + 2 * MINUTE)
    (kept,) = words(world)
    assert (kept.outcome, kept.at) == (then.outcome, T0)
    owed = [row for row in world.reservations() if row.open]
    assert len(owed) == (then in {VOICEMAIL, AGAIN, LINE})
    ends = {"voicemail": "machine", "wrong-person": "invalid-number"}
    assert world.attempts()[0].outcome == ends.get(then.outcome, "reached")
    own = next(row for row in world.reservations() if row.id == 1)
    assert own.state == {"voicemail": "continued", "wrong-person": "expired"}.get(then.outcome, "reached")


def test_a_word_said_twice_does_nothing_again_but_keeps_the_note(world: World) -> None:
    lost_and_reached(world)
    say(world, VOICEMAIL)
    rows = world.reservations()
    say(world, replace(VOICEMAIL, note="ask for Mr 09012345678"), T0 + MINUTE)
    assert world.reservations() == rows
    (kept,) = words(world)
    assert kept.note.startswith("ask for Mr")
    assert "09012345678" not in kept.note


def test_the_word_stands_after_ten_minutes(world: World) -> None:
    lost_and_reached(world)
    say(world, SOLVED)
    with pytest.raises(TooLate, match="10 min"):
        say(world, VOICEMAIL, T0 + CHANGES_US + 1)
    assert words(world)[0].outcome == "solved"


def test_what_went_on_meanwhile_is_not_undone(world: World) -> None:
    lost_and_reached(world)
    say(world, VOICEMAIL, REACHED + 14 * MINUTE)
    assert world.claim(REACHED + 15 * MINUTE) is not None
    with pytest.raises(NotPossible, match="'calling' by now"):
        say(world, SOLVED, REACHED + 16 * MINUTE)
    assert words(world)[0].outcome == "voicemail"
    assert world.attempts()[0].outcome == "machine"


def test_a_supervisor_who_dealt_with_a_wrong_number_is_not_overruled(world: World) -> None:
    lost_and_reached(world)
    say(world, WRONG)
    with world.store.write() as connection:
        connection.execute(t.reservation.update().values(handled_at=T0 + US))
    with pytest.raises(NotPossible, match="dealt with"):
        say(world, SOLVED, T0 + MINUTE)


def test_another_agents_callback_is_like_one_that_there_is_not(world: World) -> None:
    lost_and_reached(world)
    for teller, reservation, number in ((BO, 1, 1), (MEI, 1, 2), (MEI, 7, 1), (Teller("x", frozenset()), 1, 1)):
        with pytest.raises(NoSuchReservation):
            say(world, SOLVED, teller=teller, reservation=reservation, number=number)
    with world.store.write() as connection:
        connection.execute(t.reservation.update().values(assigned_to="bo"))
    assert say(world, SOLVED, teller=BO).outcome == "solved"


def test_a_callback_that_reached_nobody_is_asked_of_nobody(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON + MINUTE)
    assert order is not None
    with world.store.write() as connection:
        settle.progress(world.work(connection, NOON + MINUTE), order.attempt, "agent_connected_at", NOON, PHONE)
    with pytest.raises(NoSuchReservation):
        say(world, SOLVED)
    world.end(order.attempt, "busy", NOON + 2 * MINUTE)
    with pytest.raises(NoSuchReservation):
        say(world, SOLVED)


def test_the_losses_join_what_is_owed_already(world: World) -> None:
    lost_and_reached(world)
    first = world.reservations()[0]
    world.hear(call(ended_at=REACHED + 30 * US))
    said = say(world, VOICEMAIL)
    before, standing = world.reservations()
    assert (said.goes_on, standing.losses, before.state) == (standing.id, 2, "continued")
    assert standing.tries == first.tries
    assert standing.deadline_at == first.deadline_at
    assert [row.reservation_id for row in world.rows(t.loss)] == [standing.id] * 2
    say(world, SOLVED, T0 + MINUTE)
    assert [row.losses for row in world.reservations()] == [1, 1]
    assert [(row.state, row.tries) for row in world.reservations()] == [("reached", 1), ("waiting", 0)]
    assert sorted(row.reservation_id for row in world.rows(t.loss)) == [before.id, standing.id]


def test_nobody_goes_on_calling_a_number_that_was_blocked(world: World) -> None:
    lost_and_reached(world)
    with world.store.write() as connection:
        blocks.block(connection, "main", "+819012345678", By("bo", "asked"), REACHED, calls=True, texts=False)
    assert say(world, VOICEMAIL).goes_on is None
    with pytest.raises(NotPossible, match="may not be called"):
        say(world, AGAIN, T0 + MINUTE)
    assert not any(row.open for row in world.reservations())


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"outcome": "cut-off"}, "what cut the call off"),
        ({"outcome": "solved", "cause": "line"}, "what cut the call off"),
        ({"outcome": "call-again"}, "at which time"),
        ({"outcome": "solved", "note": "x" * 401}, "too long"),
    ],
)
def test_half_a_word_is_refused_in_words(facts: dict[str, Any], says: str) -> None:
    with pytest.raises(CallbackError, match=says):
        Word(**facts)


def test_the_audit_holds(world: World) -> None:
    lost_and_reached(world)
    for n, word in enumerate((VOICEMAIL, LINE, AGAIN, WRONG, SOLVED)):
        say(world, word, T0 + n * MINUTE)
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None
    assert picture().closed is None


SOUND, TRANSFER = Word("cut-off", cause="sound"), Word("cut-off", cause="transfer")


@pytest.mark.parametrize(
    "said",
    [(LINE, TRANSFER), (LINE, SOLVED, LINE), (LINE, VOICEMAIL, LINE), (LINE, SOLVED, SOUND), (LINE, WRONG, LINE)],
)
def test_who_was_cut_off_is_owed_a_callback_however_often_the_word_changes(
    world: World, said: tuple[Word, ...]
) -> None:
    lost_and_reached(world)
    for n, word in enumerate(said):
        goes_on = say(world, word, T0 + n * MINUTE).goes_on
    (owed,) = (row for row in world.reservations() if row.open)
    assert owed.id == goes_on
    assert owed.losses == 1
    assert world.rows(t.verdict)[-1].reason == broken_off.CAUSES[said[-1].cause or ""].reason


def test_another_cause_takes_nothing_back(world: World) -> None:
    lost_and_reached(world)
    say(world, LINE)
    say(world, TRANSFER, T0 + MINUTE)
    assert [row.state for row in world.reservations()] == ["reached", "waiting"]


def test_a_word_by_which_nothing_can_be_owed_is_not_kept(world: World) -> None:
    lost_and_reached(world)
    say(world, LINE)
    say(world, SOLVED, T0 + MINUTE)
    with world.store.write() as connection:
        blocks.block(connection, "main", "+819012345678", By("bo", "asked"), T0 + MINUTE, calls=True, texts=False)
    with pytest.raises(NotPossible, match="blocked"):
        say(world, LINE, T0 + 2 * MINUTE)
    assert words(world)[0].outcome == "solved"


def served_himself(world: World) -> None:
    heard = call(ended_at=REACHED + 20 * MINUTE)
    talked = replace(heard, visits=tuple(replace(one, connected_at=REACHED + 10 * MINUTE) for one in heard.visits))
    world.hear(talked, kind="served", now=REACHED + 20 * MINUTE)


def reached_for_a_later_loss(world: World) -> None:
    world.hear(call(ended_at=REACHED + 10 * MINUTE), now=REACHED + 10 * MINUTE)
    reach(world, REACHED + 11 * MINUTE, ended_at=REACHED + 13 * MINUTE)


def reached_for_the_cut_off(world: World) -> None:
    say(world, LINE, REACHED + 12 * MINUTE)
    reach(world, REACHED + 13 * MINUTE, ended_at=REACHED + 15 * MINUTE)


@pytest.mark.parametrize("since", [served_himself, reached_for_a_later_loss, reached_for_the_cut_off])
def test_nobody_is_called_after_a_voicemail_who_was_spoken_to_since(
    world: World, since: Callable[[World], None]
) -> None:
    lost_and_reached(world)
    since(world)
    assert say(world, VOICEMAIL, REACHED + 21 * MINUTE).goes_on is None
    assert not any(row.open for row in world.reservations())
    own, *_ = world.reservations()
    assert own.state == "returned"
    assert world.attempts()[0].outcome == "machine"
    say(world, SOLVED, REACHED + 22 * MINUTE)
    own, *_ = world.reservations()
    assert (own.state, world.attempts()[0].outcome) == ("reached", "reached")


def test_on_a_shared_number_each_caller_has_a_time_of_the_own(world: World) -> None:
    lost_and_reached(world)
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    for minutes in (20, 25):
        world.hear(call(ended_at=NOON + minutes * MINUTE), now=NOON + minutes * MINUTE)
    reach(world, NOON + 26 * MINUTE, ended_at=NOON + 28 * MINUTE)
    mine, other = world.reservations()[1:]
    said = say(world, AGAIN, NOON + 30 * MINUTE, reservation=mine.id)
    again = world.reservations()[-1]
    assert (said.goes_on, again.slot_at, again.apart) == (again.id, AGAIN_AT, mine.apart)
    assert world.reservations()[2] == other
    cut = say(world, LINE, NOON + 31 * MINUTE, reservation=mine.id)
    assert cut.goes_on == world.reservations()[-1].id


@pytest.mark.parametrize("first", [VOICEMAIL, AGAIN, LINE])
@pytest.mark.parametrize("fact", ["slot_at", "put_off_until_at"])
def test_a_time_decided_since_is_not_withdrawn_by_another_word(world: World, first: Word, fact: str) -> None:
    lost_and_reached(world)
    goes_on = say(world, first).goes_on
    assert goes_on is not None
    decide_time(world, goes_on, T0 + MINUTE, **{fact: AGAIN_AT + MINUTE})
    before = world.reservations()
    with pytest.raises(NotPossible, match="decide about"):
        say(world, SOLVED, T0 + 2 * MINUTE)
    assert world.reservations() == before
    assert words(world)[0].outcome == first.outcome


def test_a_time_told_by_an_apology_is_kept_by_what_was_lost_meanwhile(world: World) -> None:
    lost_and_reached(world)
    now = NOON + 70 * MINUTE
    world.hear(call(ended_at=now), now=now)
    told = now + 20 * MINUTE
    decide_time(world, 1, now, overdue_by_at=told)
    say(world, VOICEMAIL, now)
    before, standing = world.reservations()
    assert (before.state, standing.deadline_at, standing.tries, standing.losses) == ("continued", told, 1, 2)
