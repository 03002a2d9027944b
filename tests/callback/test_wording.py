"""Which text a caller gets, when, and that nobody is texted who is on the line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback import decisions, wording
from callback.audit import By
from callback.store import tables as t
from sms import outbox
from sms.delivery import deliver
from sms.gateway import Receipt, Refused
from sms.outbox import text_outbox
from telephony.call import Kind
from tests.callback.world import MINUTE, NOON, ON, US, World, call, rules

HIM, HER = "+819012345678", "+819087654321"
LATER = NOON + 30 * MINUTE


def due(world: World, now: int, on_the_line: set[str]) -> list[str]:
    """The templates that would be sent now, while these are on the line."""
    with world.store.write() as connection:
        wording.hold_back(connection, world.shift, on_the_line, now)
        texts = outbox.claim(connection, now, 100, 60, "test")
        connection.rollback()
        connection.begin()
    return [text.template for text in texts]


def given_up(world: World) -> None:
    """He was lost at noon, and could not be called at his number."""
    world.hear(call())
    order = world.claim()
    assert order is not None
    world.end(order.attempt, "invalid-number", LATER)


def test_the_explaining_text_waits_for_the_grace(world: World) -> None:
    world.hear(call())
    assert due(world, NOON + 20 * US - 1, set()) == []
    assert due(world, NOON + 20 * US, set()) == ["lost"]


def test_nobody_is_told_that_he_is_called_back_while_he_is_on_the_line(world: World) -> None:
    world.hear(call())
    assert due(world, NOON + MINUTE, {HIM}) == []
    assert due(world, NOON + MINUTE, {HER}) == ["lost"]


def test_nobody_is_told_so_while_we_call_him(world: World) -> None:
    world.hear(call())
    world.claim(NOON + 30 * US)
    assert due(world, NOON + MINUTE, set()) == []


def test_nobody_is_told_that_we_could_not_reach_him_while_he_is_on_the_line(world: World) -> None:
    given_up(world)
    assert due(world, LATER + US, {HIM}) == []
    assert due(world, LATER + US, {HER}) == ["given-up"]


def test_nobody_is_told_that_we_could_not_reach_him_after_he_got_through(world: World) -> None:
    given_up(world)
    world.hear(call(ended_at=LATER + MINUTE, talked_s=20), "served")
    assert set(world.texts().values()) == {"withdrawn"}


def test_what_was_switched_off_meanwhile_is_refused_by_name(world: World) -> None:
    world.hear(call())
    (text,) = world.rows(text_outbox)
    off = replace(world.shift, rules=rules(queues={"support": ON.model_copy(update={"texts": "watch"})}))
    with world.store.read() as connection:
        assert wording.number_of(connection, world.shift, text.recipient) == HIM
        with pytest.raises(Refused, match="switched off"):
            wording.number_of(connection, off, text.recipient)


def test_a_text_names_a_person_by_no_number(world: World) -> None:
    given_up(world)
    rows = world.rows(text_outbox)
    assert {row.template for row in rows} == {"lost", "given-up"}
    for row in rows:
        assert "9012345678" not in row.recipient + row.body + row.cause
    assert [person.number for person in world.rows(t.person)] == [HIM]


def test_the_texts_of_another_pbx_are_left_to_its_own_service(world: World) -> None:
    """They share a database, and each knows the rules of its own queues alone."""
    world.hear(call())
    sent: list[str] = []

    class Gateway:
        name = "test"

        def send(self, to: str, body: str, ref: str) -> Receipt:
            assert body
            assert ref
            sent.append(to)
            return Receipt("1")

    def address(recipient: str) -> str:
        with world.store.read() as connection:
            return wording.number_of(connection, world.shift, recipient)

    taken = [deliver(world.store.write, Gateway(), address, lambda: LATER, 9, pbx=pbx) for pbx in ("other", "main")]
    assert (taken, sent) == ([0, 1], [HIM])


@pytest.mark.parametrize(
    ("kind", "template"),
    [
        ("abandoned", "lost"),
        ("blocked", "lost"),
        ("dropped", "lost-dropped"),
        ("silent", "lost-silent"),
        ("requested", "lost-requested"),
    ],
)
def test_the_text_fits_what_happened(world: World, kind: Kind, template: str) -> None:
    world.hear(call(), kind)
    assert due(world, NOON + MINUTE, set()) == [template]


def test_nothing_is_promised_to_whom_a_person_holds(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        decisions.hold(connection, world.shift, 1, By("anna", "a complaint"), NOON + US)
    world.hear(call(ended_at=NOON + 20 * MINUTE))
    assert due(world, NOON + 25 * MINUTE, set()) == []
    with world.store.write() as connection:
        decisions.resume(connection, world.shift, 1, By("anna", "settled"), NOON + 26 * MINUTE)
    assert due(world, NOON + 27 * MINUTE, set()) == ["lost", "lost"]


def test_no_text_is_said_to_follow_that_could_only_come_too_late(world: World) -> None:
    world.hear(call())
    (_, told) = world.hear(call(ended_at=NOON + 100 * MINUTE))
    assert (told.event, told.facts["text"], len(world.texts())) == ("merged", False, 1)
