"""A queue in which nobody waits says so, until somebody does."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.callback.world import MINUTE, NOON, US, World, call
from tests.console.served import serve


def test_nobody_waits_until_somebody_does(console_world: World, page: Page) -> None:
    with serve(console_world, NOON + MINUTE) as console:
        console.sign_in(page)
        page.goto(console.at("/queue"))
        nobody = page.get_by_text("Nobody waits.")
        expect(nobody).to_be_visible()
        console.now += US
        console_world.hear(call())
        expect(page.locator("[data-id]")).to_have_count(1)
        expect(nobody).to_be_hidden()
        page.close()
