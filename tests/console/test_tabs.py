"""Eight tabs of one browser are live by one stream."""

from __future__ import annotations

from playwright.sync_api import expect

from callback.decisions import actions
from callback.store.audit import By
from tests.browser import Visitors
from tests.console.centre import NOW, Centre
from tests.console.served import Served
from tests.console.specimen import Specimen


def test_eight_tabs_share_one_stream_and_the_next_takes_over(
    showing: Served, visitors: Visitors, specimen: Specimen
) -> None:
    browser = visitors.come()
    showing.sign_in(browser)
    tabs = [browser.new_page() for _ in range(8)]
    for tab in tabs:
        tab.goto(showing.at("/specimen"))
    specimen.settled(tabs[0])
    specimen.send(figures={"late": "5"})
    for tab in tabs:
        expect(tab.locator("[data-figure=late]")).to_have_text("5")
    tabs[0].close()  # the one that listens for all
    specimen.settled(tabs[1])
    specimen.send(figures={"late": "6"})
    for tab in tabs[1:]:
        expect(tab.locator("[data-figure=late]")).to_have_text("6")


def test_a_tab_that_comes_later_gets_all_that_there_is(showing: Served, visitors: Visitors, specimen: Specimen) -> None:
    browser = visitors.come()
    showing.sign_in(browser)
    first, second = browser.new_page(), browser.new_page()
    first.goto(showing.at("/specimen"))
    specimen.wait(first)
    before = specimen.opened
    second.goto(showing.at("/specimen"))
    specimen.settled(second, opened=before + 1)
    assert "last=" not in specimen.asked[-1]


PAGES = (
    "/now",
    "/queue",
    "/queue?lane=aim",
    "/queue?lane=held",
    "/queue?sort=deadline",
    "/queue/left",
    "/queue",
    "/now",
)


def test_eight_pages_of_one_browser_are_all_live(console: Served, visitors: Visitors, centre: Centre) -> None:
    browser = visitors.come()
    console.sign_in(browser)
    tabs = [browser.new_page() for _ in PAGES]
    for tab, path in zip(tabs, PAGES, strict=True):
        tab.goto(console.at(path))
    held = tabs[0].locator(".head [data-figure=held]")
    before = int(held.inner_text())
    for more, name in enumerate(("window", "aim", "binds"), 1):
        centre.decide(NOW, actions.hold, name, By("Bo", "a customer of ours"))
        for tab in tabs:
            expect(tab.locator(".head [data-figure=held]")).to_have_text(str(before + more))
    assert len(console.hub.viewers) == 1
