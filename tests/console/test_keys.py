"""Single keys: they act on the row with the focus, or on those selected, and never on what somebody types."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visitors
from tests.console.served import Served
from tests.console.specimen import Specimen


@pytest.fixture
def listed(showing: Served, visitors: Visitors, specimen: Specimen) -> Page:
    """The list as a supervisor sees it, with its stream open."""
    page = visitors.page()
    showing.sign_in(page)
    page.goto(showing.at("/specimen"))
    specimen.wait(page)
    return page


def focused(page: Page) -> str | None:
    id_: str | None = page.evaluate("document.activeElement.closest('[data-id]')?.dataset.id ?? null")
    return id_


def asked(page: Page, specimen: Specimen, count: int = 1) -> list[dict[str, str]]:
    """The acts that reached the server, when there are so many."""
    expect(page.locator("#toasts > .toast")).to_have_count(count)
    return specimen.acts


def test_rows_are_walked_through_opened_and_selected(listed: Page) -> None:
    for key in ("j", "j", "ArrowDown", "k"):
        listed.keyboard.press(key)
    assert focused(listed) == "2"
    listed.keyboard.press("x")
    expect(listed.locator("#r-2.selected")).to_have_count(1)
    expect(listed.locator("[data-selected]")).to_have_text("1")
    listed.keyboard.press("Escape")
    expect(listed.locator(".selected")).to_have_count(0)
    listed.keyboard.press("Enter")
    expect(listed).to_have_url(re.compile(r"/specimen\?open=2$"))


def test_one_key_acts_on_the_row_and_the_focus_goes_on(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("j")
    listed.keyboard.press("c")
    assert asked(listed, specimen) == [{"act": "call-now", "items": "1:1", "why": "", "at": ""}]
    assert focused(listed) == "2"


def test_a_key_and_a_digit_act_on_all_that_are_selected(listed: Page, specimen: Specimen) -> None:
    for key in ("j", "x", "j", "x", "e"):
        listed.keyboard.press(key)
    expect(listed.get_by_role("button", name="customer asked")).to_be_focused()
    listed.keyboard.press("2")
    assert asked(listed, specimen) == [{"act": "cancel", "items": "1:1,2:1", "why": "test call", "at": ""}]
    expect(listed.locator(".act[open]")).to_have_count(0)


def test_a_time_is_typed_and_sent(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("j")
    listed.keyboard.press("s")
    listed.keyboard.type("1830")
    listed.keyboard.press("Enter")
    assert asked(listed, specimen) == [{"act": "slot", "items": "1:1", "why": "", "at": "1830"}]


def test_without_a_row_nothing_is_sent(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("h")
    expect(listed.locator(".toast")).to_have_text("Choose a row first.")
    assert specimen.acts == []


def test_what_is_typed_is_no_key(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("j")
    listed.keyboard.press("/")
    expect(listed.get_by_role("searchbox")).to_be_focused()
    listed.keyboard.type("chjx1.?")
    assert listed.get_by_role("searchbox").input_value() == "chjx1.?"
    assert specimen.acts == []


_PRESS = """([code, options]) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {key: "Process", code, bubbles: true, cancelable: true, ...options}))"""


def test_an_input_method_swallows_no_key_and_makes_none_of_what_it_composes(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("j")
    listed.evaluate(_PRESS, ["KeyC", {"isComposing": True}])
    listed.evaluate(_PRESS, ["KeyC", {}])
    assert [act["act"] for act in asked(listed, specimen)] == ["call-now"]
    listed.get_by_role("searchbox").focus()
    listed.evaluate(_PRESS, ["KeyH", {}])
    listed.keyboard.press("Escape")
    assert len(specimen.acts) == 1


@pytest.mark.parametrize(
    ("mode", "key", "acts"), [("off", "c", 0), ("off", "Alt+c", 0), ("alt", "c", 0), ("alt", "Alt+c", 1)]
)
def test_single_keys_can_be_switched_off_or_moved(
    showing: Served, listed: Page, specimen: Specimen, mode: str, key: str, acts: int
) -> None:
    listed.context.add_cookies([{"name": "keys", "value": mode, "url": showing.url}])
    listed.reload()
    listed.keyboard.press("ArrowDown")
    listed.keyboard.press(key)
    listed.keyboard.press("ArrowDown")
    expect(listed.locator(".toast")).to_have_count(acts)
    assert len(specimen.acts) == acts


def test_help_tells_the_keys_and_is_shut_by_escape(listed: Page) -> None:
    listed.keyboard.press("j")
    listed.keyboard.press("?")
    help_ = listed.get_by_role("dialog", name="Keys")
    expect(help_).to_contain_text("was not lost")
    listed.keyboard.press("c")  # no act while it is open
    listed.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    assert focused(listed) == "1"
    expect(listed.locator(".toast")).to_have_count(0)


def test_a_page_is_gone_to(listed: Page, visitors: Visitors) -> None:
    visitors.expect("404")
    listed.keyboard.press("g")
    with listed.expect_navigation():
        listed.keyboard.press("n")
    assert listed.url.endswith("/now")


def test_every_key_has_a_button_that_is_large_enough(listed: Page) -> None:
    small = listed.evaluate("""() => [...document.querySelectorAll("button, summary, input, a.button")]
      .filter((one) => one.checkVisibility()).map((one) => one.closest("label") ?? one)
      .filter((one) => Math.min(one.getBoundingClientRect().height, one.getBoundingClientRect().width) < 24)
      .map((one) => one.outerHTML)""")
    assert small == []
