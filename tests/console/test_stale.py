"""What is not up to date looks so: each layer that is silent is named, and acts that close wait until it is back."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visitors
from tests.callback.world import US
from tests.console.served import Served
from tests.console.specimen import Specimen

LAYERS = {
    "service": "The service has not been heard since 11:59:20: nobody is called and no text is sent.",
    "database": "The console has not read the database since 11:59:20.",
    "pbx": "The PBX has not been heard since 11:59:20: nobody is called.",
}


@pytest.fixture
def listed(showing: Served, visitors: Visitors, specimen: Specimen) -> Page:
    """The list as a supervisor sees it, with its stream open."""
    page = visitors.page()
    showing.sign_in(page)
    page.goto(showing.at("/specimen"))
    specimen.wait(page)
    specimen.beat()
    expect(page.locator("[data-age=pbx]")).to_have_text(re.compile(r"\d"))
    return page


@pytest.mark.parametrize("layer", LAYERS)
def test_a_silent_layer_is_named_and_acts_that_close_are_refused(listed: Page, specimen: Specimen, layer: str) -> None:
    began = time.monotonic()
    specimen.beat(stale=layer, since_at=specimen.now - 40 * US)
    expect(listed.locator("#banner")).to_contain_text(LAYERS[layer])
    assert listed.title().startswith("⚠")
    expect(listed.locator(".figures")).to_have_attribute("data-old", re.compile(r"^\d+ s old$"))
    old_s = int(str(listed.locator(".figures").get_attribute("data-old")).removesuffix(" s old"))
    assert 40 <= old_s <= 41 + time.monotonic() - began  # 40, and what has gone by since
    for key in ("j", "e", "1"):
        listed.keyboard.press(key)
    expect(listed.locator(".toast.fault")).to_contain_text("not up to date")
    listed.keyboard.press("Escape")
    listed.keyboard.press("Escape")
    listed.keyboard.press("c")  # what can be undone is taken
    expect(listed.locator(".toast")).to_have_text("call-now done")
    assert [act["act"] for act in specimen.acts] == ["call-now"]
    specimen.beat()
    expect(listed.locator("#banner")).to_be_hidden()
    assert listed.title() == "Specimen"


def test_a_stream_that_is_cut_is_told_after_12_s_and_taken_up_again(
    listed: Page, specimen: Specimen, visitors: Visitors
) -> None:
    visitors.expect("503|ERR_INCOMPLETE_CHUNKED")
    specimen.is_cut = True
    specimen.end()
    expect(listed.locator("#banner")).to_be_hidden()
    expect(listed.locator("#banner")).to_contain_text("No news from the console since 12:00:0", timeout=15_000)
    expect(listed.locator("body.stale")).to_have_count(1)
    specimen.is_cut = False
    specimen.wait(listed)
    specimen.beat()
    expect(listed.locator("#banner")).to_be_hidden()
    specimen.send(figures={"late": "9"})
    expect(listed.locator("[data-figure=late]")).to_have_text("9")


def test_times_run_by_the_servers_clock(showing: Served, visitors: Visitors, specimen: Specimen) -> None:
    page = visitors.page()
    page.clock.install(time="2020-02-02T00:00:00Z")  # the browser's own clock is years behind
    showing.sign_in(page)
    page.goto(showing.at("/specimen"))
    expect(page.locator("#r-11 .countdown")).to_have_text(re.compile("^6:5.$|^7:00$"))
    page.clock.pause_at("2020-02-02T00:01:00Z")
    left_s = int(page.locator("#r-11 .countdown").inner_text().removeprefix("6:"))
    assert 0 <= left_s < 30  # of the minute that has gone by the page saw the end
    page.clock.run_for(1000 * (left_s + 362))
    expect(page.locator("#r-11 .countdown")).to_have_text(re.compile(r"^\+[12] s$"))
    expect(page.locator("[data-clock]")).to_have_text(re.compile("^12:07:0[12]$"))
    expect(page.locator("#r-1 .countdown")).to_have_text("+10 min")


def test_a_risen_figure_is_told_once_and_by_at_most_one_sound_a_minute(listed: Page, specimen: Specimen) -> None:
    listed.evaluate("""() => {
      window.sounds = 0;
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...rest) { window.sounds += 1; return start.apply(this, rest); };
    }""")
    specimen.send(figures={"late": "2"})
    expect(listed.locator(".figure.late.told")).to_have_count(1)
    assert listed.evaluate("window.sounds") == 0  # nobody asked for it
    listed.get_by_role("button", name="Sound").click()
    assert listed.evaluate("window.sounds") == 1
    specimen.send(figures={"late": "3", "binds": "9"})
    expect(listed.locator("[data-figure=late]")).to_have_text("3")
    assert listed.evaluate("window.sounds") == 1
    expect(listed.locator(".figure.late.told")).to_have_count(0, timeout=8000)
