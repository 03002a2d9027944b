"""What people decide about a number or a loss: block, erase, release; and whose a reservation is, and until when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from sqlalchemy import update

from callback.attempts.lanes import in_flight
from callback.attempts.resolve import came_back
from callback.customers import blocks
from callback.decisions import actions
from callback.decisions.actions import NoSuchPerson
from callback.errors import CallbackError
from callback.events import Happened
from callback.losses.release import NotReleased
from callback.reports.unreserved import unreserved
from callback.settings.sections import Trunk
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from scheduler.clock import HOUR
from sms.outbox import text_outbox
from telephony.calls.call import Source
from tests.callback.queue_shown import open_reservations
from tests.callback.world import MINUTE, NOON, US, World, at, call, picture, told_by

CUSTOMER, HER = "+819012345678", "+819012345679"
ANNA = By("anna", "he asked us to")


def block(world: World, *, calls: bool = True, texts: bool = True, now: int = NOON + MINUTE) -> list[Happened]:
    with world.store.write() as connection:
        return told_by(actions.block, world.work(connection, now), CUSTOMER, calls=calls, texts=texts, by=ANNA)


def erase(world: World, e164: str = CUSTOMER, by: By = ANNA) -> list[Happened]:
    with world.store.write() as connection:
        return told_by(actions.erase, world.work(connection, NOON + MINUTE), e164, by)


def release(world: World, now: int = NOON + HOUR, number: int = 1) -> list[Happened]:
    heard = sorted(world.rows(t.call), key=lambda row: row.started_at)[number - 1]
    with world.store.write() as connection:
        return told_by(actions.release, world.work(connection, now), heard.call_id, ANNA)


def states(world: World) -> list[str]:
    return [row.state for row in world.reservations()]


# Blocks


@pytest.mark.parametrize(
    ("calls", "texts", "state"), [(True, True, "cancelled"), (True, False, "cancelled"), (False, True, "waiting")]
)
def test_who_is_blocked_is_owed_no_call_and_sent_nothing(world: World, calls: bool, texts: bool, state: str) -> None:
    world.hear(call())
    block(world, calls=calls, texts=texts)
    assert states(world) == [state]
    assert list(world.texts().values()) == ["withdrawn"]
    assert (world.claim(NOON + 2 * MINUTE) is None) is calls


def test_a_later_loss_of_a_blocked_number_is_listed_and_not_called_back(world: World) -> None:
    block(world, texts=False)
    world.hear(call())
    assert (states(world), world.rows(t.call)[0].recovery, world.texts()) == (["refused"], "number-blocked", {})
    with pytest.raises(NotReleased, match="reservation unblock"):
        release(world)


def test_who_is_blocked_for_texts_is_called_without_one(world: World) -> None:
    block(world, calls=False)
    world.hear(call())
    assert (states(world), world.texts()) == (["waiting"], {})
    assert world.claim(NOON + 2 * MINUTE) is not None


def test_a_block_that_comes_between_is_seen_by_the_claim(world: World) -> None:
    """Its row may be written by another process, or by a customer's STOP, that knows nothing of reservations."""
    world.hear(call())
    with world.store.write() as connection:
        blocks.block(connection, "main", CUSTOMER, By("customer", "STOP"), NOON, calls=True)
    assert world.claim(NOON + MINUTE) is None
    assert states(world) == ["cancelled"]
    assert [news.name for news in world.told] == ["cancelled"]


def test_a_call_that_looks_for_an_agent_is_called_off_and_its_end_changes_nothing(world: World) -> None:
    world.hear(call())
    order = world.claim(NOON)
    assert order is not None
    block(world)
    with world.store.read() as connection:
        rows = in_flight(connection, "main")
    assert [row.id for row in came_back(rows, ())] == [order.attempt]
    world.end(order.attempt, "agent-cancelled", NOON + 2 * MINUTE)
    assert states(world) == ["cancelled"]
    assert world.claim(NOON + 5 * MINUTE) is None


def test_who_is_unblocked_is_called_back_for_his_next_loss(world: World) -> None:
    world.hear(call())
    block(world)
    with world.store.write() as connection:
        actions.unblock(world.work(connection, NOON + 2 * MINUTE), CUSTOMER, calls=True, texts=True, by=ANNA)
    world.hear(call(ended_at=NOON + 5 * MINUTE))
    assert states(world) == ["cancelled", "waiting"]


# Erasure


def everything(world: World) -> str:
    """Every value of every table, as it stands."""
    tables = [*t.metadata.sorted_tables, text_outbox]
    return "\n".join(str(tuple(row)) for table in tables for row in world.rows(table))


def test_after_an_erasure_no_table_holds_the_number_or_what_he_was_told(world: World) -> None:
    world.hear(call(talked_s=20), "dropped")
    order = world.claim(NOON + US)
    assert order is not None
    with pytest.raises(CallbackError, match="when that call has ended"):
        erase(world)
    world.end(order.attempt, "no-answer", NOON + 30 * US)
    world.hear(call(ended_at=NOON + 40 * US))
    with world.store.write() as connection:
        actions.assign(world.work(connection, NOON + 50 * US), 1, "bert", ANNA)
        wrote = {"account": "a", "sid": "s", "person_id": 1, "received_at": NOON, "wish": "unclear", "state": "open"}
        connection.execute(t.answer.insert().values(pbx="main", body="I am 09012345678", reply="call 0312", **wrote))
    world.hear(call("09012345679"))
    assert "9012345678" in everything(world)
    (told,) = erase(world)
    left = everything(world)
    assert "9012345678" not in left
    assert "9012345679" in left
    assert (states(world), told.facts["cancelled"]) == (["cancelled", "waiting"], [1])
    bodies = {row.recipient: (row.state, row.body) for row in world.rows(text_outbox)}
    assert bodies["reservation/1"] == ("withdrawn", "")
    assert "reservation/2" in bodies
    assert bodies["reservation/2"][1]


@pytest.mark.parametrize("signalled", ["0990-12345678", "0012345678", "5555599012345678"])
def test_an_erasure_forgets_what_may_have_been_the_number_though_it_could_not_be_read(
    world: World, signalled: str
) -> None:
    digits = signalled.replace("-", "")
    world.hear(call(digits))
    world.hear(call("0901", ended_at=NOON + US))
    assert [row.digits for row in world.rows(t.unread_number)] == [digits, "0901"]
    (told,) = erase(world)
    assert (told.facts["person"], [row.digits for row in world.rows(t.unread_number)]) == (None, ["0901"])
    with pytest.raises(NoSuchPerson):
        erase(world)


@pytest.mark.parametrize(
    "why",
    [
        "the customer 090-1234-5678 asked",
        "+81 90 1234 5678",
        "819012345678",
        "he, at 12345678, asked",
        "call (90) 12.34.56.78",
        "０９０ー１２３４ー５６７８ asked",
    ],
)
def test_no_form_of_the_number_gets_into_the_audit_with_its_erasure(world: World, why: str) -> None:
    world.hear(call())
    for by in (By("anna", why), By(why, "asked")):
        with pytest.raises(CallbackError, match="say it without the number"):
            erase(world, by=by)
    erase(world, by=By("anna", "ticket 4711 of 2026-11-29"))


def test_a_short_number_is_known_by_its_national_form_too(world: World) -> None:
    with pytest.raises(CallbackError, match="say it without the number"):
        erase(world, "+3725123456", By("anna", "512 3456 asked"))  # seven digits are a whole number in Estonia


def test_who_was_meant_by_an_ambiguous_number_is_called_when_a_person_says_so(migrated_url: str) -> None:
    trunk = Trunk(channel="PJSIP/trunk", region="US", allowed_countries=("US", "BE"), own_numbers=("+3215551234",))
    world = World(migrated_url, trunks={"main": trunk})
    world.hear(call("3215551234"))
    (row,) = world.rows(t.call)
    with world.store.read() as connection:
        (listed,) = unreserved(world.work(connection, NOON), 0, 9)
    assert listed.caller == "3215551234 (+3215551234 or +13215551234)"
    for number, why in (
        (None, "say which with --number"),
        ("+819012345678", "it may be"),
        ("+3215551234", "our own numbers"),
    ):
        with pytest.raises(NotReleased, match=why), world.store.write() as connection:
            actions.release(world.work(connection, NOON + HOUR), row.call_id, ANNA, number)
    with world.store.write() as connection:
        actions.release(world.work(connection, NOON + HOUR), row.call_id, ANNA, "+13215551234")
    assert states(world) == ["waiting"]
    assert [person.number for person in world.rows(t.person)] == ["+13215551234"]
    assert world.rows(t.unread_number) == []
    world.close()


def test_the_word_in_the_place_of_a_number_can_be_neither_guessed_nor_called(world: World) -> None:
    world.hear(call())
    erase(world)
    (first,) = world.rows(t.person)
    with world.store.write() as connection:  # as if a loss had been on its way
        connection.execute(update(t.reservation).values(state="waiting", open=True))
    assert world.claim(NOON + 2 * MINUTE) is None
    assert states(world) == ["cancelled"]
    world.hear(call(ended_at=NOON + 3 * MINUTE))
    erase(world)
    words = [row.number for row in world.rows(t.person)]
    assert words[0] == first.number != words[1]
    assert all(len(word) > len("erased:") + 20 for word in words)


@pytest.mark.parametrize("source", ["live-partial", "live-complete"])
def test_a_journal_that_is_heard_again_does_not_bring_the_number_back(world: World, source: Source) -> None:
    heard = call()
    world.hear(heard, source="live-partial")
    erase(world)
    world.hear(heard, source=source)
    assert "9012345678" not in everything(world)


def test_a_block_outlives_the_person(world: World) -> None:
    world.hear(call())
    block(world)
    erase(world)
    world.hear(call(ended_at=NOON + HOUR))
    assert states(world) == ["cancelled", "refused"]


def test_an_erasure_is_in_the_audit_without_the_number(world: World) -> None:
    world.hear(call())
    with pytest.raises(CallbackError, match="without the number"):
        erase(world, by=By("anna", "please forget 81-90-1234-5678"))
    erase(world)
    row, *_ = world.rows(t.audit)
    assert (row.action, row.who, row.facts) == ("erase", "anna", {"person": 1, "cancelled": [1]})
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None
    with pytest.raises(NoSuchPerson, match="nothing is to be erased"):
        erase(world)


# Release


def test_late_news_is_called_back_by_a_persons_act_from_then_on(world: World) -> None:
    world.hear(call(), now=at("15:00"))
    assert (states(world), world.rows(t.call)[0].recovery) == ([], "late-news")
    reserved, decided = release(world, now=at("15:10"))
    (row,) = world.reservations()
    assert (row.state, row.last_lost_at, row.clock_starts_at, row.deadline_at) == (
        "waiting", NOON, at("15:10"), at("16:10"),
    )  # fmt: skip
    assert (reserved.name, decided.facts["action"], decided.facts["reservation"]) == ("reserved", "release", row.id)
    assert list(world.texts().values()) == ["waiting"]
    assert world.claim(at("15:11")) is not None


def test_a_refused_number_is_called_back_by_a_persons_act(world: World) -> None:
    world.hear(call("+12125550123"))
    assert states(world) == ["refused"]
    release(world, now=at("22:00"))
    refused, released = world.reservations()
    assert (refused.state, released.state) == ("refused", "waiting")
    order = world.claim(at("22:01"), picture())
    assert order is not None
    assert order.dial == "PJSIP/01012125550123@trunk"


def test_a_released_loss_joins_what_he_is_owed(world: World) -> None:
    world.hear(call(), now=at("15:00"))
    world.hear(call(ended_at=at("15:05")))
    release(world, now=at("15:10"))
    (row,) = world.reservations()
    assert (row.losses, row.deadline_at, row.last_lost_at) == (2, at("16:05"), at("15:05"))


@pytest.mark.parametrize("by", ["his call", "ours"])
def test_who_was_spoken_to_since_is_not_called_for_what_was_lost_before(world: World, by: str) -> None:
    world.hear(call(), now=at("15:00"))
    if by == "ours":
        world.hear(call(ended_at=at("14:50")))
        order = world.claim(at("14:51"))
        assert order is not None
        world.end(order.attempt, "reached", at("14:53"))
    else:
        world.hear(call(ended_at=at("14:50"), talked_s=60), "served")
    with pytest.raises(NotReleased, match="spoken to since"):
        release(world, now=at("15:10"))


@pytest.mark.parametrize(
    ("number", "why"),
    [("09012345678", "a callback is, or was, reserved"), (None, "without a number"), ("0312345678", "our own")],
)
def test_what_cannot_be_released_is_said(world: World, number: str | None, why: str) -> None:
    world.hear(call(number))
    with pytest.raises(NotReleased, match=why):
        release(world)
    assert world.rows(t.audit) == []


def test_an_unknown_call_names_the_list_and_the_list_names_what_may_be_released(world: World) -> None:
    with world.store.write() as connection, pytest.raises(NotReleased, match="reservation unreserved"):
        actions.release(world.work(connection, NOON), "1.1", ANNA)
    world.hear(call())
    world.hear(call("09012345679", waited_s=2))
    world.hear(call("09012345670", talked_s=60), "served")
    with world.store.read() as connection:
        listed = unreserved(world.work(connection, NOON), NOON - HOUR, 10)
    assert [(row.number, row.kind, row.reason) for row in listed] == [(HER, "abandoned", "short-abandon")]


# Whose, and until when


def test_who_is_assigned_is_shown_so_and_called_all_the_same(world: World) -> None:
    world.hear(call())
    for to in ("bert", ""):
        with world.store.write() as connection:
            actions.assign(world.work(connection, NOON), 1, to, ANNA)
        (line,) = open_reservations(world)
        assert line.assigned_to == (to or None)
    assert [row.facts for row in world.rows(t.audit)] == [{"to": "bert"}, {"to": ""}]
    assert world.claim(NOON + MINUTE) is not None


def test_who_is_postponed_is_not_called_before_and_was_promised_the_same(world: World) -> None:
    world.hear(call())
    before = world.reservations()[0]

    def postpone(until_at: int) -> Any:
        with world.store.write() as connection:
            actions.postpone(world.work(connection, NOON + MINUTE), 1, until_at, ANNA)
        return world.reservations()[0]

    row = postpone(at("14:00"))
    assert (row.not_before_at, row.aim_at, row.deadline_at) == (at("14:00"), before.aim_at, before.deadline_at)
    assert len(world.rows(t.promise)) == 1
    assert world.claim(at("13:59")) is None
    assert postpone(at("23:00")).not_before_at == at("08:00", day=24)
    with pytest.raises(CallbackError, match="postpone to a later one"):
        postpone(NOON)


def test_a_block_does_not_wait_for_a_reservation_while_it_holds_up_other_decisions(world: World) -> None:
    """Else two who decide at the same time wait for each other, and the database has to undo one of them."""
    world.hear(call())
    with ThreadPoolExecutor(1) as other:
        with world.store.write() as connection:
            connection.execute(t.reservation.select().with_for_update())
            blocked = other.submit(block, world)
            wait([blocked], timeout=0.5)  # it is as far as it gets
            actions.hold(world.work(connection, NOON), 1, ANNA)
        blocked.result(timeout=30)
    assert states(world) == ["cancelled"]
