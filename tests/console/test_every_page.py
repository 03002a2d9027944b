"""Every page, by its routes: whoever sees little or nothing, or has a telephone alone, can use it, in each language."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import PHONE, Theme, Visitors, accessibility_faults, scrolls_sideways
from tests.console.addresses import address, templates
from tests.console.centre import Centre
from tests.console.served import Served

PAGES = templates()


def opened(console: Served, visitors: Visitors, path: str, page: Page) -> Page:
    """The page of a manager, who sees most."""
    visitors.expect("status of (4|503)")  # a page that says what is wrong is looked at, too
    console.sign_in(page, "manager")
    page.goto(console.at(path))
    expect(page.locator("main")).to_be_visible()
    return page


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shuts_anybody_out(console: Served, visitors: Visitors, centre: Centre, path: str) -> None:
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme in themes:
        page = opened(console, visitors, address(path, centre), visitors.page(theme=theme))
        assert accessibility_faults(page) == [], theme
        assert page.title()
        assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_telephone(console: Served, visitors: Visitors, centre: Centre, path: str) -> None:
    for language in ("en", "zh-TW"):
        page = opened(console, visitors, address(path, centre), visitors.page(PHONE, language=language))
        assert not scrolls_sideways(page), language
        assert accessibility_faults(page) == [], language


@pytest.mark.parametrize("role", ["supervisor", "auditor"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_state_of_the_queue_shuts_anybody_out(
    console: Served, visitors: Visitors, centre: Centre, theme: Theme, role: str
) -> None:
    page = visitors.page(theme=theme)
    console.sign_in(page, "supervisor" if role == "supervisor" else "auditor")
    page.goto(console.at("/queue"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert accessibility_faults(page) == []
    page.keyboard.press("Escape")
    page.locator(".switches .menu summary").click()
    assert accessibility_faults(page) == []
    page.keyboard.press("Escape")
    if role == "supervisor":
        box = page.locator(f"#r-{centre.reservation['binds']} .pick input")
        box.check()
        page.keyboard.press("e")
        assert accessibility_faults(page) == []
        page.keyboard.press("1")
        expect(page.locator(".toast")).to_be_visible()
        assert accessibility_faults(page) == []
    console.runs_since_s = -60.0  # a minute and more has gone by: the service is not heard any more
    expect(page.locator("#banner")).to_be_visible(timeout=20_000)
    assert accessibility_faults(page) == []
