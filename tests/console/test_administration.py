"""The pages of administrators, with all that they show: whoever sees little, or has a telephone alone, can use them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from callback.accounts import tokens, users
from callback.accounts.change import Change
from callback.accounts.tokens import Terms
from callback.accounts.users import Profile
from callback.accounts.webhooks import deliveries, endpoints
from callback.accounts.webhooks.endpoints import TYPES, Wanted
from callback.store.audit import By
from scheduler.clock import DAY
from tests.browser import DESK, PHONE, Visitors, accessibility_faults, scrolls_sideways
from tests.console.centre import NOW, Centre
from tests.console.served import Served

URL: Final = "https://crm.example.org/callbacks"


@pytest.fixture
def filled(centre: Centre) -> Centre:
    """People, tokens and endpoints, in the states that they may have."""
    with centre.world.store.write() as connection:
        change = Change(connection, "main", By("dai", "a test"), NOW)
        for name, role in (("dai", "administrator"), ("mei", "agent")):
            users.add(change, name, Profile(frozenset({role}), phone="PJSIP/1004"))  # type: ignore[arg-type]
        users.lock(change, "mei")
        for name in ("CRM", "wallboard"):
            tokens.add(change, Terms(name, frozenset({"events:read", "reservations:read"}), None, 90 * DAY))
        tokens.revoke(change, 2)
        for url in (URL, "https://chat.example.org/hook"):
            endpoints.add(change, Wanted(url, frozenset(TYPES)), ())
        endpoints.disable(change, 2)
        deliveries.test(change, 1)
        deliveries.test(change, 1)
        newest, *_ = deliveries.newest(connection, 1, 1)
        deliveries.tried(connection, newest, NOW, "unreachable", None, DAY)
    return centre


@pytest.mark.parametrize("path", ["/users", "/machines", "/machines/endpoints/1"])
@pytest.mark.usefixtures("filled")
def test_no_page_of_administrators_shuts_anybody_out(console: Served, visitors: Visitors, path: str) -> None:
    for size, theme, language in ((DESK, "light", "en"), (DESK, "dark", "en"), (PHONE, "dark", "zh-TW")):
        page = visitors.page(size, theme=theme, language=language)  # type: ignore[arg-type]
        console.sign_in(page, "administrator")
        page.goto(console.at(path))
        if into := os.environ.get("LOOK"):
            page.screenshot(path=Path(into) / f"{path.strip('/').replace('/', '-')}-{size['width']}-{theme}.png")
        for summary in page.locator("main details > summary").all():
            summary.click()
        expect(page.locator("main form").first).to_be_visible()
        assert not scrolls_sideways(page), size
        assert accessibility_faults(page) == [], (size, theme)
