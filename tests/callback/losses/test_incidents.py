"""Many losses with one cause: nobody is dialled or texted for them until they have passed, or a person says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from callback.decisions import actions
from callback.errors import IllegalTransition
from callback.events import Happened
from callback.losses import incidents, intake
from callback.losses.incidents import NoSuchIncident
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from sms.outbox import text_outbox
from telephony.calls.call import Kind
from tests.callback.world import MINUTE, NOON, US, World, call, emptied, judged, picture, rules, told_by
from tests.callback.world import at as clock

FEW: dict[str, Any] = {"incident_losses": 3, "incident_min": 10, "incident_drain_per_min": 6}
FREE = picture(free={queue: {f"PJSIP/agent{n}" for n in range(9)} for queue in ("support", "sales")})
ANNA = By("anna", "the carrier is mended")
BEGUN = NOON + 3 * US  # the fourth is lost


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules(**FEW))
    yield made
    made.close()


def lose(world: World, *lasts: int, at: int = NOON, kind: Kind = "blocked", queue: str = "support") -> list[Happened]:
    """Let callers be lost, a second apart."""
    return [
        news
        for n, last in enumerate(lasts)
        for news in world.hear(call(f"090123456{last:02}", at + n * US, queue=queue), kind)
    ]


def tend(world: World, now: int) -> list[Happened]:
    with world.store.write() as connection:
        return told_by(incidents.tend, world.work(connection, now))


def decide(world: World, wish: incidents.Wish, now: int, incident: int = 1) -> list[Happened]:
    with world.store.write() as connection:
        return told_by(incidents.decide, world.work(connection, now), incident, wish, ANNA)


def states(world: World) -> list[str]:
    return [row.state for row in world.reservations()]


def incident(world: World) -> Any:
    (row,) = world.rows(t.incident)
    return row


def test_more_than_usual_with_one_cause_are_one_incident_and_hold_all_of_them(world: World) -> None:
    told = lose(world, 1, 2, 3)
    assert "incident" not in [news.name for news in told]
    assert states(world) == ["waiting"] * 3
    (begun,) = (news for news in lose(world, 4, at=BEGUN) if news.name == "incident")
    assert begun.facts == {"incident": 1, "cause": "support/gave-up/main", "state": "holding", "losses": 4}
    lose(world, 5, 6, at=BEGUN + US)
    assert states(world) == ["held"] * 6
    assert {row.incident_id for row in world.rows(t.loss)} == {1}
    assert incident(world).losses == 6
    assert world.claim(NOON + MINUTE, FREE) is None
    assert set(world.texts().values()) == {"withdrawn"}, "those that waited are taken back, no more are written"


@pytest.mark.parametrize(
    "apart",
    [
        {"queue": "sales"},
        {"at": NOON + 11 * MINUTE},
        {"kind": "requested"},  # he was promised a callback
    ],
)
def test_other_losses_are_no_part_of_it(world: World, apart: dict[str, Any]) -> None:
    lose(world, 1, 2, 3)
    lose(world, 9, **apart)
    assert world.rows(t.incident) == []


def test_another_reason_or_trunk_is_another_cause(world: World) -> None:
    heard = call()
    lost = intake.loss_of(heard, "support", judged(heard, "blocked"))
    causes = {
        incidents.cause_of(replace(lost, queue=queue, reason=reason), trunk)
        for queue in ("support", "sales")
        for reason in ("queue-full", "congestion")
        for trunk in ("main", "other")
    }
    assert len(causes) == 8
    assert incidents.cause_of(replace(lost, reason="closed"), "main") == ""


def test_when_it_is_quiet_they_are_let_go_at_the_set_rate_and_texted_then(world: World) -> None:
    lose(world, *range(10))
    quiet = NOON + 7 * US + 10 * MINUTE  # then two of them were lost within ten minutes
    assert tend(world, quiet - 1) == []
    (told,) = tend(world, quiet)
    assert (told.name, told.facts["state"]) == ("incident", "draining")
    let_go = []
    for second in range(5, 101, 5):
        tend(world, quiet + second * US)
        let_go.append(states(world).count("waiting"))
    assert (let_go[:5], let_go[-1]) == ([0, 1, 1, 2, 2], 10)
    assert list(world.texts().values()).count("waiting") == 10, "each is texted when he is let go"
    assert world.claim(quiet + 100 * US, FREE) is not None
    tend(world, quiet + 101 * US)
    assert (incident(world).state, incident(world).open, incident(world).let_go) == ("over", False, 10)


def test_losses_as_there_always_are_do_not_hold_it_for_ever(world: World) -> None:
    lose(world, *range(5))
    for n in range(1, 7):
        lose(world, 20 + n, at=NOON + n * 5 * MINUTE)
        tend(world, NOON + n * 5 * MINUTE)
    assert incident(world).state == "draining"


def test_who_asks_for_a_callback_while_he_is_held_is_held_no_more_nor_again(world: World) -> None:
    lose(world, *range(5))
    lose(world, 2, at=BEGUN + MINUTE, kind="requested")
    assert states(world) == ["held", "held", "waiting", "held", "held"]
    lose(world, 9, at=BEGUN + MINUTE, kind="requested")
    lose(world, 9, at=BEGUN + 2 * MINUTE)
    assert states(world)[5] == "waiting"


def test_a_loss_learnt_long_afterwards_is_counted_with_those_of_its_own_time(world: World) -> None:
    lose(world, 1, 2, 3, at=NOON + 20 * MINUTE)
    world.hear(call("09012345677", NOON - 5 * MINUTE), "blocked", now=NOON + 21 * MINUTE)
    assert world.rows(t.incident) == []


def test_those_whose_promise_can_be_kept_are_let_go_first_and_no_broken_promise_is_made_again(world: World) -> None:
    lose(world, 1, 2, 3, 4)
    lose(world, 5, at=NOON + 9 * MINUTE)
    lose(world, 6, at=NOON + 18 * MINUTE)
    decide(world, "released", now := NOON + 65 * MINUTE)
    for n in range(1, 4):
        tend(world, now + n * 10 * US)
    assert [row.id for row in world.reservations() if row.state == "waiting"] == [1, 5, 6]
    waiting = [cause.split("/")[1] for cause, state in world.texts().items() if state == "waiting"]
    assert waiting == ["5", "6"], "the first one's time has passed: an apology is due to him"


def test_losses_that_begin_again_while_it_drains_hold_again(world: World) -> None:
    lose(world, *range(5))
    tend(world, now := NOON + 11 * MINUTE)
    tend(world, now + 10 * US)
    assert states(world).count("waiting") == 1
    lose(world, 11, 12, 13, at=now + 20 * US)
    assert states(world).count("waiting") == 4, "three are not many"
    (told,) = (news for news in lose(world, 14, at=now + 30 * US) if news.name == "incident")
    assert (told.facts["incident"], told.facts["state"]) == (1, "holding")
    assert states(world).count("waiting") == 1, "he was lost long before"


def test_a_release_is_a_persons_word_and_stands_while_more_are_lost(world: World) -> None:
    lose(world, *range(5))
    (told,) = decide(world, "released", NOON + MINUTE)
    assert (told.facts["state"], told.facts["who"], told.facts["why"]) == ("released", "anna", ANNA.why)
    assert [news.name for news in lose(world, *range(20, 30), at=NOON + MINUTE)] == ["call", "reserved"] * 10
    assert states(world).count("held") == 5
    for second in range(60):
        tend(world, NOON + MINUTE + second * US)
    assert states(world).count("held") == 0
    assert incident(world).state == "released"
    tend(world, NOON + 30 * MINUTE)
    assert incident(world).state == "over"


def test_a_drop_cancels_all_whom_it_holds_some_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "DROPPED_A_TICK", 3)
    lose(world, *range(5))
    decide(world, "dropped", NOON + MINUTE)
    tend(world, NOON + MINUTE)
    assert states(world).count("cancelled") == 3
    tend(world, NOON + MINUTE + US)
    tend(world, NOON + MINUTE + 2 * US)
    assert states(world) == ["cancelled"] * 5
    assert [news.name for news in lose(world, 7, at=NOON + 2 * MINUTE)] == ["call", "reserved"], "he is called back"
    tend(world, NOON + 11 * MINUTE)
    assert (incident(world).state, incident(world).open) == ("over", False)


def test_what_is_decided_is_audited_and_only_about_an_open_incident_of_this_pbx(world: World) -> None:
    lose(world, *range(5))
    decide(world, "released", NOON + MINUTE)
    (row,) = world.rows(t.audit)
    assert (row.action, row.who, row.facts["incident"]) == ("incident-released", "anna", 1)
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None
    with pytest.raises(NoSuchIncident, match="no open incident 2"):
        decide(world, "dropped", NOON, incident=2)


def test_one_person_may_be_resumed_alone_and_is_held_no_more(world: World) -> None:
    lose(world, *range(5))
    with world.store.write() as connection:
        actions.call_now(world.work(connection, NOON + MINUTE), 2, ANNA)
    order = world.claim(NOON + MINUTE, FREE)
    assert order is not None
    assert order.agent_sees == "+819012345601"
    world.end(order.attempt, "no-answer", NOON + 2 * MINUTE)
    lose(world, 1, at=NOON + 3 * MINUTE)
    assert states(world) == ["held", "waiting", "held", "held", "held"], "lost again, he stays a person's choice"


def test_who_gets_through_by_himself_is_settled_though_he_is_held(world: World) -> None:
    lose(world, *range(5))
    world.hear(call("09012345602", NOON + MINUTE, talked_s=30), "served")
    assert states(world)[2] == "returned"


def test_whom_an_incident_holds_is_promised_nothing_when_lost_again_for_another_reason(world: World) -> None:
    lose(world, 1, 2, 3, 4)
    other = judged(heard := call("09012345601", NOON + 11 * MINUTE), "silent")
    with world.store.write() as connection:
        intake.record(world.work(connection, NOON + 11 * MINUTE), heard, replace(other, reason="no-audio"))
    assert states(world) == ["held"] * 4
    assert "waiting" not in world.texts().values()


def test_who_is_let_go_at_night_is_told_in_the_morning(world: World) -> None:
    lose(world, 1, 2, 3, 4, at=clock("22:00"))
    decide(world, "released", now := clock("23:00"))
    tend(world, now + 60 * US)
    assert states(world).count("waiting") == 1
    (due_at,) = (row.not_before_at for row in world.rows(text_outbox) if row.state == "waiting")
    assert due_at >= clock("08:00", 24)


def test_a_customer_does_not_let_himself_out_of_it(world: World) -> None:
    """Who is held the moment after he was looked at; the door looks again."""
    lose(world, 1, 2, 3, 4)
    him = By("customer", "he answered by text")
    with world.store.write() as connection:
        with pytest.raises(IllegalTransition):
            actions.call_now(world.work(connection, NOON + MINUTE), 1, him)
        with pytest.raises(IllegalTransition):
            actions.choose_slot(world.work(connection, NOON + MINUTE), 1, clock("18:30"), him)
    assert states(world) == ["held"] * 4


def test_two_open_incidents_of_one_cause_cannot_be(world: World) -> None:
    lose(world, *range(4))
    row = {key: value for key, value in incident(world)._mapping.items() if key != "id"}  # noqa: SLF001
    with pytest.raises(IntegrityError), world.store.write() as connection:
        connection.execute(t.incident.insert().values(**row))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["lose", "wait", "tick", "release"]), st.integers(1, 400)), max_size=15))
def test_whatever_happens_one_is_open_a_cause_and_the_rate_is_held(
    sqlite_world: World, story: list[tuple[str, int]]
) -> None:
    emptied(sqlite_world.store)
    world, now = World(sqlite_world.store.url, rules(**FEW)), NOON
    resumed: list[int] = []  # when
    for what, much in story:
        if what == "lose":
            for n in range(much % 7):
                now += US
                lose(world, (much + n) % 100, at=now)
        elif what == "release" and any(row.open for row in world.rows(t.incident)):
            decide(world, "released", now, incident=max(row.id for row in world.rows(t.incident)))
        else:
            now += (much if what == "wait" else 1) * US
            held = states(world).count("held")
            tend(world, now)
            resumed += [now] * (held - states(world).count("held"))
        rows = world.rows(t.incident)
        assert sum(row.open for row in rows) <= 1
        assert all(
            row.incident_id in {one.id for one in rows if one.open}
            for row in world.reservations()
            if row.state == "held"
        )
    for begin in resumed:
        assert sum(begin <= at < begin + MINUTE for at in resumed) <= FEW["incident_drain_per_min"] + 1
