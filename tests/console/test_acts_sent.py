"""What a browser does with an act: it is sent once, looks done only when it is, and its answer takes its place."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import Visitors
from tests.callback.world import US
from tests.console.served import Served
from tests.console.specimen import Specimen


def _undo(until: int) -> str:
    return f'<form method="post" action="/undo" data-key="u" data-undo-until="{until}"><button>Undo</button></form>'


@pytest.fixture
def listed(showing: Served, visitors: Visitors, specimen: Specimen) -> Page:
    """The list with the focus on its second row."""
    page = visitors.page()
    showing.sign_in(page)
    page.goto(showing.at("/specimen"))
    specimen.wait(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    return page


def test_the_answer_takes_the_place_of_the_row(listed: Page, specimen: Specimen) -> None:
    row = specimen.row(2, "held", rev=2, next_step="held by Anna")
    specimen.answers["hold"] = (200, f'<table><tbody>{row}</tbody></table><div class="toast"><p>Held</p></div>')
    listed.keyboard.press("h")
    expect(listed.locator("#r-2 .next")).to_contain_text("held by Anna")
    assert listed.locator("#r-2").get_attribute("data-rev") == "2"
    expect(listed.locator(".toast")).to_contain_text("Held")


def test_undo_is_offered_as_long_as_it_lasts(listed: Page, specimen: Specimen) -> None:
    specimen.answers["hold"] = (200, f'<div class="toast"><p>Held</p>{_undo(specimen.now + 3 * US)}</div>')
    listed.keyboard.press("h")
    expect(listed.get_by_role("button", name="Undo")).to_be_visible()
    expect(listed.get_by_role("button", name="Undo")).to_have_count(0, timeout=8000)
    expect(listed.locator(".toast")).to_contain_text("Held")


def test_a_refusal_shows_the_row_as_it_is_now(listed: Page, specimen: Specimen, visitors: Visitors) -> None:
    visitors.expect("409")
    row = specimen.row(2, "held", rev=5, next_step="held by Bo")
    specimen.answers["call-now"] = (
        409, f'<div class="toast fault"><p>Bo held it 4 s ago.</p></div><table><tbody>{row}</tbody></table>'
    )  # fmt: skip
    listed.keyboard.press("c")
    expect(listed.locator(".toast.fault")).to_have_text("Bo held it 4 s ago.")
    expect(listed.locator("#r-2 .next")).to_contain_text("held by Bo")
    assert listed.evaluate("document.activeElement.closest('[data-id]').dataset.id") == "2"


def test_until_the_answer_the_row_says_that_it_is_underway_and_it_is_sent_once(
    listed: Page, specimen: Specimen
) -> None:
    held: list[Route] = []
    listed.route("**/act/hold", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    listed.keyboard.press("h")
    expect(listed.locator("#r-2 .next")).to_contain_text("sending…")
    assert "held" not in listed.locator("#r-2 .next").inner_text()
    listed.keyboard.press("h")
    expect(listed.locator(".toast")).to_contain_text("look again", timeout=8000)
    assert len(held) == 1
    held[0].continue_()
    expect(listed.locator("#r-2 .sending-note")).to_have_count(0)
    assert [act["act"] for act in specimen.acts] == ["hold"]


def test_what_cannot_be_sent_is_told(listed: Page, visitors: Visitors) -> None:
    visitors.expect("ERR_FAILED")
    listed.route("**/act/hold", lambda route: route.abort())
    listed.keyboard.press("h")
    expect(listed.locator(".toast.fault")).to_contain_text("This could not be sent")
    expect(listed.locator("#r-2.sending")).to_have_count(0)


def test_a_session_that_is_over_leads_to_the_sign_in_page(listed: Page, visitors: Visitors) -> None:
    visitors.expect("401")
    listed.context.clear_cookies()
    with listed.expect_navigation(url=re.compile("/sign-in")):
        listed.keyboard.press("h")


def test_without_scripts_acts_are_plain_forms(showing: Served, visitors: Visitors, specimen: Specimen) -> None:
    page = visitors.page(java_script_enabled=False)
    visitors.expect("favicon")  # the specimen answers without the frame of a page
    showing.sign_in(page)
    page.goto(showing.at("/specimen"))
    page.locator("summary", has_text="Cancel").click()
    expect(page.locator("noscript .banner")).to_be_visible()
    page.get_by_label("Other").fill("a test call of ours")
    page.get_by_label("Other").press("Enter")
    assert [act["act"] for act in specimen.acts] == ["cancel"]


def test_a_reason_that_is_typed_is_the_one_that_is_sent(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("e")
    listed.keyboard.press("r")
    listed.keyboard.type("moved to another town")
    listed.keyboard.press("Enter")
    expect(listed.locator(".toast")).to_have_count(1)
    assert [act["why"] for act in specimen.acts] == ["moved to another town"]


def test_a_question_is_answered_in_a_dialog_and_the_row_keeps_the_focus(listed: Page, specimen: Specimen) -> None:
    specimen.answers["what-if"] = (200, "<section data-dialog><h2>What if</h2><p>#790 slips to 14:31</p></section>")
    listed.keyboard.press("w")
    expect(listed.get_by_role("dialog")).to_contain_text("slips to 14:31")
    listed.keyboard.press("Escape")
    expect(listed.get_by_role("dialog")).to_have_count(0)
    assert listed.evaluate("document.activeElement.closest('[data-id]').dataset.id") == "2"
    assert specimen.acts == [{"act": "what-if", "items": "2:1", "why": "", "at": ""}]
