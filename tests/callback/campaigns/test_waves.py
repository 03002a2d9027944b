"""People are told in waves, at the rate, once, by day, and not any more once it is stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from callback.campaigns import states, waves
from callback.campaigns.waves import MOST, WAVE_US, portion
from callback.decisions.campaigns import acts
from callback.errors import IllegalTransition
from callback.reports.campaigns import progress
from callback.settings.care import QueueCare
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import HOUR, MINUTE, SECOND
from sms import outbox
from sms.caps import Caps
from sms.gateway import Refused, Unsent
from sms.tables import text_outbox
from tests.callback.campaigns.told import BY, ON, blocks_texts, do, running, site, stands
from tests.callback.world import NOON, World, at, call

NIGHT = at("23:00")


def hit(url: str, people: int = 5, **changes: Any) -> World:
    """So many were lost, each of a number of their own."""
    world = World(url, site(**changes))
    with world.store.write() as connection:
        for number in range(people):
            world.hear_in(connection, call(f"0901234{number:04}", NOON))
        connection.execute(text_outbox.delete())  # what the lost were promised
    return world


def texts(world: World) -> list[str]:
    """The causes in the outbox, with the state of each."""
    return [f"{row.cause} {row.state}" for row in world.rows(text_outbox)]


def told(world: World) -> int:
    with world.store.read() as connection:
        people = select(func.count()).where(t.campaign_person.c.state == "told")
        return int(connection.execute(people).scalar_one())


def sends(world: World, now: int, room: int = 10) -> list[str]:
    """Claim as the sender does, and let the gateway accept all of it."""
    with world.store.write() as connection:
        claimed = outbox.claim(connection, now, room, 120, "console")
        for text in claimed:
            connection.execute(
                text_outbox.update()
                .where(text_outbox.c.id == text.id)
                .values(state="sent", sent_at=now, settled_at=now, lease_until=None)
            )
    return [text.cause for text in claimed]


def test_people_are_told_at_the_rate_and_then_it_is_done(migrated_url: str) -> None:
    """600 a minute are one in 100 ms; two seconds of them wait at most."""
    world = hit(migrated_url)
    number = running(world)
    assert do(world, waves.tend, now=NOON) == 0
    assert do(world, waves.tend, now=NOON + SECOND // 5) == 2
    assert do(world, waves.tend, now=NOON + SECOND // 4) == 0
    assert do(world, waves.tend, now=NOON + SECOND) == 3
    assert (told(world), len(world.rows(text_outbox)), stands(world, number).told) == (5, 5, 5)
    assert {row.batch for row in world.rows(text_outbox)} == {f"campaign/{number}"}
    assert {row.body for row in world.rows(text_outbox)} == {
        "Our lines were down this morning. All is well again. Questions: 0312345678"
    }
    do(world, waves.tend, now=NOON + 2 * SECOND)
    assert stands(world, number).state == "running", "they wait for the gateway"
    assert len(sends(world, NOON + 2 * SECOND)) == 5
    do(world, waves.tend, now=NOON + 3 * SECOND)
    assert stands(world, number).state == "done"
    shown = do(world, progress.progress, stands(world, number))
    assert (shown.told, shown.sent, shown.waiting) == (5, 5, 0)


def test_what_waits_is_bounded_while_nothing_leaves(migrated_url: str) -> None:
    world = hit(migrated_url, 30)
    running(world, per_min=300)
    for second in range(20):
        do(world, waves.tend, now=NOON + second * SECOND)
    assert told(world) == 10, "two seconds of the rate"


def test_stopped_they_wait_again_and_nobody_is_told_twice(migrated_url: str) -> None:
    """What is just being sent is not written anew, and should it come back it is not sent while it is stopped."""
    world = hit(migrated_url)
    number = running(world)
    do(world, waves.tend, now=NOON + SECOND // 2)
    later = NOON + SECOND
    with world.store.write() as connection:
        flying = outbox.claim(connection, later, 2, 120, "console")
    assert do(world, acts.stop, number, BY, now=later) == 3
    assert told(world) == 2
    assert do(world, waves.tend, now=later) == 0
    with world.store.read() as connection:
        known = compose.numbers_of(connection, world.site, [text.recipient for text in flying])
    assert all(isinstance(one, Unsent) for one in known.values())
    with world.store.write() as connection:
        outbox.settle_unsent(connection, flying[0], "the campaign was stopped", later)
    assert sends(world, later + HOUR) == []
    do(world, acts.start, number, BY, now=later + HOUR)
    do(world, waves.tend, now=later + HOUR)
    do(world, waves.tend, now=later + HOUR + 2 * SECOND)
    again = sends(world, later + HOUR + 2 * SECOND)
    assert len(again) == 4, "the three, and the one that came back"
    assert flying[1].cause not in again


def test_at_night_they_wait_for_the_morning(migrated_url: str) -> None:
    """No text leaves after 21:30 on the customer's clock: they are deferred, not dropped."""
    world = hit(migrated_url)
    number = running(world, now=NIGHT - SECOND)
    assert do(world, waves.tend, now=NIGHT) == 0
    assert do(world, waves.tend, now=at("07:59", 24)) == 0
    assert told(world) == 0
    assert stands(world, number).state == "running"
    assert do(world, waves.tend, now=at("08:00", 24)) == 5


def test_what_could_not_leave_before_the_night_is_written_again(migrated_url: str) -> None:
    world = hit(migrated_url)
    running(world, now=at("21:29"))
    assert do(world, waves.tend, now=at("21:29") + 30 * SECOND) == 5
    assert sends(world, at("21:30")) == []
    with world.store.write() as connection:
        assert outbox.lapse(connection, at("21:31")).expired == 0
    do(world, waves.tend, now=at("21:31"))
    assert (told(world), texts(world)) == (0, [])
    assert do(world, waves.tend, now=at("08:00", 24)) == 5
    assert len(sends(world, at("08:00", 24))) == 5


def test_who_says_stop_meanwhile_is_not_told(migrated_url: str) -> None:
    """Neither by a text that is still to be written, nor by one that waits."""
    world = hit(migrated_url, 2)
    running(world)
    do(world, waves.tend, now=NOON + SECOND // 10)
    do(world, blocks_texts, "+819012340000", now=NOON + SECOND)
    do(world, blocks_texts, "+819012340001", now=NOON + SECOND)
    do(world, waves.tend, now=NOON + SECOND)
    assert [row.why for row in world.rows(t.campaign_person)] == ["", "opted-out"]
    with world.store.read() as connection, pytest.raises(Refused, match="opted out"):
        compose.number_of(connection, world.site, world.rows(text_outbox)[0].recipient)


def test_nothing_is_told_where_it_is_off(migrated_url: str) -> None:
    """Switched off while it runs: it waits, and goes on at the rate after that."""
    world = hit(migrated_url)
    running(world)
    on, off = world.site, {"support": ON.model_copy(update={"care": QueueCare()})}
    world.site = replace(on, rules=on.rules.model_copy(update={"queues": off}))
    assert do(world, waves.tend, now=NOON + SECOND) == 0
    world.site = on
    assert do(world, waves.tend, now=NOON + SECOND) == 0
    assert do(world, waves.tend, now=NOON + 2 * SECOND) == 5


def test_started_only_where_it_is_on_and_once(migrated_url: str) -> None:
    world = hit(migrated_url)
    number = running(world)
    with pytest.raises(IllegalTransition):
        do(world, acts.start, number, BY)
    with pytest.raises(IllegalTransition):
        do(world, acts.build, number, BY)
    do(world, acts.stop, number, BY)
    with pytest.raises(IllegalTransition):
        do(world, acts.stop, number, BY)
    do(world, acts.finish, number, BY)
    assert stands(world, number).state == "done"


def test_texts_of_lost_callers_leave_first(migrated_url: str) -> None:
    """However many wait of a campaign, and since when: in each claim, and they use up none of the hour's texts."""
    world = hit(migrated_url, 30, texts_an_hour=1)
    running(world, per_min=6000)
    do(world, waves.tend, now=NOON + SECOND)
    world.hear(call("09099999999", NOON + 2 * SECOND))
    later = NOON + MINUTE
    with world.store.write() as connection:
        caps = Caps(6, 20, 1)
        first = outbox.claim(connection, later, 10, 120, "console", caps=caps)
        rest = outbox.claim(connection, later, 100, 120, "console", caps=caps)
    assert [text.cause.partition("/")[0] for text in first] == ["lost"] + ["campaign"] * 9
    assert len(rest) == 21, "one text an hour bounds those of lost callers alone"


def test_a_person_gets_no_more_texts_a_day_for_it(migrated_url: str) -> None:
    """A campaign's text counts for its person, as every other does."""
    world = hit(migrated_url, 1)
    running(world)
    do(world, waves.tend, now=NOON + SECOND)
    assert len(sends(world, NOON + SECOND)) == 1
    (sent,) = world.rows(text_outbox)
    another = outbox.NewText(
        cause="lost/1", pbx="main", recipient="reservation/1", template="lost", language="en", body="…",
        not_before_at=NOON, expires_at=NOON + HOUR, person=sent.person,
    )  # fmt: skip
    with world.store.write() as connection:
        outbox.put(connection, another, NOON)
        connection.execute(text_outbox.update().where(text_outbox.c.id == sent.id).values(claimed_at=NOON))
        assert outbox.claim(connection, NOON + MINUTE, 10, 120, "console", caps=Caps(1, 20, 1000)) == []
    assert {row.state for row in world.rows(text_outbox)} == {"sent", "failed"}


@given(st.floats(0.5, 60_000), st.lists(st.integers(0, 5 * SECOND), min_size=1, max_size=60))
def test_the_rate_is_never_exceeded(per_min: float, steps: list[int]) -> None:
    """However often it is looked, also after a standstill: in no stretch of time more than the rate and one wave."""
    now, used, written = NOON, NOON, 0
    for step in steps:
        now += step
        count, used = portion(per_min, used, now, 0)
        assert 0 <= count <= MOST
        assert used <= now
        written += count
    assert written <= (now - NOON) * per_min / MINUTE + 1


@given(st.floats(0.5, 60_000), st.integers(0, 3000), st.integers(0, HOUR))
def test_no_more_than_two_seconds_wait(per_min: float, waiting: int, ago: int) -> None:
    count, _ = portion(per_min, NOON - ago, NOON, waiting)
    assert waiting + count <= max(waiting, 1, min(MOST, round(WAVE_US * per_min / MINUTE)))


@given(st.lists(st.sampled_from(["changed", "built", "started", "stopped", "finished"]), max_size=12))
def test_it_ends_once_and_tells_only_what_was_built(events: list[states.Event]) -> None:
    state: states.State = "draft"
    built = False
    for event in events:
        if not states.may(state, event):
            continue
        assert state != "done"
        state = states.after(state, event)
        built = {"built": True, "changed": False}.get(event, built)
        assert built or state == "draft"
