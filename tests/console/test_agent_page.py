"""The agent's page in a browser: who is on the line, how it went by one key or one tap, and what is told."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from callback.store import tables as t
from scheduler.clock import SECOND
from tests.browser import Visitors, accessibility_faults, scrolls_sideways
from tests.console import agents
from tests.console.centre import NOW, Centre
from tests.console.served import Served

CORNER: Final[ViewportSize] = {"width": 360, "height": 640}
NUMBER: Final = "09055550001"


def mei(console: Served, visitors: Visitors, **how: str) -> Page:
    page = visitors.page(CORNER, **how)  # type: ignore[arg-type]
    console.sign_in(page, "agent")
    page.goto(console.at("/me"))
    expect(page.locator("[data-age=data]")).to_contain_text(re.compile(r"\d"))
    return page


def words(centre: Centre) -> list[str]:
    return [row.outcome for row in centre.world.rows(t.wrap_up)]


def test_one_key_tells_how_it_went(console: Served, centre: Centre, visitors: Visitors) -> None:
    agents.talk(centre, "mine", NUMBER, NOW - 14 * SECOND)
    agents.at_work(centre)
    page = mei(console, visitors)
    expect(page.get_by_role("heading", name="How did it go?")).to_be_visible()
    expect(page.locator("#agent-how")).to_contain_text("•••• 0001")
    page.keyboard.press("1")
    expect(page.locator(".toast")).to_contain_text("solved")
    expect(page.get_by_role("heading", name="How did it go?")).to_have_count(0)
    assert words(centre) == ["solved"]


def test_one_tap_tells_how_it_went(console: Served, centre: Centre, visitors: Visitors) -> None:
    agents.talk(centre, "mine", NUMBER, NOW - 14 * SECOND)
    agents.at_work(centre)
    page = mei(console, visitors)
    page.get_by_role("button", name="voicemail").click()
    expect(page.locator(".toast")).to_contain_text("it goes on as callback #")
    assert words(centre) == ["voicemail"]


@pytest.mark.parametrize(
    ("keys", "outcome"), [("2", "voicemail"), ("3", "wrong-person"), ("41", "call-again"), ("52", "cut-off")]
)
def test_every_word_has_its_keys(console: Served, centre: Centre, visitors: Visitors, keys: str, outcome: str) -> None:
    agents.talk(centre, "mine", NUMBER, NOW - 14 * SECOND)
    agents.at_work(centre)
    page = mei(console, visitors)
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator(".toast")).to_be_visible()
    assert words(centre) == [outcome]


def test_the_note_goes_with_the_word(console: Served, centre: Centre, visitors: Visitors) -> None:
    agents.talk(centre, "mine", NUMBER, NOW - 14 * SECOND)
    agents.at_work(centre)
    page = mei(console, visitors)
    page.keyboard.press("r")
    page.keyboard.type("invoice 88 <b>")
    page.get_by_role("button", name="solved").click()
    expect(page.locator(".toast")).to_be_visible()
    assert [row.note for row in centre.world.rows(t.wrap_up)] == ["invoice 88 <b>"]


def test_who_is_on_the_line_comes_by_itself(console: Served, centre: Centre, visitors: Visitors) -> None:
    agents.at_work(centre)
    page = mei(console, visitors)
    expect(page.locator("#agent-line")).to_be_hidden()
    agents.ring(centre, "aim", NOW)
    line = page.locator("#agent-line")
    expect(line).to_contain_text("On the line", timeout=2_000)
    expect(line).to_contain_text("•••• 0005")
    expect(line).to_contain_text("we told: by")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_a_corner_and_serves_everybody(
    console: Served, centre: Centre, visitors: Visitors, theme: str
) -> None:
    agents.talk(centre, "mine", NUMBER, NOW - 14 * SECOND)
    agents.talk(centre, "before", "09055550002", NOW - 700 * SECOND)
    agents.ring(centre, "aim", NOW - 30 * SECOND)
    agents.at_work(centre)
    page = mei(console, visitors, theme=theme)
    for drawer in page.locator("main details").all():
        drawer.evaluate("(one) => { one.open = true; }")
    assert not scrolls_sideways(page)
    assert accessibility_faults(page) == []
    assert "0901" not in page.content()


def test_without_a_phone_the_remedy_is_said(console: Served, centre: Centre, visitors: Visitors) -> None:
    page = mei(console, visitors)
    expect(page.locator("main")).to_contain_text("PJSIP/1004")
    assert words(centre) == []
