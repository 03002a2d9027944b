"""A service that stands still: the console says so, its figures look so, nothing is closed, and it heals itself."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from callback.accounts import users
from callback.accounts.change import Change
from callback.accounts.users import Profile
from callback.clock import now_us
from callback.store.audit import By
from lab.asterisk import Asterisk
from lab.phone import Carrier
from tests.browser import Visitors
from tests.console.pictures import shot
from tests.live.consoles import console, with_console
from tests.live.desk import CUSTOMER, DID
from tests.live.service import Service

__all__ = ["console"]
pytestmark = pytest.mark.live

WITHIN_S = 12
CHANGED = 0.2
PASSWORD = "seven quiet herons by the lake"  # noqa: S105 - of a person in a test


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, console: str) -> Iterator[Service]:
    with with_console(Service(pbx, tmp_path), console) as running:
        yield running
        running.stop()


def entered(service: Service, console: str, page: Page) -> None:
    """Sign in as somebody new, with the password for one time and then one's own."""
    with service.store.write() as connection:
        change = Change(connection, "lab", By("root", "a test"), now_us())
        one_time = users.add(change, "anna", Profile(frozenset({"supervisor"})))
    page.goto(f"http://{console}/sign-in?to=/queue")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(one_time)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("The password that you have").fill(one_time)
    page.get_by_label("The new password", exact=True).fill(PASSWORD)
    page.get_by_label("The new password once more").fill(PASSWORD)
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_url(re.compile(r"^(?!.*/password)"))
    page.goto(f"http://{console}/queue")


def pid_of(service: Service) -> int:
    assert service._process is not None  # noqa: SLF001 - whom a test stops
    return service._process.pid  # noqa: SLF001


def test_a_service_that_stands_still_is_told(
    service: Service, console: str, carrier: Carrier, visitors: Visitors
) -> None:
    waiting = carrier.call(DID, caller=CUSTOMER).wait_answered()
    time.sleep(1.5)  # so long somebody waits who is lost
    waiting.hang_up()
    service.wait("reserved")
    page = visitors.page()
    entered(service, console, page)
    expect(page.locator("tr[data-id]")).to_have_count(1)
    expect(page.locator("[data-age=pbx]")).to_contain_text(" s")
    fresh, loads = shot(page), page.evaluate("performance.timeOrigin")
    os.kill(pid_of(service), signal.SIGSTOP)
    stopped_s = time.monotonic()
    try:
        expect(page.locator("#banner")).to_contain_text("The service has not been heard since", timeout=20_000)
        assert time.monotonic() - stopped_s <= WITHIN_S
        assert fresh.changed(shot(page)) > CHANGED
        for key in ("j", "e", "1"):
            page.keyboard.press(key)
        expect(page.locator(".toast.fault")).to_contain_text("not up to date")
    finally:
        os.kill(pid_of(service), signal.SIGCONT)
    expect(page.locator("#banner")).to_be_hidden(timeout=20_000)
    assert page.evaluate("performance.timeOrigin") == loads
