"""Care in a browser: by the keyboard alone, on a telephone of 320 pixels, in light and dark, in each language."""

from __future__ import annotations

from playwright.sync_api import Page, ViewportSize, expect

from callback.store import tables as t
from tests.browser import Theme, Visitors, accessibility_faults, scrolls_sideways
from tests.console import agents
from tests.console.centre import NOW, Centre
from tests.console.served import Served

NARROWEST: ViewportSize = {"width": 320, "height": 640}


def opened(console: Served, page: Page, path: str) -> Page:
    console.sign_in(page)
    page.goto(console.at(path))
    expect(page.locator("main")).to_be_visible()
    return page


def test_a_complaint_from_its_list_to_the_customers_word_by_the_keyboard_alone(
    console: Served, centre: Centre, visitors: Visitors
) -> None:
    """Register, answer, note, and find it again; every drawer is looked at by axe."""
    page = opened(console, visitors.page(), "/cases")
    first = page.locator("tbody tr").first
    expect(first).to_contain_text("overdue since")
    assert first.get_attribute("data-id") == str(centre.cases["overdue"])
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Register a complaint")).to_be_visible()
    page.keyboard.type("09099990001")
    page.keyboard.press("Tab")
    page.keyboard.type("The bill came twice.")
    page.get_by_label("Topic").select_option("billing/wrong-amount")
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Register it").press("Enter")
    expect(page.get_by_role("heading", name="Case 11")).to_be_visible()
    for key in ("a", "e", "n"):
        page.keyboard.press(key)
        assert accessibility_faults(page) == [], key
        page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.keyboard.type("One of them is void.")
    page.get_by_role("button", name="Keep the answer").press("Enter")
    expect(page.locator(".case")).to_contain_text("answered, to be confirmed")
    expect(page.locator(".timeline")).to_contain_text("One of them is void.")
    page.keyboard.press("v")
    expect(page.locator("#number")).to_contain_text("+819099990001")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Cases")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Case 2 ")).to_be_visible()


def test_each_page_fits_and_serves_everybody(console: Served, centre: Centre, visitors: Visitors) -> None:
    """Cases, one with hostile words and drawers open, the form, flags, a customer: no fault in any colours or width."""
    paths = (
        "/cases", f"/cases/{centre.cases['hostile']}", "/cases/new", f"/flags?r={centre.reservation['aim']}",
        f"/p/{centre.reservation['binds']}",
    )  # fmt: skip
    looks: tuple[tuple[Theme, str, ViewportSize], ...] = (
        ("light", "zh-CN", NARROWEST), ("dark", "zh-TW", {"width": 1366, "height": 768}),
    )  # fmt: skip
    for theme, language, size in looks:
        page = visitors.page(size, theme=theme, language=language)
        for path in paths:
            opened(console, page, path)
            for drawer in page.locator("main details:not(.act)").all():
                drawer.evaluate("(one) => { one.open = true; }")
            assert not scrolls_sideways(page), (path, language)
            assert accessibility_faults(page) == [], (path, theme)


def test_an_agent_is_told_how_to_speak_and_registers_a_complaint(
    console: Served, centre: Centre, visitors: Visitors
) -> None:
    agents.at_work(centre, queues=("support", "billing"))
    page = visitors.page({"width": 360, "height": 640})
    console.sign_in(page, "agent")
    page.goto(console.at("/me"))
    agents.ring(centre, "binds", NOW)
    expect(page.locator("#agent-line")).to_contain_text("Be exact")
    assert accessibility_faults(page) == []
    page.keyboard.press("p")
    page.get_by_label("What the customer says").fill("He was promised a call at noon.")
    page.get_by_role("button", name="Register it").click()
    expect(page.get_by_role("heading", name="Case 11")).to_be_visible()
    page.goto(console.at("/me"))
    page.locator("#agent-mine summary", has_text="2 cases of yours").click()
    expect(page.locator("#agent-mine")).to_contain_text("case 11")
    assert centre.world.rows(t.care_case)[-1].source == "agent"
