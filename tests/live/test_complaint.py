"""A complaint all the way: its department answers by the link of a letter, and the customer has the last word."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
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
from tests.live.desk import CUSTOMER, E164, pause
from tests.live.service import Service

pytestmark = pytest.mark.live

SID, TOKEN, OURS = f"AC{'1' * 32}", "a token of the fake", "+81312345678"
_LINK = re.compile(r"http://127\.0\.0\.1:\d+/c/[A-Za-z0-9_-]{24}")


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio({SID: TOKEN}) as fake:
        yield fake


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as server:
        yield server


@pytest.fixture
def door() -> str:
    """Where the door will be found."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, twilio: FakeTwilio, box: Mailbox, door: str) -> Iterator[Service]:
    caring = Service(pbx, tmp_path)
    with caring.settings.open("a") as settings:
        settings.write(
            "[rules.queues.sales.care]\ncases = true\n"
            '[rules.care.topics]\nbilling = "The bill"\nspeed = "Too slow"\n'
            '[rules.care.departments.billing]\nmail = "billing@example.org"\n'
            f'[texts]\ngateway = "twilio"\ntwo_way = ["JP"]\n'
            f'[texts.twilio.main]\naccount_sid = "{SID}"\nauth_token = "{TOKEN}"\n'
            f'from = "{OURS}"\napi_url = "{twilio.url}"\n'
            f'[web]\nlisten = "{door}"\npublic_url = "http://{door}"\n'
            f'[mail]\nhost = "127.0.0.1"\nport = {box.port}\nsecurity = "none"\nfrom = "care@example.org"\n'
        )
    with caring as running:
        running.wait("door-opened")
        yield running
        running.stop()


def case(service: Service, *command: str) -> None:
    """What a person types."""
    asked = [sys.executable, "-m", "callback", "case", *command, "--by", "anna", "-s", str(service.settings)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def opened(url: str, answer: str | None = None) -> str:
    """The page of a link, as a browser asks for it; `answer` is posted."""
    body = None if answer is None else urlencode({"answer": answer}).encode()
    deadline = time.monotonic() + 30
    while True:
        try:
            with urlopen(Request(url, body, {"Sec-Fetch-Site": "same-origin"}), timeout=20) as page:  # noqa: S310
                return str(page.read().decode())
        except HTTPError:
            raise
        except URLError:  # refused: it is being opened
            assert time.monotonic() < deadline, "nobody opened the door"
            time.sleep(0.05)


def test_answered_by_the_link_confirmed_by_text_closed_and_who_says_nothing_is_called(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service, twilio: FakeTwilio, box: Mailbox, door: str
) -> None:
    case(
        service, "register", E164, "I paid twice", "-q", "sales", "--topic", "billing", "--department", "billing"
    )  # fmt: skip
    letter = box.next()
    link = _LINK.search(letter.get_content())
    assert (letter["To"], link is not None) == ("billing@example.org", True)
    assert link is not None
    page = opened(link[0])
    assert "I paid twice" in page
    assert CUSTOMER[-4:] not in page
    opened(link[0], "We pay it back today.")
    twilio.wait(lambda: len(twilio.accepted) == 1, "the question")
    assert "reply 1" in twilio.accepted[0].body
    twilio.text_in(f"http://{door}/twilio/main/inbound", SID, E164, OURS, "1")
    closed = service.wait_row(t.care_case, lambda row: row.state == "closed")
    said = [(row.who, row.event) for row in service.rows(t.care_step) if row.case_id == closed.id]
    assert ("department/billing", "answered") in said
    assert said[-2:] == [("customer", "confirmed"), ("the service", "closed")]

    case(service, "register", E164, "It is slow", "-q", "sales", "--topic", "speed")
    case(service, "answer", "2", "It is faster now.")
    service.wait_row(text_outbox, lambda row: row.cause.startswith("confirm/2/") and row.state == "sent")
    with service.store.write() as connection:  # 48 hours go by, and no answer comes
        asked = t.care_case.c
        earlier = {name: asked[name] - 48 * HOUR for name in ("opened_at", "due_at", "asked_at", "next_ask_at")}
        connection.execute(update(t.care_case).where(asked.id == 2).values(**earlier))
    service.wait("follow-up-reserved", lambda news: news["about"] == "case/2")
    pause(pbx, paused=False)
    customer = carrier.wait_call(CUSTOMER).wait_answered()
    customer.wait_heard(AGENT_HZ)
    time.sleep(max(0.0, 3.1 - customer.talked_s))  # whole seconds of talk are counted, and two are enough
    customer.hang_up()
    assert service.outcome()["outcome"] == "reached"
    told = service.wait_row(t.care_step, lambda row: row.case_id == 2 and row.event == "reached")
    assert told.state == "answered", "nobody closes before the customer, or who heard the customer, says so"
