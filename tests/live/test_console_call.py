"""From a lost caller to a rung phone by one key: the console in a real browser, the PBX and the phones are real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lab import phone
from lab.asterisk import Asterisk
from lab.phone import Carrier, Phone
from tests.browser import Visitors
from tests.live.consoles import console, first_sign_in, with_console
from tests.live.desk import CUSTOMER, lose, pause
from tests.live.service import Service

__all__ = ["console"]

pytestmark = pytest.mark.live


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, console: str) -> Iterator[Service]:
    with with_console(Service(pbx, tmp_path), console) as running:
        yield running
        running.stop()


@pytest.fixture
def anna(visitors: Visitors, service: Service, console: str) -> Page:
    """The first person, who signed in with a one-time password, chose her own, and looks at the queue."""
    page = visitors.page()
    first_sign_in(page, service, console, "/queue", "anna")
    page.get_by_role("link", name="Queue").click()
    return page


def test_a_loss_is_seen_held_and_called_by_keys(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service, anna: Page
) -> None:
    carrier.behave(CUSTOMER, phone.answer(0.2, talk_s=3.2))
    expect(anna.get_by_text("Nobody waits.")).to_be_visible()
    reservation = lose(carrier, service)
    row = anna.locator(f"#r-{reservation}")  # its text is what people see: a masked number, and why not yet
    expect(row).to_contain_text("•••• 5678")
    expect(row).to_contain_text("no agent is free")
    row.focus()
    anna.keyboard.press("h")
    anna.keyboard.press("2")
    expect(row).to_contain_text("held by anna")
    pause(pbx, paused=False)  # an agent is free now, and nobody is called all the same
    assert carrier.rings == []
    row.focus()
    anna.keyboard.press("c")
    customer = carrier.wait_call(CUSTOMER)
    expect(row).to_contain_text("being called")
    assert customer.caller_id == "0312345678"
    assert service.outcome()["outcome"] == "reached"
    expect(row).to_contain_text("reached")
    assert len(carrier.rings_of(CUSTOMER)) == 1
