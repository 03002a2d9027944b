"""The seven shapes are told apart without colour, and each has its word."""

from __future__ import annotations

from itertools import combinations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Theme, Visitors
from tests.console.centre import Centre
from tests.console.pictures import difference, grey
from tests.console.served import Served
from tests.console.specimen import LANES, Specimen


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_shapes_differ_in_grey(showing: Served, visitors: Visitors, specimen: Specimen, theme: Theme) -> None:
    specimen.lanes = {lane: [at] for at, lane in enumerate(LANES, 1)}
    page = visitors.page(theme=theme, device_scale_factor=2)
    showing.sign_in(page)
    page.goto(showing.at("/specimen"))
    signs = page.locator("tr.lane .sign")
    expect(signs).to_have_count(7)
    shades = [grey(page, signs.nth(at).screenshot()) for at in range(7)]
    alike = {
        pair: share
        for pair in combinations(range(7), 2)
        if (share := difference(shades[pair[0]], shades[pair[1]])) <= 0.15
    }
    assert alike == {}


def test_each_shape_stands_beside_its_word(showing: Served, visitors: Visitors, specimen: Specimen) -> None:
    specimen.lanes = {lane: [at] for at, lane in enumerate(LANES, 1)}
    page = visitors.page()
    showing.sign_in(page)
    page.goto(showing.at("/specimen"))
    heads = page.locator("tr.lane").all_inner_texts()
    assert [head.partition(" 1")[0].strip() for head in heads] == [
        "being called",
        "inside the aim",
        "the deadline binds",
        "inside the hour",
        "late",
        "waits for its time",
        "held",
    ]
    assert page.locator("svg:not([aria-hidden=true])").count() == 0


def test_a_row_of_the_queue_is_32_high_though_a_button_appears_under_the_pointer(
    console: Served, page: Page, centre: Centre
) -> None:
    console.sign_in(page)
    page.goto(console.at("/queue"))
    row = page.locator(f"#r-{centre.reservation['aim-severe']}")
    box = row.bounding_box()
    row.hover()
    expect(row.locator(".at-hand")).to_be_visible()
    assert box == row.bounding_box()
    assert box is not None
    assert box["height"] == 32
