"""Texts of an act that may still be undone: they wait, and are as if nobody had written or taken back any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from sms import outbox, withheld
from sms.gateway import Receipt
from sms.outbox import SECOND, text_outbox
from tests.sms.database import NOW, put

if TYPE_CHECKING:
    from tests.sms.database import Database

LATER = NOW + 15 * SECOND


def rows(database: Database) -> list[Any]:
    with database.transaction() as conn:
        return list(conn.execute(select(text_outbox).order_by(text_outbox.c.id)))


def test_only_what_is_new_waits(database: Database) -> None:
    with database.transaction() as conn:
        put(conn, "old", recipient="a")
        before = withheld.standing(conn, ["a", "b"])
        for cause, recipient in (("new", "a"), ("first", "b"), ("of another", "c")):
            put(conn, cause, recipient=recipient)
        withheld.withhold(conn, before, LATER)
        withheld.withhold(conn, {}, LATER)
    assert {row.cause: row.not_before_at == LATER for row in rows(database)} == {
        "old": False, "new": True, "first": True, "of another": False,
    }  # fmt: skip


def test_what_was_taken_back_waits_again_and_what_is_new_is_gone(database: Database) -> None:
    with database.transaction() as conn:
        put(conn, "left", recipient="a")
        (left,) = outbox.claim(conn, NOW, 9, 60, "fake")
        outbox.settle_sent(conn, {left: Receipt("ref")}, NOW)
        put(conn, "waits", recipient="a")
    before = rows(database)
    with database.transaction() as conn:
        kept = withheld.standing(conn, ["a"])["a"]
        outbox.withdraw_all(conn, "a", "chosen anew", NOW + SECOND)
        put(conn, "new", recipient="a")
    assert [row.state for row in rows(database)] == ["sent", "withdrawn", "waiting"]
    with database.transaction() as conn:
        assert withheld.put_back(conn, "a", kept)
    assert rows(database) == before


@pytest.mark.parametrize("state", ["sending", "sent"])
def test_what_has_left_is_not_taken_back(database: Database, state: str) -> None:
    with database.transaction() as conn:
        kept = withheld.standing(conn, ["a"])["a"]
        put(conn, "new", recipient="a")
    with database.transaction() as conn:
        (text,) = outbox.claim(conn, NOW, 9, 60, "fake")
        if state == "sent":
            outbox.settle_sent(conn, {text: Receipt("ref")}, NOW)
    before = rows(database)
    with database.transaction() as conn:
        assert not withheld.put_back(conn, "a", kept)
    assert rows(database) == before
