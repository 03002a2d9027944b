"""Pages of campaigns in a browser: nobody is shut out, in light and dark and on a telephone; one key stops it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from callback.campaigns import asking
from callback.campaigns.sample import Wish
from callback.decisions.campaigns import acts, sampling
from callback.reports.campaigns import asked
from callback.store import tables as t
from scheduler.clock import DAY
from tests.browser import DESK, PHONE, Visitors, accessibility_faults, scrolls_sideways
from tests.callback.campaigns.told import BY, do, made, site
from tests.callback.world import MINUTE, NOON, World, call
from tests.console.served import Served, serve


@pytest.fixture
def campaigns(tmp_path: Path) -> Iterator[Served]:
    """A console with a campaign that runs, of which a sample was called and scored."""
    world = World(f"sqlite:///{tmp_path / 'campaigns.db'}", site())
    for n in range(12):
        world.hear(call(f"090123456{n:02}", NOON - n * MINUTE), now=NOON - n * MINUTE)
    number = made(world)
    do(world, sampling.draw, number, Wish(seed=42, size=8), BY)
    do(world, asking.reserve_due, now=NOON + 3 * DAY)
    with world.store.write() as connection:
        mine = t.reservation.c.kind == "follow-up"
        connection.execute(update(t.reservation).where(mine).values(state="reached", open=False))
    for drawn, score in zip(do(world, asked.people, number, 0, "to-score").people, (9, 10, 7, "refused"), strict=False):
        do(world, sampling.score, asked.key(drawn), score, BY)
    do(world, acts.start, number, BY)
    with serve(world, NOON) as served:
        yield served
    world.close()


PAGES = ("", "/new", "/1", "/1/sample", "/1/sample/0", "/1/sample/0?show=scored", "/1/checklist")


def test_no_page_of_campaigns_shuts_anybody_out(campaigns: Served, visitors: Visitors) -> None:
    for size, theme, language in ((DESK, "light", "en"), (DESK, "dark", "zh-CN"), (PHONE, "dark", "zh-TW")):
        page = visitors.page(size, theme=theme, language=language)  # type: ignore[arg-type]
        campaigns.sign_in(page, "manager")
        for path in PAGES:
            page.goto(campaigns.at(f"/campaigns{path}"))
            if into := os.environ.get("LOOK"):
                name = f"campaigns{path.replace('/', '-').replace('?', '-')}-{size['width']}-{theme}.png"
                page.screenshot(path=Path(into) / name, full_page=True)
            assert not scrolls_sideways(page), (path, size)
            assert accessibility_faults(page) == [], (path, theme)


def test_a_text_is_counted_while_it_is_written_and_one_key_stops_the_campaign(
    campaigns: Served, visitors: Visitors
) -> None:
    page = visitors.page(DESK)
    campaigns.sign_in(page, "manager")
    page.goto(campaigns.at("/campaigns/new"))
    page.locator("textarea[lang=en]").fill("Call {caller_id} " + "x" * 150)
    expect(page.locator("#length-1")).to_have_text("166 characters, 2 texts to pay, GSM-7")
    page.locator("textarea[lang=zh-Hans]").fill("线路已恢复")
    expect(page.locator("#length-2")).to_have_text("5 characters, 1 texts to pay, UCS-2")
    page.goto(campaigns.at("/campaigns/1"))
    expect(page.locator("#campaign-progress h2")).to_contain_text("running")
    do(campaigns.world, acts.stop, 1, BY)  # by somebody else: the page hears of it by itself
    expect(page.locator("#campaign-progress h2")).to_contain_text("stopped", timeout=10_000)
    do(campaigns.world, acts.start, 1, BY)
    page.reload()
    expect(page.locator("#campaign-progress h2")).to_contain_text("running")
    page.keyboard.press("x")
    expect(page.locator("#campaign-progress h2")).to_contain_text("stopped")
    assert campaigns.world.rows(t.campaign)[0].state == "stopped"
