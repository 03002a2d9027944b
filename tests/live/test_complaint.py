"""A complaint all the way: registered in the console, answered by a link, and the customer has the last word."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import update

from callback.store import tables as t
from lab.asterisk import Asterisk
from lab.mail import Mailbox, mail_server
from lab.phone import AGENT_HZ, Carrier, Phone
from lab.twilio import FakeTwilio
from scheduler.clock import HOUR
from sms.outbox import text_outbox
from tests.live.at_console import AtConsole, hire
from tests.live.consoles import console, with_console
from tests.live.desk import CUSTOMER, E164, pause
from tests.live.service import Service, word_stands
from tests.live.texting import said, wait_open, with_texts

__all__ = ["console"]

pytestmark = pytest.mark.live

WRITES = "+819099990001"
"""The customer who answers a text."""
_LINK = re.compile(r"http://127\.0\.0\.1:\d+/c/[A-Za-z0-9_-]{24}")


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as server:
        yield server


@pytest.fixture
def service(
    pbx: Asterisk, tmp_path: Path, twilio: FakeTwilio, box: Mailbox, door: str, console: str
) -> Iterator[Service]:
    caring = with_texts(Service(pbx, tmp_path), twilio, door)
    with caring.settings.open("a") as settings:
        settings.write(
            "[rules.queues.sales.care]\ncases = true\n"
            '[rules.care.topics]\nbilling = "The bill"\nspeed = "Too slow"\n'
            '[rules.care.departments.billing]\nmail = "billing@example.org"\n'
            f'[mail]\nhost = "127.0.0.1"\nport = {box.port}\nsecurity = "none"\nfrom = "care@example.org"\n'
        )
    with with_console(caring, console) as running:
        wait_open(door)
        yield running
        running.stop()


def opened(url: str, answer: str | None = None) -> str:
    """The page of a link, as a browser asks for it; `answer` is posted."""
    body = None if answer is None else urlencode({"answer": answer}).encode()
    with urlopen(Request(url, body, {"Sec-Fetch-Site": "same-origin"}), timeout=20) as page:  # noqa: S310
        return str(page.read().decode())


def forty_eight_hours_go_by(service: Service, case: int) -> None:
    """Let a case be as old as that, and its customer have said nothing."""
    of = t.care_case.c
    earlier = {name: of[name] - 48 * HOUR for name in ("opened_at", "due_at", "asked_at", "next_ask_at")}
    with service.store.write() as connection:
        connection.execute(update(t.care_case).where(of.id == case).values(**earlier))


def wait_question(twilio: FakeTwilio, number: str) -> str:
    """Wait for the text to a customer; give what it says."""
    twilio.wait(lambda: any(text.to == number for text in twilio.accepted), f"a text to {number}")
    return next(text.body for text in twilio.accepted if text.to == number)


def test_registered_answered_confirmed_closed_and_who_says_nothing_is_called(
    pbx: Asterisk,
    carrier: Carrier,
    agent: Phone,
    service: Service,
    twilio: FakeTwilio,
    box: Mailbox,
    door: str,
    console: str,
) -> None:
    hire(service, "anna", "supervisor")
    by = datetime.now(UTC).date() + timedelta(days=3)
    with AtConsole(console, "anna") as anna:
        paid = anna.fill(
            "/cases/new", "/cases/new", number=WRITES, queue="sales", topic="billing", department="billing",
            severity="3", words="I paid twice", wish="my money", promised="a letter", by=f"{by} 18:00",
        )  # fmt: skip
        slow = anna.fill("/cases/new", "/cases/new", number=E164, words="It is slow", topic="speed")
        anna.fill(slow, f"{slow}/answer", words="It is faster now.")
    assert (paid, slow) == ("/cases/1", "/cases/2")

    letter = box.next()
    link = _LINK.search(letter.get_content())
    assert (letter["To"], link is not None) == ("billing@example.org", True)
    assert link is not None
    page = opened(link[0])
    assert ("I paid twice" in page, "my money" in page, "a letter" in page) == (True, True, True)
    assert WRITES[-4:] not in page
    opened(link[0], "We pay it back today.")

    service.wait_row(text_outbox, lambda row: row.cause.startswith("confirm/2/") and row.state == "sent")
    forty_eight_hours_go_by(service, 2)

    question = wait_question(twilio, WRITES)
    assert "reply 1" in question
    said(twilio, door, WRITES, "1")
    closed = service.wait_row(t.care_case, lambda row: row.state == "closed")
    assert (closed.id, closed.source, closed.opened_by, closed.severity) == (1, "supervisor", "anna", 3)
    assert (closed.promised, closed.wish) == ("a letter", "my money")
    steps = [(row.who, row.event) for row in service.rows(t.care_step) if row.case_id == closed.id]
    assert steps[0] == ("anna", "registered")
    assert ("department/billing", "answered") in steps
    assert steps[-2:] == [("customer", "confirmed"), ("service", "closed")]

    service.wait("follow-up-reserved", lambda news: news["about"] == "case/2")
    pause(pbx, paused=False)
    customer = carrier.wait_call(CUSTOMER).wait_answered()
    customer.wait_heard(AGENT_HZ)
    time.sleep(max(0.0, 3.1 - customer.talked_s))  # whole seconds of talk are counted, and two are enough
    customer.hang_up()
    assert service.outcome()["outcome"] == "reached"
    word_stands(service)
    told = service.wait_row(t.care_step, lambda row: row.case_id == 2 and row.event == "reached")
    assert told.state == "answered", "nobody closes before the customer, or who heard the customer, says so"
