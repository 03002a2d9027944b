"""The queue page stays right while it is looked at, and does not move under the hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from callback.decisions import actions
from callback.store.audit import By
from tests.browser import DESK, PHONE, Theme, Visitors, accessibility_faults, scrolls_sideways
from tests.callback.world import MINUTE, US
from tests.console.centre import NOW, Centre
from tests.console.crowd import lose
from tests.console.served import Served

BO = By("Bo", "they were spoken to")


@pytest.fixture
def crowded(centre: Centre) -> Centre:
    """Twelve more who wait inside their aim, lost a second after each other."""
    for n in range(12):
        lose(centre, f"crowd-{n}", 4000 + n, NOW - 10 * MINUTE + n * US)
    return centre


def opened(console: Served, page: Page, path: str) -> Page:
    console.sign_in(page)
    page.goto(console.at(path))
    page.wait_for_function("document.querySelectorAll('[data-lane] > [data-id]').length > 0")
    return page


def ids(page: Page) -> list[int]:
    """The rows in the order shown, those that have left too."""
    return [int(one) for one in page.eval_on_selector_all("[data-id]", "rows => rows.map(row => row.dataset.id)")]


def under(page: Page, x: float, y: float) -> str:
    """Where a click there leads to."""
    link = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('tr').querySelector('.open').href", [x, y]
    )
    return str(link)


def test_a_loss_comes_in_by_itself_and_a_figure_with_it(console: Served, centre: Centre, page: Page) -> None:
    opened(console, page, "/queue")
    expect(page.locator("[data-figure=lane-aim]")).to_have_text("6")
    page.mouse.move(5, 5)
    console.now = NOW + US
    centre.lose("new", "09055550001", NOW, "requested", reason="digit-in-queue", told_after_s=10**6)
    expect(page.locator("[data-figure=lane-aim]")).to_have_text("7")
    expect(page.locator("[data-figure=open]").first).to_have_text("34")


def test_one_that_waits_for_an_agent_takes_a_single_line(console: Served, centre: Centre, page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    opened(console, page, "/queue?lane=binds")
    row = page.locator(f"#r-{centre.reservation['binds']}")
    expect(row.locator(".next")).to_contain_text("no agent is free")
    box = row.bounding_box()
    assert box is not None
    assert box["height"] <= 36


def test_under_the_pointer_nothing_moves_while_twenty_come_and_five_go(
    console: Served, crowded: Centre, page: Page
) -> None:
    opened(console, page, "/queue?lane=aim")
    before = ids(page)
    seventh = page.locator("[data-id]").nth(6)
    seventh.locator(".customer .open").focus()
    seventh.locator(".lost").hover()
    box = seventh.bounding_box()
    assert box is not None
    x, y = box["x"] + 500, box["y"] + box["height"] / 2
    leads_to = under(page, x, y)
    console.now = NOW + US
    for n in range(20):
        lose(crowded, f"late-{n}", 5000 + n, NOW - n)
    rows = {id_: name for name, id_ in crowded.reservation.items()}
    for id_ in before[:5]:
        crowded.decide(NOW, actions.cancel, rows[id_], BO)
    expect(page.locator("#pill > span")).to_have_text("20 new · 5 gone")
    page.wait_for_timeout(2000)  # longer than a pointer that moved keeps the list still
    assert ids(page) == before
    assert seventh.bounding_box() == box
    assert under(page, x, y) == leads_to
    assert page.locator(f"#r-{before[0]}.ghost .next").inner_text() == "cancelled by Bo"
    page.keyboard.press(".")
    expect(page.locator("#pill")).to_be_hidden()
    shown = ids(page)
    assert not set(before[:5]) & set(shown)
    assert len(shown) == len(before) + 15
    assert page.evaluate("document.activeElement.closest('[data-id]').dataset.id") == str(before[6])


def test_what_another_decides_stands_in_the_row(console: Served, centre: Centre, page: Page) -> None:
    opened(console, page, "/queue?lane=binds")
    id_ = centre.reservation["binds-landline"]
    row = page.locator(f"#r-{id_}")
    row.locator(".open").focus()
    console.now = NOW + US
    centre.decide(NOW, actions.assign, "binds-landline", By("Bo", "mine"), "Bo")
    expect(row.locator(".whose")).to_have_text("Bo")
    assert page.evaluate("document.activeElement.closest('[data-id]').dataset.id") == str(id_)


def test_one_sees_who_else_has_selected_a_row(console: Served, centre: Centre, visitors: Visitors) -> None:
    anna, bo = visitors.page(), visitors.page()
    opened(console, anna, "/queue")
    console.sign_in(bo, "manager")
    bo.goto(console.at("/queue"))
    row = f"#r-{centre.reservation['binds']}"
    bo.locator(f"{row} .pick input").check()
    expect(anna.locator(f"{row} .whose")).to_contain_text("Bo looks")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_first_promises_stand_in_the_first_picture(
    console: Served, visitors: Visitors, size: dict[str, int]
) -> None:
    page = visitors.page(size)  # type: ignore[arg-type]
    opened(console, page, "/queue?sort=deadline")
    rows = page.locator("[data-id]")
    lowest = rows.nth(2 if size is DESK else 1).bounding_box()
    assert lowest is not None
    assert lowest["y"] + lowest["height"] < size["height"]
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/queue", "/queue?queue=nowhere", "/queue/left", "/queue/settled", "/queue/unreserved", "/queue/refused"]
)
def test_no_list_shuts_anybody_out(console: Served, visitors: Visitors, path: str, theme: Theme) -> None:
    page = visitors.page(theme=theme)
    console.sign_in(page)
    page.goto(console.at(path))
    assert accessibility_faults(page) == []


def test_no_list_is_wider_than_a_phone(console: Served, visitors: Visitors) -> None:
    page = visitors.page(PHONE, language="zh-CN")
    console.sign_in(page)
    wide = []
    for path in ("/queue", "/queue?all=1", "/queue/left", "/queue/settled", "/queue/unreserved", "/queue/refused"):
        page.goto(console.at(path))
        if scrolls_sideways(page):
            wide.append(path)
    assert wide == []
