"""What the outbox tells about its texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sms import outbox, status
from sms.gateway import Receipt
from sms.outbox import SECOND, Text
from tests.sms.database import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from tests.sms.database import Database

    _End = Callable[[Connection, Text], object]

LEASE_S = 60


def _claimed(database: Database) -> Text:
    database.put("lost/1", person="person/7")
    with database.transaction() as conn:
        (text,) = outbox.claim(conn, NOW, 1, LEASE_S, "fake")
    return text


ENDS: dict[str, tuple[_End, bool]] = {
    "sending": (lambda _conn, _text: None, True),
    "sent": (lambda conn, text: outbox.settle_sent(conn, {text: Receipt("SM1")}, NOW), True),
    "unknown": (lambda conn, text: outbox.settle_unknown(conn, text, "no answer", NOW), True),
    "failed": (lambda conn, text: outbox.settle_refused(conn, text, "not a mobile", NOW), False),
    "waiting": (lambda conn, text: outbox.settle_unsent(conn, text, "busy", NOW), False),
}


@pytest.mark.parametrize("state", ENDS)
def test_a_text_has_left_unless_it_certainly_has_not(database: Database, state: str) -> None:
    end, left = ENDS[state]
    text = _claimed(database)
    with database.transaction() as conn:
        end(conn, text)
        assert status.has_left(conn, "lost/1") is left
        assert status.any_has_left(conn, "person:lost/1", ("lost", "overdue")) is left
    assert database.state("lost/1") == state


def test_only_the_cause_the_recipient_and_the_templates_that_are_meant_count(database: Database) -> None:
    _claimed(database)
    with database.transaction() as conn:
        assert not status.has_left(conn, "lost/2")
        assert not status.any_has_left(conn, "person:ask/2", ("lost",))
        assert not status.any_has_left(conn, "person:lost/1", ("overdue",))


def test_all_texts_to_a_person_are_told_with_how_they_stand(database: Database) -> None:
    text = _claimed(database)
    with database.transaction() as conn:
        outbox.settle_sent(conn, {text: Receipt("SM1")}, NOW + SECOND)
    database.put("ask/2", not_before_at=NOW + 9 * SECOND)
    database.put("lost/3", person="person/8")
    with database.transaction() as conn:
        told = status.texts_to(conn, "person/7", ["person:ask/2"])
    assert sorted((one.recipient, one.template, one.word, one.at) for one in told) == [
        ("person:ask/2", "lost", "waiting", NOW + 9 * SECOND),
        ("person:lost/1", "lost", "sent", NOW + SECOND),
    ]
