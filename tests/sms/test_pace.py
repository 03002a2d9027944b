"""How fast an account is asked: by one row for all who text by it, whatever a gateway says of it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from sms import pace
from sms.caps import Caps
from sms.delivery import DeliveryRules, deliver
from sms.gateway import Pace
from sms.outbox import SECOND
from sms.tables import text_outbox, text_pace
from tests.sms.database import NOW, Database
from tests.sms.gateways import FakeGateway, book, finished

if TYPE_CHECKING:
    from collections.abc import Sequence

_SALES = Pace("fake/sales", 10, "sales")
_MAIN = Pace("fake/main", 10, "main")
_GAP, _AHEAD = SECOND // 10, round(pace.AHEAD_S * SECOND)
_book = book(lambda _: "+442079460958")


def _free(database: Database, now: int, most: int = 99, one: Pace = _SALES) -> Sequence[int]:
    """Take what is free."""
    with database.transaction() as conn:
        (account,) = pace.lock(conn, [one], now)
        instants = account.free(now, most)
        account.take(conn, instants)
    return [instant - NOW for instant in instants]


def test_each_text_has_an_instant_of_its_own_and_none_is_far_off(database: Database) -> None:
    assert _free(database, NOW) == [0, _GAP, 2 * _GAP]
    assert _free(database, NOW) == []
    assert _free(database, NOW + _GAP) == [3 * _GAP]
    assert _free(database, NOW + SECOND, most=2) == [SECOND, SECOND + _GAP]  # what nobody took is not made up for


def test_accounts_do_not_hold_up_each_other(database: Database) -> None:
    assert _free(database, NOW, most=1) == [0]
    assert _free(database, NOW, most=1, one=_MAIN) == [0]


def test_a_clock_that_was_set_back_blocks_nobody_for_long(database: Database) -> None:
    assert _free(database, NOW + 3600 * SECOND)
    assert _free(database, NOW)[0] == 0
    assert _free(database, NOW) == []


def _told_too_fast(database: Database, at: int) -> int:
    """How long it rests then, in seconds."""
    with database.transaction() as conn:
        (account,) = pace.lock(conn, [_SALES], at)
        account.slow_down(conn, at, 1.0)
        return (account.next_at - at) // SECOND


def test_an_account_that_is_asked_too_fast_rests_longer_each_time_and_that_is_forgotten(database: Database) -> None:
    assert _told_too_fast(database, NOW) == 1
    assert _free(database, NOW + SECOND - _AHEAD) == []
    assert _free(database, NOW + SECOND, most=1) == [SECOND]
    pauses, at = [], NOW + SECOND
    for _ in range(8):
        pauses.append(_told_too_fast(database, at))
        at += pauses[-1] * SECOND
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    assert _told_too_fast(database, at + 60 * SECOND) == 1  # it said nothing for as long as it had rested


def test_what_answers_while_it_rests_makes_no_longer_pause(database: Database) -> None:
    assert _told_too_fast(database, NOW) == 1
    with database.transaction() as conn:
        (account,) = pace.lock(conn, [_SALES], NOW + 1)
        account.slow_down(conn, NOW + 1, 1.0)
    assert account.next_at == NOW + SECOND


def _claimed_at(database: Database) -> list[int]:
    with database.transaction() as conn:
        return list(conn.execute(select(text_outbox.c.claimed_at).order_by(text_outbox.c.claimed_at)).scalars())


class _Clock:
    """Time that passes, from NOW on."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self) -> int:
        return NOW + round((time.monotonic() - self._began) * SECOND)


class _Timed(FakeGateway):
    """Notes when it is asked."""

    def __init__(self, clock: _Clock, *paces: Pace) -> None:
        super().__init__(at=lambda point: self.at.append(clock()) if point.startswith("before") else None, paces=paces)
        self.at: list[int] = []


def test_no_more_leave_than_the_account_allows_and_nothing_waits_long_after_its_claim(database: Database) -> None:
    for number in range(30):
        database.put(f"lost:{number}")
    clock = _Clock()
    gateway = _Timed(clock, Pace("fake/sales", 50, "sales"))
    rules = DeliveryRules(senders=30, caps=Caps(99, 99, 99))
    assert finished(deliver(database.transaction, gateway, _book, clock, 99, rules)) == 30
    claimed = _claimed_at(database)
    early = 2000  # µs by which a loop may wake too soon
    assert all(at >= claimed[0] + text * SECOND // 50 - early for text, at in enumerate(sorted(gateway.at)))
    assert len(set(claimed)) > 1  # all at once would have waited for more than half a second


def test_two_processes_that_text_by_one_account_keep_to_its_limit_together(database: Database) -> None:
    for number in range(30):
        database.put(f"lost:{number}")
    clock = _Clock()
    gateways = [_Timed(clock, Pace("fake/sales", 50, "sales")) for _ in range(2)]

    def sends(gateway: _Timed) -> None:
        rules = DeliveryRules(senders=8, caps=Caps(99, 99, 99))
        finished(deliver(database.transaction, gateway, _book, clock, 99, rules))

    threads = [threading.Thread(target=sends, args=(gateway,)) for gateway in gateways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert set(database.states().values()) == {"sent"}
    with database.transaction() as conn:
        (row,) = conn.execute(select(text_pace)).all()
    assert row.next_at >= NOW + 30 * SECOND // 50  # thirty instants were taken, each by one of them
    assert sum((gateway.accepted for gateway in gateways), start=type(gateways[0].accepted)()).total() == 30


def test_a_full_account_does_not_hold_up_another(database: Database) -> None:
    for number in range(5):
        database.put(f"lost:{number}")  # of the line "sales"
    other = FakeGateway(paces=(Pace("fake/main", 10, "main"), Pace("fake/sales", 0.5, "sales")))
    finished(deliver(database.transaction, other, _book, lambda: NOW, 99, DeliveryRules(senders=9)))
    assert sorted(database.states().values()) == ["sent"] + ["waiting"] * 4
    with database.transaction() as conn:
        conn.execute(text_outbox.update().where(text_outbox.c.cause == "lost:4").values(line="gone since"))
    finished(deliver(database.transaction, other, _book, lambda: NOW, 99, DeliveryRules(senders=9)))
    assert database.state("lost:4") == "sent"  # by the first account
    assert sorted(database.states().values()) == ["sent"] * 2 + ["waiting"] * 3


def test_a_gateway_that_says_too_fast_is_left_alone_for_a_moment(database: Database) -> None:
    for number in range(3):
        database.put(f"lost:{number}")
    moods = iter(["too-fast", "accept", "accept"])
    gateway = FakeGateway(lambda _: next(moods), paces=(Pace("fake/sales", 1000, "sales"),))
    assert finished(deliver(database.transaction, gateway, _book, lambda: NOW, 99)) == 1
    assert sorted(database.states().values()) == ["waiting"] * 3
    assert finished(deliver(database.transaction, gateway, _book, lambda: NOW + SECOND // 4, 99)) == 0
    assert finished(deliver(database.transaction, gateway, _book, lambda: NOW + SECOND, 99)) == 2
