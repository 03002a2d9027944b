"""The outbox, the real client library and the fake Twilio together: the fake's log says what was accepted.

At most one text is accepted for a cause, whatever is lost, repeated or late on the way and wherever a sender dies.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection

from lab.twilio import Conduct, FakeTwilio, error
from sms import outbox, reports, twilio
from sms.caps import Caps
from sms.delivery import DeliveryHooks, DeliveryRules, deliver
from sms.outbox import LEASE_S, SECOND
from sms.twilio import TwilioGateway
from tests.sms.database import NOW, Database, open_engine
from tests.sms.gateways import book, finished
from tests.sms.twilio_account import CUSTOMER, SID, TOKEN, gateway

_PUBLIC = "http://127.0.0.1:9"  # nobody listens there: reports are handed over by the test
_ENOUGH = Caps(10**6, 10**6, 10**6)
CONDUCTS = {
    "accepted": Conduct(),
    "refused": error(21614),
    "too many": error(20429, status=429),
    "500 before": Conduct(accepts=False, answer="error", status=500),
    "500 after": Conduct(answer="error", status=500),
    "cut before": Conduct(accepts=False, answer="cut"),
    "cut after": Conduct(answer="cut"),
}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeTwilio]:
    with FakeTwilio({SID: TOKEN}) as fake:
        yield fake


_customer = book(lambda _: CUSTOMER)


def _deliver(database: Database, by: TwilioGateway, now: int = NOW, senders: int = 4) -> int:
    rules = DeliveryRules(senders=senders, caps=_ENOUGH, backoff_s=(1, 1))
    return finished(deliver(database.transaction, by, _customer, lambda: now, 99, rules), by)


def test_many_texts_at_once_are_accepted_once_each(database: Database, fake: FakeTwilio) -> None:
    fake.accepted.clear()
    for number in range(40):
        database.put(f"lost:{number}")
    assert _deliver(database, gateway(fake, _PUBLIC), senders=8) == 40
    rows = [database.row(f"lost:{number}") for number in range(40)]
    assert {row["state"] for row in rows} == {"sent"}
    assert sorted(message.sid for message in fake.accepted) == sorted(row["gateway_ref"] for row in rows)
    for row in rows:
        (message,) = fake.accepted_for(str(row["id"]))
        assert (message.sid, message.body) == (row["gateway_ref"], row["body"])


@pytest.mark.parametrize(
    ("conduct", "state", "accepted"),
    [
        ("accepted", "sent", 1),
        ("refused", "failed", 0),
        ("too many", "waiting", 0),
        ("500 before", "unknown", 0),
        ("500 after", "sent", 1),
        ("cut before", "unknown", 0),
        ("cut after", "sent", 1),
    ],
)
def test_each_mishap_leaves_the_row_as_it_is_in_truth(
    database: Database, fake: FakeTwilio, conduct: str, state: str, accepted: int
) -> None:
    fake.accepted.clear()
    fake.behave(CUSTOMER, CONDUCTS[conduct])
    database.put("lost:1")
    _deliver(database, gateway(fake, _PUBLIC))
    row = database.row("lost:1")
    assert (row["state"], len(fake.accepted_for(str(row["id"])))) == (state, accepted)
    assert CUSTOMER[1:] not in str(dict(row))
    _deliver(database, gateway(fake, _PUBLIC), NOW + 2 * SECOND)
    assert len(fake.accepted) == (1 if conduct == "too many" else accepted)  # 429 alone is sent again


def test_a_text_that_the_list_cannot_prove_is_proved_by_its_report(database: Database, fake: FakeTwilio) -> None:
    fake.accepted.clear()
    database.put("lost:1")
    database.put("lost:2")
    by = gateway(fake, _PUBLIC)
    fake.behave(CUSTOMER, Conduct(), Conduct(answer="error", status=500))
    finished(deliver(database.transaction, by, _customer, lambda: NOW, 1), by)
    with database.transaction() as conn:  # both say the same, so the list proves nothing
        conn.execute(outbox.text_outbox.update().values(body=fake.accepted[0].body))
    finished(deliver(database.transaction, by, _customer, lambda: NOW, 1), by)
    row = database.row("lost:2")
    assert row["state"] == "unknown"
    (message,) = fake.accepted_for(str(row["id"]))
    report = twilio.report({"MessageSid": message.sid, "MessageStatus": "delivered"})
    assert report is not None
    with database.transaction() as conn:
        assert reports.take(conn, str(row["id"]), twilio.NAME, report, NOW) is not None
    assert database.state("lost:2") == "sent"


def test_who_opted_out_with_the_carrier_is_told_of_where_the_text_is_settled(
    database: Database, fake: FakeTwilio
) -> None:
    fake.behave(CUSTOMER, error(21610))
    database.put("lost:1")
    told: list[tuple[str, str]] = []

    def opted_out(conn: Connection, recipient: str, now: int) -> None:
        assert now == NOW
        row = conn.execute(outbox.text_outbox.select()).one()
        told.append((recipient, row.state))

    by, hooks = gateway(fake), DeliveryHooks(opted_out=opted_out)
    finished(deliver(database.transaction, by, _customer, lambda: NOW, 9, hooks=hooks), by)
    assert told == [("person:lost:1", "failed")]


class Crash(BaseException):
    """The process dies here, and what was not committed is gone."""


class Walk(RuleBasedStateMachine):
    """Texts are written, sent by processes that die, answered badly; reports come late, twice, in any order."""

    fake: FakeTwilio  # one for all walks: each has numbers of its own

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.engine = open_engine(f"sqlite:///{Path(self.folder.name) / 'outbox.db'}")
        self.database = Database(self.engine)
        self.clock = NOW
        self.causes = 0
        self.fuse: int | None = None
        self.fake.accepted.clear()
        self.gateway = gateway(self.fake, _PUBLIC)

    @rule(texts=st.integers(1, 3))
    def put(self, texts: int) -> None:
        for _ in range(texts):
            self.causes += 1
            self.database.put(f"c{self.causes}", not_before_at=self.clock, expires_at=self.clock + 10**12)

    @rule(
        conducts=st.lists(st.sampled_from(sorted(CONDUCTS)), max_size=4),
        crash_after=st.none() | st.integers(0, 9),
        senders=st.integers(1, 3),
        wait_s=st.sampled_from([0, 2, LEASE_S + 1]),
    )
    def deliver(self, conducts: list[str], crash_after: int | None, senders: int, wait_s: float) -> None:
        self.clock += round(wait_s * SECOND)
        self.fake.behave(CUSTOMER, *(CONDUCTS[name] for name in conducts))
        self.fuse = crash_after
        try:
            rules = DeliveryRules(senders=senders, caps=_ENOUGH, backoff_s=(1, 1))
            work = deliver(self._transaction, self.gateway, _customer, lambda: self.clock, 6, rules)
            finished(work, self.gateway)
        except Crash:
            pass
        finally:
            self.fuse = None
            self.fake.forget_conducts()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        self._pass()
        with self.engine.begin() as conn:
            yield conn
            self._pass()
        self._pass()

    def _pass(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                raise Crash

    @precondition(lambda self: self.fake.accepted)
    @rule(data=st.data(), status=st.sampled_from(["queued", "sent", "delivered", "undelivered"]))
    def report(self, data: st.DataObject, status: str) -> None:
        message = data.draw(st.sampled_from(self.fake.accepted))
        report = twilio.report({"MessageSid": message.sid, "MessageStatus": status})
        assert report is not None
        ref = message.status_callback.rpartition("/")[2]
        with self.database.transaction() as conn:
            assert reports.take(conn, ref, twilio.NAME, report, self.clock) is not None
        with self.database.transaction() as conn:
            row = conn.execute(outbox.text_outbox.select().where(outbox.text_outbox.c.id == int(ref))).one()
        assert (row.state, row.gateway_ref) == ("sent", message.sid)

    @invariant()
    def no_cause_is_accepted_twice_and_no_row_says_what_is_not_so(self) -> None:
        with self.database.transaction() as conn:
            rows = conn.execute(outbox.text_outbox.select()).all()
        accepted = Counter(message.status_callback.rpartition("/")[2] for message in self.fake.accepted)
        assert max(accepted.values(), default=0) <= 1
        for row in rows:
            truth = {"sent": {1}, "waiting": {0}, "failed": {0}, "expired": {0}}.get(row.state, {0, 1})
            assert accepted[str(row.id)] in truth, f"{row.cause} is {row.state}, accepted {accepted[str(row.id)]} times"

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
            self.folder.cleanup()


Walk.TestCase.settings = settings(max_examples=12, stateful_step_count=10, deadline=None)


class TestWalk(Walk.TestCase):  # type: ignore[misc, valid-type] # hypothesis makes the class
    @pytest.fixture(autouse=True)
    def _fake(self, fake: FakeTwilio) -> None:
        Walk.fake = fake
