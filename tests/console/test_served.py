"""The console answers a browser, and lets in whoever is signed in."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser import Visitors
from tests.console.served import Served


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page(console: Served, visitors: Visitors) -> None:
    page = visitors.page()
    visitors.expect("404")  # where there is no icon
    page.goto(console.at("/"))
    assert page.url.startswith(console.at("/sign-in"))


def test_whoever_is_signed_in_may_look(console: Served, page: Page, visitors: Visitors) -> None:
    assert console.sign_in(page, "supervisor") == "Anna"
    visitors.expect("404")
    page.goto(console.at("/"))
    assert page.url == console.at("/now")
