"""What becomes of a text that is handed to a gateway, for all that a gateway may do."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sms import outbox
from sms.delivery import DeliveryHooks, DeliveryRules, deliver
from sms.gateway import CODE_LENGTH, Receipt, Refused, Unsent
from sms.outbox import BACKOFF_S, LEASE_S, SECOND, Lapsed
from tests.sms.database import NOW, Database, put
from tests.sms.gateways import FakeGateway, book, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from sqlalchemy import Connection

_NUMBER = "+442079460958"


def _address(_recipient: str) -> str | None:
    return _NUMBER


def _opted_out(_recipient: str) -> str | None:
    raise Refused("opted out")


def _broken(_recipient: str) -> str | None:
    raise RuntimeError


def _deliver(
    database: Database,
    gateway: FakeGateway,
    address: Callable[[str], str | None] = _address,
    now: Callable[[], int] = lambda: NOW,
    limit: int = 10,
) -> int:
    return finished(deliver(database.transaction, gateway, book(address), now, limit))


@pytest.mark.parametrize(
    ("behaviour", "accepted", "expected"),
    [
        ("accept", 1, {"state": "sent", "gateway_ref": "fake:lost:1:1", "sent_at": NOW, "settled_at": NOW}),
        ("refuse", 0, {"state": "failed", "reason": "+… is not a mobile", "settled_at": NOW}),
        ("unsent", 0, {"state": "waiting", "reason": "no connection for +…", "settled_at": None}),
        (
            "lost-before",
            0,
            {"state": "unknown", "reason": "TimeoutError: no answer for +…", "settled_at": NOW},
        ),
        (
            "lost-after",
            1,
            {"state": "unknown", "reason": "TimeoutError: no answer for +…", "settled_at": NOW},
        ),
    ],
)
def test_each_answer_of_a_gateway_is_recorded_and_the_number_is_not(
    database: Database, behaviour: str, accepted: int, expected: dict[str, object]
) -> None:
    database.put("lost:1")
    gateway = FakeGateway(lambda _ref: behaviour)
    assert _deliver(database, gateway) == 1
    row = database.row("lost:1")
    assert expected.items() <= dict(row).items()
    assert (row["tries"], row["gateway"], row["lease_until"]) == (1, "fake", None)
    assert _NUMBER[1:] not in str(dict(row))
    assert gateway.asked == [(_NUMBER, "We call you back (lost:1).", "sales")]
    assert gateway.refs["lost:1"] == {str(row["id"])}
    assert gateway.accepted["lost:1"] == accepted
    # nothing of it is sent again at once
    assert _deliver(database, gateway) == 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (lambda _: None, {"state": "failed", "reason": "no number"}),
        (lambda _: "", {"state": "failed", "reason": "no number"}),
        (_opted_out, {"state": "failed", "reason": "opted out"}),
        (_broken, {"state": "waiting", "reason": "the number could not be looked up (RuntimeError)"}),
    ],
)
def test_without_a_number_no_gateway_is_asked(
    database: Database, address: Callable[[str], str | None], expected: dict[str, object]
) -> None:
    database.put("lost:1")
    gateway = FakeGateway()
    assert _deliver(database, gateway, address) == 1
    assert expected.items() <= dict(database.row("lost:1")).items()
    assert gateway.asked == []


def test_an_unsent_text_is_tried_again_until_it_is_given_up(database: Database) -> None:
    database.put("lost:1")
    gateway = FakeGateway(lambda _ref: "unsent")
    now = NOW
    for pause_s in (*BACKOFF_S, 0):
        assert _deliver(database, gateway, now=lambda at=now: at) == 1  # type: ignore[misc]
        now += round(pause_s * SECOND)
    assert len(gateway.asked) == len(BACKOFF_S) + 1
    assert database.row("lost:1")["reason"] == "given up: no connection for +…"
    assert database.state("lost:1") == "failed"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (Receipt("SM\0\ud800"), "sent"),
        (Refused("no\0\ud800", "9" * (CODE_LENGTH + 1)), "failed"),
        (Unsent("not now\0\ud800", "\0\ud800"), "waiting"),
        (ValueError("\0\ud800"), "unknown"),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, str) else one,
)
def test_words_that_no_database_keeps_leave_the_texts_beside_them_alone(
    database: Database, said: Receipt | Exception, state: str
) -> None:
    class Odd(FakeGateway):
        async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
            receipt = await super().send(to, body, ref, line)
            if "(odd)" not in body:
                return receipt
            if isinstance(said, Exception):
                raise said
            return said

    for cause in ("odd", "lost:1", "lost:2"):
        database.put(cause)
    finished(deliver(database.transaction, Odd(), book(_address), lambda: NOW, 10, DeliveryRules(senders=3)))
    assert database.states() == {"odd": state, "lost:1": "sent", "lost:2": "sent"}


def test_no_more_are_taken_up_than_asked_for_the_longest_due_first(database: Database) -> None:
    for number in range(5):
        database.put(f"lost:{number}", not_before_at=NOW - number)
    gateway = FakeGateway()
    assert _deliver(database, gateway, limit=2) == 2
    assert list(gateway.accepted) == ["lost:4", "lost:3"]
    assert _deliver(database, gateway, limit=9) == 3
    assert _deliver(database, gateway, limit=9) == 0


def test_nothing_is_locked_while_a_gateway_works(database: Database) -> None:
    database.put("lost:1")

    def another_writes(_point: str) -> None:
        # in a transaction of its own: on SQLite it would wait for ours until it fails
        with database.transaction() as conn:
            put(conn, "lost:2", not_before_at=NOW + 1)

    assert _deliver(database, FakeGateway(at=another_writes)) == 1
    assert database.states() == {"lost:1": "sent", "lost:2": "waiting"}


def test_a_text_that_is_being_sent_is_not_withdrawn(database: Database) -> None:
    database.put("lost:1")
    withdrawn: list[bool] = []

    def withdraw(_point: str) -> None:
        with database.transaction() as conn:
            withdrawn.append(outbox.withdraw(conn, "lost:1", "called again", NOW))

    _deliver(database, FakeGateway(at=withdraw))
    assert withdrawn == [False, False]
    assert database.state("lost:1") == "sent"


def test_who_slept_through_his_lease_does_not_send(database: Database) -> None:
    database.put("lost:1")
    gateway = FakeGateway()

    def sleepy(_recipient: str) -> str:
        time.sleep(0.02)
        return _NUMBER

    rules = DeliveryRules(lease_s=0.01)
    finished(deliver(database.transaction, gateway, book(sleepy), lambda: NOW, 1, rules))
    assert gateway.asked == []
    assert database.state("lost:1") == "waiting"


def test_a_receipt_that_comes_after_the_lease_still_counts(database: Database) -> None:
    database.put("lost:1")
    lapsed: list[Lapsed] = []

    def another_finds_it_lapsed(point: str) -> None:
        if point == "before the text is accepted":
            with database.transaction() as conn:
                lapsed.append(outbox.lapse(conn, NOW + round(LEASE_S * SECOND)))

    gateway = FakeGateway(at=another_finds_it_lapsed)
    _deliver(database, gateway)
    assert lapsed == [Lapsed(unknown=1, expired=0)]
    assert database.state("lost:1") == "sent"


def test_a_text_that_lapsed_stays_unknown_and_the_log_says_why(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.put("lost:1")

    def another_finds_it_lapsed(_point: str) -> None:
        with database.transaction() as conn:
            outbox.lapse(conn, NOW + round(LEASE_S * SECOND))

    _deliver(database, FakeGateway(lambda _ref: "unsent", at=another_finds_it_lapsed))
    assert database.state("lost:1") == "unknown"
    assert "text lost:1 was settled before its sender came back (no connection for +…)" in caplog.text


def test_delivery_also_settles_what_time_has_settled(database: Database) -> None:
    database.put("too late", expires_at=NOW)
    assert _deliver(database, FakeGateway()) == 0
    assert database.state("too late") == "expired"


def test_two_that_deliver_at_once_send_no_text_twice(database: Database) -> None:
    for number in range(30):
        database.put(f"lost:{number}")
    gateways = [FakeGateway(), FakeGateway()]
    threads = [threading.Thread(target=_deliver, args=(database, g), kwargs={"limit": 99}) for g in gateways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    accepted = gateways[0].accepted + gateways[1].accepted
    assert dict(accepted) == {f"lost:{number}": 1 for number in range(30)}
    assert set(database.states().values()) == {"sent"}


def test_an_address_book_that_is_away_leaves_the_texts_waiting_and_prints_no_traceback(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_recipients: Collection[str]) -> dict[str, str | Exception | None]:
        raise Unsent("the database is away")

    database.put("lost:1")
    gateway = FakeGateway()
    assert finished(deliver(database.transaction, gateway, away, lambda: NOW, 10)) == 1
    assert (database.state("lost:1"), database.row("lost:1")["reason"]) == ("waiting", "the database is away")
    assert gateway.asked == []
    assert caplog.records == []


@pytest.mark.parametrize("whole", [False, True], ids=["one number", "the whole book"])
def test_a_look_up_that_fails_as_nobody_foresaw_is_told_once_for_all_its_texts(
    database: Database, caplog: pytest.LogCaptureFixture, whole: bool
) -> None:
    def broken(recipients: Collection[str]) -> Mapping[str, str | Exception | None]:
        if whole:
            _broken("anybody")
        return book(_broken)(recipients)

    told: list[Exception | None] = []
    for number in range(3):
        database.put(f"lost:{number}")
    gateway = FakeGateway()
    rules, hooks = DeliveryRules(senders=3), DeliveryHooks(looked_up=told.append)
    assert finished(deliver(database.transaction, gateway, broken, lambda: NOW, 10, rules, hooks)) == 3
    assert [type(fault) for fault in told] == [RuntimeError]
    assert set(database.states().values()) == {"waiting"}
    assert caplog.records == []
    database.put("lost:new")
    found = book(_address)
    assert finished(deliver(database.transaction, gateway, found, lambda: NOW, 1, hooks=hooks))
    assert told[1:] == [None]


class _Away(Exception):
    """The database is away."""


def test_where_a_transaction_fails_what_is_on_its_way_comes_back_and_is_settled(database: Database) -> None:
    for number in range(3):
        database.put(f"lost:{number}")
    came_back: list[str] = []
    opened: list[None] = []
    failed = threading.Event()

    class Slow(FakeGateway):
        async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
            if "lost:0" not in body:
                await asyncio.to_thread(failed.wait, 10)
            receipt = await super().send(to, body, ref, line)
            came_back.append(body)
            return receipt

    @contextmanager
    def transaction() -> Iterator[Connection]:
        opened.append(None)
        if len(opened) == 3:  # after the lapse and the claim: "lost:0" is to be settled
            failed.set()
            raise _Away
        with database.transaction() as conn:
            yield conn

    rules = DeliveryRules(senders=3)
    with pytest.raises(_Away):
        finished(deliver(transaction, Slow(), book(_address), lambda: NOW, 9, rules))
    assert len(came_back) == 3
    assert set(database.states().values()) == {"sent"}


def test_who_is_stopped_at_once_leaves_what_is_on_its_way_uncertain_and_sends_nothing_again(database: Database) -> None:
    database.put("lost:1")
    asked: list[str] = []
    stopping: list[asyncio.Task[int]] = []

    class Silent(FakeGateway):
        async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
            asked.append(body)
            stopping[0].cancel()
            await asyncio.Event().wait()
            return await super().send(to, body, ref, line)

    async def stopped() -> None:
        work = deliver(database.transaction, Silent(), book(_address), lambda: NOW, 9)
        stopping.append(asyncio.create_task(work))
        with pytest.raises(asyncio.CancelledError):
            await stopping[0]

    asyncio.run(stopped())
    assert database.state("lost:1") == "sending"
    later = NOW + round(LEASE_S * SECOND)
    assert _deliver(database, FakeGateway(), now=lambda: later) == 0
    assert (database.state("lost:1"), len(asked)) == ("unknown", 1)
