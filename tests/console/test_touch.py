"""The jobs of a shift with a thumb, on a telephone of 360 by 640, taps counted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser import PHONE, Visitors, scrolls_sideways
from tests.console.centre import Centre
from tests.console.served import Served


class Thumb:
    """Taps what is in sight and large enough, and counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    def tap(self, selector: str) -> None:
        """Tap it; it must be where a thumb finds it, and no smaller than one."""
        target = self.page.locator(selector).first
        expect(target).to_be_visible()
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44, f"{selector} is {box['height']} high"
        target.tap()
        self.taps += 1


@pytest.fixture
def thumb(console: Served, visitors: Visitors) -> Thumb:
    page = visitors.page(PHONE)
    console.sign_in(page)
    page.goto(console.at("/queue"))
    return Thumb(page)


def chosen(thumb: Thumb, centre: Centre, name: str) -> int:
    """Tap a row, as one does to see it; that is no part of the job."""
    number = centre.reservation[name]
    thumb.page.locator(f"#r-{number} .lost").tap(position={"x": 150, "y": 8})
    expect(thumb.page.locator(f"#r-{number}[data-current]")).to_have_count(1)
    return number


def done(thumb: Thumb) -> None:
    expect(thumb.page.locator(".toast")).to_be_visible()
    expect(thumb.page.locator(".toast.fault")).to_have_count(0)
    assert not scrolls_sideways(thumb.page)


def test_call_now_is_one_tap(thumb: Thumb, centre: Centre) -> None:
    chosen(thumb, centre, "window")
    thumb.tap("[data-act=call-now] button")
    done(thumb)
    assert thumb.taps == 1


def test_hold_with_a_reason_is_two_taps(thumb: Thumb, centre: Centre) -> None:
    number = chosen(thumb, centre, "window")
    thumb.tap(".acts details:has([data-act=hold]) > summary")
    thumb.tap("[data-act=hold] [data-digit='2']")
    done(thumb)
    assert thumb.taps == 2
    (held,) = (row for row in centre.world.reservations() if row.id == number)
    assert held.state == "held"


def test_another_time_is_at_most_three_taps(thumb: Thumb, centre: Centre) -> None:
    chosen(thumb, centre, "window")
    thumb.tap(".acts details:has([data-act=slot]) > summary")
    thumb.tap("[data-act=slot] .chips button")
    done(thumb)
    assert thumb.taps <= 3


def test_that_it_was_not_lost_is_three_taps_and_undone_by_one(thumb: Thumb, centre: Centre) -> None:
    chosen(thumb, centre, "window")
    thumb.tap(".acts .more")
    thumb.tap(".acts details:has([data-act=not-lost]) > summary")
    thumb.tap("[data-act=not-lost] [data-digit='1']")
    done(thumb)
    assert thumb.taps == 3
    thumb.tap("form[action='/undo'] button")
    expect(thumb.page.locator("form[action='/undo']")).to_have_count(0)


def test_a_caller_is_found_by_four_digits_and_one_tap(thumb: Thumb, visitors: Visitors) -> None:
    visitors.expect("404")
    thumb.tap("[role=search] input[type=search]")
    thumb.page.keyboard.type("4412")
    thumb.page.keyboard.press("Enter")
    thumb.page.wait_for_url(lambda url: "/queue/find" in url or "/r/" in url)
    assert thumb.taps == 1


def test_what_breaks_next_is_in_the_first_view(console: Served, visitors: Visitors) -> None:
    page = visitors.page(PHONE)
    console.sign_in(page)
    page.goto(console.at("/now"))
    first = page.locator("#now-dangers .danger").first
    box = first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE["height"]
    assert not scrolls_sideways(page)


def test_of_all_acts_none_lies_on_another(thumb: Thumb, centre: Centre) -> None:
    chosen(thumb, centre, "aim")
    thumb.tap("[data-switch=more]")
    acts = thumb.page.locator(".acts > * > :is(button, summary):visible")
    expect(acts.filter(has_text="assign")).to_be_visible()
    boxes = [box for box in (one.bounding_box() for one in acts.all()) if box]
    assert len(boxes) == 10
    places = sorted((box["y"], box["x"], box["x"] + box["width"]) for box in boxes)
    for (y, _, right), (below, left, _) in pairwise(places):
        assert y != below or right <= left
