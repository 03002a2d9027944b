"""The rules in a browser: proposed, their effect seen, published, taken back; and on a telephone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from callback.decisions import ruling
from callback.site import rule_versions
from callback.store.audit import By
from tests.browser import PHONE, Visitors, accessibility_faults, scrolls_sideways
from tests.console.centre import NOW, Centre
from tests.console.served import Served


@pytest.fixture
def page(console: Served, visitors: Visitors) -> Page:
    """A manager's."""
    made = visitors.page()
    console.sign_in(made, "manager")
    return made


def versions(centre: Centre) -> list[tuple[int, float]]:
    with centre.world.store.read() as connection:
        return [(one.version, one.rules.window_min) for one in rule_versions.versions(connection, "main")]


def propose(page: Page, console: Served, window_min: str, aim_min: str = "20") -> None:
    """By the keyboard alone, from the page of the rules."""
    page.goto(console.at("/rules"))
    page.get_by_role("link", name="Change the rules").focus()
    page.keyboard.press("Enter")
    page.get_by_label("a lost caller is promised a call within").fill(window_min)
    page.get_by_label("our own aim within that promise").fill(aim_min)
    page.keyboard.press("Enter")


def publish(page: Page, why: str) -> None:
    page.get_by_label("reason").fill(why)
    page.keyboard.press("Enter")


def test_rules_are_proposed_seen_published_and_taken_back(page: Page, console: Served, centre: Centre) -> None:
    propose(page, console, "45")
    expect(page.get_by_role("heading", name="What this would change")).to_be_visible()
    expect(page.locator("tr.all")).to_contain_text("all queues")
    expect(page.locator("main")).to_contain_text("None of them is moved")
    assert accessibility_faults(page) == []
    publish(page, "shorter waits")
    expect(page.locator("main")).to_contain_text("Version 2 is in force.")
    assert versions(centre) == [(2, 45.0), (1, 60.0)]
    page.get_by_role("button", name="Go back to this (1)").click()
    expect(page.locator("main")).to_contain_text("This goes back to version 1")
    publish(page, "it was too short")
    expect(page.locator("main")).to_contain_text("Version 3 is in force.")
    assert versions(centre) == [(3, 60.0), (2, 45.0), (1, 60.0)]


def test_what_was_typed_stays_where_something_is_wrong(
    page: Page, console: Served, centre: Centre, visitors: Visitors
) -> None:
    visitors.expect("status of 422")
    propose(page, console, "soon", "17")
    faulty = page.get_by_label("a lost caller is promised a call within")
    expect(faulty).to_have_value("soon")
    expect(faulty).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("our own aim within that promise")).to_have_value("17")
    assert accessibility_faults(page) == []
    assert versions(centre) == [(1, 60.0)]


def test_who_was_too_late_sees_what_changed_and_goes_on_from_there(
    page: Page, console: Served, centre: Centre, visitors: Visitors
) -> None:
    visitors.expect("status of 409")
    propose(page, console, "45")
    expect(page.get_by_role("heading", name="What this would change")).to_be_visible()
    rules = centre.world.site.rules.model_copy(update={"silent_min": 7.0})
    centre.do(NOW, lambda work: ruling.publish(work, rules, By("Anna", "the board wants it"), based_on=1))
    publish(page, "shorter waits")
    expect(page.locator(".meanwhile")).to_contain_text("promise after a silent call")
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Lay my changes over these").click()
    expect(page.locator(".meanwhile")).to_have_count(0)
    publish(page, "shorter waits")
    expect(page.locator("main")).to_contain_text("Version 3 is in force.")
    assert versions(centre) == [(3, 45.0), (2, 60.0), (1, 60.0)]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_on_a_telephone_nothing_is_wider_than_it(console: Served, visitors: Visitors, language: str) -> None:
    page = visitors.page(PHONE, language=language)
    console.sign_in(page, "manager")
    page.goto(console.at("/rules/change"))
    assert not scrolls_sideways(page)
    page.locator("[name=window_min]").fill("45")
    page.locator("[name=window_min]").press("Enter")
    expect(page.locator("tr.all")).to_be_visible()
    assert not scrolls_sideways(page)
    assert accessibility_faults(page) == []
