"""How many texts may leave: counted when they are claimed, and what is too much is given up with its reason."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.pool import StaticPool

from sms import outbox
from sms.caps import Caps
from sms.delivery import DeliveryRules, deliver
from sms.gateway import Receipt
from sms.outbox import SECOND, Text
from tests.sms.database import NOW, Database, open_engine
from tests.sms.gateways import FakeGateway, book, finished
from tests.sms.test_outbox import explained

if TYPE_CHECKING:
    from sqlalchemy import Connection

_HOUR, _DAY = 3600 * SECOND, 86_400 * SECOND
_CAPS = Caps(person_a_day=2, prefix_an_hour=3, an_hour=5)


def _claim(database: Database, now: int = NOW, limit: int = 10, caps: Caps = _CAPS) -> list[Text]:
    with database.transaction() as conn:
        return outbox.claim(conn, now, limit, 60, "fake", caps=caps)


def _put(database: Database, *texts: tuple[str, str], now: int = NOW) -> None:
    """Texts by person and prefix, in the order in which they are due."""
    for number, (person, prefix) in enumerate(texts):
        cause = f"{now}/{number}"
        database.put(cause, not_before_at=now - 1000 + number, expires_at=now + _DAY, person=person, prefix=prefix)


_somebody = book(lambda _: "+1")


def _given_up(database: Database) -> Counter[str]:
    with database.transaction() as conn:
        rows = conn.execute(outbox.text_outbox.select().where(outbox.text_outbox.c.state == "failed"))
        return Counter(row.reason for row in rows)


def test_one_person_gets_so_many_a_day(database: Database) -> None:
    _put(database, ("a", "p"), ("a", "q"), ("b", "q"), ("a", "r"))
    assert [text.cause for text in _claim(database)] == [f"{NOW}/0", f"{NOW}/1", f"{NOW}/2"]
    assert _given_up(database) == {"given up: 2 texts in 24 hours are enough for one person": 1}
    _put(database, ("a", "s"), now=NOW + _DAY - 1)
    assert _claim(database, NOW + _DAY - 1) == []
    _put(database, ("a", "s"), now=NOW + _DAY)
    assert len(_claim(database, NOW + _DAY)) == 1


def test_one_block_of_numbers_gets_so_many_an_hour(database: Database) -> None:
    _put(database, *((str(person), "p") for person in range(4)))
    assert len(_claim(database)) == 3
    assert _given_up(database) == {"given up: more than 3 texts in an hour to one block of numbers": 1}
    _put(database, ("x", "p"), now=NOW + _HOUR)
    assert len(_claim(database, NOW + _HOUR)) == 1


def test_all_together_get_so_many_an_hour(database: Database) -> None:
    _put(database, *((str(person), str(person)) for person in range(7)))
    assert [len(_claim(database, limit=4)), len(_claim(database, limit=4))] == [4, 1]
    assert _given_up(database) == {"given up: more than 5 texts in an hour": 2}


def test_what_was_not_accepted_counts_on_no_cap(database: Database) -> None:
    for number in range(4):
        _put(database, ("a", "p"), now=NOW + number)
        (text,) = _claim(database)
        with database.transaction() as conn:
            assert outbox.settle_refused(conn, text, "not a mobile", NOW)
    assert _given_up(database) == {"not a mobile": 4}


def test_what_may_have_been_accepted_counts(database: Database) -> None:
    _put(database, ("a", "p"), ("a", "p"), ("a", "p"))
    first, second = _claim(database, limit=2)
    with database.transaction() as conn:
        assert outbox.settle_unknown(conn, first, "time-out", NOW)
        assert outbox.settle_sent(conn, {second: Receipt("SM1")}, NOW)
    assert _claim(database) == []


def test_a_text_that_names_nobody_counts_only_altogether(database: Database) -> None:
    _put(database, *(("", "") for _ in range(6)))
    assert len(_claim(database)) == 5


def test_a_flood_of_refused_ones_holds_up_nobody(database: Database) -> None:
    caps = Caps(person_a_day=1, prefix_an_hour=10**6, an_hour=10**6)
    flood = [{"person": "pumped", "not_before_at": NOW - 2, "cause": f"flood/{n}"} for n in range(450)]
    least = {"pbx": "main", "recipient": "1", "template": "lost", "language": "en", "body": "-", "tries": 0, "fence": 0}
    rest = {"state": "waiting", "created_at": NOW, "expires_at": NOW + _DAY, "prefix": ""}
    database.fill([least | rest | row for row in flood])
    database.put("honest", person="somebody")
    assert [text.cause for text in _claim(database, limit=2, caps=caps)] == ["flood/0", "honest"]
    assert _given_up(database).total() == 449


def test_two_that_claim_at_once_do_not_both_find_room(database: Database) -> None:
    _put(database, *(("a", str(n)) for n in range(20)))
    taken: list[Text] = []
    start = threading.Barrier(3, timeout=20)

    def work() -> None:
        start.wait()
        taken.extend(_claim(database, limit=1))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(taken) == 2


def test_what_is_counted_is_looked_up_in_an_index(database: Database) -> None:
    row = {"pbx": "main", "recipient": "1", "template": "lost", "language": "en", "body": "-", "tries": 1, "fence": 1}
    sent = {"state": "sent", "created_at": 1, "not_before_at": 1, "expires_at": 2, "sent_at": 1, "settled_at": 1}
    database.fill(
        [
            row
            | sent
            | {"cause": str(n), "person": str(n), "prefix": str(n % 500), "claimed_at": NOW - n * 180 * SECOND}
            for n in range(3000)
        ]
    )
    _put(database, ("7", "8"), ("9", "10"))

    def work(conn: Connection) -> object:
        return outbox.claim(conn, NOW, 2, 60, "fake", caps=_CAPS)

    shown = "\n".join(explained(database, work))
    assert shown.count("ix_text_outbox_") >= 4  # due, person, prefix, altogether
    assert "Seq Scan on text_outbox" not in shown
    assert "SCAN text_outbox" not in shown.replace("SCAN text_outbox USING", "")


@settings(max_examples=20)
@given(
    people=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("pq")), max_size=12),
    limits=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    senders=st.integers(1, 3),
    behaviours=st.lists(st.sampled_from(["accept", "refuse", "unsent", "lost-before", "lost-after"]), max_size=12),
)
def test_no_cap_is_ever_exceeded(
    people: list[tuple[str, str]], limits: list[int], senders: int, behaviours: list[str]
) -> None:
    engine = open_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    database = Database(engine)
    _put(database, *people)
    by_cause = {f"{NOW}/{number}": whose for number, whose in enumerate(people)}
    moods = dict(zip(by_cause, behaviours, strict=False))
    gateway = FakeGateway(lambda cause: moods.get(cause, "accept"))
    rules = DeliveryRules(senders=senders, caps=_CAPS)
    for turn, limit in enumerate(limits):
        now = NOW + turn * 31 * SECOND
        finished(deliver(database.transaction, gateway, _somebody, lambda now=now: now, limit, rules))  # type: ignore[misc]
    accepted = [by_cause[cause] for cause in gateway.accepted.elements()]
    assert max(Counter(person for person, _ in accepted).values(), default=0) <= _CAPS.person_a_day
    assert max(Counter(prefix for _, prefix in accepted).values(), default=0) <= _CAPS.prefix_an_hour
    assert len(accepted) <= _CAPS.an_hour
    engine.dispose()
