"""After a restore nobody is rung or texted who may have been already; whom the log clears is called on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from callback.operations import comparing
from callback.operations.comparing import Past, Placed, Told
from callback.service.jobs.dispatch import _carry_and_show
from callback.store import restored
from callback.store import tables as t
from callback.store.restored import Restored
from callback.texts import compose
from sms import outbox
from telephony.dialling.commands import Ticket
from telephony.queue_log.between import open_log
from tests.callback.world import MINUTE, NOON, ON, US, World, call, picture, rules

BACKUP = NOON - 10 * MINUTE
ONE = Restored(1, BACKUP, to_people=False, began_at=NOON, boot="boot 1")
CUSTOMER = "+819012345678"
DIGITS = "819012345678"
LOST = NOON - 5 * MINUTE
CLEAR = Past({}, "")


def restore(world: World, **more: Any) -> None:
    """Say in the database that it was restored, and that the service began again at noon."""
    with world.store.write() as connection:
        row = {"pbx": "main", "backup_at": BACKUP, "restored_at": NOON, "first_free": 100, "to_people": False} | more
        connection.execute(insert(t.restored).values(**row))
        restored.begin(connection, "main", "boot 1", NOON)


def compared(world: World, past: Past, now: int = NOON + US) -> dict[str, Any]:
    with world.store.write() as connection:
        work = world.work(connection, now)
        one = restored.pending(connection, "main")
        assert one is not None
        comparing.compare(work, one, past)
        return work.told[-1].facts


@pytest.mark.parametrize(
    ("rung", "why_not", "state"),
    [
        ((), "", "waiting"),
        (((LOST + MINUTE, "reached"),), "", "done-elsewhere"),
        (((LOST + MINUTE, "perhaps"),), "", "expired"),
        (((LOST + MINUTE, "nobody"),), "", "waiting"),
        (((LOST - MINUTE, "reached"),), "", "waiting"),  # that was for an earlier loss
        (((LOST + MINUTE, "perhaps"), (LOST + 2 * MINUTE, "reached")), "", "done-elsewhere"),
        ((), "the log begins too late", "expired"),
        (((LOST + MINUTE, "reached"),), "the log begins too late", "done-elsewhere"),
    ],
)
def test_what_became_of_whom_we_owe(world: World, rung: Any, why_not: str, state: str) -> None:
    world.hear(call(ended_at=LOST))
    restore(world)
    compared(world, Past({DIGITS: rung}, why_not))
    assert world.reservations()[0].state == state
    assert (world.claim(NOON + 2 * US) is not None) == (state == "waiting")


def test_nobody_is_called_or_texted_before_it_was_compared_and_old_texts_never_leave(world: World) -> None:
    world.hear(call(ended_at=NOON - 15 * US))
    restore(world)
    world.hear(call("09087654321", ended_at=NOON + 2 * US))  # lost while the service runs again
    later = NOON + MINUTE
    with world.store.write() as connection:
        assert not _carry_and_show(world.work(connection, later), picture())
        compose.hold_back(world.work(connection, later), frozenset())
        assert outbox.recipients(connection, "main", later) == []
    facts = compared(world, CLEAR, later)
    assert (facts["go_on"], facts["texts"]) == (1, 1)
    assert sorted(world.texts().values()) == ["waiting", "withdrawn"]
    with world.store.write() as connection:
        assert _carry_and_show(world.work(connection, later), picture())
        assert restored.pending(connection, "main") is None


def test_a_deadline_that_passed_is_for_people_for_the_apology_may_have_left(world: World) -> None:
    world.hear(call(ended_at=NOON - 61 * MINUTE), now=NOON - 61 * MINUTE)
    restore(world)
    compared(world, CLEAR)
    assert world.reservations()[0].state == "expired"
    assert world.reservations()[0].handled_at is None


def test_people_may_ask_for_all_of_them(world: World) -> None:
    world.hear(call(ended_at=LOST))
    restore(world, to_people=True)
    compared(world, CLEAR)
    assert world.reservations()[0].state == "expired"


def test_where_the_customer_is_rung_first_no_log_tells_of_it(migrated_url: str) -> None:
    first = ON.model_copy(update={"first": "customer"})
    world = World(migrated_url, rules(queues={"support": first}))
    world.hear(call(ended_at=LOST))
    restore(world)
    compared(world, CLEAR)
    assert world.reservations()[0].state == "expired"
    world.close()


@pytest.mark.parametrize(
    ("ticket", "how"),
    [
        (Ticket("ended:ANSWER:16:40", "boot 1"), "reached"),
        (Ticket("ended:ANSWER:16:1", "boot 1"), "perhaps"),
        (Ticket("ended:BUSY:17:0", "boot 1"), "perhaps"),
        (Ticket("ringing", "boot 1"), "perhaps"),
        (Ticket("answered", "boot 2"), "perhaps"),
        (Ticket(None, "boot 1"), "nobody"),
        (Ticket(None, "boot 2"), "perhaps"),  # a restart may have taken the ticket with it
        (None, "perhaps"),
    ],
)
def test_what_a_ticket_proves(ticket: Ticket | None, how: str) -> None:
    assert comparing.ended(ticket, ONE, 10) == how


def test_a_callback_that_still_seeks_an_agent_is_waited_for() -> None:
    assert comparing.still_seeks({"a": "perhaps", "b": "nobody"}, {"b"})
    assert not comparing.still_seeks({"a": "perhaps", "b": "nobody"}, {"a"})


def test_the_log_tells_which_callbacks_were_placed(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    begun, after = BACKUP // US - 200, BACKUP // US + 60
    path.write_text(
        f"{begun}|NONE|NONE|NONE|QUEUESTART|\n"
        f"{after}|{after}.1|support|NONE|ENTERQUEUE||09012345678|1\n"
        f"{after}|lcr-00ff-1|support|NONE|ENTERQUEUE||+819012345678|1\n"
        f"{after}|lcr-00ee-1|support|NONE|ENTERQUEUE||+819012345679|1\n"
        f"{after + 2}|lcr-00ff-1|support|Agent|CONNECT|2|x|1\n"
    )
    log = open_log(path)
    told = comparing.told_by(log, BACKUP, NOON, known={"00ee"})
    assert told == Told((Placed("00ff", DIGITS, after * US),), "")
    assert comparing.told_by(log, BACKUP - 1000 * US, NOON).why_not.endswith("does not reach back to the backup")
    assert comparing.told_by(None, BACKUP, NOON).why_not == "[pbx] queue_log is not set"
    assert comparing.told_by(open_log(tmp_path / "none"), BACKUP, NOON).why_not
    assert comparing.past_of(told, {"00ff": "reached"}).rung == {DIGITS: ((after * US, "reached"),)}
