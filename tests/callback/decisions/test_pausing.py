"""What is paused is not done, is kept, and goes on by itself at its time: registering, texting, calling."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from callback.attempts import offer, snapshot
from callback.decisions import actions, blocking, ruling
from callback.decisions.acts import pausing
from callback.decisions.acts.pausing import NoSuchPause, NotForYou
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.logs.failing import Failing
from callback.reports import pauses as report
from callback.reports import unreserved
from callback.reports.queue.board import Queue
from callback.settings.rules import QueueRules
from callback.settings.texts import Texts
from callback.site.context import Sites
from callback.site.pauses import Pause, What
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose, send
from scheduler.clock import DAY
from sms.gateway import Receipt
from tests.callback.world import MINUTE, NOON, ON, US, World, call, fed, picture, rules

BO = By("bo", "the line is worked on")
SALES = QueueRules(texts="on", calls="on", caller_id="0312345678", group="sales")


class Gateway:
    """Takes every text."""

    name, paces = "test", ()

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, to: str, body: str, ref: str, line: str) -> Receipt:
        """Take one."""
        del body, line
        self.sent.append(to)
        return Receipt(f"ref {ref}")


@pytest.fixture
def world(migrated_url: str) -> World:
    return World(migrated_url, rules(queues={"support": ON, "sales": SALES}))


def at(world: World, now: int, act: Callable[..., Any], *about: Any, **more: Any) -> Any:
    """Do it under the rules and pauses that hold then; the world goes on under them."""
    with world.store.write() as connection:
        world.site = Sites(world.settings).at(connection, now)
        return act(Work(connection, world.site, now), *about, **more)


def looked(world: World, now: int) -> None:
    """The service looks at what holds."""
    at(world, now, lambda _work: None)


def pause(world: World, what: What, queue: str = "support", minutes: int = 60) -> Pause:
    made: Pause = at(world, NOON, pausing.pause, what, queue, BO, for_us=minutes * MINUTE)
    looked(world, NOON)
    return made


@pytest.mark.parametrize("queue", ["support", ""])
def test_nobody_is_called_in_a_paused_queue_and_all_are_afterwards(world: World, queue: str) -> None:
    world.hear(call("09012345601"))
    pause(world, "call", queue, 10)
    assert world.claims(NOON + US) == []
    looked(world, NOON + 10 * MINUTE - 1)
    assert world.claims(NOON + 10 * MINUTE - 1) == []
    looked(world, NOON + 10 * MINUTE)
    assert len(world.claims(NOON + 10 * MINUTE)) == 1


def test_another_queue_goes_on(world: World) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", queue="sales"))
    pause(world, "call", "sales")
    free = {"support": {"PJSIP/agent1"}, "sales": {"PJSIP/agent2"}}
    (order,) = world.claims(NOON + US, picture(free=free))
    assert order.queue == "support"


def test_whoever_waits_is_told_who_paused_it_and_until_when(world: World) -> None:
    world.hear(call("09012345601"))
    pause(world, "call")
    with world.store.write() as connection:
        work = world.work(connection, NOON + US)
        snapshot.store(connection, "main", picture(), NOON + US)
        (row,) = Queue(work).by_id([1], None)
    assert (row.why.word, row.why.until_at) == ("paused", NOON + 60 * MINUTE)
    assert (row.held_by, row.held_why) == ("bo", "the line is worked on")


def test_a_loss_while_registering_is_paused_is_filed_and_listed_and_can_be_released(world: World) -> None:
    pause(world, "register", minutes=10)
    world.hear(call("09012345601", NOON + MINUTE))
    world.hear(call("09012345602", NOON + MINUTE, queue="sales"))
    assert [row.queue for row in world.reservations()] == ["sales"]
    with world.store.read() as connection:
        work = world.work(connection, NOON + 2 * MINUTE)
        (left,) = unreserved.unreserved(work, NOON - DAY, 10)
        (shown,) = report.paused(work, None)
    assert (left.reason, left.number, shown.waiting) == ("paused", "+819012345601", 1)
    at(world, NOON + 3 * MINUTE, actions.release, left.call_id, By("anna", "he rang again"))
    looked(world, NOON + 10 * MINUTE)
    world.hear(call("09012345603", NOON + 11 * MINUTE))
    assert sorted(row.queue for row in world.reservations()) == ["sales", "support", "support"]


def test_whoever_asked_for_a_callback_gets_it_though_registering_is_paused_by_then(world: World) -> None:
    pause(world, "register", minutes=10)
    world.hear(call("09012345601", NOON + MINUTE), kind="requested")
    assert [row.state for row in world.reservations()] == ["waiting"]


def test_numbers_in_a_reason_are_masked_wherever_it_is_kept(world: World) -> None:
    world.hear(call("09012345601"))
    by = By("bo", "he rang from 090-1234-5601")
    made = at(world, NOON, pausing.pause, "call", "support", by)
    at(world, NOON, ruling.publish, rules(window_min=45), by, based_on=1)
    at(world, NOON, blocking.block, 1, by, calls=True, texts=True)
    kept = [row.why for table in (t.pause, t.shift_rules, t.batch, t.block, t.audit) for row in world.rows(table)]
    assert [why for why in (*kept, made.why) if "5601" in why] == []
    assert len([why for why in kept if why.startswith("he rang from")]) >= 5


def test_no_offer_is_made_while_it_could_not_be_registered_or_kept(world: World) -> None:
    assert set(offer.queues(world.site, NOON)) == {"support", "sales"}
    pause(world, "register")
    assert offer.queues(world.site, NOON) == ["sales"]
    at(world, NOON, pausing.pause, "call", "", BO)
    looked(world, NOON)
    assert offer.queues(world.site, NOON) == []


@contextmanager
def clock_at(world: World, now: int) -> Iterator[None]:
    """Let the database's clock stand; it is a database that other tests use afterwards."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.store, "now", lambda: now)
        yield


def due(world: World, now: int) -> list[str]:
    """What leaves when the service sends what is due."""
    gateway = Gateway()
    looked(world, now)
    with world.store.write() as connection:
        compose.hold_back(world.work(connection, now), ())
    sites = Sites(world.settings)
    with world.store.read() as connection:
        sites.at(connection, now)
    send_what_is_due(world, now, sites, gateway)
    return gateway.sent


def send_what_is_due(world: World, now: int, sites: Sites, gateway: Gateway) -> None:
    failing = Failing(logging.getLogger(__name__))
    with clock_at(world, now):
        asyncio.run(send.send_due(world.store, sites, gateway, Texts(senders=1), lambda: False, failing))  # type: ignore[arg-type]


def test_no_text_of_a_paused_queue_leaves_and_all_that_are_not_too_late_do_afterwards(world: World) -> None:
    world.hear(call("09012345601"))
    world.hear(call("09012345602", queue="sales"))
    pause(world, "text", minutes=10)
    assert due(world, NOON + MINUTE) == ["+819012345602"]
    with world.store.read() as connection:
        (shown,) = report.paused(world.work(connection, NOON + MINUTE), None)
    assert shown.waiting == 1
    assert due(world, NOON + 9 * MINUTE) == []
    assert due(world, NOON + 11 * MINUTE) == ["+819012345601"]


def test_a_text_that_was_claimed_before_the_pause_was_seen_does_not_leave_either(world: World) -> None:
    world.hear(call("09012345601"))
    at(world, NOON, pausing.pause, "text", "", BO)
    gateway = Gateway()
    sites = Sites(world.settings)
    with world.store.read() as connection:
        sites.at(connection, NOON - MINUTE)
    send_what_is_due(world, NOON + MINUTE, sites, gateway)
    assert gateway.sent == []


def test_a_pause_can_be_ended_and_that_undone_and_all_of_it_is_kept(world: World) -> None:
    world.hear(call("09012345601"))
    made = pause(world, "call")
    at(world, NOON + US, pausing.end, made.id, BO)
    with pytest.raises(NoSuchPause):
        at(world, NOON + US, pausing.end, made.id, BO)
    at(world, NOON + 2 * US, pausing.resume, made.id, BO)
    looked(world, NOON + 3 * US)
    assert world.claims(NOON + 3 * US) == []
    at(world, NOON + 4 * US, pausing.end, made.id, BO)
    looked(world, NOON + 5 * US)
    assert len(world.claims(NOON + 5 * US)) == 1
    assert [row.action for row in world.rows(t.audit)] == ["paused", "pause-ended", "pause-resumed", "pause-ended"]
    told = [one.facts["action"] for one in fed(world.store) if "action" in one.facts]
    assert told == ["paused", "pause-ended", "pause-resumed", "pause-ended"]
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None
    with pytest.raises(NoSuchPause, match="over by its time"):
        at(world, NOON + 2 * 60 * MINUTE, pausing.resume, made.id, BO)


def test_a_new_pause_of_the_same_takes_the_place_of_the_one_that_holds(world: World) -> None:
    pause(world, "call", minutes=60)
    pause(world, "call", minutes=5)
    assert [one.until_at for one in world.site.pauses] == [NOON + 5 * MINUTE]


@pytest.mark.parametrize(
    ("queue", "by", "minutes", "fault"),
    [
        ("support", By("bo", NONE_GIVEN), 60, CallbackError),
        ("support", BO, 0, CallbackError),
        ("support", BO, 1441, CallbackError),
        ("nowhere", BO, 60, CallbackError),
        ("sales", BO, 60, NotForYou),
        ("", BO, 60, NotForYou),
    ],
)
def test_what_may_not_be_paused_is_refused(
    world: World, queue: str, by: By, minutes: int, fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        at(world, NOON, pausing.pause, "call", queue, by, groups=frozenset({"site"}), for_us=minutes * MINUTE)
    assert world.rows(t.pause) == []


def test_others_pauses_are_as_if_there_were_none(world: World) -> None:
    made = pause(world, "call", "sales")
    for act in (pausing.end, pausing.resume):
        with pytest.raises(NoSuchPause):
            at(world, NOON + US, act, made.id, BO, frozenset({"site"}))
    with world.store.read() as connection:
        assert report.paused(world.work(connection, NOON + US), frozenset({"site"})) == []
