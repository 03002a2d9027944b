"""The ten commonest jobs of a shift, each counted: by the keyboard alone, with an input method on, and by touch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from callback.store import tables as t
from tests.browser import PHONE, Visitors, scrolls_sideways
from tests.console import seeded
from tests.console.centre import NOW, Centre
from tests.console.served import Served
from tests.console.test_now import busy
from tests.console.test_touch import Thumb

KEYS: Final = (0, 1, 6, 2, 6, 2, 4, 4, 4, 3)
TAPS: Final = (0, 1, 1, 2, 3, 3, 3, 3, 3, 2)
"""What each job may cost, in their order. The four digits of the third are typed."""
_PROCESS: Final = """code => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {key: "Process", code, bubbles: true, cancelable: true}))"""
_TOAST: Final = "#toasts .toast:not(.fault)"


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """The seeded centre, when live callers take all the time of support's one agent."""
    made = seeded.fresh(tmp_path)
    made.show(NOW, busy())
    yield made
    made.world.close()


@dataclass
class Hands:
    """Somebody at a keyboard, with a Chinese input method where `composes`: a single key is `Process` then."""

    page: Page
    console: Served
    centre: Centre
    composes: bool
    pressed: int = 0

    def at(self, path: str, name: str = "") -> None:
        """Be at a page, and at a row of it."""
        self.page.goto(self.console.at(path))
        if name:
            self.page.locator(f"#r-{self.centre.reservation[name]} .open").focus()

    def single(self, *keys: str) -> None:
        """Press single keys."""
        for key in keys:
            if self.composes:
                code = "Slash" if key == "/" else f"Digit{key}" if key.isdecimal() else f"Key{key.upper()}"
                self.page.evaluate(_PROCESS, code)
            else:
                self.page.keyboard.press(key)
            self.pressed += 1

    def type(self, *keys: str) -> None:
        """Press keys in a field, or Enter."""
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1

    def focused(self, selector: str) -> None:
        """Wait until something has the focus."""
        expect(self.page.locator(selector)).to_be_focused()

    def done(self) -> int:
        """See that it was done; give how many keys it took."""
        expect(self.page.locator(_TOAST).first).to_be_visible()
        expect(self.page.locator(".toast.fault")).to_have_count(0)
        return self.counted()

    def counted(self) -> int:
        """How many keys it took."""
        many, self.pressed = self.pressed, 0
        return many


def by_keys(hands: Hands) -> Iterator[int]:
    """Do the ten jobs; give what each cost."""
    hands.at("/now")
    expect(hands.page.locator("#now-dangers .danger .promise").first).to_be_visible()
    yield hands.counted()
    hands.at("/queue", "binds")
    hands.single("c")
    yield hands.done()
    hands.at("/queue")
    hands.single("/")
    hands.type(*"4412", "Enter")
    hands.page.wait_for_url(f"**/r/{hands.centre.reservation['binds']}")
    yield hands.counted()
    hands.at("/queue", "window")
    hands.single("h", "2")
    yield hands.done()
    hands.at("/queue", "aim")
    hands.single("s")
    hands.type(*"1730", "Enter")
    yield hands.done()
    hands.at("/queue", "window-tried")
    hands.single("n", "1")
    yield hands.done()
    hands.at("/now")
    hands.single("g", "i")
    hands.focused("a[href='/incidents/1']")
    hands.type("Enter")
    hands.focused("form[action='/incidents/1/release'] button")
    expect(hands.page.locator("#incident .effect li")).to_have_count(3)
    hands.type("Enter")
    yield hands.done()
    hands.at("/now")
    hands.single("g", "a")
    hands.page.wait_for_url("**/answers")
    expect(hands.page.locator(".answer")).to_be_visible()
    hands.single("s")
    hands.type("Enter")
    yield hands.done()
    hands.at("/now")
    hands.single("g", "t")
    hands.page.wait_for_url("**/queue/left")
    expect(hands.page.locator("[data-current]")).to_have_count(1)
    hands.single("d", "1")
    yield hands.done()
    hands.at("/now")
    hands.single("w", "2")
    hands.focused("form[action='/what-if/tell'] button")
    hands.type("Enter")
    yield hands.done()


def did(centre: Centre) -> set[str]:
    """What the audit has of all this."""
    return {row.action for row in centre.world.rows(t.audit) if row.at >= NOW}


ALL: Final = {
    "call-now",
    "held",
    "slot",
    "withdrawn-pending",
    "incident-released",
    "answer-done",
    "handled",
    "help-asked",
}


@pytest.mark.parametrize(("language", "composes"), [("en", False), ("zh-CN", False), ("en", True), ("zh-CN", True)])
def test_the_ten_jobs_by_the_keyboard_alone(
    console: Served, centre: Centre, visitors: Visitors, language: str, *, composes: bool
) -> None:
    page = visitors.page(language=language)
    console.sign_in(page)
    cost = tuple(by_keys(Hands(page, console, centre, composes)))
    assert cost == KEYS
    assert did(centre) >= ALL


def test_who_asked_for_help_stands_on_now_for_all_others(console: Served, centre: Centre, visitors: Visitors) -> None:
    anna, bo = visitors.page(), visitors.page()
    console.sign_in(anna)
    console.sign_in(bo, "manager")
    for page in (anna, bo):
        page.goto(console.at("/now"))
    for key in ("w", "2"):
        anna.keyboard.press(key)
    button = anna.locator("form[action='/what-if/tell'] button")
    expect(button).to_be_focused()
    anna.keyboard.press("Enter")
    expect(bo.locator("#now-dangers .helped")).to_contain_text(re.compile(r"Anna.*\+2"))


@dataclass
class Touch:
    """Somebody with a telephone."""

    thumb: Thumb
    console: Served
    centre: Centre

    def at(self, path: str, name: str = "") -> None:
        """Be at a page, and see a row of it: that is no part of the job."""
        self.thumb.page.goto(self.console.at(path))
        if name:
            number = self.centre.reservation[name]
            self.thumb.page.locator(f"#r-{number} .lost").tap(position={"x": 150, "y": 8})
            expect(self.thumb.page.locator(f"#r-{number}[data-current]")).to_have_count(1)

    def done(self) -> int:
        """See that it was done, on a page that is as wide as the telephone; give how many taps it took."""
        expect(self.thumb.page.locator(_TOAST).first).to_be_visible()
        expect(self.thumb.page.locator(".toast.fault")).to_have_count(0)
        return self.counted()

    def counted(self) -> int:
        """How many taps it took."""
        assert not scrolls_sideways(self.thumb.page)
        many, self.thumb.taps = self.thumb.taps, 0
        return many


def by_taps(touch: Touch) -> Iterator[int]:
    """Do the ten jobs; give what each cost."""
    tap = touch.thumb.tap
    touch.at("/now")
    expect(touch.thumb.page.locator("#now-dangers .danger").first).to_be_in_viewport(ratio=1)
    yield touch.counted()
    touch.at("/queue", "binds")
    tap("[data-act=call-now] button")
    yield touch.done()
    touch.at("/queue")
    tap("[role=search] input[type=search]")
    touch.thumb.page.keyboard.type("4412")
    touch.thumb.page.keyboard.press("Enter")
    touch.thumb.page.wait_for_url(f"**/r/{touch.centre.reservation['binds']}")
    yield touch.counted()
    touch.at("/queue", "window")
    tap(".acts details:has([data-act=hold]) > summary")
    tap("[data-act=hold] [data-digit='2']")
    yield touch.done()
    touch.at("/queue", "aim")
    tap(".acts details:has([data-act=slot]) > summary")
    tap("[data-act=slot] .chips button")
    yield touch.done()
    touch.at("/queue", "window-sales")
    tap(".acts .more")
    tap(".acts details:has([data-act=not-lost]) > summary")
    tap("[data-act=not-lost] [data-digit='1']")
    yield touch.done()
    touch.at("/now/rows/incidents")
    tap("main a[href='/incidents/1']")
    tap("form[action='/incidents/1/release'] button")
    yield touch.done()
    touch.at("/now")
    tap(".head .menu:has(.sections) > summary")
    tap(".sections a[href='/answers']")
    tap(".answer form[data-act=call-now] button")
    yield touch.done()
    touch.at("/queue/left")
    tap(".acts details:has([data-act=handled]) > summary")
    tap("[data-act=handled] [data-digit='1']")
    yield touch.done()
    touch.at("/now")
    tap("#now-dangers [data-act=what-if] button[value='2']")
    tap("form[action='/what-if/tell'] button")
    yield touch.done()


def test_the_ten_jobs_by_touch(console: Served, centre: Centre, visitors: Visitors) -> None:
    page = visitors.page(PHONE)
    console.sign_in(page)
    cost = tuple(by_taps(Touch(Thumb(page), console, centre)))
    assert all(taken <= may for taken, may in zip(cost, TAPS, strict=True)), cost
    assert did(centre) >= ALL
