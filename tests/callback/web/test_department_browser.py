"""The department's page in a browser: anybody can read it and write the answer, on any screen and in any colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from callback.site.templates import Texting
from scheduler.clock import HOUR
from tests.browser import DESK, Theme, Visitors, accessibility_faults, scrolls_sideways
from tests.callback.decisions.care.centre import registered, takes_cases
from tests.callback.web.test_department_page import link
from tests.callback.web.test_public import PUBLIC, Running, settings_with
from tests.callback.world import NOON, World

NARROWEST: ViewportSize = {"width": 320, "height": 640}
LOOKS: tuple[tuple[Theme, str, ViewportSize], ...] = (
    ("light", "zh-CN", DESK), ("dark", "zh-CN", NARROWEST), ("light", "en", NARROWEST),
)  # fmt: skip
LONG = "x" * 90


@pytest.fixture
def care(sqlite_world: World) -> World:
    world = World(sqlite_world.store.url, takes_cases())
    world.site = replace(world.site, texting=Texting(public_url=PUBLIC))
    return world


@pytest.fixture
def url(care: World) -> Iterator[str]:
    asked = registered(
        care, words="I paid twice.\n" + "Nobody tells me why " * 20, wish=f"my money back {LONG}",
        promised="a letter", promised_by_at=NOON + 6 * HOUR, product="fibre", department="billing", severity=3,
    )  # fmt: skip
    running = Running(care, settings_with(care))
    yield f"http://127.0.0.1:{running.port}/c/{link(care, asked)}"
    running.close()


def fits(page: Page, moment: str) -> None:
    assert accessibility_faults(page) == [], moment
    assert not scrolls_sideways(page), moment


def test_it_is_read_and_answered_by_keys_on_any_screen(url: str, visitors: Visitors) -> None:
    for theme, language, size in LOOKS:
        page = visitors.page(size, theme=theme, language=language)
        page.goto(url)
        fits(page, f"{theme} {language}")
    expect(page.get_by_text("A customer waits for the answer of billing.")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("What was done, and what is the customer to be told?")).to_be_focused()
    page.keyboard.type(f"We pay it back. {LONG}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    expect(page.get_by_label("What else is the customer to be told?")).to_be_empty()
    expect(page.get_by_text("A customer waits")).not_to_be_visible()
    fits(page, "answered")
    visitors.expect(r"status of 404 .*/c/")
    page.goto(url[:-1] + ("A" if url[-1] != "A" else "B"))
    expect(page.get_by_text("This link does not work")).to_be_visible()
    fits(page, "no link of ours")
