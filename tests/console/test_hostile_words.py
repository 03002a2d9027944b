"""What strangers and colleagues wrote is text on every page: it runs nowhere, turns nothing round, widens nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from callback.decisions import actions
from callback.store.audit import By
from tests.browser import DESK, PHONE, Visitors, scrolls_sideways
from tests.console import seeded
from tests.console.addresses import address, templates
from tests.console.centre import HOSTILE, NOW, Centre
from tests.console.served import Served, serve

PAGES = templates()
LONGEST = 400  # signs of a text in one place: what is longer is cut
NAMES = ("<img src=x onerror=alert(1)>", "\u202eanna", "李\x07娜" * 30, '"><script>alert(2)</script>', "=1+1")
_TEXTS = """() => {
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode())
    if (!walker.currentNode.parentElement.closest("noscript")) found.push(walker.currentNode.data);
  return found;
}"""
_MADE_OF_TEXT = "img, iframe, object, embed, main script, main [onerror], main [onclick], main [style]"
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\x00\x07\x1b")


@pytest.fixture
def hostile(centre: Centre) -> Centre:
    """The centre, in which people with strange names give strange reasons."""
    return made_hostile(centre)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Centre, Served]]:
    """The same with its console, for tests that only look."""
    centre = made_hostile(seeded.fresh(tmp_path_factory.mktemp("hostile")))
    with serve(centre.world, NOW) as console:
        yield centre, console
    centre.world.close()


def made_hostile(centre: Centre) -> Centre:
    for name, who, why in zip(("window", "aim", "busy", "window-sales"), NAMES, HOSTILE, strict=False):
        centre.decide(NOW, actions.hold, name, By(who, why[:400]))
    for name, who in zip(("binds-landline", "aim-severe", "abroad"), NAMES[1:], strict=False):
        centre.decide(NOW, actions.assign, name, By("Anna", "x" * 300), who)
    for name, who, why in zip(("aim-new", "late"), NAMES, HOSTILE[1:], strict=False):
        centre.decide(NOW, actions.cancel, name, By(who, why[:400]))
    return centre


def is_tame(page: Page) -> None:
    """Whatever was written stands there as text, cut, and with nothing that turns or hides what is around it."""
    assert page.locator(_MADE_OF_TEXT).count() == 0
    for text in page.evaluate(_TEXTS):
        assert len(text) <= LONGEST, text[:80]
        assert _TURNS.isdisjoint(text), text
        assert text.count("\u2068") == text.count("\u2069"), text  # ours, around names: they keep a name to itself
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_does_what_a_stranger_wrote(shown: tuple[Centre, Served], regulars: Visitors, path: str) -> None:
    centre, console = shown
    regulars.expect("status of 40[34]")
    for size in (DESK, PHONE):
        page = regulars.regular(size)
        console.sign_in(page, "manager")
        page.goto(console.at(address(path, centre)))
        expect(page.locator("main")).to_be_visible()
        is_tame(page)


def test_strange_words_are_read_as_they_were_written(console: Served, page: Page, hostile: Centre) -> None:
    console.sign_in(page)
    page.goto(console.at("/queue?lane=held"))
    row = page.locator(f"#r-{hostile.reservation['window']} .next")
    expect(row).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.locator(f"#r-{hostile.reservation['aim']} .next")).to_contain_text("{{7*7}} ${7*7}")
    expect(page.locator(f"#r-{hostile.reservation['busy']} .next")).to_contain_text('=HYPERLINK("http://evil.example"')
    assert page.locator("main bdi").count() > 0


def test_a_strange_name_that_comes_in_by_the_stream_is_text_too(
    console: Served, page: Page, visitors: Visitors, centre: Centre
) -> None:
    console.sign_in(page)
    page.goto(console.at("/queue"))
    page.on("dialog", lambda dialog: visitors.faults.append(f"a dialog: {dialog.message}"))
    row = page.locator(f"#r-{centre.reservation['binds']}")
    row.locator(".open").focus()
    while not console.hub.viewers:
        page.wait_for_timeout(50)
    centre.decide(NOW, actions.assign, "binds", By("Anna", "x"), NAMES[3])
    expect(row.locator(".whose")).to_contain_text('"><script>alert(2)</script>')
    is_tame(page)
