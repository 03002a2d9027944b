"""A browser for tests: one Chromium of a test process, contexts of each test's own, and no fault that goes unseen.

A page that logs an error or a warning, throws, or breaks its content security policy, fails the test.
"""

from __future__ import annotations

import re
from asyncio import events
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, ViewportSize, sync_playwright

from lab import chromium
from lab.errors import LabError
from tests.parts import missing

DESK: Final[ViewportSize] = {"width": 1366, "height": 768}
PHONE: Final[ViewportSize] = {"width": 360, "height": 640}
PATIENCE_MS: Final = 15_000  # for what a page is to show: the machine may be busy
Theme = Literal["light", "dark"]

_TELLS_OF_VIOLATIONS: Final = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content security policy: ${event.violatedDirective} by ${event.blockedURI}`));"""
_GRAVE: Final = {"serious", "critical"}


@dataclass
class Visitors:
    """People at their browsers, each with cookies and storage of their own, all in one Chromium."""

    browser: Browser
    faults: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)
    _regular: dict[tuple[int, str], Page] = field(default_factory=dict)

    def come(
        self, size: ViewportSize = DESK, *, theme: Theme = "light", language: str = "en", **options: Any
    ) -> BrowserContext:
        """Give a browser of somebody's own; `options` are those of Playwright's `new_context`."""
        context = self.browser.new_context(
            **{
                "viewport": size,
                "color_scheme": theme,
                "locale": language,
                "reduced_motion": "reduce",
                "timezone_id": "Europe/Berlin",  # not the site's: its clock is what a page shows
                "has_touch": size["width"] < 600,
                **options,
            }
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(_TELLS_OF_VIOLATIONS)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._fault(f"thrown: {error.error}"))
        self._contexts.append(context)
        return context

    def page(self, size: ViewportSize = DESK, *, theme: Theme = "light", language: str = "en", **options: Any) -> Page:
        """Give the one page of somebody who has just come."""
        return self.come(size, theme=theme, language=language, **options).new_page()

    def regular(self, size: ViewportSize = DESK, *, language: str = "en") -> Page:
        """Give the page of the one who came with that window and language before."""
        key = (size["width"], language)
        if key not in self._regular:
            self._regular[key] = self.page(size, language=language)
            self._regular[key].on("dialog", self._asked)
        return self._regular[key]

    def expect(self, fault: str) -> None:
        """Let faults pass that this pattern is found in: a refused request is an error of the console, too."""
        self._expected.append(re.compile(fault))

    def unexpected(self) -> list[str]:
        """Give what went wrong in any page and was not expected."""
        return [fault for fault in self.faults if not any(pattern.search(fault) for pattern in self._expected)]

    def leave(self) -> None:
        """Close all that was opened."""
        for context in self._contexts:
            context.close()

    def forget(self) -> None:
        """Begin anew: what went wrong, and what was expected, was of an earlier test."""
        self.faults.clear()
        self._expected.clear()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._fault(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _asked(self, dialog: Dialog) -> None:
        """Whoever only looks is asked nothing."""
        self._fault(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _fault(self, fault: str) -> None:
        self.faults.append(fault)


def accessibility_faults(page: Page, *, without: Collection[str] = ()) -> list[str]:
    """Tell what axe finds serious or critical in the page as it is now: the rule, and the elements.

    `without` names rules that are not asked: the page was asked by them before, and what they look at is the same.
    """
    options = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in without}}
    found: dict[str, Any] = Axe().run(page, options=options).response
    return [
        f"{violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found["violations"]
        if violation["impact"] in _GRAVE
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


class _Loop:
    """Playwright's event loop, which runs only while a test uses the browser.

    Between tests it must not count as running: other tests of this process run loops of their own.
    """

    def __init__(self) -> None:
        self._running = events._get_running_loop()  # noqa: SLF001 - asyncio gives it to those who make loops

    def rest(self) -> None:
        """Let others run a loop in this thread."""
        events._set_running_loop(None)  # noqa: SLF001 - as above

    def go_on(self) -> None:
        """Let Playwright's calls find their loop again."""
        events._set_running_loop(self._running)  # noqa: SLF001 - as above


@contextmanager
def _chromium() -> Iterator[tuple[Browser, _Loop]]:
    try:
        found = chromium.find()
    except LabError as error:
        missing(str(error))
    with sync_playwright() as playwright:
        loop = _Loop()
        browser = playwright.chromium.launch(
            executable_path=found.binary, args=chromium.ARGUMENTS, env={**found.environment}
        )
        loop.rest()
        yield browser, loop
        loop.go_on()
        browser.close()


@pytest.fixture(scope="session")
def running_chromium() -> Iterator[tuple[Browser, _Loop]]:
    """The Chromium of this test process, started by the first test that asks for it."""
    with _chromium() as browser:
        yield browser


@pytest.fixture
def visitors(running_chromium: tuple[Browser, _Loop]) -> Iterator[Visitors]:
    """People who come with browsers of their own; what went wrong in any of their pages fails the test."""
    browser, loop = running_chromium
    loop.go_on()
    come = Visitors(browser)
    try:
        yield come
        come.leave()
    finally:
        loop.rest()
    _fail_for(come)


@pytest.fixture(scope="module")
def _stay(running_chromium: tuple[Browser, _Loop]) -> Iterator[Visitors]:
    """Whoever stays while the tests of a module follow each other."""
    browser, loop = running_chromium
    come = Visitors(browser)
    yield come
    loop.go_on()
    come.leave()
    loop.rest()


@pytest.fixture
def regulars(running_chromium: tuple[Browser, _Loop], _stay: Visitors) -> Iterator[Visitors]:
    """People who stay from test to test of a module, each with one page for all: for tests that only look at pages.

    A browser that has come once is quick: what it compiled is kept. What went wrong fails the test that it went wrong
    in.
    """
    _, loop = running_chromium
    loop.go_on()
    _stay.forget()
    try:
        yield _stay
    finally:
        loop.rest()
    _fail_for(_stay)


def _fail_for(come: Visitors) -> None:
    if faults := come.unexpected():
        pytest.fail("\n".join(["pages went wrong:", *faults]))


@pytest.fixture
def page(visitors: Visitors) -> Page:
    """The page of one person at a desk, who reads English by day."""
    return visitors.page()
