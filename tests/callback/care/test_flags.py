"""A flag for a later day: it becomes a callback on that day, from the opening on, or says why not."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from callback.care import flags
from callback.care.flags import AlreadyFlagged, BadDay, Flag, FlagsOff, NoSuchFlag
from callback.customers import blocks, persons
from callback.decisions.care import flags as deciding
from callback.decisions.care.flags import Contact, NotYourQueue
from callback.errors import IllegalTransition
from callback.reservations.follow_up import NotToBeCalled
from callback.service.jobs.care.flags import ReserveFlags
from callback.service.transactions import Transactions
from callback.settings.care import QueueCare
from callback.store import tables as t
from callback.store.audit import By
from sms.outbox import text_outbox
from tests.callback.world import NOON, ON, World, at, fed, rules

ANNA = By("anna", "asked for the new tariff, 090-1234-5678")
WEDNESDAY = date(2026, 11, 25)
NUMBER = "+819012345678"
CARING = ON.model_copy(update={"care": QueueCare(flags=True)})


@pytest.fixture
def centre(migrated_url: str) -> World:
    """Support flags customers, sales does not; open from nine to six."""
    opening = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-18:00")
    return World(migrated_url, rules(queues={"support": CARING, "sales": ON}, opening=opening))


def flag(world: World, contact: Contact | None = None, number: str = NUMBER, now: int = NOON, **more: object) -> Flag:
    with world.store.write() as connection:
        person = persons.person_of(connection, number, now)
        wanted = contact or Contact("support", WEDNESDAY)
        return deciding.flag(world.work(connection, now), person, wanted, ANNA, **more)  # type: ignore[arg-type]


def cancel(world: World, number: int = 1, now: int = NOON, **more: object) -> Flag:
    with world.store.write() as connection:
        return deciding.cancel(world.work(connection, now), number, ANNA, **more)  # type: ignore[arg-type]


def reserve(world: World, now: int) -> None:
    """Let the service's job have a turn."""
    asyncio.run(ReserveFlags(Transactions(world.store, world.sites, world.held, lambda: now, lambda: None)).run())


def test_the_day_makes_a_callback_of_it_from_the_opening_on_and_no_text(centre: World) -> None:
    flag(centre)
    reserve(centre, at("23:59", 24))
    assert centre.reservations() == []
    reserve(centre, at("00:01", 25))
    reserve(centre, at("00:02", 25))
    (row,) = centre.reservations()
    assert (row.kind, row.queue, row.apart, row.losses, row.state) == (t.FOLLOW_UP, "support", "flag/1", 0, "waiting")
    assert (row.clock_starts_at, row.deadline_at) == (at("09:00", 25), at("00:00", 26))
    assert centre.claims(at("08:59", 25)) == []
    assert centre.claim(at("09:01", 25)) is not None
    assert centre.rows(text_outbox) == []
    (kept,) = centre.rows(t.contact_flag)
    assert (kept.state, kept.reservation_id, kept.owner) == ("reserved", row.id, "anna")


def test_no_number_that_somebody_wrote_stands_in_it(centre: World) -> None:
    assert "5678" in ANNA.why
    assert "1234" not in flag(centre).reason


def test_one_for_today_is_made_at_once(centre: World) -> None:
    flag(centre, Contact("support", date(2026, 11, 23)))
    flag(centre, number="+819012345679")
    reserve(centre, NOON)
    assert [(row.apart, row.clock_starts_at) for row in centre.reservations()] == [("flag/1", NOON)]


def test_who_is_blocked_is_refused_at_once_and_on_the_day(centre: World) -> None:
    flag(centre)
    with centre.store.write() as connection:
        blocks.block(connection, "main", NUMBER, ANNA, NOON, calls=True)
    with pytest.raises(NotToBeCalled, match="blocked for our calls"):
        flag(centre, Contact("support", date(2026, 11, 26)))
    reserve(centre, at("00:01", 25))
    (kept,) = centre.rows(t.contact_flag)
    assert (kept.state, kept.why_not, kept.reservation_id) == ("refused", "number-blocked", None)
    assert centre.reservations() == []
    (told,) = [one for one in fed(centre.store) if one.name == "contact-refused"]
    assert told.facts == {"flag": 1, "queue": "support", "owner": "anna", "why": "number-blocked"}


def test_bad_wishes_are_refused_with_a_remedy_and_nothing_is_kept(centre: World) -> None:
    for wrong, contact, says in (
        (BadDay, Contact("support", date(2026, 11, 22)), "from 2026-11-23 on"),
        (BadDay, Contact("support", date(2028, 1, 1)), "a year away"),
        (FlagsOff, Contact("sales", WEDNESDAY), r"\[rules.queues.sales.care\] flags = true"),
        (NotYourQueue, Contact("nowhere", WEDNESDAY), "name one of the settings"),
    ):
        with pytest.raises(wrong, match=says):
            flag(centre, contact)
    with pytest.raises(NotYourQueue):
        flag(centre, groups=frozenset({"others"}))
    assert centre.rows(t.contact_flag) == []
    assert centre.rows(t.audit) == []


def test_nobody_is_flagged_twice_for_one_day(centre: World) -> None:
    flag(centre)
    with pytest.raises(AlreadyFlagged, match="cancel flag 1 first"):
        flag(centre)
    cancel(centre)
    assert flag(centre).id == 2


def test_it_is_cancelled_before_its_day_and_after_with_its_callback(centre: World) -> None:
    flag(centre)
    flag(centre, number="+819012345679")
    assert cancel(centre).state == "cancelled"
    reserve(centre, at("00:01", 25))
    assert [row.apart for row in centre.reservations()] == ["flag/2"]
    assert cancel(centre, 2, at("10:00", 25)).state == "cancelled"
    assert [row.state for row in centre.reservations()] == ["cancelled"]
    with pytest.raises(IllegalTransition, match="flag 2 is over"):
        cancel(centre, 2, at("10:00", 25))
    with pytest.raises(NoSuchFlag):
        cancel(centre, 3)
    with pytest.raises(NoSuchFlag):
        cancel(centre, 1, groups=frozenset({"others"}))
    acts = [(row.action, row.who, row.reservation_id) for row in centre.rows(t.audit)]
    assert acts == [
        ("contact-flagged", "anna", None),
        ("contact-flagged", "anna", None),
        ("contact-unflagged", "anna", None),
        ("cancelled", "anna", 1),
        ("contact-unflagged", "anna", 1),
    ]


def test_a_callback_under_way_is_not_cancelled(centre: World) -> None:
    flag(centre)
    reserve(centre, at("00:01", 25))
    assert centre.claim(at("10:00", 25)) is not None
    with pytest.raises(IllegalTransition, match="when the call has ended"):
        cancel(centre, 1, at("10:00", 25))
    assert [row.state for row in centre.rows(t.contact_flag)] == ["reserved"]


def test_many_are_reserved_in_one_turn(centre: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flags, "AT_ONCE", 2)
    for n in range(5):
        flag(centre, number=f"+8190123456{n:02}")
    reserve(centre, at("09:30", 25))
    assert [row.apart for row in centre.reservations()] == [f"flag/{n}" for n in range(1, 6)]
