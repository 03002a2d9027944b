"""The browser of the tests: it renders, and what goes wrong in a page is not missed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from lab import chromium
from tests.browser import Visitors, accessibility_faults, scrolls_sideways

SITE = "http://page.test/"
HEAD = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>A page</title><link rel=icon href='data:,'>"


def _open(page: Page, html: str, **headers: str) -> None:
    """Show this HTML, with these headers, as if a server had sent it."""

    def answer(route: Route) -> None:
        asked_for_page = route.request.resource_type == "document"
        route.fulfill(
            status=200 if asked_for_page else 404,
            body=f"{HEAD}{html}",
            headers={"Content-Type": "text/html", **headers},
        )

    page.route(f"{SITE}**", answer)
    page.goto(SITE)


def test_chinese_is_not_drawn_as_boxes(page: Page) -> None:
    _open(page, "<canvas width=20 height=20></canvas>")
    drawn = page.evaluate("""() => ["回", "撥", "\\u{10FFFD}"].map((sign) => {
      const canvas = document.querySelector("canvas"), ink = canvas.getContext("2d");
      ink.clearRect(0, 0, 20, 20);
      ink.font = "16px system-ui";
      ink.fillText(sign, 0, 16);
      return canvas.toDataURL();
    })""")
    assert len(set(drawn)) == 3


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<script>console.error('no rows')</script>", "no rows"),
        ("<script>setTimeout(() => { throw new Error('broken row') })</script>", "broken row"),
        ("<script>fetch('/away')</script>", "404"),
    ],
)
def test_what_goes_wrong_in_a_page_is_told(visitors: Visitors, html: str, fault: str) -> None:
    page = visitors.page()
    _open(page, html)
    page.wait_for_timeout(1)  # lets Playwright hear what the page said
    page.wait_for_load_state("networkidle")
    assert any(fault in told for told in visitors.unexpected())
    visitors.expect(fault)
    assert visitors.unexpected() == []


def test_a_breach_of_the_security_policy_is_told(visitors: Visitors) -> None:
    page = visitors.page()
    _open(page, "<p style='color: red'>Late", **{"Content-Security-Policy": "default-src 'none'; img-src data:"})
    page.wait_for_load_state("networkidle")
    assert any("content security policy: style-src" in told for told in visitors.unexpected())
    visitors.expect("[Cc]ontent [Ss]ecurity [Pp]olicy")


def test_grave_faults_of_accessibility_are_told(page: Page) -> None:
    _open(page, "<main><h1>Queue</h1><p>Nobody waits.</p></main>")
    assert accessibility_faults(page) == []
    _open(page, "<main><h1>Queue</h1><input></main>")
    assert [fault.partition(":")[0] for fault in accessibility_faults(page)] == ["label"]


def test_a_page_that_is_too_wide_is_told(page: Page) -> None:
    _open(page, "<p>Nobody waits.")
    assert not scrolls_sideways(page)
    _open(page, "<p><svg width=3000 height=1></svg>")
    assert scrolls_sideways(page)


def test_each_visitor_has_cookies_of_their_own(visitors: Visitors) -> None:
    one, other = visitors.page(), visitors.page()
    _open(one, "<p>one")
    one.evaluate("document.cookie = 'name=one'")
    _open(other, "<p>other")
    assert (one.evaluate("document.cookie"), other.evaluate("document.cookie")) == ("name=one", "")


def test_after_a_test_with_a_browser_others_may_run_their_own_loop(
    running_chromium: object,  # as it is between tests
) -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    assert asyncio.run(answer()) == 42


def test_where_no_packages_can_be_had_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(chromium.NoChromium, match=r"No Chromium: this machine has no apt-get"):
        chromium.find(say=lambda _: None)
