"""What lies in the head and what opens is whole within its window, and covers nothing that is needed."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.sync_api import FloatRect, Locator, ViewportSize, expect

from callback.accounts.roles import Role
from callback.store import tables as t
from tests.browser import DESK, PHONE, Visitors, accessibility_faults, scrolls_sideways
from tests.console.centre import Centre
from tests.console.served import Served

TABLET: Final[ViewportSize] = {"width": 768, "height": 1024}
NARROWEST: Final[ViewportSize] = {"width": 320, "height": 640}
_OUTSIDE: Final = """head => {
  const frame = head.getBoundingClientRect();
  const out = ({left, right, top, bottom}) =>
    left < 0 || right > frame.right || top < frame.top - 1 || bottom > frame.bottom + 1;
  return [...head.querySelectorAll("*")]
    .filter((one) => one.checkVisibility() && !one.closest(".panel, .unseen, .word"))
    .filter((one) => out(one.getBoundingClientRect()))
    .map((one) => one.outerHTML.slice(0, 80));
}"""
"""What of the head leaves it."""


def box_of(found: Locator) -> FloatRect:
    expect(found).to_be_visible()
    box = found.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("role", "path"), [("supervisor", "/now"), ("agent", "/me"), ("administrator", "/health")])
def test_nothing_leaves_the_head_on_a_telephone(
    console: Served, visitors: Visitors, role: Role, path: str, language: str
) -> None:
    for size in (PHONE, NARROWEST):
        page = visitors.page(size, language=language)
        console.sign_in(page, role)
        page.goto(console.at(path))
        assert page.locator(".head").evaluate(_OUTSIDE) == []
        assert not scrolls_sideways(page)


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_what_opens_beside_an_answer_is_whole(console: Served, visitors: Visitors, size: ViewportSize) -> None:
    page = visitors.page(size)
    console.sign_in(page)
    page.goto(console.at("/answers"))
    for key in ("s", "r"):
        page.keyboard.press(key)
        form = box_of(page.locator(f".act[data-key={key}] > form"))
        assert 0 <= form["x"] <= form["x"] + form["width"] <= size["width"], key
        assert 0 <= form["y"] <= form["y"] + form["height"] <= size["height"], key
        if key == "s":
            words = box_of(page.locator(".answer .body"))
            assert form["y"] >= words["y"] + words["height"]
        page.locator("h1").click()
        page.keyboard.press("Escape")
        expect(page.locator(".act[open]")).to_have_count(0)


def test_a_pause_is_two_keys(console: Served, centre: Centre, visitors: Visitors) -> None:
    page = visitors.page()
    console.sign_in(page)
    page.goto(console.at("/switches"))
    page.keyboard.press("c")
    expect(page.locator(".act[open] [data-digit='1']")).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator("tr[data-pause]")).to_have_count(1)
    (pause,) = centre.world.rows(t.pause)
    assert pause.what == "call"


@pytest.mark.parametrize("path", ["/queue", "/reports", "/health"])
def test_what_is_wide_scrolls_in_its_own_place_on_a_tablet(console: Served, visitors: Visitors, path: str) -> None:
    page = visitors.page(TABLET)
    console.sign_in(page)
    page.goto(console.at(path))
    assert not scrolls_sideways(page)
    assert accessibility_faults(page) == []


def test_the_help_lists_the_keys_of_the_page(console: Served, visitors: Visitors) -> None:
    page = visitors.page()
    console.sign_in(page)
    page.goto(console.at("/switches"))
    page.keyboard.press("?")
    own = page.locator("#help-here")
    expect(own).to_contain_text("Pause calls")
    expect(own.locator("kbd")).to_have_text(["o", "y", "c"])
    expect(page.locator("#help .in-list").first).to_be_hidden()
    page.goto(console.at("/queue"))
    page.keyboard.press("?")
    expect(page.locator("#help .in-list").first).to_be_visible()
    expect(own).to_be_hidden()
