"""An agent's page in a real browser, with a real phone: on the line, how it went, a voicemail's successor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import Carrier, Phone
from tests.browser import Visitors
from tests.live.consoles import console, first_sign_in, with_console
from tests.live.desk import CUSTOMER, lose, pause
from tests.live.service import Service

__all__ = ["console"]

pytestmark = pytest.mark.live

CORNER: Final[ViewportSize] = {"width": 360, "height": 640}
PHONE: Final = "PJSIP/agent2"
SEEN_S: Final = 2.0
"""From when the agent's phone answers until the page shows who is on the line."""


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, console: str) -> Iterator[Service]:
    with with_console(Service(pbx, tmp_path), console) as running:
        yield running
        running.stop()


@pytest.fixture
def mei(visitors: Visitors, service: Service, console: str) -> Page:
    """The agent of the phone, who chose a password and has her page open."""
    page = visitors.page(CORNER)
    first_sign_in(page, service, console, "/me", "mei", "--role", "agent", "--phone", PHONE)
    page.get_by_role("link", name="My callbacks").click()
    expect(page.locator("#agent-mine")).to_contain_text(PHONE)
    return page


def test_who_is_on_the_line_and_one_key_afterwards(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service, mei: Page
) -> None:
    carrier.behave(CUSTOMER, phone.answer(0.5, talk_s=4.0))
    first = lose(carrier, service)
    promised = {row.id: row.deadline_at for row in service.rows(t.reservation)}[first]
    since = service.mark()
    pause(pbx, paused=False)
    service.wait("agent-connected", since=since)
    connected_at = time.monotonic()
    expect(mei.locator("#agent-line")).to_contain_text("•••• 5678")
    assert time.monotonic() - connected_at <= SEEN_S
    assert service.outcome(since=since)["outcome"] == "reached"
    expect(mei.get_by_role("heading", name="How did it go?")).to_be_visible()
    mei.keyboard.press("1")
    expect(mei.locator(".toast")).to_contain_text("solved")
    assert [(row.who, row.outcome) for row in service.rows(t.wrap_up)] == [("mei", "solved")]
    mei.locator("#agent-how summary").first.click()
    mei.locator("#agent-how .talk").get_by_role("button", name="voicemail").click()
    expect(mei.locator(".toast").last).to_contain_text("it goes on as callback")
    before, after = service.rows(t.reservation)
    assert (before.state, after.open, after.tries) == ("continued", True, 1)
    assert after.deadline_at == promised
    assert len(carrier.rings_of(CUSTOMER)) == 1, "nobody is rung again before the wait after a machine is over"
