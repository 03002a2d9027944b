"""Signing in by the pages, and a page that locks in place: nobody reads it until the password brings it back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from callback.accounts import sessions, users
from callback.accounts.sessions import IDLE
from callback.accounts.users import Profile
from tests.browser import PHONE, Theme, Visitors, accessibility_faults, scrolls_sideways
from tests.callback.accounts.people import change, made
from tests.callback.web.console.clients import PASSWORD, hashed
from tests.callback.world import World
from tests.console.centre import NOW, Centre
from tests.console.served import Served, serve
from tests.console.specimen import Specimen

IN_TIME_MS = 10_000
BYE = '{"why": "session"}'


@pytest.fixture
def locking(console_world: World, specimen: Specimen) -> Iterator[Served]:
    """A console into which anna signs in, with a page that is live."""
    made(console_world, "anna", "supervisor")
    with console_world.store.write() as connection:
        users.own_password(change(connection), "anna", hashed())
    with serve(console_world, more=specimen.join, accounts=True) as served:
        yield served
        specimen.end()


def sign_in(page: Page, served: Served, to: str = "/specimen", password: str = PASSWORD) -> None:
    page.goto(served.at(to))
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def is_blurred(page: Page) -> bool:
    return "blur" in str(page.locator("main").evaluate("element => getComputedStyle(element).filter"))


def test_a_page_locks_in_place_and_the_password_brings_it_back(
    locking: Served, specimen: Specimen, page: Page, visitors: Visitors
) -> None:
    visitors.expect("401")
    sign_in(page, locking)
    row = page.locator("#r-5")
    expect(row).to_be_visible()
    page.evaluate("window.sameDocument = true")
    row.focus()
    specimen.settled(page)
    locking.now += IDLE
    specimen.tell("bye", BYE)
    lock = page.get_by_role("dialog", name="Locked")
    expect(lock).to_be_visible(timeout=IN_TIME_MS)
    assert is_blurred(page)
    assert accessibility_faults(page) == []
    page.keyboard.press("Escape")
    expect(lock).to_be_visible()
    lock.get_by_label("Password").fill("not the password")
    lock.get_by_role("button", name="Go on").click()
    expect(lock.get_by_role("alert")).to_have_text("The password is not right.")
    lock.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(lock).to_be_hidden()
    assert not is_blurred(page)
    assert page.evaluate("window.sameDocument")
    with locking.world.store.read() as connection:
        assert sessions.counted(connection, locking.now) == {"anna": 1}


def test_every_tab_locks_and_one_password_opens_all(
    locking: Served, specimen: Specimen, page: Page, visitors: Visitors
) -> None:
    visitors.expect("401")
    sign_in(page, locking)
    other = page.context.new_page()
    other.goto(locking.at("/specimen"))
    specimen.settled(page)
    locking.now += IDLE
    specimen.tell("bye", BYE)
    for tab in (page, other):
        expect(tab.get_by_role("dialog", name="Locked")).to_be_visible(timeout=IN_TIME_MS)
    lock = other.get_by_role("dialog", name="Locked")
    lock.get_by_label("Password").fill(PASSWORD)
    lock.get_by_role("button", name="Go on").click()
    for tab in (page, other):
        expect(tab.get_by_role("dialog", name="Locked")).to_be_hidden(timeout=IN_TIME_MS)


def test_a_role_that_is_taken_away_ends_the_stream_and_the_page_within_seconds(
    centre: Centre, page: Page, visitors: Visitors
) -> None:
    visitors.expect("401")
    with centre.world.store.write() as connection:
        users.add(change(connection), "anna", Profile(frozenset({"supervisor"})))
        users.own_password(change(connection), "anna", hashed())
    with serve(centre.world, NOW, accounts=True) as served:
        with page.expect_request("**/stream?*"):
            sign_in(page, served, "/queue")
        expect(page.locator("[data-lane] [data-id]").first).to_be_visible()
        wait_for(lambda: len(served.hub.visitors) == 1)
        before = time.monotonic()
        with centre.world.store.write() as connection:
            users.change_roles(change(connection), "anna", frozenset({"auditor"}))
        wait_for(lambda: not served.hub.visitors)
        assert time.monotonic() - before < 5
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=5_000)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_work_on_the_page_keeps_it_open(locking: Served, page: Page) -> None:
    page.clock.install()
    sign_in(page, locking)
    for _ in range(3):
        locking.now += IDLE // 2
        page.clock.fast_forward(61_000)
        with page.expect_response("**/session") as answer:
            page.keyboard.press("Shift")
        assert answer.value.status == 204
    expect(page.get_by_role("dialog", name="Locked")).to_be_hidden()


def test_a_one_time_password_is_changed_by_the_pages(locking: Served, page: Page, visitors: Visitors) -> None:
    visitors.expect("422")
    with locking.world.store.write() as connection:
        once = users.reset(change(connection), "anna")
    sign_in(page, locking, password=once)
    expect(page.get_by_role("heading", name="Another password")).to_be_visible()
    for new, told in (("password1234", "easily guessed"), ("lampshade otter gravel", None)):
        page.get_by_label("The password that you have").fill(once)
        page.get_by_label("The new password", exact=True).fill(new)
        page.get_by_label("The new password once more").fill(new)
        page.get_by_role("button", name="Keep it").click()
        if told:
            expect(page.get_by_role("alert")).to_contain_text(told)
    expect(page).not_to_have_url(locking.at("/password"))
    page.goto(locking.at("/account"))
    expect(page.get_by_role("heading", name="anna")).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_door_is_open_to_everybody(locking: Served, visitors: Visitors, theme: Theme, language: str) -> None:
    visitors.expect("401")
    for size in ({}, {"size": PHONE}):
        page = visitors.page(**size, theme=theme, language=language)
        page.goto(locking.at("/sign-in?to=/account"))
        assert accessibility_faults(page) == []
        page.locator("#name").fill("anna")
        page.locator("#password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        assert accessibility_faults(page) == []
        page.locator("#name").fill("anna")
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page).to_have_url(locking.at("/account"))
        assert (accessibility_faults(page), scrolls_sideways(page)) == ([], False)
        page.goto(locking.at("/password"))
        assert (accessibility_faults(page), scrolls_sideways(page)) == ([], False)
