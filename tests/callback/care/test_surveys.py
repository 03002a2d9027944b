"""Who is asked how a call was, once, and what becomes of the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.care import served
from callback.customers import blocks
from callback.settings.care import QueueCare
from callback.store import tables as t
from callback.store.audit import By
from callback.store.feed import Reader
from callback.texts import asking as asking_texts
from scheduler.clock import DAY, HOUR
from sms import outbox
from sms.outbox import text_outbox
from tests.callback.care.asked import ASKS, CUSTOMER, answer, asking, leave, look, switch_on
from tests.callback.world import MINUTE, NOON, US, World, call

MOBILE, OTHER = "09012345678", "09087654321"


def serve(world: World, number: str | None = MOBILE, ended_at: int = NOON, queue: str = "support") -> None:
    world.hear(call(number, ended_at=ended_at, talked_s=60, queue=queue), "served")


def test_who_was_served_is_asked_once_and_a_1_opens_a_case_of_the_agent_who_was_rated(world: World) -> None:
    reader = switch_on(asking(world))
    serve(world)
    look(world, reader, NOON + US)
    assert leave(world, NOON + MINUTE) == ["survey"]
    assert answer(world, "1 rude!", NOON + 2 * MINUTE) == "Thank you for your text: one of us will read it."
    assert world.rows(t.care_case) == [], "no number alone: for people"
    assert answer(world, " 1 ", NOON + 2 * MINUTE) == "Thank you: it helps us to do better."
    (case,) = world.rows(t.care_case)
    assert (case.kind, case.source, case.agent, case.words, case.state) == (
        "dissatisfied", "survey", "Agent One", "1", "assigned",
    )  # fmt: skip
    (survey,) = world.rows(t.survey)
    assert (survey.kind, survey.agent, survey.score, survey.case_id, case.survey_id) == (
        "call", "Agent One", 1, case.id, survey.id,
    )  # fmt: skip
    (callback,) = world.reservations()
    assert (callback.kind, callback.apart, callback.agent) == ("follow-up", f"case/{case.id}", "Agent One")
    assert callback.agent_until_at == NOON + 2 * MINUTE + 2 * HOUR
    assert callback.deadline_at == case.due_at == NOON + 2 * MINUTE + 24 * HOUR
    answer(world, "so rude!", NOON + 2 * MINUTE)
    assert [(row.who, row.event, row.note) for row in world.rows(t.care_step)][-1] == ("customer", "said", "so rude!")
    assert answer(world, "2", NOON + 3 * MINUTE) == "Thank you: it helps us to do better."
    assert [len(world.rows(table)) for table in (t.care_case, t.reservation)] == [1, 1], "the same service, one case"


@pytest.mark.parametrize("number", ["3", "5"])
def test_an_answer_that_is_not_low_opens_no_case(world: World, number: str) -> None:
    reader = switch_on(asking(world))
    serve(world)
    look(world, reader, NOON + US)
    leave(world, NOON + MINUTE)
    answer(world, number, NOON + 2 * MINUTE)
    assert (world.rows(t.care_case), [row.score for row in world.rows(t.survey)]) == ([], [int(number)])
    assert [(row.score, row.state, row.reservation_id) for row in world.rows(t.answer)] == [(None, "done", None)]


def test_without_cases_a_low_answer_is_only_kept(world: World) -> None:
    reader = switch_on(asking(world, QueueCare(ask_served=True)))
    serve(world)
    look(world, reader, NOON + US)
    leave(world, NOON + MINUTE)
    assert answer(world, "1", NOON + 2 * MINUTE) == "Thank you: it helps us to do better."
    assert (world.rows(t.care_case), [row.score for row in world.rows(t.survey)]) == ([], [1])


def test_nobody_is_asked_twice_for_one_call_nor_again_too_soon_nor_while_a_case_is_open(world: World) -> None:
    reader = switch_on(asking(world))
    serve(world)
    look(world, reader, NOON + US)
    look(world, switch_on_again(world), NOON + US)
    leave(world, NOON + MINUTE)
    serve(world, ended_at=NOON + DAY)
    look(world, reader, NOON + DAY + US)
    assert len(world.rows(t.survey)) == 1, "asked yesterday"
    answer(world, "1", NOON + 2 * DAY)
    serve(world, ended_at=NOON + 40 * DAY)
    look(world, reader, NOON + 40 * DAY + US)
    assert len(world.rows(t.survey)) == 1, "a case is open"
    with world.store.write() as connection:
        connection.execute(t.care_case.update().values(open=False, state="withdrawn"))
    serve(world, ended_at=NOON + 41 * DAY)
    look(world, reader, NOON + 41 * DAY + US)
    assert len(world.rows(t.survey)) == 2


def switch_on_again(world: World) -> Reader:
    """Read all that there ever was once more."""
    with world.store.write() as connection:
        connection.execute(t.survey_place.update().values(reached_id=0))
    return switch_on(world)


def test_a_question_that_never_left_is_none(world: World) -> None:
    reader = switch_on(asking(world))
    serve(world)
    look(world, reader, NOON + US)
    with world.store.write() as connection:
        connection.execute(text_outbox.update().values(state="expired", settled_at=NOON))
    serve(world, ended_at=NOON + DAY)
    look(world, reader, NOON + DAY + US)
    assert len(world.rows(t.survey)) == 2
    assert leave(world, NOON + DAY + MINUTE) == ["survey"]


def test_nobody_is_asked_who_may_not_be(world: World) -> None:
    reader = switch_on(asking(world))
    with world.store.write() as connection:
        blocks.block(connection, "main", CUSTOMER, By("anna", "she asked"), NOON, texts=True)
    serve(world)
    serve(world, "0312349999")  # a landline
    serve(world, None)  # nobody knows whose call it was
    serve(world, OTHER, queue="sales")  # which asks nobody
    serve(world, "09011112222", ended_at=NOON - 2 * HOUR)
    world.hear(call("09033334444"))  # lost
    look(world, reader, NOON + US)
    assert world.rows(t.survey) == []


def test_a_shared_number_is_many_peoples(world: World) -> None:
    reader = switch_on(asking(world))
    serve(world)
    with world.store.write() as connection:
        connection.execute(t.person.update().values(shared=True))
    look(world, reader, NOON + US)
    assert world.rows(t.survey) == []


def test_who_cannot_answer_by_text_is_not_asked(world: World) -> None:
    reader = switch_on(asking(world, two_way=False))
    serve(world)
    look(world, reader, NOON + US)
    assert world.rows(t.survey) == []


def test_calls_from_before_the_switch_was_on_are_not_asked_about(world: World) -> None:
    reader = switch_on(asking(world))
    asking(world, ASKS.model_copy(update={"ask_served": False}))
    with world.store.write() as connection:
        assert served.begin(world.work(connection, NOON)) is None
    serve(world)
    reader = switch_on(asking(world), NOON + US)
    look(world, reader, NOON + 2 * US)
    assert world.rows(t.survey) == []
    serve(world, OTHER, ended_at=NOON + 3 * US)
    look(world, reader, NOON + 4 * US)
    assert len(world.rows(t.survey)) == 1


def test_a_call_that_turned_out_otherwise_is_not_asked_about(world: World) -> None:
    reader = switch_on(asking(world))
    heard = call(MOBILE, talked_s=60)
    world.hear(heard, "served", source="log")
    world.hear(heard, "dropped")
    look(world, reader, NOON + US)
    assert world.rows(t.survey) == []


def test_after_a_callback_the_question_is_kept_with_who_called(world: World) -> None:
    asking(world)
    world.site = replace(world.site, rules=world.site.rules.model_copy(update={"ask_after": True}))
    world.hear(call())
    order = world.claim(NOON + US)
    assert order is not None
    with world.store.write() as connection:
        connection.execute(t.attempt.update().values(agent="Agent Two"))
    world.end(order.attempt, "reached", NOON + MINUTE)
    leave(world, NOON + 2 * MINUTE)
    (survey,) = world.rows(t.survey)
    assert (survey.kind, survey.about, survey.agent) == ("callback", "callback/1", "Agent Two")
    answer(world, "2", NOON + 3 * MINUTE)
    (case,) = world.rows(t.care_case)
    assert (case.agent, case.survey_id) == ("Agent Two", survey.id)
    assert [(row.score, row.reservation_id) for row in world.rows(t.answer)] == [(2, 1)], "as the reports count it"


def test_lost_callers_are_told_before_anybody_is_asked_and_what_is_late_was_never_asked(world: World) -> None:
    reader = switch_on(asking(world))
    for number in range(5):
        serve(world, f"0908765432{number}")
    look(world, reader, NOON + US)
    world.hear(call(MOBILE, ended_at=NOON + 5 * US))
    with world.store.write() as connection:
        first, *_ = outbox.claim(connection, NOON + MINUTE, 3, 60, "test")
        assert first.template == "lost", "though it was written last"
        assert asking_texts.take_back_late(world.work(connection, NOON + 2 * HOUR)) == 3, "all that did not leave"
    assert len(world.rows(t.survey)) == 2
    serve(world, "09087654324", ended_at=NOON + 3 * HOUR)
    look(world, reader, NOON + 3 * HOUR + US)
    assert len(world.rows(t.survey)) == 3, "never asked, so asked now"


def test_a_mute_night_is_for_repairs_alone(world: World) -> None:
    late = NOON + 11 * HOUR
    reader = switch_on(asking(world))
    serve(world, ended_at=late)
    look(world, reader, late + US)
    assert [row.not_before_at for row in world.rows(text_outbox)] == [late + 21 * US], "who called just now is awake"


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=20), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_share_is_the_same_calls_again_and_a_larger_one_holds_them(ids: list[str], one: float, two: float) -> None:
    smaller, larger = sorted((one, two))
    for id_ in ids:
        assert served.in_share(id_, 1.0)
        assert not served.in_share(id_, 0.0)
        assert not served.in_share(id_, smaller) or served.in_share(id_, larger)


def test_a_share_is_that_share() -> None:
    found = sum(served.in_share(f"1764{number}.{number}", 0.2) for number in range(10_000))
    assert 1850 < found < 2150  # 3.75 standard deviations
