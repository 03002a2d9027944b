"""The outbox as a table: who may change what, and when."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event as listening
from sqlalchemy import text as literal
from sqlalchemy.exc import IntegrityError

from sms import outbox
from sms.gateway import Receipt
from sms.outbox import SECOND, Lapsed, Text
from tests.sms.database import NOW, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from tests.sms.database import Database

    _Event = Callable[[Connection, Text], bool]

_LEASE_S = 60
_LATER = NOW + (_LEASE_S + 1) * SECOND
_AFTER_EXPIRY = NOW + 3600 * SECOND


def _claim(database: Database, now: int = NOW, limit: int = 10) -> list[Text]:
    with database.transaction() as conn:
        return outbox.claim(conn, now, limit, _LEASE_S, "fake")


def _causes(texts: list[Text]) -> list[str]:
    return [text.cause for text in texts]


def _lapse(database: Database, now: int) -> Lapsed:
    with database.transaction() as conn:
        return outbox.lapse(conn, now)


# What can happen to a text. Every event is given to a text in every state.
def _put_again(conn: Connection, text: Text) -> bool:
    return put(conn, text.cause)


def _withdraw(conn: Connection, text: Text) -> bool:
    return outbox.withdraw(conn, text.cause, "called again", NOW)


def _sent(conn: Connection, text: Text) -> bool:
    return bool(outbox.settle_sent(conn, {text: Receipt("SM1")}, NOW))


def _refused(conn: Connection, text: Text) -> bool:
    return outbox.settle_refused(conn, text, "not a mobile", NOW)


def _unsent(conn: Connection, text: Text) -> bool:
    return outbox.settle_unsent(conn, text, "rate limit", NOW)


def _unknown(conn: Connection, text: Text) -> bool:
    return outbox.settle_unknown(conn, text, "time-out", NOW)


def _time_passes(conn: Connection, _text: Text) -> bool:
    return outbox.lapse(conn, _AFTER_EXPIRY) != Lapsed(0, 0)


def _claimed(conn: Connection, _text: Text) -> bool:
    return bool(outbox.claim(conn, NOW, 1, _LEASE_S, "fake"))


_EVENTS: list[_Event] = [
    _put_again, _withdraw, _claimed, _sent, _refused, _unsent, _unknown, _time_passes,
]  # fmt: skip
_STATES: dict[str, list[_Event]] = {  # and how a claimed text gets there
    "sending": [],
    "sent": [_sent],
    "failed": [_refused],
    "unknown": [_unknown],
    "withdrawn": [_unsent, _withdraw],
    "expired": [_unsent, _time_passes],
    "waiting": [_unsent],
}
_MOVES: dict[tuple[str, _Event], str] = {
    ("waiting", _withdraw): "withdrawn",
    ("waiting", _time_passes): "expired",
    ("sending", _sent): "sent",
    ("sending", _refused): "failed",
    ("sending", _unsent): "waiting",
    ("sending", _unknown): "unknown",
    ("sending", _time_passes): "unknown",
    ("unknown", _sent): "sent",
    ("sent", _sent): "sent",  # its report came first
    ("unknown", _refused): "failed",
}


@pytest.mark.parametrize("event", _EVENTS, ids=lambda event: event.__name__)
def test_what_is_not_in_the_table_changes_nothing(database: Database, event: _Event) -> None:
    for state, path in _STATES.items():
        database.put(state)
        (text,) = _claim(database)
        with database.transaction() as conn:
            assert all(step(conn, text) for step in path)
        before = database.row(state)
        assert before["state"] == state
        with database.transaction() as conn:
            moved = event(conn, text)
        expected = _MOVES.get((state, event))
        assert (state, moved) == (state, expected is not None)
        after = database.row(state)
        assert after == before if expected is None else after["state"] == expected
        with database.transaction() as conn:
            conn.execute(outbox.text_outbox.delete())


def test_a_text_waits_until_it_is_due_and_no_longer_than_it_is_of_use(database: Database) -> None:
    database.put("later", not_before_at=NOW + 20 * SECOND)
    database.put("late", expires_at=NOW)
    database.put("second", not_before_at=NOW - 1)
    database.put("first", not_before_at=NOW - 2)
    assert _causes(_claim(database)) == ["first", "second"]
    assert _causes(_claim(database, NOW + 20 * SECOND)) == ["later"]
    assert database.state("late") == "waiting"
    assert _lapse(database, NOW) == Lapsed(unknown=0, expired=1)
    assert database.state("late") == "expired"


def test_a_claim_takes_no_more_than_its_limit_and_says_all_that_is_needed(database: Database) -> None:
    for number in range(3):
        database.put(f"lost:{number}")
    assert _claim(database, limit=2) == [
        Text(
            id=database.row(f"lost:{number}")["id"],
            pbx="main",
            cause=f"lost:{number}",
            recipient=f"person:lost:{number}",
            template="lost",
            language="en",
            body=f"We call you back (lost:{number}).",
            tries=1,
            fence=1,
            lease_until=NOW + _LEASE_S * SECOND,
            line="sales",
        )
        for number in range(2)
    ]
    assert database.row("lost:0")["gateway"] == "fake"  # known before it is asked
    assert _causes(_claim(database)) == ["lost:2"]


def test_a_text_belongs_to_the_transaction_that_made_it_necessary(database: Database) -> None:
    with database.engine.connect() as conn:
        assert put(conn, "lost:1")
        conn.rollback()
    assert database.states() == {}


def test_a_second_text_for_a_cause_is_never_written(database: Database) -> None:
    assert database.put("lost:1")
    first = database.row("lost:1")
    with database.transaction() as conn:
        assert not put(conn, "lost:1", expires_at=NOW + 1)
        assert put(conn, "lost:2")  # the transaction goes on
    assert database.row("lost:1") == first
    assert set(database.states()) == {"lost:1", "lost:2"}


def test_only_the_text_of_that_cause_is_withdrawn(database: Database) -> None:
    database.put("lost:1")
    database.put("lost:10")
    with database.transaction() as conn:
        assert outbox.withdraw(conn, "lost:1", "called again and got through", NOW + 1)
        assert not outbox.withdraw(conn, "lost:%", "nobody", NOW)
    row = database.row("lost:1")
    assert (row["state"], row["reason"], row["settled_at"]) == (
        "withdrawn",
        "called again and got through",
        NOW + 1,
    )
    assert database.state("lost:10") == "waiting"


def test_a_lease_that_ran_out_is_unknown_and_its_holder_may_still_say_that_it_was_sent(
    database: Database,
) -> None:
    database.put("lost:1")
    (text,) = _claim(database)
    assert _lapse(database, text.lease_until - 1) == Lapsed(0, 0)
    assert _lapse(database, text.lease_until) == Lapsed(unknown=1, expired=0)
    row = database.row("lost:1")
    assert (row["state"], row["lease_until"], row["settled_at"]) == ("unknown", None, text.lease_until)
    assert _claim(database, _LATER) == []
    with database.transaction() as conn:
        assert outbox.settle_sent(conn, {text: Receipt("SM1")}, _LATER)
    row = database.row("lost:1")
    assert (row["state"], row["gateway_ref"], row["sent_at"]) == ("sent", "SM1", _LATER)


def test_an_older_claim_writes_nothing(database: Database) -> None:
    database.put("lost:1")
    (old,) = _claim(database)
    with database.transaction() as conn:
        assert outbox.settle_unsent(conn, old, "rate limit", NOW, [0])
    (new,) = _claim(database)
    assert (new.fence, new.tries) == (2, 2)
    for event in (_sent, _refused, _unsent, _unknown):
        with database.transaction() as conn:
            assert not event(conn, old)
    assert database.state("lost:1") == "sending"
    with database.transaction() as conn:
        assert _sent(conn, new)


def test_an_unsent_text_waits_longer_each_time_and_is_given_up_in_the_end(database: Database) -> None:
    database.put("lost:1")
    now = NOW
    for pause_s in (30, 90):
        (text,) = _claim(database, now)
        with database.transaction() as conn:
            assert outbox.settle_unsent(conn, text, "no connection", now, (30, 90))
        assert _claim(database, now + pause_s * SECOND - 1) == []
        now += pause_s * SECOND
    (text,) = _claim(database, now)
    with database.transaction() as conn:
        assert outbox.settle_unsent(conn, text, "no connection", now, (30, 90))
    row = database.row("lost:1")
    assert (row["state"], row["reason"], row["tries"]) == ("failed", "given up: no connection", 3)


def test_no_text_is_claimed_by_two(database: Database) -> None:
    causes = [f"lost:{number}" for number in range(60)]
    for cause in causes:
        database.put(cause)
    taken: list[str] = []
    start = threading.Barrier(3, timeout=20)

    def work() -> None:
        start.wait()
        while texts := _claim(database, limit=4):
            taken.extend(_causes(texts))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(taken) == sorted(causes)


def test_what_another_is_claiming_is_passed_over_or_waited_for(database: Database) -> None:
    database.put("lost:1")
    database.put("lost:2", not_before_at=NOW + 1)
    second: list[str] = []
    claiming = threading.Thread(target=lambda: second.extend(_causes(_claim(database, NOW + 1, limit=1))))
    with database.transaction() as conn:
        assert _causes(outbox.claim(conn, NOW + 1, 1, _LEASE_S, "fake")) == ["lost:1"]
        claiming.start()
        if database.engine.dialect.name == "postgresql":
            claiming.join(timeout=20)  # it does not wait for our commit
            assert second == ["lost:2"]
    claiming.join(timeout=20)
    assert second == ["lost:2"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("state = 'lost', settled_at = 1", "state"),
        ("state = 'sending'", "lease"),
        ("lease_until = 1", "lease"),
        ("state = 'sent', settled_at = 1", "sent"),
        ("state = 'failed'", "settled"),
        ("settled_at = 1", "settled"),
    ],
)
def test_the_table_refuses_what_cannot_be(database: Database, change: str, rule: str) -> None:
    database.put("lost:1")
    with (
        pytest.raises(IntegrityError, match=f"ck_text_outbox_{rule}"),
        database.transaction() as conn,
    ):
        conn.execute(literal(f"UPDATE text_outbox SET {change}"))  # noqa: S608 - the words above


def test_what_is_looked_for_every_second_is_looked_up_in_an_index(database: Database) -> None:
    database.fill([_row(number) for number in range(2000)])
    shown = explained(
        database,
        lambda conn: (outbox.claim(conn, NOW, 1, _LEASE_S, "fake"), outbox.lapse(conn, NOW)),
    )
    assert len(shown) == 4
    due, claiming, leases, expiring = shown
    assert "ix_text_outbox_due" in due
    assert "pk_text_outbox" in claiming or "PRIMARY KEY" in claiming
    assert "ix_text_outbox_lease" in leases
    assert "ix_text_outbox_due" in expiring


def _row(number: int) -> dict[str, object]:
    """A text sent long ago, but for one in a hundred, which waits."""
    waiting = number % 100 == 0
    return {
        "cause": f"lost:{number}", "pbx": "main", "recipient": "1", "body": "-", "tries": 1, "fence": 1,
        "template": "lost", "language": "en", "state": "waiting" if waiting else "sent",
        "created_at": NOW, "not_before_at": NOW, "expires_at": NOW + 1,
        "sent_at": None if waiting else NOW, "settled_at": None if waiting else NOW,
    }  # fmt: skip


def explained(database: Database, work: Callable[[Connection], object]) -> list[str]:
    """Let the database say how it would carry out each statement of `work`."""
    postgresql = database.engine.dialect.name == "postgresql"
    statements: list[tuple[str, object]] = []
    with database.transaction() as conn:
        conn.execute(literal("ANALYZE"))
    recording = database.engine.connect()
    with recording, recording.begin() as transaction:

        @listening.listens_for(recording, "before_cursor_execute")
        def _record(*arguments: object) -> None:
            statements.append((str(arguments[2]), arguments[3]))

        work(recording)
        transaction.rollback()
    explain = "EXPLAIN " if postgresql else "EXPLAIN QUERY PLAN "
    with database.transaction() as conn:
        return [
            "\n".join(str(row) for row in conn.exec_driver_sql(explain + statement, parameters))  # type: ignore[arg-type]
            for statement, parameters in statements
        ]
