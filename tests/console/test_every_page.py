"""Every page, by its routes: whoever sees little or nothing, or has a telephone alone, can use it, in each language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import PHONE, Theme, Visitors, accessibility_faults, scrolls_sideways
from tests.console import seeded
from tests.console.addresses import address, templates
from tests.console.centre import NOW, Centre
from tests.console.served import Served, serve

PAGES = templates()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Centre, Served]]:
    """The centre and its console, for tests that only look."""
    centre = seeded.fresh(tmp_path_factory.mktemp("shown"))
    with serve(centre.world, NOW) as console:
        yield centre, console
    centre.world.close()


def opened(shown: tuple[Centre, Served], people: Visitors, path: str, page: Page) -> Page:
    """The page of a manager, who sees most."""
    centre, console = shown
    people.expect("status of (4|503)")  # a page that says what is wrong is looked at, too
    console.sign_in(page, "manager")
    page.goto(console.at(address(path, centre)))
    expect(page.locator("main")).to_be_visible()
    return page


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shuts_anybody_out(shown: tuple[Centre, Served], regulars: Visitors, path: str) -> None:
    page = opened(shown, regulars, path, regulars.regular())
    assert page.title()
    assert page.locator("html").get_attribute("lang") == "en"
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        assert accessibility_faults(page) == [], theme


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_telephone(shown: tuple[Centre, Served], regulars: Visitors, path: str) -> None:
    for language in ("en", "zh-TW"):
        page = opened(shown, regulars, path, regulars.regular(PHONE, language=language))
        assert not scrolls_sideways(page), language
        # Colours are of the theme and the window, not of the language: one of them is enough
        assert accessibility_faults(page, without={"color-contrast"} if language != "en" else ()) == [], language


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
