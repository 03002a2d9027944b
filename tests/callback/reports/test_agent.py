"""What an agent's page reads, on both databases: talks of one phone, figures, who is on the line, who is assigned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from callback.attempts import settle, snapshot
from callback.attempts.agent_states import Agent
from callback.care import cases, repair
from callback.care.cases import NewCase
from callback.customers.persons import person_of
from callback.decisions import wrap_up
from callback.decisions.wrap_up import Teller, Word
from callback.reports.agent import desk, scripts
from callback.reports.agent.desk import Desk
from callback.reports.queue.board import Queue
from callback.reservations import follow_up
from callback.reservations.follow_up import FollowUp
from callback.settings.care import Care, QueueCare
from callback.store import tables as t
from scheduler.clock import HOUR
from tests.callback.accounts.people import made
from tests.callback.world import MINUTE, NOON, ON, US, World, call, picture, rules

PHONE = "PJSIP/agent1"
QUARTER = 15 * MINUTE


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    world = World(migrated_url)
    made(world, "mei", "agent")
    with world.store.write() as connection:
        connection.execute(t.user_account.update().values(phone=PHONE))
        agent = Agent(PHONE, "Agent One", ("support",), "free", NOON)
        snapshot.store(connection, "main", replace(picture(), agents=(agent,), heard_at=NOON), NOON)
    yield world
    world.close()


def ring(world: World, number: str, when: int, agent: str) -> str:
    world.hear(call(number, when))
    order = world.claim(when + US)
    assert order is not None
    with world.store.write() as connection:
        work = world.work(connection, when + 2 * US)
        for step in ("agent_connected_at", "customer_dialled_at", "customer_answered_at"):
            settle.progress(work, order.attempt, step, when + 2 * US, agent)
    return order.attempt


def talk(world: World, number: str, when: int, agent: str = PHONE) -> None:
    world.end(ring(world, number, when, agent), "reached", when + 62 * US)


def look(world: World, now: int = NOON) -> Desk:
    with world.store.read() as connection:
        return desk.look(Queue(world.work(connection, now)), "mei", None)


def test_talks_of_the_phone_alone_are_asked_for_the_newest_first(world: World) -> None:
    talk(world, "09012345601", NOON - 40 * MINUTE)
    talk(world, "09012345602", NOON - 30 * MINUTE, "Agent One")
    talk(world, "09012345603", NOON - 20 * MINUTE, "PJSIP/agent2")
    seen = look(world)
    assert [one.e164[-2:] for one in seen.asked] == ["02", "01"]
    assert {one.talked_us for one in seen.asked} == {60 * US}
    assert seen.today == {"callbacks": 2, "solved": 0, "voicemail": 0, "untold": 2}
    assert all(at % QUARTER == 0 for at in seen.times)
    assert seen.times[1] - seen.times[0] == QUARTER


def test_what_was_told_is_counted_and_may_be_changed_for_a_while(world: World) -> None:
    talk(world, "09012345601", NOON - 40 * MINUTE)
    with world.store.write() as connection:
        teller = Teller("mei", frozenset({PHONE}))
        wrap_up.say(world.work(connection, NOON - 5 * MINUTE), teller, 1, 1, Word("voicemail"))
    seen = look(world)
    assert (seen.asked, [one.word for one in seen.said]) == ((), ["voicemail"])
    assert seen.today == {"callbacks": 1, "solved": 0, "voicemail": 1, "untold": 0}
    assert look(world, NOON + 6 * MINUTE).said == ()


def test_nobody_is_asked_about_the_shift_before(world: World) -> None:
    talk(world, "09012345601", NOON - 40 * MINUTE)
    assert len(look(world, NOON + 11 * HOUR).asked) == 1
    assert look(world, NOON + 13 * HOUR).asked == ()


def test_who_is_on_the_line_with_what_was_said_last(world: World) -> None:
    talk(world, "09012345601", NOON - 40 * MINUTE)
    with world.store.write() as connection:
        teller = Teller("mei", frozenset({PHONE}))
        wrap_up.say(world.work(connection, NOON - 30 * MINUTE), teller, 1, 1, Word("solved", note="invoice 88"))
    ring(world, "09012345601", NOON - 10 * US, PHONE)
    line = look(world).line
    assert line is not None
    assert line.row.stage is not None
    assert (line.row.stage.step, line.row.reservation) == ("talking", 2)
    assert line.last is not None
    assert (line.last.who, line.last.outcome, line.last.note) == ("mei", "solved", "invoice 88")


def test_what_is_assigned_to_the_person_is_listed_and_next_for_the_person(world: World) -> None:
    world.hear(call("09012345601", NOON - 2 * MINUTE))
    world.hear(call("09012345602", NOON - MINUTE))
    with world.store.write() as connection:
        connection.execute(t.reservation.update().where(t.reservation.c.id == 2).values(assigned_to="mei"))
    seen = look(world)
    assert [row.reservation for row in seen.assigned] == [2]
    assert seen.next is not None, seen.nothing
    assert (seen.next.row.reservation, seen.next.for_you) == (1, True)
    with world.store.read() as connection:
        theirs = desk.look(Queue(world.work(connection, NOON)), "mei", frozenset({"nobody's"}))
    assert (theirs.next, theirs.assigned) == (None, ())


def test_a_callback_of_care_comes_with_its_script_and_another_with_none(world: World) -> None:
    queue = ON.model_copy(update={"care": QueueCare(cases=True)})
    world.site = replace(world.site, rules=rules(queues={"support": queue}, care=Care(offer="a month for free")))
    with world.store.write() as connection:
        work = world.work(connection, NOON)
        person = person_of(connection, "+819012345678", NOON)
        new = NewCase(
            kind="dissatisfied",
            source="agent",
            by="mei",
            agent="Agent One",
            person=person,
            queue="support",
            words="She hung up on me!",
        )
        repair.begin(work, cases.open_case(work, new).case)
    seen = look(world)
    assert seen.next is not None, seen.nothing
    assert (seen.next.row.kind, seen.next.for_you) == ("follow-up", True)
    script = seen.scripts[seen.next.row.reservation].script
    assert (script.kind, script.language) == ("dissatisfied", "en")
    assert any("She hung up on me!" in line for line in script.lines)
    assert any("a month for free" in line for line in script.lines)
    world.hear(call("09012345602"))
    with world.store.read() as connection:
        assert set(scripts.of(world.work(connection, NOON), [1, 2])) == {1}


def test_a_callback_that_another_agent_alone_is_to_make_is_next_for_nobody_else(world: World) -> None:
    with world.store.write() as connection:
        work = world.work(connection, NOON)
        person = person_of(connection, "+819012345678", NOON)
        wanted = FollowUp(
            person=person,
            queue="support",
            apart="flag/1",
            by_at=NOON + 24 * HOUR,
            agent="Agent Two",
            agent_for_us=US,
        )
        follow_up.reserve(work, wanted)
    assert look(world).next is None
    seen = look(world, NOON + 2 * US)
    assert seen.next is not None
    assert not seen.scripts, "there is no such flag"
