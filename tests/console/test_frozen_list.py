"""The list does not move under the hand: what comes in waits for it, and is told."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visitors
from tests.console.served import Served
from tests.console.specimen import Specimen

LANES = {"calling": [1], "aim": [2, 3, 4, 5, 6, 7], "binds": [8, 9], "window": [10, 11, 12], "late": [13], "held": []}


@pytest.fixture
def listed(showing: Served, visitors: Visitors, specimen: Specimen) -> Page:
    """The list as a supervisor sees it, with its stream open."""
    page = visitors.page()
    showing.sign_in(page)
    page.goto(showing.at("/specimen"))
    specimen.wait(page)
    return page


def ids(page: Page) -> list[int]:
    """The rows in the order shown."""
    return [int(id_) for id_ in page.eval_on_selector_all("[data-id]", "rows => rows.map(row => row.dataset.id)")]


def top(page: Page, id_: int) -> float:
    return float(page.evaluate(f"document.getElementById('r-{id_}').getBoundingClientRect().y"))


def text(page: Page, id_: int, cell: str) -> str:
    return page.locator(f"#r-{id_} .{cell}").inner_text()


def test_what_comes_in_is_shown_where_no_hand_is_near(listed: Page, specimen: Specimen) -> None:
    specimen.order({**LANES, "binds": [20, 8, 9], "aim": [3, 2, 5]}, {20: "binds"}, gone={"4": "reached by 1004"})
    expect(listed.locator("#r-20")).to_be_visible()
    assert ids(listed) == [1, 3, 2, 5, 20, 8, 9, 10, 11, 12, 13]
    expect(listed.locator("#pill")).to_be_hidden()


def test_nothing_moves_while_the_pointer_rests_on_a_row(listed: Page, specimen: Specimen) -> None:
    listed.locator("#r-7 .lost").hover()
    before, y = ids(listed), top(listed, 7)
    for new in range(20, 40):
        lanes = {**LANES, "aim": [*range(20, new + 1), 6, 7], "late": [13]}
        specimen.order(lanes, {new: "aim"}, gone={str(new - 18): "reached by 1004"} if new < 24 else {})
    pill = listed.locator("#pill > span")
    expect(pill).to_have_text("20 new · 4 gone")
    listed.wait_for_timeout(2500)  # longer than a pointer that moved keeps the list still
    assert (ids(listed), top(listed, 7)) == (before, y)
    assert text(listed, 3, "next") == "reached by 1004"
    listed.mouse.down()
    assert listed.evaluate("document.querySelector('#r-7:hover') !== null")
    listed.mouse.up()
    listed.keyboard.press(".")
    expect(listed.locator("#r-39")).to_be_visible()
    assert ids(listed)[1:23] == [*range(20, 40), 6, 7]
    assert listed.evaluate("document.activeElement.closest('[data-id]')?.dataset.id") == "7"
    expect(listed.locator("#pill")).to_be_hidden()


def test_the_list_goes_on_when_the_pointer_leaves(listed: Page, specimen: Specimen) -> None:
    listed.locator("#r-7 .lost").hover()
    specimen.order({**LANES, "late": [21, 13]}, {21: "late"})
    expect(listed.locator("#pill > span")).to_have_text("1 new · 1 late")
    listed.mouse.move(5, 5)
    expect(listed.locator("#r-21")).to_be_visible()


@pytest.mark.parametrize("hand", ["focus", "selection"])
def test_nothing_moves_while_a_row_has_the_focus_or_is_selected(listed: Page, specimen: Specimen, hand: str) -> None:
    if hand == "focus":
        listed.keyboard.press("j")
        listed.keyboard.press("j")
    else:
        listed.locator("#r-2 .pick input").check()
        listed.evaluate("document.activeElement.blur()")
        listed.mouse.move(5, 5)
    before = ids(listed)
    specimen.order({**LANES, "aim": [20, 2, 3, 4, 5, 6, 7]}, {20: "aim"})
    expect(listed.locator("#pill > span")).to_have_text("1 new")
    listed.wait_for_timeout(2000)
    assert ids(listed) == before
    listed.keyboard.press(".")
    expect(listed.locator("#r-20")).to_be_visible()
    if hand == "focus":
        assert listed.evaluate("document.activeElement.closest('[data-id]').dataset.id") == "2"
    else:
        expect(listed.locator("#r-2 .pick input")).to_be_checked()


def test_what_stands_in_a_row_changes_at_once_and_the_focus_stays(listed: Page, specimen: Specimen) -> None:
    listed.locator("#r-8 .lever").focus()
    specimen.send(rows={"8": specimen.row(8, "binds", rev=2, next_step="agents are kept free")})
    expect(listed.locator("#r-8 .next")).to_contain_text("agents are kept free")
    assert listed.locator("#r-8").get_attribute("data-rev") == "2"
    assert listed.locator("#r-8 .pick input").get_attribute("value") == "8:2"
    assert listed.evaluate("document.activeElement.closest('[data-id]').dataset.id") == "8"
    assert listed.evaluate("document.activeElement.classList.contains('lever')")


def test_one_row_that_comes_back_is_no_ghost(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("j")
    specimen.order({**LANES, "binds": [9]}, gone={"8": "held by Bo"})
    expect(listed.locator("#r-8.ghost")).to_be_visible()
    expect(listed.locator("#r-8 .pick input")).to_be_disabled()
    specimen.order(LANES, {8: "binds"})
    expect(listed.locator("#r-8:not(.ghost)")).to_be_visible()
    expect(listed.locator("#r-8 .pick input")).to_be_enabled()


def test_one_that_is_only_behind_those_that_are_shown_is_not_counted_as_gone(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("j")
    specimen.order({**LANES, "binds": [9]}, gone={"8": "not in this list any more"})
    expect(listed.locator("#r-8.ghost")).to_be_visible()
    expect(listed.locator("#pill > span")).to_have_text("order changed")


def test_figures_change_wherever_they_stand(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("j")
    specimen.send(figures={"late": "7"})
    expect(listed.locator("[data-figure=late]")).to_have_text("7")


def test_who_looks_is_written_into_the_row(listed: Page, specimen: Specimen) -> None:
    specimen.send(who={"9": ["Anna", "Bo"]})
    expect(listed.locator("#r-9 .eyes")).to_have_text("Bo looks")
    specimen.send(who={})
    expect(listed.locator("#r-9 .eyes")).to_have_count(0)


def test_others_are_told_what_is_selected(listed: Page, specimen: Specimen) -> None:
    listed.locator("#r-9 .pick input").check()
    specimen.until(listed, lambda: specimen.open_[-1:] == ["9"])


def test_a_paused_page_stands_still_until_it_goes_on(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("l")
    specimen.send(rows={"8": specimen.row(8, "binds", rev=2, next_step="is next")}, figures={"late": "7"})
    expect(listed.locator("#pill > span")).to_have_text("paused")
    specimen.send(rows={"9": specimen.row(9, "binds", rev=2, next_step="quiet hours")})
    listed.wait_for_timeout(500)
    assert "is next" not in text(listed, 8, "next")
    listed.keyboard.press("l")
    expect(listed.locator("#r-8 .next")).to_contain_text("is next")
    expect(listed.locator("#r-9 .next")).to_contain_text("quiet hours")
    expect(listed.locator("[data-figure=late]")).to_have_text("7")


def test_after_a_gap_the_page_is_read_anew_and_the_hand_keeps_its_row(listed: Page, specimen: Specimen) -> None:
    listed.keyboard.press("j")
    specimen.lanes = {**LANES, "binds": [9, 8, 22]}
    specimen.tell("resync")
    expect(listed.locator("#pill > span")).to_have_text("1 new · 1 bind")
    listed.keyboard.press(".")
    expect(listed.locator("#r-22")).to_be_visible()
    assert listed.evaluate("document.activeElement.closest('[data-id]').dataset.id") == "1"


def test_a_frame_of_figures_alone_moves_no_row(listed: Page, specimen: Specimen) -> None:
    specimen.send(whole=True, order={}, figures={"late": "4"})
    expect(listed.locator("[data-figure=late]")).to_have_text("4")
    assert ids(listed) == [id_ for lane in LANES.values() for id_ in lane]


def test_acts_that_do_not_fit_the_row_are_not_offered(listed: Page, specimen: Specimen) -> None:
    hold, resume = listed.locator("[data-act=hold]"), listed.locator("[data-act=resume]")
    expect(hold).to_be_visible()
    expect(resume).to_be_hidden()
    specimen.order({**LANES, "held": [30]}, {30: "held"})
    listed.locator("#r-30 .pick input").check()
    expect(hold).to_be_hidden()
    listed.keyboard.press("h")
    expect(listed.locator(".toast")).to_have_text("resume done")
